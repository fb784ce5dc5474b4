package handler

import (
	"slices"
	"strings"
)

// urlRule maps URLs that begin with one address to another.
type urlRule struct {
	from address
	// alias takes the host without its port for the address too: applications
	// behind a port of their own drop it here and there.
	alias bool
	to    address
}

// at reports whether the rule is for URLs on a canonical host.
func (r *urlRule) at(name, port string) bool {
	return r.from.at(name, port) || r.alias && r.from.name == name && foldPort(port) == ""
}

// rules returns the view's rules, in the order in which they hold.
func (v *View) rules() (inbound, locations, outbound []urlRule) {
	m := v.m
	public := v.home
	public.path = ""
	for _, site := range m.sites {
		alias := foldPort(site.port) != "" && site.name != public.name
		if m.mode != Transparent && m.prefix != "" {
			// The site's own host with the path already right: its web server's
			// redirects.
			under := site
			under.path = m.prefix
			inbound = append(inbound, urlRule{from: under, alias: alias, to: v.home})
		}
		inbound = append(inbound, urlRule{from: site, alias: alias, to: v.home})
	}
	// The public host under the other scheme.
	inbound = append(inbound, urlRule{from: v.home, to: v.home})
	locations = slices.Clip(inbound)
	if m.mode == AwareStripped {
		// The site lost the prefix from the path that it was asked for.
		locations = append(locations, urlRule{from: public, to: v.home})
	}
	if m.mode != Transparent && len(m.sites) > 0 {
		// A web server that was sent the public host redirects with a port of its own.
		port := v.home
		port.port = m.site.effectivePort()
		locations = append(locations, urlRule{from: port, alias: true, to: v.home})
		if m.mode == AwareStripped {
			port.path = ""
			locations = append(locations, urlRule{from: port, to: v.home})
		}
	}
	if m.mode == Transparent {
		outbound = []urlRule{{from: v.home, to: m.site}}
	}
	return inbound, locations, outbound
}

// publicURL is PublicURL by the given rules.
func (v *View) publicURL(s string, rules []urlRule) (string, bool) {
	u := cutURL(s)
	switch u.kind {
	case rootRelativeURL:
		return v.publicPath(s, u, rules)
	case absoluteURL, networkURL:
		path := clampDots(u.path)
		for i := range rules {
			r := &rules[i]
			if !r.at(u.name, u.port) {
				continue
			}
			if rest, ok := cutBase(path, r.from.path); ok {
				mapped := r.to.path + withSlash(rest) + mapEmbedded(u.suffix, rules)
				if u.kind == networkURL {
					return "//" + r.to.host() + mapped, true
				}
				return r.to.origin() + mapped, true
			}
		}
		return s, false
	default:
		return s, false
	}
}

// publicPath maps a root-relative reference of the site.
func (v *View) publicPath(s string, u urlParts, rules []urlRule) (string, bool) {
	if v.m.mode == Aware {
		// The site is asked for public paths and writes them.
		return s, false
	}
	path := clampDots(u.path)
	if v.m.mode == AwareStripped && v.m.prefix != "" {
		if _, ok := cutBase(path, v.m.prefix); ok {
			return s, false
		}
	}
	suffix := mapEmbedded(u.suffix, rules)
	site := v.m.site
	rest, ok := cutBase(path, site.path)
	if !ok {
		// Beside the site's base path lies something that is not mounted. Without
		// its host the path would become one of the main site.
		return site.origin() + path + suffix, true
	}
	mapped := v.home.path + withSlash(rest)
	if leavesHost(mapped) {
		return v.home.origin() + mapped + suffix, true
	}
	return mapped + suffix, v.home.path != "" || site.path != "" || suffix != u.suffix
}

// cutBase cuts a base path from a path at a segment boundary.
func cutBase(path, base string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, base)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// withSlash makes a path out of what follows a base path.
func withSlash(rest string) string {
	if rest == "" {
		return "/"
	}
	return rest
}

// leavesHost reports whether a browser takes a root-relative path for a
// network-path reference.
func leavesHost(path string) bool { return strings.HasPrefix(path, "//") }

type urlKind uint8

const (
	otherURL urlKind = iota // relative, opaque, foreign scheme, or no URL
	absoluteURL
	networkURL // "//host/path"
	rootRelativeURL
)

// urlParts is a URL reference cut at its joints; the parts are as written.
type urlParts struct {
	kind       urlKind
	name, port string // canonical; "" for root-relative references
	path       string // "" or from the first slash
	suffix     string // query and fragment with their marks
}

// browserPath undoes what WHATWG URL reads differently from RFC 3986, so that
// both see the same path: "\" is "/", tabs are nothing.
var browserPath = strings.NewReplacer(`\`, "/", "\t", "")

// cutURL takes an http or https URL reference apart as browsers do.
func cutURL(s string) urlParts {
	u := urlParts{}
	tail := ""
	switch {
	case strings.HasPrefix(s, "//"):
		u.kind, tail = networkURL, s[len("//"):]
	case strings.HasPrefix(s, "/"):
		u.kind, tail = rootRelativeURL, s
	case hasPrefixFold(s, "http://"):
		u.kind, tail = absoluteURL, s[len("http://"):]
	case hasPrefixFold(s, "https://"):
		u.kind, tail = absoluteURL, s[len("https://"):]
	default:
		return urlParts{}
	}
	if u.kind != rootRelativeURL {
		end := strings.IndexAny(tail, `/?#\`)
		if end < 0 {
			end = len(tail)
		}
		var ok bool
		if u.name, u.port, ok = splitAuthority(tail[:end]); !ok {
			return urlParts{}
		}
		tail = tail[end:]
	}
	if i := strings.IndexAny(tail, "?#"); i >= 0 {
		tail, u.suffix = tail[:i], tail[i:]
	}
	u.path = tail
	if strings.ContainsAny(tail, "\\\t") {
		u.path = browserPath.Replace(tail)
	}
	return u
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
