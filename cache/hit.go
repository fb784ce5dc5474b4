package cache

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// prepared is what a Cache derives from a stored response and its own
// configuration, once, so that a hit computes nothing that another hit has
// computed before. It is immutable but for stamp. The slices in header are
// written to clients as they are: their capacity is their length, so that whoever
// appends to one makes a copy.
type prepared struct {
	cache      *Cache
	policy     Policy
	fresh      Freshness
	varyCookie bool
	header     http.Header // without Age and Cache-Status
	inner      []string    // Cache-Status of the caches behind
	keep       time.Duration
	stamp      atomic.Pointer[stamp]
}

// stamp holds what changes each second of a fresh response: all hits of one
// second share it.
type stamp struct {
	age      int64
	ageField []string
	status   []string
	control  []string // Cache-Control with the operator's browser time, or nil
}

// prepare returns what c derives from s.
func (c *Cache) prepare(s *Stored) *prepared {
	if p := s.prepared.Load(); p != nil && p.cache == c {
		return p
	}
	p := c.derive(s.Meta)
	s.prepared.Store(p)
	return p
}

// derive computes what follows for m from the configuration.
func (c *Cache) derive(m *Meta) *prepared {
	p := &prepared{cache: c, policy: ResponsePolicy(m.Header, m.ResponseTime)}
	o := FreshnessOptions{Heuristic: c.Heuristic}
	if c.TTL != nil {
		o.TTL = c.TTL(m.Status, m.Path)
	}
	p.fresh = NewFreshness(m.Status, m.Header, p.policy, m.RequestTime, m.ResponseTime, o)
	if m.MaxLifetime > 0 && p.fresh.Duration > m.MaxLifetime {
		p.fresh.Duration = m.MaxLifetime
	}
	p.varyCookie = ParseVary(m.Header["Vary"]).Cookie
	p.inner = m.Header["Cache-Status"]
	p.header = make(http.Header, len(m.Header)+2)
	for name, values := range m.Header {
		if !spokenToCaches(name) {
			p.header[name] = values[:len(values):len(values)]
		}
	}
	if p.fresh.Source == LifetimeOperator || p.fresh.Source == LifetimeHeuristic {
		c.clientLifetime(p)
	}
	return p
}

// spokenToCaches says whether a stored field is consumed here.
func spokenToCaches(name string) bool {
	switch name {
	case "Age", "Cache-Status", "Surrogate-Control", "X-Accel-Expires", "X-Accel-Buffering", "X-Litespeed-Cache-Control":
		return true
	}
	return false
}

// clientLifetime says what clients may do with a response whose lifetime was
// supplied here: the site did not say that they may keep it, and a purge does not
// reach them. Unless the operator says more they validate it on each use.
func (c *Cache) clientLifetime(p *prepared) {
	delete(p.header, "Expires")
	delete(p.header, "Pragma")
	p.header["Cache-Control"] = []string{"max-age=0, must-revalidate"}
	p.keep = c.Browser
	if c.CDN > 0 {
		p.header["Cdn-Cache-Control"] = []string{"max-age=" + strconv.FormatInt(int64(c.CDN/time.Second), 10)}
	}
}

// stampAt returns the fields of a fresh hit for the present second.
func (p *prepared) stampAt(now time.Time) *stamp {
	age := int64(p.fresh.Age(now) / time.Second)
	if s := p.stamp.Load(); s != nil && s.age == age {
		return s
	}
	s := &stamp{age: age, ageField: []string{strconv.FormatInt(age, 10)}}
	s.control = p.browserControl(age)
	status := Status{Hit: true, TTL: p.fresh.Duration - time.Duration(age)*time.Second, TTLKnown: true}
	s.status = append(p.inner[:len(p.inner):len(p.inner)], status.String())
	s.status = s.status[:len(s.status):len(s.status)]
	p.stamp.Store(s)
	return s
}

// browserControl is the Cache-Control that lets a client keep a response of this
// age for the operator's time from now on, or nil.
func (p *prepared) browserControl(age int64) []string {
	if p.keep <= 0 {
		return nil
	}
	return []string{"max-age=" + strconv.FormatInt(age+int64(p.keep/time.Second), 10)}
}

