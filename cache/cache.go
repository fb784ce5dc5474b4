// Package cache is a shared HTTP cache (RFC 9111) over any handler. A response is
// fetched once and given, while it arrives, to everyone who asks for it; it is
// stored only on evidence and only whole; purges are exact. The package knows
// nothing of Caddy.
//
// A Cache serves one mount. Its Store and Ledger are shared with others and
// outlive it.
package cache

import (
	"net/http"
	"sync/atomic"
	"time"
)

// A Cache answers the requests of one mount from its store, or from the origin. It
// is safe for concurrent use. New makes one; it needs no closing: fetches that
// still run end by themselves.
type Cache struct {
	Options
	purges  *purges
	flights *flights
	marks   *marks
	memory  *budget
	counts  counts
	// cookieNames counts the site's cookies that requests came with.
	cookieNames tally
	told        tellOnce // of failures of the store
}

// storeFailed logs the first failure of the store of each kind. A failing disk would
// else be a line for each request; the store counts them all.
func (c *Cache) storeFailed(event string, r Reason, err error) {
	if c.told.first(event) {
		c.Hooks.log(event, r, err)
	}
}

// counts are what Inspect reports.
type counts struct {
	hits, stale, misses, collapsed, passes, validated, refused atomic.Int64
	fetches, stored, cut, cookieBlocked                        atomic.Int64
}

// Wait waits until no fetch runs. Requests that are served meanwhile may start more.
func (c *Cache) Wait() { c.flights.idle() }

// flightMemory is implemented by stores that bound the memory of flights.
type flightMemory interface{ flightBudget() *budget }

// New returns a Cache.
func New(o Options) (*Cache, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	c := &Cache{Options: o, purges: o.Ledger.forMount(o.Mount), marks: newMarks(o.HitForMiss, o.MaxMarks)}
	c.flights = newFlights()
	if s, ok := o.Store.(flightMemory); ok {
		c.memory = s.flightBudget()
	} else {
		c.memory = &budget{max: o.MaxFlightBytes}
	}
	return c, nil
}

// serving is one request on its way through the cache.
type serving struct {
	c      *Cache
	w      http.ResponseWriter
	r      *http.Request
	q      *Request
	origin Handler

	key   Key
	query string // as it is keyed
	found Found
	why   Reason // why it is forwarded
	// credentials: the request reaches the origin with Authorization.
	credentials bool
	cookie      bool // the request carries a cookie of the site's
	cookieName  string
	waited      int // flights that were joined in vain
}

// Serve answers r: from the store, from a fetch that it starts or follows, or by
// passing it to origin. It writes q.Result. An error is origin's and was returned
// before a header was written. A response that was cut ends in
// panic(http.ErrAbortHandler), so that no client takes it for whole.
func (c *Cache) Serve(w http.ResponseWriter, r *http.Request, q *Request, origin Handler) error {
	x := &serving{c: c, w: w, r: r, q: q, origin: origin}
	if reason := c.passes(r, q); reason != ReasonUndecided {
		return x.pass(reason)
	}
	now := c.Clock()
	x.lookUp()
	if x.cookie {
		c.cookieNames.count(x.cookieName)
	}
	if use, reason := x.judge(now); use != UseValidate {
		served, err := x.reuse(use, reason, now)
		if served {
			return err
		}
	}
	switch phase, reason := x.forward(now); phase {
	case PhaseRefused:
		return x.refuse(http.StatusGatewayTimeout, reason)
	case PhasePass:
		if reason == ReasonCookie {
			c.counts.cookieBlocked.Add(1)
		}
		return x.pass(reason)
	}
	return x.fetch()
}

// lookUp looks for what is stored.
func (x *serving) lookUp() {
	parts := x.c.parts(x.r, x.q)
	x.key, x.query = NewKey(parts), parts.Query
	x.q.Result.Key = x.key
	x.credentials = x.c.Authorization(x.r)
	x.cookieName, x.cookie = x.c.siteCookie(x.r)
	x.found = x.c.Store.Lookup(x.key.Bytes(), x.r.Header)
}

// forward decides how the origin is asked: in a flight, PhaseCollapsed if one runs
// and else PhaseMiss, by passing, or not at all.
func (x *serving) forward(now time.Time) (Phase, Reason) {
	switch {
	case x.onlyIfCached():
		// RFC 9111 section 5.2.1.7.
		return PhaseRefused, ReasonOnlyIfCached
	case x.cookie:
		return PhasePass, ReasonCookie
	case x.c.marks.has(x.key, now):
		return PhasePass, ReasonHitForMiss
	}
	if !x.credentials && x.canJoin() {
		return PhaseCollapsed, x.why
	}
	if x.credentials || x.found.Stored == nil {
		// A whole body is not fetched for who asks for none or for a part of it,
		// unless a validation may spare it.
		switch {
		case x.r.Method == http.MethodHead:
			return PhasePass, ReasonHeadMiss
		case len(x.r.Header["Range"]) > 0 && !x.q.WholeOnly:
			return PhasePass, ReasonRangeMiss
		}
	}
	return PhaseMiss, x.why
}

