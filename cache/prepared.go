package cache

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// prepared is what a Cache derives from a stored response and its own
// configuration, once, so that a hit computes nothing that another hit has
// computed before. It is immutable but for stamp. The slices in header are
// written to clients as they are: their capacity is their length, so that whoever
// appends to one makes a copy.
type prepared struct {
	judgement
	cache      *Cache
	varyCookie bool
	header     http.Header   // without Age and Cache-Status
	confirmed  http.Header   // what of header goes into a 304
	codable    bool          // clients get it coded
	tags       codedTags     // of its coded forms
	surrogate  http.Header   // purge tags, for caches in front
	inner      []string      // Cache-Status of the caches behind
	keep       time.Duration // the operator's browser time, if it applies
	stamp      atomic.Pointer[stamp]
	lengthText atomic.Pointer[[]string] // Content-Length, once it is known
}

// length is the Content-Length of s.
func (p *prepared) length(s *Stored) []string {
	if l := p.lengthText.Load(); l != nil {
		return *l
	}
	l := []string{strconv.FormatInt(s.Length, 10)}
	p.lengthText.Store(&l)
	return l
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
	p := c.derive(s.Meta, s.Length, c.judge(s.Meta))
	s.prepared.Store(p)
	return p
}

// judgement is what a response says of its reuse.
type judgement struct {
	policy Policy
	fresh  Freshness
}

// judge reads what m says of its reuse, and what the configuration adds.
func (c *Cache) judge(m *Meta) judgement {
	j := judgement{policy: ResponsePolicy(m.Header, m.ResponseTime)}
	o := FreshnessOptions{Heuristic: c.Heuristic}
	if c.TTL != nil {
		o.TTL = c.TTL(m.Status, m.Path)
	}
	j.fresh = NewFreshness(m.Status, m.Header, j.policy, m.RequestTime, m.ResponseTime, o)
	if m.MaxLifetime > 0 && j.fresh.Duration > m.MaxLifetime {
		j.fresh.Duration = m.MaxLifetime
	}
	return j
}

// derive computes what follows for m, judged as j, from the configuration. length is
// that of the body, or -1 if it is not known yet.
func (c *Cache) derive(m *Meta, length int64, j judgement) *prepared {
	p := &prepared{judgement: j, cache: c, varyCookie: ParseVary(m.Header["Vary"]).Cookie, inner: m.Header["Cache-Status"]}
	p.header = make(http.Header, len(m.Header)+2)
	for name, values := range m.Header {
		if len(values) > 0 && name != "Age" && name != "Cache-Status" && !spokenToCaches(name) {
			p.header[name] = values[:len(values):len(values)]
		}
	}
	switch {
	case p.fresh.Source == LifetimeOperator,
		p.fresh.Source == LifetimeHeuristic && len(m.Header["Cache-Control"]) == 0:
		// Where the origin did speak of caching, its word goes on: the clients'
		// own estimate is as good as ours.
		c.clientLifetime(p)
	}
	if len(c.Codings) > 0 {
		p.codable = codable(m.Status, p.header, p.policy.NoTransform, length)
		p.tags = tagsOf(p.header)
		setVary(p.header, p.codable)
	}
	p.confirmed = NotModifiedHeader(p.header)
	if c.CDN > 0 {
		p.surrogate = surrogateFields(m.Tags, true)
	}
	return p
}

// rangeHolds is IfRange for the identity form. Of a response that has other forms a
// date does not say which one the client holds a part of: its tag must.
func (p *prepared) rangeHolds(request http.Header, received time.Time) bool {
	condition := request["If-Range"]
	if p.codable && len(condition) > 0 && opaqueTag(trimOWS(condition[0])) == "" {
		return false
	}
	return IfRange(request, p.header, received)
}

// spokenToCaches says whether a field of an answer is for this cache and nobody
// behind it.
func spokenToCaches(name string) bool {
	switch name {
	case "Surrogate-Control", "X-Accel-Expires", "X-Accel-Buffering", "X-Litespeed-Cache-Control":
		return true
	}
	return false
}

// dropSpoken takes out of h what is for this cache and nobody behind it.
func dropSpoken(h http.Header) {
	for name := range h {
		if spokenToCaches(name) {
			delete(h, name)
		}
	}
}

// clientLifetime says what clients may do with a response whose lifetime was
// supplied here: the site did not say that they may keep it, and a purge does not
// reach them. Unless the operator says more they validate it on each use.
func (c *Cache) clientLifetime(p *prepared) {
	delete(p.header, "Expires")
	delete(p.header, "Pragma")
	control := "max-age=0, must-revalidate"
	if p.policy.NoTransform {
		control += ", no-transform"
	}
	p.header["Cache-Control"] = []string{control}
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
