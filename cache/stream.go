package cache

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// holds answers 304 if the client holds what arrives (RFC 9110 section 13.2.2). The
// fetch carries no condition of a client's, so that the origin had no chance to say
// so. An answer that sets a cookie is given whole: a 304 could not carry it.
func (x *serving) holds(a *answer) bool {
	p := a.prepared
	if p == nil {
		if len(x.r.Header["If-None-Match"])+len(x.r.Header["If-Modified-Since"]) == 0 || len(a.meta.Header["Set-Cookie"]) > 0 {
			return false
		}
		p = x.c.derive(a.meta, a.length, x.c.judge(a.meta))
	}
	if EvaluatePrecondition(x.r.Header, a.meta.Status, p.header, a.meta.ResponseTime) != PreconditionNotModified {
		return false
	}
	x.notModified(p)
	return true
}

// stream writes the answer of f while it arrives.
func (x *serving) stream(f *flight, leads bool) (bool, Reason, error) {
	a := &f.answer
	part, answer, ok := x.partOf(f)
	if !ok {
		return false, ReasonRangeMiss, nil
	}
	off, rest := int64(0), int64(-1)
	if part != nil {
		off, rest = part.Start, part.Length
	}
	reader := a.body.newReader(off)
	if reader == nil {
		return false, ReasonTooLarge, nil
	}
	plain := reader
	defer func() { plain.close() }()
	x.setFetched(a, leads)
	h := x.w.Header()
	switch {
	case x.holds(a):
		return true, ReasonUndecided, nil
	case answer == RangeUnsatisfiable:
		x.unsatisfiable(a.length)
		return true, ReasonUndecided, nil
	}
	status := a.meta.Status
	switch {
	case part != nil:
		status = http.StatusPartialContent
		describePart(h, *part, a.length)
	case a.length >= 0:
		h["Content-Length"] = []string{strconv.FormatInt(a.length, 10)}
	default:
		delete(h, "Content-Length")
	}
	bodiless := x.r.Method == http.MethodHead || !bodyAllowed(status)
	if k := x.codingOf(a); k != Identity && part == nil {
		if bodiless {
			setCoding(h, k)
		} else if coded, done := f.codedReader(k); coded != nil {
			defer done()
			setCoding(h, k)
			// The coded body holds up the other one now, if anything does.
			reader.close()
			reader = coded
		}
	}
	x.carryDropped(h, status)
	x.w.WriteHeader(status)
	if bodiless {
		return true, ReasonUndecided, nil
	}
	x.tail(f, reader, rest)
	return true, ReasonUndecided, nil
}

// setFetched sets the fields of a fetched answer and concludes the request.
func (x *serving) setFetched(a *answer, leads bool) {
	status := Status{
		Forward: x.why.Forward(), ForwardStatus: a.meta.Status,
		Stored: a.reason == ReasonStored, Collapsed: !leads,
	}
	phase := PhaseMiss
	if !leads {
		phase = PhaseCollapsed
	}
	h := x.w.Header()
	leaveUntyped(h)
	p := a.prepared
	if p == nil {
		status.Detail = a.reason
		for name, values := range a.meta.Header {
			if len(values) > 0 && !spokenToCaches(name) {
				h[name] = values[:len(values):len(values)]
			}
		}
		if x.c.CDN > 0 {
			x.tellTags(surrogateFields(a.tags, a.tagsKept))
		}
		x.conclude(phase, a.reason, status)
		return
	}
	now := x.c.Clock()
	for name, values := range p.header {
		h[name] = values
	}
	age := int64(p.fresh.Age(now) / time.Second)
	if !leads && age > 0 || len(a.meta.Header["Age"]) > 0 {
		// RFC 9111 section 5.1: not generated anew for this request.
		h["Age"] = []string{strconv.FormatInt(age, 10)}
	}
	if control := p.browserControl(age); control != nil {
		h["Cache-Control"] = control
	}
	status.TTL, status.TTLKnown = p.fresh.TTL(now), true
	h["Cache-Status"] = p.inner
	x.tellTags(p.surrogate)
	x.conclude(phase, a.reason, status)
}

// tail writes the body of f as it arrives. What has arrived is flushed whenever
// the client has caught up. It ends after rest bytes, or with the body if rest is
// negative.
func (x *serving) tail(f *flight, reader *bodyReader, rest int64) {
	flush := http.NewResponseController(x.w)
	for {
		if !reader.ready() {
			flush.Flush()
		}
		p, err := reader.next(x.r.Context())
		switch {
		case errors.Is(err, io.EOF):
			if len(f.trailer) > 0 {
				// Of a short body that is still in its buffer, net/http would state the
				// length, and have no room for trailers.
				flush.Flush()
			}
			for name, values := range f.trailer {
				x.w.Header()[http.TrailerPrefix+name] = values
			}
			return
		case errors.Is(err, errBehind):
			x.abort(ReasonOverload)
		case err != nil:
			// Cut by the origin, or the client has gone: no one is to take
			// what was sent for whole.
			x.abort(ReasonIncomplete)
		}
		if rest >= 0 {
			p = p[:min(rest, int64(len(p)))]
			rest -= int64(len(p))
		}
		if _, err := x.w.Write(p); err != nil {
			x.abort(ReasonAbandoned)
		}
		if rest == 0 {
			return
		}
	}
}
