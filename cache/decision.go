package cache

// Phase says how a request was answered. The zero value is the safe one: the
// answer went straight between the client and the origin.
type Phase uint8

const (
	// PhasePass is an answer that was neither looked up nor stored.
	PhasePass Phase = iota
	// PhaseHit is a fresh stored response.
	PhaseHit
	// PhaseStale is a stored response served stale because a rule allowed it.
	PhaseStale
	// PhaseValidated is a stored response that the origin confirmed for this request.
	PhaseValidated
	// PhaseMiss is an answer fetched by this request's own flight.
	PhaseMiss
	// PhaseCollapsed is an answer that came from a flight started by another request.
	PhaseCollapsed
	// PhaseRefused is an answer that the cache made up itself, without the origin.
	PhaseRefused

	PhaseCount // how many there are
)

var phaseWords = [PhaseCount]string{
	PhasePass:      "pass",
	PhaseHit:       "hit",
	PhaseStale:     "stale",
	PhaseValidated: "validated",
	PhaseMiss:      "miss",
	PhaseCollapsed: "collapsed",
	PhaseRefused:   "refused",
}

// String returns the one word of p that log, metric and status page print.
func (p Phase) String() string {
	if p >= PhaseCount {
		return phaseWords[PhasePass]
	}
	return phaseWords[p]
}

// Forward is the value of the fwd parameter of Cache-Status (RFC 9211 section
// 2.2): why a request went to the origin. The zero value means that it did not.
type Forward uint8

const (
	// ForwardNone means that the request was not forwarded.
	ForwardNone Forward = iota
	// ForwardBypass means that the cache was configured not to handle the request.
	ForwardBypass
	// ForwardMethod means that the method's semantics require forwarding.
	ForwardMethod
	// ForwardURIMiss means that no stored response has the cache key.
	ForwardURIMiss
	// ForwardVaryMiss means that none of the stored variants was selected.
	ForwardVaryMiss
	// ForwardMiss means that nothing usable was stored, without a finer word.
	ForwardMiss
	// ForwardRequest means that a fresh response was stored but the request did not allow it.
	ForwardRequest
	// ForwardStale means that the selected response was stale.
	ForwardStale
	// ForwardPartial means that the stored response did not hold all that was asked for.
	ForwardPartial

	forwardCount
)

var forwardWords = [forwardCount]string{
	ForwardNone:     "",
	ForwardBypass:   "bypass",
	ForwardMethod:   "method",
	ForwardURIMiss:  "uri-miss",
	ForwardVaryMiss: "vary-miss",
	ForwardMiss:     "miss",
	ForwardRequest:  "request",
	ForwardStale:    "stale",
	ForwardPartial:  "partial",
}

// String returns the token of RFC 9211, or "" for ForwardNone.
func (f Forward) String() string {
	if f >= forwardCount {
		return ""
	}
	return forwardWords[f]
}

// Reason says why a decision was taken. There is one Reason for each way out,
// and Cache-Status detail, access log, metric and explain print the same word.
// The zero value is safe: whoever forgot to decide neither stores nor reuses.
type Reason uint8

