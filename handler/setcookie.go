package handler

import (
	"net/http"
	"strings"
)

// mapSetCookies confines the cookies that the site sets to the mount.
func (v *View) mapSetCookies(lines []string, req *http.Request, learn func(name string)) []string {
	// RFC 6265 section 5.1.4: below the bare prefix the default path is the
	// prefix's parent, which is not the mount's.
	bare := false
	if req != nil && req.URL != nil && v.m.prefix != "" {
		place, _, _ := v.m.Locate(req.URL.EscapedPath())
		bare = place == Bare
	}
	kept := lines[:0]
	for _, line := range lines {
		mapped, name, reason := v.setCookie(line, bare)
		if reason != cookieKept {
			continue
		}
		kept = append(kept, mapped)
		if learn != nil {
			learn(name)
		}
	}
	return kept
}

// cookieVerdict says what became of a Set-Cookie and why.
type cookieVerdict uint8

const (
	cookieKept cookieVerdict = iota
	// cookieNameless: a cookie without a name comes back as a bare value that can
	// be taken for any cookie, and cannot be told from the main site's.
	cookieNameless
	// cookieHostWide: "__Host-" demands Path=/ (RFC 6265bis section 4.1.3.2). Under
	// a prefix the cookie would be the main site's as well; with another path
	// browsers refuse it.
	cookieHostWide
	// cookieForeignDomain: the Domain does not cover the site's own host, so a
	// browser that talked to the site itself would refuse the cookie (RFC 6265
	// section 5.3 step 6). Sent from the public host it might be taken.
	cookieForeignDomain
	// cookieElsewhere: the Path lies beside the site's base path, so that the
	// cookie belongs to nothing that is mounted.
	cookieElsewhere
)

// setCookie maps one Set-Cookie line: the prefix goes in front of Path, Domain
// goes, Secure comes where the public side is https. A line without Path gets
// none, as the browser takes the default from the public URL, unless needPath
// says that this is not below the mount. Whatever else stands in the line keeps
// its bytes, its order and its case.
func (v *View) setCookie(line string, needPath bool) (mapped, name string, verdict cookieVerdict) {
	pair, attributes, _ := strings.Cut(line, ";")
	name, _, valued := strings.Cut(pair, "=")
	name = strings.Trim(name, " \t")
	if v.m.prefix != "" {
		if !valued || name == "" {
			return "", "", cookieNameless
		}
		if hasPrefixFold(name, "__Host-") {
			return "", name, cookieHostWide
		}
	}
	var out strings.Builder
	out.Grow(len(line) + len(v.m.prefix) + len("; Secure"))
	out.WriteString(pair)
	secure, foreign, elsewhere, pathed := false, false, false, false
	if len(line) > len(pair) {
		for attribute := range strings.SplitSeq(attributes, ";") {
			key, value, _ := strings.Cut(attribute, "=")
			value = strings.Trim(value, " \t")
			switch key = strings.Trim(key, " \t"); {
			case strings.EqualFold(key, "Domain"):
				// Of several attributes the last one holds (section 5.3).
				foreign = !v.coversSite(value)
				continue
			case strings.EqualFold(key, "Path"):
				path, ok := v.cookiePath(strings.Trim(value, `"`))
				if elsewhere = !ok; elsewhere {
					continue
				}
				if path == "" {
					pathed = false
					break
				}
				pathed = true
				at := strings.LastIndex(attribute, value)
				attribute = attribute[:at] + path + attribute[at+len(value):]
			case strings.EqualFold(key, "Secure"):
				secure = true
			}
			out.WriteByte(';')
			out.WriteString(attribute)
		}
	}
	switch {
	case foreign:
		return "", name, cookieForeignDomain
	case elsewhere:
		return "", name, cookieElsewhere
	}
	if needPath && !pathed {
		out.WriteString("; Path=")
		out.WriteString(v.m.prefix)
		out.WriteByte('/')
	}
	if !secure && v.public.Scheme == "https" {
		out.WriteString("; Secure")
	}
	return out.String(), name, cookieKept
}

// cookiePath maps the value of a Path attribute. It returns "" for a value that
// browsers take for none, and false for a path beside the site's.
func (v *View) cookiePath(path string) (string, bool) {
	if !strings.HasPrefix(path, "/") {
		return "", true
	}
	prefix, site := v.m.prefix, v.m.site.path
	if v.m.mode != Transparent {
		if _, ok := cutBase(path, prefix); ok {
			return path, true
		}
		if cookieCovers(path, prefix) {
			return prefix + "/", true
		}
	}
	rest, ok := cutBase(path, site)
	switch {
	case ok:
		return withSlash(prefix + rest), true
	case cookieCovers(path, site):
		return prefix + "/", true
	default:
		return path, false
	}
}

// cookieCovers reports whether a cookie path matches everything below base (RFC 6265
// section 5.1.4).
func cookieCovers(path, base string) bool {
	return strings.HasPrefix(base+"/", strings.TrimSuffix(path, "/")+"/")
}

// coversSite reports whether a Domain attribute is the site's to set. In the
// aware modes that is the public host as well.
func (v *View) coversSite(domain string) bool {
	domain = strings.TrimPrefix(domain, ".")
	if domain == "" {
		return true
	}
	domain, ok := canonicalName(domain)
	if !ok {
		return false
	}
	match := func(host string) bool {
		return host == domain || strings.HasSuffix(host, "."+domain) && strings.Trim(host, "0123456789.") != ""
	}
	for _, site := range v.m.sites {
		if match(site.name) {
			return true
		}
	}
	return v.m.mode != Transparent && match(v.home.name)
}
