package cache

import (
	"net/http"
	"path"
	"strings"
)

// bypassPaths are the paths, relative to the mount, that WordPress serves to one
// user or as an action; its own files at any depth, for networks of sites in
// subdirectories. cacheablePaths are exempt from them: static files below the
// administration.
var (
	bypassPaths = []string{
		"*/wp-admin", "*/wp-admin/*", "*/wp-login.php*", "*/wp-signup.php*", "*/wp-activate.php*", "*/wp-register*",
		"*/wp-cron.php*", "*/xmlrpc.php*", "*/wp-comments-post.php*", "*/wp-trackback.php*", "*/wp-mail.php*",
		"*/wp-json/wc/store", "*/wp-json/wc/store/*",
		"/cart", "/cart/*", "/basket", "/basket/*", "/checkout", "/checkout/*", "/my-account", "/my-account/*",
		"/addons", "/addons/*", "/store", "/store/*",
	}
	cacheablePaths = []string{
		"*/wp-admin/load-scripts.php", "*/wp-admin/load-styles.php", "*/wp-admin/css/*", "*/wp-admin/images/*", "*/wp-admin/js/*",
	}
)

// bypassQueries are the query parameters that make a page one user's own, or an
// action. A name that ends in "*" is a prefix.
var bypassQueries = []string{
	"preview", "preview_id", "preview_nonce", "customize_changeset_uuid", "customize_theme", "customize_messenger_channel",
	"add-to-cart", "remove_item", "undo_item", "update_cart", "removed_item", "wc-ajax", "wc-api", "edd_action", "download_file",
	"doing_wp_cron", "unapproved", "moderation-hash", "replytocom", "nocache", "LSCWP_CTRL", "s",
	"_wpnonce", "rest_route", "_locale", "action", "loggedout", "reauth", "password-protected",
}

// DefaultBypassPaths returns the path patterns that are not cached without
// configuration. The slice is the caller's.
func DefaultBypassPaths() []string { return append([]string(nil), bypassPaths...) }

// DefaultBypassQueries returns the query parameters that are not cached without
// configuration. The slice is the caller's.
func DefaultBypassQueries() []string { return append([]string(nil), bypassQueries...) }

// BypassRules says which requests are passed by their path, query and fields.
// Make it with NewBypassRules. It is safe for concurrent use.
type BypassRules struct {
	operator []pathPattern
	paths    []pathPattern
	exempt   []pathPattern
	queries  names
}

// NewBypassRules returns the default rules with further path patterns, relative
// to the mount, in the syntax of Caddy's path matcher: exact, "/x/*", "*.php",
// "*x*", or a glob of path.Match, in any letter case. The operator's patterns
// have no exemptions. Without wordpress the defaults are left out.
func NewBypassRules(patterns []string, wordpress bool) *BypassRules {
	b := &BypassRules{operator: newPathPatterns(patterns)}
	if wordpress {
		b.paths, b.exempt = newPathPatterns(bypassPaths), newPathPatterns(cacheablePaths)
		b.queries.add(bypassQueries...)
	}
	return b
}

// Reason returns why a request is passed, or ReasonStored if these rules let it
// be looked up and stored. The path is the escaped one relative to the mount,
// beginning with "/"; rawQuery are the bytes as forwarded. It does not change h.
func (b *BypassRules) Reason(urlPath, rawQuery string, h http.Header) Reason {
	if overridesMethod(rawQuery, h) {
		return ReasonMethodOverride
	}
	if strings.IndexByte(urlPath, '%') >= 0 {
		urlPath = unescapeOnce(urlPath)
	}
	lower := strings.ToLower(cleanPath(urlPath))
	if matchAny(b.operator, lower) || matchAny(b.paths, lower) && !b.exempts(lower) {
		return ReasonPath
	}
	if b.queries.exact != nil {
		if len(h["X-Wp-Nonce"]) > 0 || len(h["Nonce"]) > 0 || len(h["Cart-Token"]) > 0 {
			return ReasonNonce
		}
		if rawQuery == "" {
			return ReasonStored
		}
		for segment := range strings.SplitSeq(rawQuery, "&") {
			if b.queries.match(parameterName(segment)) {
				return ReasonQuery
			}
		}
	}
	return ReasonStored
}

