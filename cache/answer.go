package cache

import (
	"net/http"
	"time"
)

// answer is what a flight brought.
type answer struct {
	err       error     // no answer came
	confirmed *Stored   // the stored response that a 304 confirmed
	again     bool      // a 304 that confirms nothing: fetch without validators
	reason    Reason    // ReasonStored: may be shared; else why not
	meta      *Meta     // status and fields
	prepared  *prepared // the header for clients, if it may be shared
	length    int64     // declared, or -1
	codable   bool      // clients get it coded
	tags      []string  // purge tags
	tagsKept  bool      // tags are all of them
	body      *body
}

// respond takes the answer's header. status is final.
func (f *flight) respond(status int, h http.Header, length int64) {
	c, now := f.c, f.c.Clock()
	if f.base != nil && status == http.StatusNotModified {
		f.confirm(h, now)
		return
	}
	header := h.Clone()
	tags, tagsKept := tagsOfAnswer(header)
	policy := ResponsePolicy(header, now)
	m := new(f.place)
	m.Status, m.Tags, m.Number = status, tags, f.number
	m.Authorization = f.credentials
	m.RequestTime, m.ResponseTime, m.StoredTime = f.sent, now, now
	m.Header = StoredHeader(header, policy)
	if len(m.Header["Date"]) == 0 {
		// RFC 9110 section 6.6.1.
		m.Header["Date"] = []string{now.UTC().Format(http.TimeFormat)}
	}
	f.setVariant(m)
	if f.fastCGI && length < 0 && !isHTML(m.Header) {
		m.MaxLifetime = c.UnverifiedLifetime
	}
	reason := f.purgedBefore(m, now)
	j := c.judge(m)
	a := answer{meta: m, length: length, reason: ReasonStored, tags: tags, tagsKept: tagsKept}
	storable := Storable(Exchange{Method: http.MethodGet, Authorization: f.credentials, Status: status, Header: header, Policy: j.policy, Freshness: j.fresh})
	switch {
	case storable != ReasonStored:
		a.reason = storable
	case reason != ReasonStored:
		a.reason = reason
	case !tagsKept, length > c.MaxBodyBytes:
		a.reason = ReasonTooLarge
	case f.doomed.Load():
		a.reason = ReasonSuperseded
	}
	if a.reason == ReasonStored {
		a.prepared = c.derive(m, length, j)
		a.codable = a.prepared.codable
		a.body = newBody(length, c.SpillBytes, c.WindowBytes, c.memory, func() (Writer, error) { return c.Store.Create(m, length) })
	} else {
		// One client alone gets it, with all that was said to him.
		m.Header = StoredHeader(header, Policy{})
		if len(c.Codings) > 0 {
			a.codable = codable(status, m.Header, j.policy.NoTransform, length)
			setVary(m.Header, a.codable)
		}
		a.body = newBody(-1, 0, c.WindowBytes, c.memory, nil)
		a.body.window()
		c.flights.settle(f)
	}
	if setsMark(a.reason, status) {
		c.marks.set(f.primary(), now)
	} else if a.reason == ReasonStored {
		c.marks.clear(f.primary())
	}
	if a.reason != ReasonStored && replaces(status, storable) {
		f.dropOlder()
	}
	f.publish(a)
}

// setsMark says whether requests for the key are not collapsed for a while: the
// answer itself says that it is for one, or that nobody may reuse it. Errors, cuts
// and bounds say nothing of the next answer.
func setsMark(r Reason, status int) bool {
	switch r {
	case ReasonNoLifetime, ReasonNoValidator, ReasonStream:
		return status < 400
	}
	return r.HitForMiss()
}

// replaces says whether an answer that is not stored itself shows that an older one
// is out of date: the page has changed, has gone or is closed. Errors, and what
// speaks of the request, show nothing.
func replaces(status int, storable Reason) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return true
	}
	return status < 400 && storable != ReasonStored
}

// dropOlder drops the stored response in whose place the answer came.
func (f *flight) dropOlder() {
	if f.credentials {
		return
	}
	old := f.c.Store.Lookup(f.place.Key, f.fields).Stored
	if old != nil && !old.askedAfter(f.sent, f.c.Clock()) {
		f.c.Store.Drop(old)
	}
}

