package cache

import (
	"net/http"
	"strconv"
	"time"
)

// outdatedBy returns the stored response that the answer to this HEAD will speak of
// (RFC 9111 section 4.3.5), or nil: the one that could have answered it, had it not
// passed.
//
// A HEAD that does not pass validates what is stored with a GET, whose 304 freshens
// it. One that passes carries what its client chose to send; what it brings shows
// that a stored response is out of date, and never becomes a part of it.
func (x *serving) outdatedBy(reason Reason) *Stored {
	s := x.found.Stored
	if x.r.Method != http.MethodHead || s == nil || s.Status != http.StatusOK {
		return nil
	}
	p := x.c.prepare(s)
	if reason == ReasonCookie && (!p.fresh.Origin() || p.varyCookie) || x.credentials && !sharesAuthorized(&p.policy) {
		return nil
	}
	return s
}

// outdate makes s stale at once if the header of a HEAD's answer is another one's,
// so that who comes next validates it.
func (c *Cache) outdate(s *Stored, status int, h http.Header) {
	if status != http.StatusOK || describes(h, s, c.Clock()) {
		return
	}
	m := new(*s.Meta)
	m.MaxLifetime = 1
	if _, err := c.Store.Replace(s, m); err != nil {
		c.storeFailed("response that is out of date was not marked", ReasonStoreFull, err)
	}
}

// describes says whether each validator and the length in h are those of s.
func describes(h http.Header, s *Stored, now time.Time) bool {
	if tag := entityTag(h); tag != "" && !weakMatch(tag, entityTag(s.Header)) {
		return false
	}
	if t, ok := lastModified(h, now); ok {
		if stored, known := lastModified(s.Header, now); !known || !t.Equal(stored) {
			return false
		}
	}
	if lines := h["Content-Length"]; len(lines) > 0 {
		n, err := strconv.ParseInt(lines[0], 10, 64)
		return err == nil && n == s.Length
	}
	return true
}