const (
	// ReasonUndecided is the zero value.
	ReasonUndecided Reason = iota

	// Reuse of a stored response.

	// ReasonFresh is a stored response within its freshness lifetime.
	ReasonFresh
	// ReasonStaleWhileRevalidate is stale, served while one request validates it.
	ReasonStaleWhileRevalidate
	// ReasonStaleIfError is stale, served because the origin answered with an error.
	ReasonStaleIfError
	// ReasonDisconnected is stale, served because the origin could not be reached.
	ReasonDisconnected
	// ReasonMaxStale is stale within what the client's max-stale accepts.
	ReasonMaxStale
	// ReasonNotModified is a stored response that the origin confirmed by a 304.
	ReasonNotModified

	// Forwarded although the request could have been answered from the store.

	// ReasonURIMiss: nothing is stored under the cache key.
	ReasonURIMiss
	// ReasonVaryMiss: no stored variant has the request's selecting fields.
	ReasonVaryMiss
	// ReasonExpired: the stored response is stale.
	ReasonExpired
	// ReasonNoCache: the stored response must be validated on each use.
	ReasonNoCache
	// ReasonMustRevalidate: a stale rule would apply but the origin forbids it.
	ReasonMustRevalidate
	// ReasonPurged: a purge covers the stored response or the flight.
	ReasonPurged
	// ReasonRequestDirective: the client's Cache-Control is honoured and asks for more.
	ReasonRequestDirective
	// ReasonCookieLifetime: a site cookie is present and the stored lifetime is not the origin's own.
	ReasonCookieLifetime
	// ReasonRangeMiss: a range was asked for of what is not stored completely.
	ReasonRangeMiss
	// ReasonHeadMiss: a HEAD for which nothing is stored.
	ReasonHeadMiss

	// Passed: neither looked up nor stored.

	// ReasonOff: the cache is switched off.
	ReasonOff
	// ReasonMethod: only GET and HEAD are answered from the store.
	ReasonMethod
	// ReasonBody: the request has a body.
	ReasonBody
	// ReasonAuthorization: the request carries the site's own credentials.
	ReasonAuthorization
	// ReasonCookie: the request carries a cookie of the site.
	ReasonCookie
	// ReasonBypass: a matcher of the operator.
	ReasonBypass
	// ReasonPath: a path that is not cached.
	ReasonPath
	// ReasonQuery: a query parameter that is not cached.
	ReasonQuery
	// ReasonNonce: a request field that marks a call for one user.
	ReasonNonce
	// ReasonMethodOverride: a field or parameter that changes the method's meaning.
	ReasonMethodOverride
	// ReasonPrecondition: If-Match or If-Unmodified-Since, which the origin decides.
	ReasonPrecondition
	// ReasonUpgrade: the request asks for another protocol.
	ReasonUpgrade
	// ReasonStream: an event stream or an incremental message.
	ReasonStream
	// ReasonPlaceholder: the inner chain reads what only the live request knows.
	ReasonPlaceholder
	// ReasonHitForMiss: an earlier answer for this key was not shareable.
	ReasonHitForMiss
	// ReasonOverload: a bound of followers, flights or variants is reached.
	ReasonOverload

	// Not stored, or not to be extended by a 304.

	// ReasonNoStore: the response says no-store.
	ReasonNoStore
	// ReasonPrivate: the response says private.
	ReasonPrivate
	// ReasonSetCookie: the response sets a cookie.
	ReasonSetCookie
	// ReasonVaryStar: the response varies on more than the request header.
	ReasonVaryStar
	// ReasonVaryClientAddress: the response varies on the visitor's address.
	ReasonVaryClientAddress
	// ReasonVaryOverflow: the response varies on more fields than are kept.
	ReasonVaryOverflow
	// ReasonVaryChanged: a 304 names other selecting fields than the stored response.
	ReasonVaryChanged
	// ReasonNoLifetime: neither the origin nor the operator states a freshness lifetime.
	ReasonNoLifetime
	// ReasonNoValidator: already stale when it came and nothing to validate it with.
	ReasonNoValidator
	// ReasonStatus: the status code is never stored, or not without explicit freshness.
	ReasonStatus
	// ReasonPartial: a 206 is never stored.
	ReasonPartial
	// ReasonNotUnderstood: must-understand with a status code that is not.
	ReasonNotUnderstood
	// ReasonTooLarge: the body is longer than max_body, or the header or its tags are
	// beyond their bounds.
	ReasonTooLarge
	// ReasonIncomplete: the body ended before its framing did.
	ReasonIncomplete
	// ReasonStalled: the body stopped coming.
	ReasonStalled
	// ReasonAbandoned: nobody reads the flight any more.
	ReasonAbandoned
	// ReasonSuperseded: generated before a purge, or older than what is stored.
	ReasonSuperseded
	// ReasonStoreFull: the store refused the response.
	ReasonStoreFull
	// ReasonError: the origin failed without an answer.
	ReasonError
	// ReasonUnselected: a 304 that confirms none of the stored responses.
	ReasonUnselected

	// Refused by the cache itself.

	// ReasonOnlyIfCached: the client forbade to ask the origin.
	ReasonOnlyIfCached

	// ReasonStored is a new response that is, or may be, stored.
	ReasonStored

	reasonCount
)