// askedAfter says whether m was asked for after t. What bears a time of the future
// was asked for before the clock was set back.
func (m *Meta) askedAfter(t, now time.Time) bool {
	return m.RequestTime.After(t) && !m.RequestTime.After(now)
}

// primary is the flight's key without its variant.
func (f *flight) primary() Key { return KeyFromBytes(f.place.Key) }

// publish makes the answer known.
func (f *flight) publish(a answer) {
	f.answer = a
	close(f.ready)
}

// setVariant names the variant of m by the request fields that were sent.
func (f *flight) setVariant(m *Meta) {
	v := f.c.Fetch.Selecting(ParseVary(m.Header["Vary"]))
	m.Vary = v.Fields
	m.Variant = VariantKey(m.Vary, f.fields)
	if b, ok := v.AppendLanguageVariant(nil, f.fields, ContentLanguage(m.Header)); ok {
		m.LanguageVariant = string(b)
	}
}

// After a purge a page cache behind the origin may still bring the old page.
const (
	purgeEcho         = 30 * time.Second // how long after a purge that is assumed
	purgeEchoLifetime = 5 * time.Second  // how long such an answer lives
)

// purgedBefore applies the purges that cover m: an answer that was asked for, or
// by its own words generated, before one of them is not stored as new; one that
// does not tell its age lives shortly for a while.
func (f *flight) purgedBefore(m *Meta, now time.Time) Reason {
	cover := f.c.covered(m, f.number)
	switch {
	case cover.hard:
		return ReasonPurged
	case cover.at.IsZero():
		return ReasonStored
	}
	// Both times are measured from now, so that a clock that was set since the
	// purge, with that of the site, makes no difference. Date has whole seconds.
	since := f.c.purges.since(cover.at, now)
	age, told := ParseAge(m.Header["Age"])
	if now.Sub(DateOf(m.Header, now))+age >= since+time.Second {
		return ReasonSuperseded
	}
	if !told && since < purgeEcho {
		if m.MaxLifetime == 0 || m.MaxLifetime > purgeEchoLifetime {
			m.MaxLifetime = purgeEchoLifetime
		}
	}
	return ReasonStored
}

// confirm handles the 304 that answers a validation (RFC 9111 section 4.3.3).
func (f *flight) confirm(h http.Header, now time.Time) {
	c, base := f.c, f.base
	f304 := h.Clone()
	tags, tagsKept := tagsOfAnswer(f304)
	header, reason := Freshen(base.Header, f304, ResponsePolicy(f304, now))
	m := new(*base.Meta)
	m.Header, m.Number = header, f.number
	m.RequestTime, m.ResponseTime = f.sent, now
	if len(tags) > 0 {
		m.Tags = tags
	}
	m.MaxLifetime = 0
	if f.fastCGI && len(header["Content-Length"]) == 0 && !isHTML(header) {
		m.MaxLifetime = c.UnverifiedLifetime
	}
	switch {
	case !Selects(f304, base.Header, true, now):
		reason = ReasonUnselected
	case c.covered(base.Meta, base.Number).hard:
		// A 304 takes the number of its validation, except past a hard purge.
		reason = ReasonPurged
	case !tagsKept:
		// By the tags that it had it could be purged no more.
		reason = ReasonTooLarge
	case reason == ReasonNotModified:
		if echo := f.purgedBefore(m, now); echo != ReasonStored {
			reason = echo
		}
	}
	if reason != ReasonNotModified {
		c.flights.remove(f)
		c.Store.Drop(base)
		f.publish(answer{again: true, reason: reason})
		return
	}
	s, err := c.Store.Replace(base, m)
	if err != nil {
		c.storeFailed("freshened response was not stored", ReasonStoreFull, err)
	}
	if s == nil {
		// Dropped meanwhile; who waited may still have it.
		s = &Stored{Meta: m, Bytes: base.Bytes, Opener: base.Opener}
	}
	c.marks.clear(f.primary())
	f.publish(answer{confirmed: s, reason: ReasonNotModified, meta: m})
	c.flights.remove(f)
}
