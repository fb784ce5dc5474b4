package wordpress

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// A Gate looks through answers for whatever would lead a visitor away from the
// mount. It shares no code with the mapper that it judges: it undoes every
// escape it knows and then searches plain text, where the mapper works on the
// escaped bytes.
type Gate struct {
	// Hosts are the names, with or without port, under which the origin must never show.
	Hosts []string
	// Public is the base URL of the mount.
	Public *url.URL
	// RootRelative also looks for paths that lead to the main site.
	RootRelative bool
	// Allowed are the texts that may stay.
	Allowed []Allowance
}

// Allowance is a text that may stay in an answer, with its reason.
type Allowance struct {
	Text   *regexp.Regexp
	Reason string
}

// Leak is one place where an answer leads away.
type Leak struct {
	Form string // what is wrong: "origin host", "path", ...
	Text string // the place, with a little of what surrounds it
}

func (l Leak) String() string { return l.Form + ": " + l.Text }

// maxLeaks bounds what is reported of one answer.
const maxLeaks = 5

// unescape undoes the ways in which a URL is written inside other languages, as
// often as they are nested. What it makes is for searching only.
var unescape = strings.NewReplacer(
	`\\\/`, "/", `\\/`, "/", `\/`, "/",
	`\u002F`, "/", `\u002f`, "/", `\u003A`, ":", `\u003a`, ":", `\u002E`, ".", `\u002e`, ".", `\u0022`, `"`, `\u0026`, "&",
	"&#x2F;", "/", "&#x2f;", "/", "&#47;", "/", "&#047;", "/", "&#x3A;", ":", "&#x3a;", ":", "&#58;", ":", "&#058;", ":", "&#46;", ".",
	"&quot;", `"`, "&#34;", `"`, "&#034;", `"`, "&#039;", "'", "&#39;", "'", "&amp;", "&", "&#038;", "&", "&#38;", "&", "&#x26;", "&", `\"`, `"`, `\'`, "'",
	"%252F", "/", "%252f", "/", "%253A", ":", "%253a", ":", "%2F", "/", "%2f", "/", "%3A", ":", "%3a", ":", "%2E", ".", "%2e", ".", "%22", `"`,
)

// nesting is how many escapes inside each other are undone.
const nesting = 3

func plain(text string) string {
	for range nesting {
		next := unescape.Replace(text)
		if next == text {
			break
		}
		text = next
	}
	return text
}

// Patterns of root-relative references, on plain text. The path is the last group.
var (
	attributePath = regexp.MustCompile(`(?i)[\s"'](href|src|action|formaction|poster|cite|data|background|longdesc|manifest|ping|icon|data-src|data-href|data-url|data-bg|xlink:href)\s*=\s*["']?(/[^/\s"'<>][^\s"'<>]*|/["'\s>])`)
	candidateSet  = regexp.MustCompile(`(?i)[\s"'](?:srcset|imagesrcset|data-srcset)\s*=\s*["']([^"']*)["']`)
	cssPath       = regexp.MustCompile(`(?i)(?:url\(\s*["']?|@import\s+["'])(/[^/\s"')][^\s"')]*)`)
	wordpressPath = regexp.MustCompile(`[^+\s]\s*["'](/(?:wp-(?:admin|content|includes|json)\b|wp-[a-z-]+\.php|xmlrpc\.php)[^"'\s]*)`)
	userSettings  = regexp.MustCompile(`userSettings\s*=\s*\{"url":"(/[^"]*)"`)
	refererField  = regexp.MustCompile(`name="_wp_http_referer" value="[^"]*"`)
)

// Check returns the leaks of one answer, at most a handful.
func (g *Gate) Check(header http.Header, body []byte) []Leak {
	var leaks []Leak
	report := func(form, text string) {
		if len(leaks) < maxLeaks {
			leaks = append(leaks, Leak{form, strings.Join(strings.Fields(text), " ")})
		}
	}
	g.checkHeader(header, report)
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if !textual(mediaType) {
		return leaks
	}
	text := plain(string(body))
	for _, a := range g.Allowed {
		text = a.Text.ReplaceAllString(text, " ")
	}
	// A hidden field that only travels back to the site: both forms of it work.
	text = refererField.ReplaceAllString(text, " ")
	g.checkHosts(text, report)
	if g.RootRelative {
		g.checkPaths(mediaType, text, report)
	}
	return leaks
}

// textual tells the types that carry URLs from the rest.
func textual(mediaType string) bool {
	if strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+xml") || strings.HasSuffix(mediaType, "+json") {
		return mediaType != "text/event-stream"
	}
	switch mediaType {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return false
}

