package cache

import (
	"net/http"
	"strings"
)

// Exchange is what Storable asks of a request and the header of its answer.
type Exchange struct {
	// Method is the method that was sent to the origin.
	Method string
	// Authorization means that the request reached the origin with credentials.
	Authorization bool
	// Status and Header are the answer's. Header is not changed.
	Status int
	Header http.Header
	// Policy and Freshness were computed from the same Header.
	Policy    Policy
	Freshness Freshness
}

// Storable decides by the header whether the answer may be stored by a shared
// cache (RFC 9111 section 3). It returns ReasonStored if so, else the first
// reason that forbids it, those that the answer itself speaks for one user first.
// Whether the body then comes whole is for the caller to see.
//
// A no-cache response is storable: it is validated on each use.
func Storable(x Exchange) Reason {
	p := &x.Policy
	switch {
	case x.Method != http.MethodGet:
		// RFC 9111 section 3 allows what a method's definition allows; only the
		// answer to GET is reused here, for GET and HEAD.
		return ReasonMethod
	case setsCookie(x.Header):
		// RFC 9111 section 7.3 leaves this to the origin; no cookie is ever replayed here.
		return ReasonSetCookie
	case p.Private:
		return ReasonPrivate
	case p.NoStore && (!p.MustUnderstand || !understood(x.Status)):
		// Both directives together mean: store if you know the status code, else
		// do not (RFC 9111 section 5.2.2.3).
		return ReasonNoStore
	}
	vary := ParseVary(x.Header["Vary"])
	if r := vary.Reason(); r != ReasonStored {
		return r
	}
	switch {
	case Streams(x.Header):
		return ReasonStream
	case x.Status == http.StatusPartialContent:
		return ReasonPartial
	case NeverStored(x.Status):
		return ReasonStatus
	case x.Status == http.StatusRequestURITooLong && x.Freshness.Source != LifetimeHeuristic:
		// It speaks of the URL, but mostly for a server on the way whose limit is
		// lower than the site's. RFC 9110 section 15.1 lists it all the same: for
		// estimated lifetimes, which the operator has to ask for.
		return ReasonStatus
	case p.MustUnderstand && !understood(x.Status):
		return ReasonNotUnderstood
	case x.Authorization && !sharesAuthorized(p):
		return ReasonAuthorization
	case HeaderBytes(x.Header) > maxStoredHeaderBytes:
		return ReasonTooLarge
	}
	return storableLifetime(&x)
}

// NeverStored reports whether a response with this status is stored under no
// circumstances, whoever states a lifetime.
func NeverStored(status int) bool {
	return status < 200 || status == http.StatusPartialContent || status == http.StatusNotModified || status > 599 || dependsOnRequest(status)
}

// maxStoredHeaderBytes bounds the header of a stored response. No site means a longer
// one, and every hit would send it again.
const maxStoredHeaderBytes = 64 << 10

// HeaderBytes counts the bytes of the names and values of a header's lines.
func HeaderBytes(h http.Header) (n int) {
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	return n
}

// storableLifetime asks for evidence that the response is meant to be reused,
// and that it can be.
func storableLifetime(x *Exchange) Reason {
	p, f := &x.Policy, x.Freshness
	switch {
	case f.Source == LifetimeNone && !p.NoCache:
		return ReasonNoLifetime
	case f.Source == LifetimeNone && x.Status >= 400:
		// An error without explicit freshness is not kept, not even to validate it.
		return ReasonStatus
	case hasValidator(x.Header, f.Received):
		return ReasonStored
	case p.NoCache:
		return ReasonNoValidator
	case !f.Fresh(f.Received) && !p.StaleWhileRevalidate.Stated && !p.StaleIfError.Stated:
		return ReasonNoValidator
	}
	return ReasonStored
}

// sharesAuthorized reports whether the answer to a request with Authorization
// may be shared: only these three say so (RFC 9111 section 3.5).
func sharesAuthorized(p *Policy) bool {
	return p.Public || p.MustRevalidate || p.SMaxAge.Stated
}

// setsCookie reports whether the origin set a cookie. A field without a line says
// that it did, though the cookie goes no further.
func setsCookie(h http.Header) bool {
	_, set := h["Set-Cookie"]
	return set
}

// Streams reports whether a response is to flow without being held: an event
// stream, an incremental message (RFC 10036), or one whose origin switches
// buffering off. Such a response is never stored and takes no followers.
func Streams(h http.Header) bool {
	for _, line := range h["Content-Type"] {
		mediaType, _, _ := strings.Cut(line, ";")
		if strings.EqualFold(trimOWS(mediaType), "text/event-stream") {
			return true
		}
	}
	for _, line := range h["X-Accel-Buffering"] {
		if strings.EqualFold(trimOWS(line), "no") {
			return true
		}
	}
	if lines := h["Incremental"]; len(lines) > 0 {
		item, ok := parseItem(lines)
		return ok && item.kind == kindBoolean && item.boolean
	}
	return false
}

// dependsOnRequest reports whether a status code speaks of the request rather
// than of the URL: its credentials, method, fields, length or rate. Such an
// answer is never stored, not even with explicit freshness: one visitor's odd
// request would take the page from all others. 404 and 410 speak of the URL, which
// is the key. Server errors may be stored where the origin asks for it,
// within maxErrorLifetime.
func dependsOnRequest(status int) bool {
	switch status {
	case http.StatusBadRequest,
		http.StatusUnauthorized,
		http.StatusPaymentRequired,
		http.StatusForbidden,
		http.StatusMethodNotAllowed,
		http.StatusNotAcceptable,
		http.StatusProxyAuthRequired,
		http.StatusRequestTimeout,
		http.StatusConflict,
		http.StatusLengthRequired,
		http.StatusPreconditionFailed,
		http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType,
		http.StatusRequestedRangeNotSatisfiable,
		http.StatusExpectationFailed,
		http.StatusMisdirectedRequest,
		http.StatusUnprocessableEntity,
		http.StatusLocked,
		http.StatusFailedDependency,
		http.StatusTooEarly,
		http.StatusUpgradeRequired,
		http.StatusPreconditionRequired,
		http.StatusTooManyRequests,
		http.StatusRequestHeaderFieldsTooLarge,
		http.StatusUnavailableForLegalReasons, // depends on where the visitor is
		http.StatusLoopDetected,               // depends on the way here (RFC 8586)
		http.StatusNetworkAuthenticationRequired:
		return true
	}
	return false
}

// heuristicallyCacheable reports whether a status code is defined as cacheable
// without explicit freshness (RFC 9110 section 15.1), less those that depend on
// the request (405) and the one that is never stored (206).
func heuristicallyCacheable(status int) bool {
	switch status {
	case http.StatusOK,
		http.StatusNonAuthoritativeInfo,
		http.StatusNoContent,
		http.StatusMultipleChoices,
		http.StatusMovedPermanently,
		http.StatusPermanentRedirect,
		http.StatusNotFound,
		http.StatusGone,
		http.StatusRequestURITooLong,
		http.StatusNotImplemented:
		return true
	}
	return false
}

// understood reports whether this cache knows and obeys the caching rules of a
// status code (RFC 9111 section 5.2.2.3).
func understood(status int) bool {
	switch status {
	case http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect:
		return true
	}
	return heuristicallyCacheable(status)
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
