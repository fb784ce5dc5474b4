package cache

import (
	"context"
	"errors"
	"time"
)

// DefaultDisconnected is how long past its lifetime a response is served when
// the origin cannot be reached and nobody said otherwise.
const DefaultDisconnected = 24 * time.Hour

// StaleOptions are the operator's rules for stale responses. The zero value
// serves stale only where the origin's directives say so.
type StaleOptions struct {
	// WhileRevalidate and IfError apply where the origin states no window of its own.
	WhileRevalidate time.Duration
	IfError         time.Duration
	// Disconnected applies where the origin cannot be reached at all and no
	// longer window does: RFC 9111 section 4.2.4 lets a disconnected cache serve
	// stale. Zero never does; DefaultDisconnected is meant as the default.
	Disconnected time.Duration
	// HonourRequest lets the client's Cache-Control and Pragma reach past the
	// store. Off, they are ignored, as section 5.2.1 of RFC 9111 allows: any
	// visitor could otherwise send each request to the origin. Only
	// only-if-cached, which spares the origin, always holds.
	HonourRequest bool
}

// Use says what may be done with a stored response. The zero value is the safe one.
type Use uint8

const (
	// UseValidate means: only after successful validation, or in the place of an
	// error as OnFailure says.
	UseValidate Use = iota
	// UseFresh means: serve it.
	UseFresh
	// UseStale means: serve it as it is, and start no validation for it.
	UseStale
	// UseStaleAndValidate means: serve it, and validate it once in the background.
	UseStaleAndValidate
)

// Reusable decides about a stored response that the key and Vary select and no
// purge covers (RFC 9111 section 4). The Policy is the stored response's.
func Reusable(f Freshness, p Policy, request RequestDirectives, o StaleOptions, now time.Time) (Use, Reason) {
	if p.NoCache {
		return UseValidate, ReasonNoCache
	}
	ttl := f.TTL(now)
	if o.HonourRequest && refusesStored(f, request, ttl, now) {
		return UseValidate, ReasonRequestDirective
	}
	if ttl > 0 {
		return UseFresh, ReasonFresh
	}
	stale := -ttl
	swr := window(p.StaleWhileRevalidate, o.WhileRevalidate)
	acceptsStale := o.HonourRequest && request.MaxStale.Stated && stale <= request.MaxStale.Duration
	switch {
	case forbidsStale(&p):
		if stale < swr || acceptsStale {
			return UseValidate, ReasonMustRevalidate
		}
	case stale < swr:
		return UseStaleAndValidate, ReasonStaleWhileRevalidate
	case acceptsStale:
		return UseStale, ReasonMaxStale
	}
	return UseValidate, ReasonExpired
}

// refusesStored reports whether the client asks for something fresher than what
// is stored (RFC 9111 section 5.2.1).
func refusesStored(f Freshness, r RequestDirectives, ttl time.Duration, now time.Time) bool {
	switch {
	case r.NoCache, r.NoStore:
		return true
	case r.MaxAge.Stated && f.Age(now) > r.MaxAge.Duration && (!r.MaxStale.Stated || ttl > 0),
		r.MaxAge.Stated && r.MaxAge.Duration == 0:
		return true
	case r.MinFresh.Stated && ttl < r.MinFresh.Duration:
		return true
	}
	return false
}

// forbidsStale reports whether the origin allows no stale reuse whatever else
// is said. s-maxage includes proxy-revalidate (RFC 9111 section 5.2.2.10).
func forbidsStale(p *Policy) bool {
	return p.MustRevalidate || p.ProxyRevalidate || p.NoCache || p.SMaxAge.Stated
}

// window is the origin's own stale window, else the operator's.
func window(d Delta, operator time.Duration) time.Duration {
	if d.Stated {
		return d.Duration
	}
	return operator
}

// Failure is how a validation or fetch failed. The zero value is no failure.
type Failure uint8

const (
	// FailureNone is an answer that must be passed on, errors of the client's
	// kind included: a deleted or protected page (404, 410, 401, 403) replaces
	// the stored one at once.
	FailureNone Failure = iota
	// FailureStatus is an answer that RFC 5861 section 4 counts as an error.
	FailureStatus
	// FailureDisconnected means that no answer came: refused, reset, timed out,
	// or ended within the header.
	FailureDisconnected
)

// FailureOf classifies the outcome of a fetch. An err means that no header
// came; a fetch that was cancelled on this side is no failure of the origin.
func FailureOf(status int, err error) Failure {
	switch {
	case errors.Is(err, context.Canceled):
		return FailureNone
	case err != nil:
		return FailureDisconnected
	}
	switch status {
	case 500, 502, 503, 504:
		return FailureStatus
	}
	return FailureNone
}

// OnFailure reports whether a stored response may be served in the place of a
// failure, and why or why not (RFC 9111 section 4.2.4, RFC 5861 section 4).
func OnFailure(f Freshness, p Policy, failure Failure, o StaleOptions, now time.Time) (bool, Reason) {
	if failure == FailureNone {
		return false, ReasonExpired
	}
	stale := -f.TTL(now)
	within := stale <= window(p.StaleIfError, o.IfError)
	disconnected := failure == FailureDisconnected && stale <= o.Disconnected
	switch {
	case forbidsStale(&p):
		return false, ReasonMustRevalidate
	case within && window(p.StaleIfError, o.IfError) > 0:
		return true, ReasonStaleIfError
	case disconnected && o.Disconnected > 0:
		return true, ReasonDisconnected
	}
	return false, ReasonError
}