// status is this cache's member of Cache-Status for a response from the store.
func (p *prepared) status(phase Phase, reason Reason, now time.Time) Status {
	s := Status{TTL: p.fresh.TTL(now), TTLKnown: true}
	switch phase {
	case PhaseHit:
		s.Hit = true
	case PhaseStale:
		s.Hit, s.Detail = reason.Forward() == ForwardNone, reason
		s.Forward = reason.Forward()
	default:
		s.Forward, s.Detail = ForwardStale, reason
	}
	return s
}

// serveStored writes s. It returns false, and has written nothing, if the body of
// s cannot be read any more.
func (x *exchange) serveStored(s *Stored, phase Phase, reason Reason, now time.Time) (bool, error) {
	p := x.c.prepare(s)
	body, ok := x.openStored(s)
	if !ok {
		return false, nil
	}
	if body != nil {
		defer body.Close()
	}
	status := p.status(phase, reason, now)
	h := x.w.Header()
	for name, values := range p.header {
		h[name] = values
	}
	if phase == PhaseHit {
		stamp := p.stampAt(now)
		h["Age"], h["Cache-Status"] = stamp.ageField, stamp.status
		if stamp.control != nil {
			h["Cache-Control"] = stamp.control
		}
	} else {
		age := int64(p.fresh.Age(now) / time.Second)
		h["Age"] = []string{strconv.FormatInt(age, 10)}
		h["Cache-Status"] = append(p.inner[:len(p.inner):len(p.inner)], status.String())
	}
	x.note(phase, reason, status)
	x.q.Result.Age, x.q.Result.Lifetime = p.fresh.Age(now), p.fresh.Duration
	return true, x.writeStored(s, p, body)
}

// openStored opens the body of s if it is not in memory. A body that cannot be
// opened takes its response out of the store.
func (x *exchange) openStored(s *Stored) (Content, bool) {
	if s.Bytes != nil || s.Length == 0 || x.r.Method == http.MethodHead {
		return nil, true
	}
	body, err := s.Opener.Open()
	if err != nil {
		x.c.Store.Drop(s)
		x.c.Hooks.log("stored response cannot be read and was dropped", ReasonError, err)
		return nil, false
	}
	return body, true
}

// writeStored writes status and body of s, or a 304. The header is set.
func (x *exchange) writeStored(s *Stored, p *prepared, body Content) error {
	if EvaluatePrecondition(x.r.Header, s.Status, p.header, s.ResponseTime) == PreconditionNotModified {
		x.notModified(p.header)
		return nil
	}
	if bodyAllowed(s.Status) {
		x.w.Header()["Content-Length"] = []string{strconv.FormatInt(s.Length, 10)}
	}
	x.w.WriteHeader(s.Status)
	switch {
	case x.r.Method == http.MethodHead || s.Length == 0 || !bodyAllowed(s.Status):
	case body == nil:
		x.w.Write(s.Bytes)
	default:
		if err := copyContent(x.w, body, s.Length); err != nil {
			x.c.Store.Drop(s)
			x.abort(ReasonError)
		}
	}
	return nil
}

// notModified answers 304 to a client that has what h describes.
func (x *exchange) notModified(h http.Header) {
	dst := x.w.Header()
	kept := NotModifiedHeader(h)
	for name := range h {
		if _, ok := kept[name]; !ok {
			delete(dst, name)
		}
	}
	x.w.WriteHeader(http.StatusNotModified)
}

// abort ends a response that was begun and cannot be finished.
func (x *exchange) abort(reason Reason) {
	x.c.counts.cut.Add(1)
	x.c.Hooks.cut(reason)
	panic(http.ErrAbortHandler)
}

// copyBuffers are the buffers of copyContent.
var copyBuffers = sync.Pool{New: func() any { p := make([]byte, 64<<10); return &p }}

// copyContent writes n bytes of body. It returns an error only if body failed: a
// client that has gone is none.
func copyContent(w http.ResponseWriter, body Content, n int64) error {
	if f, ok := body.(FileContent); ok {
		file, err := f.File()
		if err != nil {
			return err
		}
		// A plain *os.File lets the kernel copy.
		k, err := io.Copy(w, file)
		if err == nil && k < n {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for off := int64(0); off < n; {
		p := (*buf)[:min(n-off, int64(len(*buf)))]
		k, err := body.ReadAt(p, off)
		if k < len(p) {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if _, err := w.Write(p); err != nil {
			return nil
		}
		off += int64(k)
	}
	return nil
}

// bodyAllowed says whether a response with this status has a body (RFC 9110
// section 6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
