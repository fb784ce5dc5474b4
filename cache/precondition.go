package cache

import (
	"net/http"
	"strings"
	"time"
)

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
// 13.1.2): the tag of any coded form is one of the response. "*" matches any stored response; members that are no entity tags
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
			if _, ok := matchForm(member, tag); ok {
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