// checkHeader looks at header fields: hosts in all of them, paths where a field holds a URL or a path.
func (g *Gate) checkHeader(header http.Header, report func(form, text string)) {
	for name, values := range header {
		for _, value := range values {
			line := name + ": " + value
			for _, host := range g.Hosts {
				if strings.Contains(strings.ToLower(plain(value)), host) {
					report("origin host in a field", line)
				}
			}
			switch name {
			case "Location", "Content-Location":
				if !g.inside(value) {
					report("address outside of the mount", line)
				}
			case "Set-Cookie":
				cookie, err := http.ParseSetCookie(value)
				if err != nil || !g.below(cookie.Path) || cookie.Domain != "" {
					report("cookie outside of the mount", line)
				} else if g.Public.Scheme == "https" && !cookie.Secure {
					report("cookie without Secure", line)
				}
			}
		}
	}
}

// inside reports whether a URL of a header field stays on the mount. URLs of third
// parties do not count; another port of the public host is none.
func (g *Gate) inside(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Host == "" {
		return !strings.HasPrefix(address, "/") || g.below(u.Path)
	}
	return u.Hostname() != g.Public.Hostname() || u.Scheme == g.Public.Scheme && u.Host == g.Public.Host && g.below(u.Path)
}

// below reports whether a path is the mount's own or below it. Of a text, the
// path may be followed by anything that ends a path segment.
func (g *Gate) below(path string) bool {
	rest, ok := strings.CutPrefix(path, g.Public.Path)
	return ok && (rest == "" || !segment.MatchString(rest[:1]))
}

// segment matches what goes on with a path segment: /blogger is not below /blog.
var segment = regexp.MustCompile(`[\w.~%-]`)

// checkHosts looks for the origin's hosts anywhere, and for URLs of the public host that miss the mount.
func (g *Gate) checkHosts(text string, report func(form, text string)) {
	lower := strings.ToLower(text)
	for _, host := range g.Hosts {
		for i := range occurrences(lower, host) {
			report("origin host", around(text, i, len(host)))
		}
	}
	base := "//" + g.Public.Host
	for i := range occurrences(lower, base) {
		rest := text[i+len(base):]
		if rest == "" || rest[0] != '/' {
			continue // the origin of the page, as CSP and postMessage want it
		}
		if end := strings.IndexFunc(rest, func(r rune) bool { return strings.ContainsRune(" \t\r\n\"'<>()|\\", r) }); end >= 0 {
			rest = rest[:end]
		}
		if !g.below(rest) {
			report("main site", around(text, i, len(base)))
		}
		if twice := g.Public.Path + g.Public.Path + "/"; strings.HasPrefix(rest, twice) && len(rest) > len(twice) && !strings.ContainsRune("?#&", rune(rest[len(twice)])) && !strings.HasPrefix(rest[len(twice):], "feed/") && !strings.HasPrefix(rest[len(twice):], "embed/") {
			report("prefix twice", around(text, i, len(base)))
		}
	}
}

// checkPaths looks for paths that start at the root of the main site.
func (g *Gate) checkPaths(mediaType, text string, report func(form, text string)) {
	if mediaType == "text/javascript" || mediaType == "application/javascript" {
		return // paths in script files are glued to a base that the page gives
	}
	patterns := []*regexp.Regexp{cssPath}
	if mediaType != "text/css" {
		patterns = append(patterns, attributePath, wordpressPath, userSettings)
	}
	for _, pattern := range patterns {
		for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
			path := strings.TrimRight(text[m[len(m)-2]:m[len(m)-1]], `"' >`)
			if !g.below(path) {
				report("path outside of the mount", around(text, m[0], m[1]-m[0]))
			}
		}
	}
	for _, m := range candidateSet.FindAllStringSubmatchIndex(text, -1) {
		for candidate := range strings.SplitSeq(text[m[2]:m[3]], ",") {
			if c := strings.TrimSpace(candidate); strings.HasPrefix(c, "/") && !strings.HasPrefix(c, "//") && !g.below(c) {
				report("path outside of the mount", around(text, m[0], m[1]-m[0]))
			}
		}
	}
}

// occurrences yields the offsets of a word in a text.
func occurrences(text, word string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for at := 0; ; {
			i := strings.Index(text[at:], word)
			if i < 0 || !yield(at+i) {
				return
			}
			at += i + len(word)
		}
	}
}

// around cuts a place out of a text with a little of both sides.
func around(text string, at, n int) string {
	const margin = 60
	return text[max(0, at-margin):min(len(text), at+n+margin)]
}

// ReadAllowances reads a list of texts that may stay: a line each, regular
// expression and reason, separated by a tab; {host} stands for the origin's
// host. Empty lines and lines that start with # are comments.
func ReadAllowances(r io.Reader, host string) ([]Allowance, error) {
	var list []Allowance
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		text, reason, found := strings.Cut(line, "\t")
		if !found || reason == "" {
			return nil, fmt.Errorf("line %d: a text, a tab and a reason were expected", n)
		}
		re, err := regexp.Compile(strings.ReplaceAll(text, "{host}", regexp.QuoteMeta(host)))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, Allowance{re, strings.TrimSpace(reason)})
	}
	return list, lines.Err()
}
