package cache

import (
	"net/http"
	"strings"
)

// siteCookie returns the name of the first cookie of the request that is the
// site's: the one that makes the request a bypass. It does not allocate.
func (c *Cache) siteCookie(r *http.Request) (name string, ok bool) {
	lines := r.Header["Cookie"]
	if c.SiteCookie == nil {
		return "", len(lines) > 0
	}
	for _, line := range lines {
		for line != "" {
			var value string
			// A pair without "=" is a value without a name (RFC 6265bis section
			// 5.6), as which it reaches the site or not.
			name, value, line = cutCookie(line)
			if (name != "" || value != "") && c.SiteCookie(name) {
				return name, true
			}
		}
	}
	return "", false
}

// cutCookie cuts the first pair from a Cookie field. Quotes mean nothing in it.
func cutCookie(line string) (name, value, rest string) {
	pair, rest, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return "", trimOWS(pair), rest
	}
	return trimOWS(name), trimOWS(value), rest
}