// judge decides whether the stored response that was found answers the request.
// It sets why the request is forwarded if not.
func (x *serving) judge(now time.Time) (Use, Reason) {
	s := x.found.Stored
	if s == nil {
		x.why = ReasonURIMiss
		if x.found.Known {
			x.why = ReasonVaryMiss
		}
		return UseValidate, x.why
	}
	p := x.c.prepare(s)
	use, reason := x.c.reusable(s, p, x.r, now)
	switch {
	case use == UseValidate:
	case x.cookie && (!p.fresh.Origin() || p.varyCookie):
		// To who has a cookie of the site only the origin's own word holds.
		use, reason = UseValidate, ReasonCookieLifetime
	case x.credentials && !sharesAuthorized(&p.policy):
		// What anybody gets is not proven right for who has credentials.
		use, reason = UseValidate, ReasonAuthorization
	}
	if use == UseValidate {
		x.why = reason
	}
	if reason == ReasonPurged && x.c.covered(s.Meta, s.Number).hard {
		// A hard purge ends the response: it is not even validated.
		x.found.Stored = nil
	}
	return use, reason
}

// reusable is Reusable for a stored response that a purge may cover.
func (c *Cache) reusable(s *Stored, p *prepared, r *http.Request, now time.Time) (Use, Reason) {
	directives := RequestDirectives{}
	if c.Stale.HonourRequest {
		directives = ParseRequestDirectives(r.Header)
	}
	use, reason := Reusable(p.fresh, p.policy, directives, c.Stale, now)
	generation := c.purges.generation.Load()
	if s.checked.Load() == generation+1 {
		return use, reason
	}
	switch cover := c.covered(s.Meta, s.Number); {
	case cover.hard:
		return UseValidate, ReasonPurged
	case cover.soft:
		// Stale from the moment of the purge on.
		if use == UseStaleAndValidate || use == UseFresh && !forbidsStale(&p.policy) &&
			c.purges.since(cover.at, now) < window(p.policy.StaleWhileRevalidate, c.Stale.WhileRevalidate) {
			return UseStaleAndValidate, ReasonStaleWhileRevalidate
		}
		return UseValidate, ReasonPurged
	}
	s.checked.Store(generation + 1)
	return use, reason
}

// coverage says whether a purge covers something, and when the last did.
type coverage struct {
	hard, soft bool
	at         time.Time // zero: none ever did
}

// covered says whether a purge after number covers m.
func (c *Cache) covered(m *Meta, number uint64) coverage {
	if c.purges.generation.Load() == 0 {
		return coverage{}
	}
	k := c.purges.covering(m)
	return coverage{hard: k.hard > number, soft: k.soft > number, at: k.at}
}

// onlyIfCached says whether the client forbids to ask the origin.
func (x *serving) onlyIfCached() bool {
	return len(x.r.Header["Cache-Control"]) > 0 && ParseRequestDirectives(x.r.Header).OnlyIfCached
}

// reuse answers from the store. It returns false if the body cannot be read.
func (x *serving) reuse(use Use, reason Reason, now time.Time) (bool, error) {
	phase := PhaseStale
	switch use {
	case UseFresh:
		phase = PhaseHit
	case UseStaleAndValidate:
		x.validateInBackground()
	}
	return x.serveStored(x.found.Stored, phase, reason, now)
}

// refuse answers by itself.
func (x *serving) refuse(status int, reason Reason) error {
	x.conclude(PhaseRefused, reason, Status{Detail: reason})
	h := x.w.Header()
	h["Content-Length"] = []string{"0"}
	x.w.WriteHeader(status)
	return nil
}

// conclude notes how the request is answered and says so in Cache-Status.
func (x *serving) conclude(phase Phase, reason Reason, s Status) {
	x.note(phase, reason, s)
	s.AddTo(x.w.Header())
}

// note notes how the request is answered.
func (x *serving) note(phase Phase, reason Reason, s Status) {
	x.q.Result.Phase, x.q.Result.Reason, x.q.Result.Status = phase, reason, s
	n := &x.c.counts
	switch phase {
	case PhaseHit:
		n.hits.Add(1)
	case PhaseStale:
		n.stale.Add(1)
	case PhaseMiss:
		n.misses.Add(1)
	case PhaseCollapsed:
		n.collapsed.Add(1)
	case PhaseValidated:
		n.validated.Add(1)
	case PhaseRefused:
		n.refused.Add(1)
	default:
		n.passes.Add(1)
	}
}
