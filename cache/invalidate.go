package cache

import (
	"net/http"
	"net/url"
	"strings"
)

// Safe reports whether a method is defined as safe (RFC 9110 section 9.2.1,
// QUERY by its own registration). A method that is not known is not safe.
func Safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "QUERY":
		return true
	}
	return false
}

// Invalidates reports whether an answer invalidates stored responses: a
// successful one, 2xx or 3xx, to an unsafe method (RFC 9111 section 4.4). An
// error changes nothing, or anybody could purge by failing.
func Invalidates(method string, status int) bool {
	return !Safe(method) && status >= 200 && status < 400
}

// InvalidationTargets returns the URIs whose stored responses such an answer
// invalidates: the target URI first, then those of Location and Content-Location
// of the same origin; of another's a site may not dispose (RFC 9111 section
// 4.4). The target is an absolute URI as the visitor sees it, and so are
// the fields of h, or relative to it. Fragments are dropped. It returns nil if
// nothing is to be invalidated.
func InvalidationTargets(method string, target *url.URL, status int, h http.Header) []*url.URL {
	if !Invalidates(method, status) {
		return nil
	}
	targets := []*url.URL{withoutFragment(target)}
	for _, name := range [...]string{"Location", "Content-Location"} {
		lines := h[name]
		if len(lines) != 1 {
			continue
		}
		ref, err := url.Parse(trimOWS(lines[0]))
		if err != nil {
			continue
		}
		u := withoutFragment(target.ResolveReference(ref))
		if sameOrigin(u, target) && u.String() != targets[0].String() {
			targets = append(targets, u)
		}
	}
	return targets
}

func withoutFragment(u *url.URL) *url.URL {
	c := *u
	c.Fragment, c.RawFragment, c.User = "", "", nil
	return &c
}

// sameOrigin compares scheme, host and port (RFC 9110 section 4.3.1).
func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch strings.ToLower(u.Scheme) {
	case "https":
		return "443"
	case "http":
		return "80"
	}
	return ""
}
