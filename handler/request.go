package handler

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// Outbound turns a visitor's request, or a built one, into the site's, in place:
// URL path and query, Host, RequestURI and header. rest is what Locate gave for
// the path; the query's bytes are kept, but for public URLs of the mount in it.
// The caller owns r: its header is not shared. Calling it twice is an error.
func (v *View) Outbound(r *http.Request, rest string, p Peer) {
	setPath(r.URL, v.SitePath(rest))
	if !v.m.transform.RequestsOff {
		r.URL.RawQuery = mapEmbedded(r.URL.RawQuery, v.outbound)
	}
	r.RequestURI = r.URL.RequestURI()
	r.Host = v.host

	h := r.Header
	// First of all, so that a client cannot have the mount's own fields removed.
	dropHopByHop(h, r.Method, p.FieldsSet)
	dropClaims(h, r.Method, p)
	dropTrailerClaims(r)
	v.mapReferences(h)
	v.filterCookies(h)
	if !v.m.SendsAuthorization(p.UserAuthenticated) {
		delete(h, "Authorization")
	}
	v.setForwarded(h, p)
	v.m.markLoop(h)
}

// SendsAuthorization reports whether the site is sent a request's Authorization
// (Options.Authorization): the credentials of a user whom the main site has
// authenticated are the main site's.
func (m *Mount) SendsAuthorization(userAuthenticated bool) bool {
	switch m.authorization {
	case "drop":
		return false
	case "pass":
		return true
	}
	return !userAuthenticated
}

// setPath sets an escaped path so that EscapedPath returns the same bytes.
func setPath(u *url.URL, escaped string) {
	decoded, ok := unescape(escaped)
	if !ok {
		decoded = escaped
	}
	u.Path, u.RawPath = decoded, ""
	if u.EscapedPath() != escaped {
		u.RawPath = escaped
	}
}

// mapReferences maps the fields that name a public URL.
func (v *View) mapReferences(h http.Header) {
	for _, name := range [...]string{"Referer", "Ping-From"} {
		if values := h[name]; len(values) > 0 {
			if referer := v.referer(values[0]); referer != "" {
				h[name] = []string{referer}
			} else {
				delete(h, name)
			}
		}
	}
	if origin := h["Origin"]; len(origin) == 1 && v.m.mode == Transparent {
		if u := cutURL(origin[0]); u.kind == absoluteURL && u.path+u.suffix == "" && v.home.at(u.name, u.port) {
			h["Origin"] = []string{v.m.site.origin()}
		}
	}
	// RFC 4918 section 10.3. A target outside the mount keeps its host, so that
	// the site sees that it is none of its own.
	if target := h["Destination"]; len(target) > 0 {
		site, inside := v.siteURL(target[0])
		if !inside && strings.HasPrefix(site, "/") && !strings.HasPrefix(site, "//") {
			site = v.home.origin() + site
		}
		h["Destination"] = []string{site}
	}
	for _, name := range [...]string{"If", "Ping-To"} {
		if values := h[name]; len(values) > 0 {
			mapped := make([]string, len(values))
			for i, value := range values {
				mapped[i] = mapEmbedded(value, v.outbound)
			}
			h[name] = mapped
		}
	}
}

// referer returns the Referer that the site may see: the site's form of a URL of
// the mount, and of any other page no more than its origin. Empty: none.
func (v *View) referer(s string) string {
	u := cutURL(s)
	if u.kind != absoluteURL {
		// RFC 9110 section 10.1.3 allows a partial URI; nobody sends one.
		return ""
	}
	if site, inside := v.siteURL(s); inside {
		return site
	}
	scheme := "http"
	if hasPrefixFold(s, "https") {
		scheme = "https"
	}
	return address{scheme: scheme, name: u.name, port: dropDefaultPort(scheme, u.port)}.origin() + "/"
}

// keptFromConnection are fields that a Connection field cannot name away: those
// that frame, route, authenticate or guard a request.
var keptFromConnection = map[string]bool{
	"Authorization":     true,
	"Cdn-Loop":          true,
	"Content-Encoding":  true,
	"Content-Length":    true,
	"Content-Range":     true,
	"Content-Type":      true,
	"Cookie":            true,
	"Expect":            true,
	"Host":              true,
	"Origin":            true,
	"Referer":           true,
	"Transfer-Encoding": true,
	"Via":               true,
}

// dropHopByHop removes the fields of the client's own connection (RFC 9110
// section 7.6.1) and keeps a switch to WebSocket, the only protocol that a mount
// switches to. What a handler before the mount has set is not the client's to name.
func dropHopByHop(h http.Header, method string, set []string) {
	websocket := method == http.MethodGet && hasToken(h["Connection"], "upgrade") &&
		len(h["Upgrade"]) == 1 && strings.EqualFold(strings.TrimSpace(h["Upgrade"][0]), "websocket")
	trailers := hasToken(h["Te"], "trailers")
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
			if !keptFromConnection[name] && !slices.Contains(set, name) {
				delete(h, name)
			}
		}
	}
	for _, name := range [...]string{
		"Connection", "Http2-Settings", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
		"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	} {
		delete(h, name)
	}
	if websocket {
		h["Connection"] = []string{"Upgrade"}
		h["Upgrade"] = []string{"websocket"}
	}
	if trailers {
		h["Te"] = []string{"trailers"}
	}
}

// hasToken reports whether a comma-separated list over several lines holds a
// token, without regard to case.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(textproto.TrimString(member), token) {
				return true
			}
		}
	}
	return false
}