// reasons holds the word of each Reason and what it means for fwd.
var reasons = [reasonCount]struct {
	word    string
	forward Forward
}{
	ReasonUndecided:            {"undecided", ForwardMiss},
	ReasonFresh:                {"fresh", ForwardNone},
	ReasonStaleWhileRevalidate: {"stale-while-revalidate", ForwardNone},
	ReasonStaleIfError:         {"stale-if-error", ForwardStale},
	ReasonDisconnected:         {"disconnected", ForwardStale},
	ReasonMaxStale:             {"max-stale", ForwardNone},
	ReasonNotModified:          {"not-modified", ForwardStale},
	ReasonURIMiss:              {"uri-miss", ForwardURIMiss},
	ReasonVaryMiss:             {"vary-miss", ForwardVaryMiss},
	ReasonExpired:              {"expired", ForwardStale},
	ReasonNoCache:              {"no-cache", ForwardStale},
	ReasonMustRevalidate:       {"must-revalidate", ForwardStale},
	ReasonPurged:               {"purged", ForwardStale},
	ReasonRequestDirective:     {"request-directive", ForwardRequest},
	ReasonCookieLifetime:       {"cookie-lifetime", ForwardRequest},
	ReasonRangeMiss:            {"range-miss", ForwardPartial},
	ReasonHeadMiss:             {"head-miss", ForwardURIMiss},
	ReasonOff:                  {"off", ForwardBypass},
	ReasonMethod:               {"method", ForwardMethod},
	ReasonBody:                 {"body", ForwardBypass},
	ReasonAuthorization:        {"authorization", ForwardBypass},
	ReasonCookie:               {"cookie", ForwardBypass},
	ReasonBypass:               {"bypass", ForwardBypass},
	ReasonPath:                 {"path", ForwardBypass},
	ReasonQuery:                {"query", ForwardBypass},
	ReasonNonce:                {"nonce", ForwardBypass},
	ReasonMethodOverride:       {"method-override", ForwardBypass},
	ReasonPrecondition:         {"precondition", ForwardRequest},
	ReasonUpgrade:              {"upgrade", ForwardBypass},
	ReasonStream:               {"stream", ForwardBypass},
	ReasonPlaceholder:          {"placeholder", ForwardBypass},
	ReasonHitForMiss:           {"hit-for-miss", ForwardMiss},
	ReasonOverload:             {"overload", ForwardMiss},
	ReasonNoStore:              {"no-store", ForwardMiss},
	ReasonPrivate:              {"private", ForwardMiss},
	ReasonSetCookie:            {"set-cookie", ForwardMiss},
	ReasonVaryStar:             {"vary-star", ForwardMiss},
	ReasonVaryClientAddress:    {"vary-client-address", ForwardMiss},
	ReasonVaryOverflow:         {"vary-overflow", ForwardMiss},
	ReasonVaryChanged:          {"vary-changed", ForwardStale},
	ReasonNoLifetime:           {"no-lifetime", ForwardMiss},
	ReasonNoValidator:          {"no-validator", ForwardMiss},
	ReasonStatus:               {"status", ForwardMiss},
	ReasonPartial:              {"partial", ForwardMiss},
	ReasonNotUnderstood:        {"not-understood", ForwardMiss},
	ReasonTooLarge:             {"too-large", ForwardMiss},
	ReasonIncomplete:           {"incomplete", ForwardMiss},
	ReasonStalled:              {"stalled", ForwardMiss},
	ReasonAbandoned:            {"abandoned", ForwardMiss},
	ReasonSuperseded:           {"superseded", ForwardMiss},
	ReasonStoreFull:            {"store-full", ForwardMiss},
	ReasonError:                {"error", ForwardMiss},
	ReasonUnselected:           {"unselected", ForwardStale},
	ReasonOnlyIfCached:         {"only-if-cached", ForwardNone},
	ReasonStored:               {"stored", ForwardMiss},
}

// String returns the one word of r. Every word is a token of RFC 8941, so that
// Cache-Status carries it without quotes.
func (r Reason) String() string {
	if r >= reasonCount {
		return reasons[ReasonUndecided].word
	}
	return reasons[r].word
}

// Forward returns the fwd value of RFC 9211 that goes with r. A Reason that
// says why a response was not stored does not know how its request came to be
// forwarded and answers ForwardMiss; keep the look-up's Reason for fwd where
// there was one.
func (r Reason) Forward() Forward {
	if r >= reasonCount {
		return ForwardMiss
	}
	return reasons[r].forward
}

// HitForMiss reports whether r sets the hit-for-miss mark of a key: the answer
// itself says that it is for one user. Errors, cuts and bounds never do,
// because they say nothing of the next answer.
func (r Reason) HitForMiss() bool {
	switch r {
	case ReasonNoStore, ReasonPrivate, ReasonSetCookie, ReasonVaryStar, ReasonVaryClientAddress:
		return true
	}
	return false
}