// exempts reports whether a path below the administration is a static file. What
// stands behind a script's name is its argument, not a file.
func (b *BypassRules) exempts(lower string) bool {
	return matchAny(b.exempt, lower) && !strings.Contains(lower, ".php/")
}

// overridesMethod reports whether a request asks to be taken for another
// method: WordPress then writes on what came as a GET.
func overridesMethod(rawQuery string, h http.Header) bool {
	if len(h["X-Http-Method-Override"]) > 0 || len(h["X-Http-Method"]) > 0 || len(h["X-Method-Override"]) > 0 {
		return true
	}
	if rawQuery == "" {
		return false
	}
	for segment := range strings.SplitSeq(rawQuery, "&") {
		if parameterName(segment) == "_method" {
			return true
		}
	}
	return false
}

// parameterName returns the name of one query segment as PHP reads it: decoded
// once, up to the first "=" or "[", and with ".", " " and a "[" that nothing
// closes as "_".
func parameterName(segment string) string {
	name, _, _ := strings.Cut(segment, "=")
	if strings.IndexByte(name, '%') >= 0 {
		name = unescapeOnce(name)
	}
	if i := strings.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	if i := strings.IndexByte(name, '['); i > 0 && strings.IndexByte(name[i:], ']') > 0 {
		name = name[:i]
	}
	name = strings.TrimLeft(name, " +")
	if strings.ContainsAny(name, ". +[") {
		name = strings.NewReplacer(".", "_", " ", "_", "+", "_", "[", "_").Replace(name)
	}
	return name
}

// unescapeOnce decodes the valid %xx of s and leaves the rest.
func unescapeOnce(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
			if hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func hexDigit(c byte) int {
	if c >= 'A' && c <= 'F' {
		c |= 0x20
	}
	return lowerHex(c)
}

// cleanPath resolves what web servers take for the same path: repeated slashes
// and dot segments. A final slash stays.
func cleanPath(p string) string {
	if !strings.Contains(p, "//") && !strings.Contains(p, "/.") {
		return p
	}
	c := path.Clean(p)
	if strings.HasSuffix(p, "/") && c != "/" {
		c += "/"
	}
	return c
}

// pathPattern is a pattern of Caddy's path matcher, read once: the kinds that are
// cheap to match are told apart, since every request is matched with all of them.
type pathPattern struct {
	kind pathPatternKind
	text string // lower case, without the stars but for a glob
}

type pathPatternKind uint8

const (
	patternExact pathPatternKind = iota
	patternPrefix
	patternSuffix
	patternWithin
	patternGlob
)

func newPathPatterns(patterns []string) []pathPattern {
	compiled := make([]pathPattern, len(patterns))
	for i, p := range patterns {
		compiled[i] = newPathPattern(strings.ToLower(p))
	}
	return compiled
}

func newPathPattern(p string) pathPattern {
	n := strings.Count(p, "*")
	switch {
	case n == 0 && !strings.ContainsAny(p, `?[\`):
		return pathPattern{patternExact, p}
	case n == 1 && strings.HasSuffix(p, "*"):
		return pathPattern{patternPrefix, p[:len(p)-1]}
	case n == 1 && strings.HasPrefix(p, "*"):
		return pathPattern{patternSuffix, p[1:]}
	case n == 2 && strings.HasPrefix(p, "*") && strings.HasSuffix(p, "*"):
		return pathPattern{patternWithin, p[1 : len(p)-1]}
	}
	return pathPattern{patternGlob, p}
}

// match matches a lower-case path.
func (p *pathPattern) match(lower string) bool {
	switch p.kind {
	case patternExact:
		return lower == p.text
	case patternPrefix:
		return strings.HasPrefix(lower, p.text)
	case patternSuffix:
		return strings.HasSuffix(lower, p.text)
	case patternWithin:
		return strings.Contains(lower, p.text)
	}
	ok, err := path.Match(p.text, lower)
	return ok && err == nil
}

func matchAny(patterns []pathPattern, lower string) bool {
	for i := range patterns {
		if patterns[i].match(lower) {
			return true
		}
	}
	return false
}
