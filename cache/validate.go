package cache

import (
	"net/http"
	"slices"
	"time"
)

// AddValidators turns the header of a storable fetch into a validation request
// for a stored response, whose header holds the validators as the origin sent
// them (RFC 9111 section 4.3.1). It returns false, and changes nothing, if the
// response has no validator.
func AddValidators(fetch, stored http.Header, now time.Time) bool {
	tag := entityTag(stored)
	_, modified := lastModified(stored, now)
	if tag != "" {
		fetch["If-None-Match"] = []string{tag}
	}
	if modified {
		// The origin's own spelling goes back: some compare it as text.
		fetch["If-Modified-Since"] = stored["Last-Modified"][:1:1]
	}
	return tag != "" || modified
}

// Selects reports whether a 304 that answers a validation request confirms the
// stored response (RFC 9111 section 4.3.3): by its strong entity tag, else by its
// weak one, else by Last-Modified. A 304 without any validator confirms the
// response if it is the only one that was asked about.
func Selects(notModified, stored http.Header, only bool, now time.Time) bool {
	if len(notModified["Etag"]) > 0 {
		tag, have := entityTag(notModified), entityTag(stored)
		if tag == "" || have == "" {
			return false
		}
		if !isWeak(tag) {
			return strongMatch(tag, have)
		}
		return weakMatch(tag, have)
	}
	if len(notModified["Last-Modified"]) > 0 {
		a, okA := lastModified(notModified, now)
		b, okB := lastModified(stored, now)
		return okA && okB && a.Equal(b)
	}
	return only
}

// Freshen returns the stored header as a 304 updates it (RFC 9111 section
// 3.2, 4.3.4), and ReasonNotModified. Neither argument is changed; values are
// shared.
//
// Any other Reason forbids the 304 to extend the stored response, which then
// must not be used for another request: the 304 sets a cookie, says private or
// no-store, or varies otherwise than the response was stored. The returned
// header is still right for the request that asked, less any Set-Cookie.
func Freshen(stored, notModified http.Header, p Policy) (http.Header, Reason) {
	h := make(http.Header, len(stored)+4)
	for name, values := range stored {
		h[name] = values
	}
	named := slices.Collect(connectionNamed(notModified))
	for name, values := range notModified {
		if updates(name) && !slices.Contains(named, name) {
			h[name] = values
		}
	}
	for _, name := range [...]string{"Age", "Date"} {
		// These tell when a message was made: without them the 304 is new, however
		// old the stored response was.
		if len(notModified[name]) == 0 {
			delete(h, name)
		}
	}
	return h, freshenReason(stored, notModified, p)
}

func freshenReason(stored, notModified http.Header, p Policy) Reason {
	vary := ParseVary(notModified["Vary"])
	switch {
	case setsCookie(notModified):
		return ReasonSetCookie
	case p.Private:
		return ReasonPrivate
	case p.NoStore && !p.MustUnderstand:
		return ReasonNoStore
	case vary.Reason() != ReasonStored:
		return vary.Reason()
	case len(notModified["Vary"]) > 0 && !slices.Equal(vary.Fields, ParseVary(stored["Vary"]).Fields):
		return ReasonVaryChanged
	}
	return ReasonNotModified
}

// updates reports whether a field of a 304 replaces the stored one. Those that
// frame or describe the stored bytes do not (RFC 9111 section 3.2): the body was
// read, mapped and coded by what they said then.
func updates(name string) bool {
	switch name {
	case "Content-Length", "Content-Encoding", "Content-Range", "Content-Type", "Set-Cookie", "Cache-Status":
		return false
	}
	return !isHopByHop(name)
}
