package handler

import "strings"

// mapOrigin maps the site's origin to the public one in a list of origins, such
// as Access-Control-Allow-Origin or the lists of a Permissions-Policy: scheme,
// host and port, no path.
func (v *View) mapOrigin(s string) string {
	return mapWords(s, " \t,;=()\"", func(word string) string {
		u := cutURL(word)
		if u.kind == absoluteURL && u.path+u.suffix == "" && v.atSite(u.name, u.port) {
			return v.public.String()
		}
		return word
	})
}

// mapPolicy maps the host sources and report URLs of a Content-Security-Policy.
// A source that is a whole host becomes the whole public host, as the prefix
// would narrow it; one with a path, and a report URL, gets the prefix.
func (v *View) mapPolicy(s string) string {
	return mapWords(s, " \t,;", func(word string) string {
		if strings.HasPrefix(word, "/") {
			mapped, _ := v.publicURL(word, v.inbound)
			return mapped
		}
		scheme, host, found := strings.Cut(word, "://")
		if !found {
			scheme, host = "", word
		}
		path := ""
		if i := strings.IndexByte(host, '/'); i >= 0 {
			host, path = host[:i], host[i:]
		}
		// Any port of the site's host becomes any port of the public one.
		host, anyPort := strings.CutSuffix(host, ":*")
		name, port, ok := splitAuthority(host)
		if !ok || !v.atSite(name, port) {
			return word
		}
		public := v.public.Host
		if anyPort {
			public = v.home.name + ":*"
		}
		origin := public
		switch strings.ToLower(scheme) {
		case "":
			if found {
				return word
			}
		case "http", "https":
			origin = v.public.Scheme + "://" + public
		case "ws", "wss":
			// ws is to http what wss is to https.
			origin = "ws" + strings.TrimPrefix(v.public.Scheme, "http") + "://" + public
		default:
			return word
		}
		if path == "" || path == "/" {
			return origin + path
		}
		if mapped, ok := v.publicURL("https://"+host+path, v.inbound); ok {
			return origin + strings.TrimPrefix(mapped, v.public.String())
		}
		return word
	})
}

// atSite reports whether a canonical host is one of the site's.
func (v *View) atSite(name, port string) bool {
	for i := range v.inbound {
		if r := &v.inbound[i]; r.from.name != "" && r.at(name, port) {
			return true
		}
	}
	return false
}

// mapWords applies f to each run of bytes that are not separators.
func mapWords(s, separators string, f func(word string) string) string {
	out := edits{s: s}
	for i := 0; i < len(s); {
		if strings.IndexByte(separators, s[i]) >= 0 {
			i++
			continue
		}
		n := strings.IndexAny(s[i:], separators)
		if n < 0 {
			n = len(s) - i
		}
		word := s[i : i+n]
		if mapped := f(word); mapped != word {
			out.replace(i, i+n, mapped)
		}
		i += n
	}
	return out.String()
}
