package cache

import (
	"errors"
	"maps"
	"net/http"
)

// statusClientGone is what is noted for a client that left before its answer, as
// Caddy does.
const statusClientGone = 499

// maxFlightsWaited is for how many flights one request waits before it passes.
const maxFlightsWaited = 4

// fetch answers from the origin: it starts a flight or joins one.
func (x *serving) fetch() error {
	for ; x.waited < maxFlightsWaited; x.waited++ {
		f, leads := x.join(false)
		if f == nil {
			return x.pass(ReasonOverload)
		}
		done, reason, err := x.follow(f, leads)
		switch {
		case done:
			return err
		case reason != ReasonUndecided:
			return x.pass(reason)
		}
	}
	return x.pass(ReasonOverload)
}

// flightKey is under which flights for this request are found: as long as it is
// not known what responses vary on, all requests for the URL share one.
func (x *serving) flightKey() Key {
	fields, variant := x.found.Vary, ""
	if s := x.found.Stored; s != nil {
		fields, variant = s.Vary, s.Variant
	} else if len(fields) > 0 {
		variant = VariantKey(fields, x.r.Header)
	}
	if len(fields) == 0 {
		return x.key
	}
	return x.key.WithVariant([]byte(variant))
}

// join joins or starts a flight.
func (x *serving) join(replacement bool) (*flight, bool) {
	if x.credentials {
		// An answer to credentials is fetched for one client (RFC 9111 section
		// 3.5); whether it is stored is another question.
		return x.c.flights.alone(x.c, x.newFlight(Key{}, nil)), true
	}
	key := x.flightKey()
	return x.c.flights.join(x.c, key, func() *flight {
		f := x.newFlight(key, x.found.Stored)
		f.replacement = replacement
		return f
	})
}

// canJoin says whether a flight for this request runs.
func (x *serving) canJoin() bool { return x.c.flights.busy(x.c, x.flightKey()) }

// validateInBackground starts a validation of what was found, unless one runs.
func (x *serving) validateInBackground() {
	key := x.flightKey()
	x.c.flights.background(x.c, key, func() *flight { return x.newFlight(key, x.found.Stored) })
}

// follow waits for the header of f and answers the client from it if it may. If
// done is false nothing was written: the request is to pass for the reason, or for
// ReasonUndecided to try another flight. It counts the client out of f.
func (x *serving) follow(f *flight, leads bool) (done bool, reason Reason, err error) {
	f, leads, err = x.await(f, leads)
	if err != nil {
		done, err = x.failed(err)
		return done, ReasonUndecided, err
	}
	if f == nil {
		return true, ReasonUndecided, nil
	}
	defer x.c.flights.leave(f)
	a := &f.answer
	switch {
	case a.err != nil:
		done, err = x.failed(a.err)
		return done, ReasonUndecided, err
	case a.confirmed != nil:
		return x.useConfirmed(f, leads)
	case a.again:
		x.found.Stored = nil
		return false, ReasonUndecided, nil
	}
	if served, err := x.staleForStatus(a.meta.Status); served {
		return true, ReasonUndecided, err
	}
	switch {
	case a.reason == ReasonPurged, f.doomed.Load() && !leads, x.c.covered(a.meta, f.number).hard:
		return false, ReasonUndecided, nil
	case a.reason != ReasonStored && !leads:
		return false, a.reason, nil
	case a.reason == ReasonStored && VariantKey(a.meta.Vary, x.r.Header) != a.meta.Variant:
		// Those of one variant meet again under its own key.
		x.found = Found{Known: true, Vary: a.meta.Vary}
		x.why = ReasonVaryMiss
		return false, ReasonUndecided, nil
	}
	return x.stream(f, leads)
}

// await waits for the header of f, or of the flight that replaces it when it
// stalls, and returns the one that has it; the client is counted into that one
// only. It returns no flight and no error if the client has gone.
func (x *serving) await(f *flight, leads bool) (*flight, bool, error) {
	var g *flight // the replacement
	gLeads := false
	leave := func(f *flight) {
		if f != nil {
			x.c.flights.leave(f)
		}
	}
	stalled := f.stalled
	hints := f.hints
	if !leads {
		hints = nil
	}
	var gReady chan struct{}
	for {
		select {
		case <-f.ready:
			leave(g)
			return f, leads, nil
		case <-gReady:
			leave(f)
			return g, gLeads, nil
		case h := <-hints:
			x.forwardHint(h)
		case <-stalled:
			if g == nil && !f.replacement {
				if g, gLeads = x.join(true); g != nil {
					gReady, stalled = g.ready, g.stalled
					continue
				}
			}
			leave(f)
			leave(g)
			return nil, false, ErrStalled
		case <-x.r.Context().Done():
			leave(f)
			leave(g)
			x.conclude(PhaseMiss, ReasonAbandoned, Status{Forward: x.why.Forward(), Detail: ReasonAbandoned})
			x.w.WriteHeader(statusClientGone)
			return nil, false, nil
		}
	}
}

// forwardHint passes an interim response on. The fields of the final one that are
// set already stay as they are.
func (x *serving) forwardHint(hint hint) {
	h := x.w.Header()
	final := maps.Clone(h)
	for name, values := range hint.header {
		h[name] = values
	}
	x.w.WriteHeader(hint.status)
	clear(h)
	maps.Copy(h, final)
}

// failed answers when the origin brought nothing: from the store if a rule allows
// it, else by the error.
func (x *serving) failed(cause error) (bool, error) {
	if served, err := x.serveStale(FailureOf(0, cause)); served {
		return true, err
	}
	reason := ReasonError
	if errors.Is(cause, ErrStalled) {
		reason = ReasonStalled
	}
	x.conclude(PhaseMiss, reason, Status{Forward: x.why.Forward(), Detail: reason})
	if errors.Is(cause, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler)
	}
	return true, cause
}

// staleForStatus answers from the store in the place of an answer that is an error.
func (x *serving) staleForStatus(status int) (bool, error) {
	failure := FailureOf(status, nil)
	if failure == FailureNone {
		return false, nil
	}
	return x.serveStale(failure)
}

// serveStale answers from the store after a failure, if a rule allows it.
func (x *serving) serveStale(failure Failure) (bool, error) {
	s, now := x.found.Stored, x.c.Clock()
	if s == nil || x.c.covered(s.Meta, s.Number).hard {
		return false, nil
	}
	p := x.c.prepare(s)
	ok, reason := OnFailure(p.fresh, p.policy, failure, x.c.Stale, now)
	if !ok {
		return false, nil
	}
	return x.serveStored(s, PhaseStale, reason, now)
}

// useConfirmed answers from the stored response that the origin confirmed.
func (x *serving) useConfirmed(f *flight, leads bool) (bool, Reason, error) {
	s, now := f.answer.confirmed, x.c.Clock()
	if x.c.covered(s.Meta, s.Number).hard || VariantKey(s.Vary, x.r.Header) != s.Variant {
		return false, ReasonUndecided, nil
	}
	phase, reason := PhaseValidated, ReasonNotModified
	switch {
	case f.answer.reason == ReasonFresh:
		phase, reason = PhaseHit, ReasonFresh
	case !leads:
		phase = PhaseCollapsed
	}
	served, err := x.serveStored(s, phase, reason, now)
	if !served {
		x.found.Stored = nil
	}
	return served, ReasonUndecided, err
}
