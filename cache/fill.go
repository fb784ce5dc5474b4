package cache

import (
	"net/http"
	"strconv"
	"strings"
)

// fillable returns the flight that fetches the whole of what the request asks a part
// of, not yet launched, or nil. It is made before the request passes, since the
// handler may change the request; what a part's client sends has no say in it.
func (x *serving) fillable(reason Reason) *flight {
	if reason != ReasonRangeMiss || x.credentials || x.canJoin() || !x.c.flights.mayFill(x.c) {
		return nil
	}
	f := x.newFlight(x.flightKey(), nil)
	f.fill = true
	return f
}

// fillAfter launches f if the part that came shows that the whole may be stored: its
// length is known and within bounds, and what the part says of itself allows it.
func (x *serving) fillAfter(f *flight, status int, h http.Header) {
	if status != http.StatusPartialContent {
		return
	}
	length, ok := wholeLength(h["Content-Range"])
	if !ok || length > x.c.MaxBodyBytes {
		return
	}
	if x.mayStore(http.StatusOK, h) {
		x.c.flights.fill(x.c, f)
	}
}

// wholeLength returns the complete length that a Content-Range tells (RFC 9110
// section 14.4).
func wholeLength(lines []string) (int64, bool) {
	if len(lines) != 1 {
		return 0, false
	}
	_, length, ok := strings.Cut(lines[0], "/")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(trimOWS(length), 10, 64)
	return n, err == nil && n > 0
}

// mayFill says whether one more body may be fetched in the background.
func (t *flights) mayFill(c *Cache) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.fills < c.MaxFills
}

// fill launches f in the background, unless the bound is reached or f is not needed
// any more. Who asks a part of nothing stored pays for the part only: the bound is
// what many such requests can make the origin send.
func (t *flights) fill(c *Cache, f *flight) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.table[f.key]; g != nil && t.admits(c, g) || len(t.running) >= c.MaxFlights || t.fills >= c.MaxFills {
		return
	}
	f.background = true
	t.fills++
	t.launch(f)
}
