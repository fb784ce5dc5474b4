package cache

import (
	"net/http"
	"strings"
	"time"
)

// entityTag returns the one entity tag of an ETag field, or "" if there is none
// or it is malformed: such a field validates nothing.
func entityTag(h http.Header) string {
	lines := h["Etag"]
	if len(lines) != 1 {
		return ""
	}
	tag := trimOWS(lines[0])
	if opaqueTag(tag) == "" {
		return ""
	}
	return tag
}

// opaqueTag returns tag without its weakness mark, or "" if tag is no entity
// tag (RFC 9110 section 8.8.3). The quotes stay.
func opaqueTag(tag string) string {
	tag = strings.TrimPrefix(tag, "W/")
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return ""
	}
	for i := 1; i < len(tag)-1; i++ {
		if c := tag[i]; c <= ' ' || c == '"' || c == 0x7f {
			return ""
		}
	}
	return tag
}

func isWeak(tag string) bool { return strings.HasPrefix(tag, "W/") }

// weakMatch and strongMatch are the comparisons of RFC 9110 section 8.8.3.2.
func weakMatch(a, b string) bool {
	a = opaqueTag(a)
	return a != "" && a == opaqueTag(b)
}

func strongMatch(a, b string) bool {
	return !isWeak(a) && !isWeak(b) && opaqueTag(a) != "" && a == b
}

// lastModified returns the one valid Last-Modified of h.
func lastModified(h http.Header, now time.Time) (time.Time, bool) {
	lines := h["Last-Modified"]
	if len(lines) != 1 {
		return time.Time{}, false
	}
	return ParseDate(lines[0], now)
}

// hasValidator reports whether a response can be validated later.
func hasValidator(h http.Header, received time.Time) bool {
	if entityTag(h) != "" {
		return true
	}
	_, ok := lastModified(h, received)
	return ok
}
