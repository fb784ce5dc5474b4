package handler

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// formBase is one base URL: an address under which text names the mounted site
// (or, for requests, the mount).
type formBase struct {
	Scheme string // "http" or "https"
	Host   string // host name or address, with a port unless it is the scheme's default
	Path   string // decoded, without a trailing slash; "" is the root
}

// formOptions shapes the tables that newForms builds.
type formOptions struct {
	// KeepRootRelative maps URLs that name a host, and no others.
	KeepRootRelative bool
}

// forms is what a scanner looks for and what it writes in its place: the URLs
// below any of several bases become URLs below one other base. The same tables
// serve answers (site to public) and, with the sides exchanged, requests.
// A forms is immutable and safe for concurrent use.
type forms struct {
	needles []needle
	groups  []hostGroup
	// initials are the bytes that a host begins with, in either case.
	initials [256]bool
	to       target

	// rootRelative maps "/x" too: what begins with rootFrom begins with the
	// segments of the target instead.
	rootRelative bool
	rootFrom     string

	longest int     // bounds the bytes of a host with its base path, in any spelling
	off     ruleSet // rules that are left out; tests remove one at a time
}

// needle is one spelling of one host name, as it is searched for.
type needle struct {
	host  []byte // lower case
	name  string // host
	bases []fromBase
	label bool // a single label ("wordpress"), which is also a word
}

// hostGroup are needles that end alike, such as a domain and its subdomains: one
// search finds them all.
type hostGroup struct {
	suffix  []byte
	finder  finder // of suffix
	members []int  // indices of needles, the longest first
}

// minSuffix is the shortest common end that is worth one search for two hosts:
// a shorter one is a top-level domain, which is everywhere.
const minSuffix = 8

type fromBase struct {
	port     string // "" is the scheme's default
	portless bool   // the port may be missing (feeds drop it)
	path     string // decoded
}

// target is the base that is written. Index: levels of percent-encoding.
type target struct {
	scheme []byte
	host   [maxPercent + 1][]byte   // without the port
	port   []byte                   // empty is the scheme's default
	segs   [maxPercent + 1][][]byte // path segments
}

// newForms builds the tables that map URLs below the bases from to URLs below
// the base to. The first of from is the one whose root-relative paths are
// meant. Of several bases that cover a URL the first wins.
func newForms(from []formBase, to formBase, o formOptions) *forms {
	t := &forms{rootRelative: !o.KeepRootRelative}
	toName, _ := splitPort(to.Scheme, to.Host)
	for _, f := range from {
		name, port := splitPort(f.Scheme, f.Host)
		fb := fromBase{
			port: port,
			// Without its port the name of a site that shares the host of the
			// target is the target itself.
			portless: port != "" && name != toName,
			path:     strings.TrimSuffix(f.Path, "/"),
		}
		for _, s := range hostSpellings(name) {
			t.addBase(s, fb)
		}
	}
	t.group()
	if len(from) > 0 {
		t.rootFrom = strings.TrimSuffix(from[0].Path, "/")
	}
	t.to.build(to)
	if t.rootFrom == strings.TrimSuffix(to.Path, "/") {
		t.rootRelative = false // every path is right as it is
	}
	return t
}

func (t *forms) addBase(host string, fb fromBase) {
	t.longest = max(t.longest, len(host)+maxEntityBytes*len(fb.path))
	for i := range t.needles {
		if string(t.needles[i].host) == host {
			t.needles[i].bases = append(t.needles[i].bases, fb)
			return
		}
	}
	t.initials[host[0]], t.initials[upper(host[0])] = true, true
	t.needles = append(t.needles, needle{
		host:  []byte(host),
		name:  host,
		bases: []fromBase{fb},
		label: !strings.ContainsAny(host, ".:"),
	})
}

// group sorts the needles into groups.
func (t *forms) group() {
	for k, nd := range t.needles {
		joined := false
		for i := range t.groups {
			g := &t.groups[i]
			if n := commonSuffix(g.suffix, nd.host); n >= minSuffix {
				g.suffix = g.suffix[len(g.suffix)-n:]
				g.members = append(g.members, k)
				joined = true
				break
			}
		}
		if !joined {
			t.groups = append(t.groups, hostGroup{suffix: nd.host, members: []int{k}})
		}
	}
	for i := range t.groups {
		g := &t.groups[i]
		g.finder = newFinder(g.suffix)
		slices.SortStableFunc(g.members, func(a, b int) int { return len(t.needles[b].host) - len(t.needles[a].host) })
	}
}

func commonSuffix(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

func (g *target) build(to formBase) {
	name, port := splitPort(to.Scheme, to.Host)
	g.scheme, g.port = []byte(to.Scheme), []byte(port)
	host, segs := name, strings.Split(strings.Trim(to.Path, "/"), "/")
	if segs[0] == "" {
		segs = nil
	}
	for i, s := range segs {
		segs[i] = url.PathEscape(s)
	}
	for level := range g.host {
		g.host[level] = []byte(host)
		for i, s := range segs {
			g.segs[level] = append(g.segs[level], []byte(s))
			segs[i] = url.QueryEscape(s)
		}
		host = url.QueryEscape(host)
	}
}

// splitPort cuts a host into its lower-case name and its port. The default
// port of the scheme is no port.
func splitPort(scheme, host string) (name, port string) {
	host = strings.ToLower(host)
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i+1:]
	}
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		port = ""
	}
	return host, port
}

// hostSpellings lists the ways in which text spells a host name: punycode
// first, then Unicode, then Unicode as JSON escapes it.
func hostSpellings(name string) []string {
	ascii, err := idna.ToASCII(name)
	if err != nil || ascii == "" {
		return []string{name}
	}
	out := []string{ascii}
	uni, err := idna.ToUnicode(ascii)
	if err != nil || uni == ascii {
		return out
	}
	return append(out, uni, jsonEscaped(uni))
}

// jsonEscaped spells everything above ASCII as JSON does by default in PHP.
func jsonEscaped(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	unit := func(u rune) {
		b.WriteString(`\u`)
		for shift := 12; shift >= 0; shift -= 4 {
			b.WriteByte(hex[u>>shift&0xf])
		}
	}
	for _, r := range s {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			unit(0xd800 + r>>10)
			unit(0xdc00 + r&0x3ff)
		default:
			unit(r)
		}
	}
	return b.String()
}
