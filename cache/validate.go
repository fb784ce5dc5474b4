package cache

import (
	"net/http"
	"slices"
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

// Precondition says what a client's conditional fields ask of a stored response.
type Precondition uint8

const (
	// PreconditionNone means: answer with the stored response.
	PreconditionNone Precondition = iota
	// PreconditionNotModified means: answer 304 with NotModifiedHeader.
	PreconditionNotModified
	// PreconditionOrigin means that only the origin may decide: pass the request.
	PreconditionOrigin
)

// EvaluatePrecondition evaluates the conditional fields of a GET or HEAD on a
// stored response, which the client would get with the validators in stored, in
// the order of RFC 9110 section 13.2.2. Call it only for a response that is
// fresh, allowed stale, or has just been validated (RFC 9111 section 4.3.2).
//
// If-Match and If-Unmodified-Since are for the origin to evaluate: a cache must
// not (RFC 9111 section 4.3.2), since they guard against changes that only the
// origin knows. Other statuses than 2xx ignore conditions (RFC 9110 section
// 13.2.1).
func EvaluatePrecondition(request http.Header, status int, stored http.Header, received time.Time) Precondition {
	if PassesPrecondition(request) {
		return PreconditionOrigin
	}
	if status < 200 || status > 299 {
		return PreconditionNone
	}
	if lines := request["If-None-Match"]; len(lines) > 0 {
		if noneMatch(lines, entityTag(stored)) {
			return PreconditionNone
		}
		return PreconditionNotModified
	}
	if lines := request["If-Modified-Since"]; len(lines) == 1 {
		since, ok := ParseDate(lines[0], received)
		if !ok {
			// An invalid date is no condition (RFC 9110 section 13.1.3).
			return PreconditionNone
		}
		modified, ok := lastModified(stored, received)
		if !ok {
			// Without Last-Modified the response is as old as its Date (RFC 9111
			// section 4.3.2).
			modified = DateOf(stored, received)
		}
		if !modified.After(since) {
			return PreconditionNotModified
		}
	}
	return PreconditionNone
}

// PassesPrecondition reports whether the request carries a condition that only
// the origin may evaluate.
func PassesPrecondition(request http.Header) bool {
	return len(request["If-Match"]) > 0 || len(request["If-Unmodified-Since"]) > 0
}

// noneMatch evaluates If-None-Match by weak comparison (RFC 9110 section
// 13.1.2). "*" matches any stored response; members that are no entity tags
// match none. A tag may hold commas, so members are cut at quotes.
func noneMatch(lines []string, tag string) bool {
	for _, line := range lines {
		rest := trimOWS(line)
		if rest == "*" {
			return false
		}
		for rest != "" {
			var member string
			member, rest = cutEntityTag(rest)
			if tag != "" && weakMatch(member, tag) {
				return false
			}
		}
	}
	return true
}

// cutEntityTag cuts the first member from a list of entity tags, in which a
// backslash escapes nothing (RFC 9110 section 8.8.3).
func cutEntityTag(s string) (member, rest string) {
	open := strings.IndexAny(s, `",`)
	if open >= 0 && s[open] == '"' {
		if end := strings.IndexByte(s[open+1:], '"'); end >= 0 {
			end += open + 2
			comma := strings.IndexByte(s[end:], ',')
			if comma < 0 {
				return trimOWS(s), ""
			}
			return trimOWS(s[:end+comma]), s[end+comma+1:]
		}
	}
	member, rest, _ = strings.Cut(s, ",")
	return trimOWS(member), rest
}

// NotModifiedHeader returns the header of a 304 made from what a 200 would have
// sent: the fields that RFC 9110 section 15.4.5 asks for, and those that a 304
// may carry without changing the client's copy. Values are shared with h.
func NotModifiedHeader(h http.Header) http.Header {
	n := make(http.Header, len(h))
	for name, values := range h {
		switch {
		case name == "Content-Location":
		case strings.HasPrefix(name, "Content-"), isHopByHop(name), name == "Accept-Ranges":
			continue
		case name == "Last-Modified" && entityTag(h) != "":
			// Of two validators the stronger one is enough.
			continue
		}
		n[name] = values
	}
	return n
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

// StoredHeader returns the fields of a response that are stored (RFC 9111
// section 3.1): without those of one hop, those that Connection names, and those
// that a qualified no-cache holds back. Values are shared with h.
func StoredHeader(h http.Header, p Policy) http.Header {
	s := make(http.Header, len(h))
	for name, values := range h {
		if !isHopByHop(name) {
			s[name] = values
		}
	}
	for name := range connectionNamed(h) {
		delete(s, name)
	}
	for _, name := range p.NoCacheFields {
		delete(s, name)
	}
	return s
}
