package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// Errors of flights.
var (
	// ErrNoAnswer: the origin's handler returned without an answer.
	ErrNoAnswer = errors.New("the origin's handler answered nothing")
	// ErrStalled: a fetch and its replacement brought nothing for too long.
	ErrStalled = errors.New("the origin stalled")

	errAbandoned  = errors.New("nobody waits for the fetch any more")
	errIncomplete = errors.New("the body is shorter than its declared length")
)

// abandonBytes is how much may be known to remain of a body that nobody reads any
// more for its flight to go on.
const abandonBytes = 1 << 20

// A flight is one detached fetch of one key. Any number of clients, the one that
// started it included, wait for its header and tail its body. Its request and
// writer are its own; it recovers panics; it ends when the origin does, or when
// nobody waits for it any more.
type flight struct {
	c       *Cache
	key     Key // in the table of flights: a key, or one variant of it; zero: not there
	handler Handler
	request *http.Request
	fields  http.Header // request fields as sent, which select a variant
	place   Meta        // what is known before the answer: key and public URL
	base    *Stored     // the stored response that is validated, or nil
	seen    *Stored     // what the look-up found before it, or nil
	number  uint64      // the last purge applied before it was sent
	fastCGI bool
	// credentials: it carries Authorization.
	credentials bool
	// replacement: a stalled flight for the same key went before.
	replacement bool
	ctx         context.Context
	cancel      context.CancelCauseFunc
	sent        time.Time

	hints   chan hint     // early hints, for the client that started it
	ready   chan struct{} // closed once answer is set
	stalled chan struct{} // closed if the header takes too long

	// answer is written by the fetching goroutine before ready is closed and
	// only read afterwards.
	answer answer
	// trailer is set before the body ends.
	trailer http.Header

	codings flightCodings

	watchdog *time.Timer
	moved    atomic.Int64 // when the origin last brought something, Unix ns
	blocked  atomic.Bool  // the origin waits for a reader
	doomed   atomic.Bool  // invalidated: not stored

	// Guarded by c.flights.mu.
	clients    int
	background bool // goes on without clients
	ended      bool
}

// hint is an interim response.
type hint struct {
	status int
	header http.Header
}

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
	body      *body
}

// newFlight builds the flight for x, on the request's goroutine.
func (x *serving) newFlight(key Key, base *Stored) *flight {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(x.r.Context()))
	f := &flight{
		c: x.c, key: key, base: base, seen: x.found.Stored, handler: x.origin, fastCGI: x.q.FastCGI,
		ctx: ctx, cancel: cancel,
		place: Meta{Key: x.key.Bytes(), Mount: x.c.Mount, Host: x.q.Host, Path: x.q.Path, Query: x.parts.Query},
		hints: make(chan hint, 4), ready: make(chan struct{}), stalled: make(chan struct{}),
	}
	if x.q.Detach != nil {
		f.handler = x.q.Detach()
	}
	o := x.c.Fetch
	o.Authorization = x.credentials
	f.credentials = x.credentials
	header := FetchHeader(x.r.Header, o)
	f.fields = maps.Clone(header)
	if base != nil && !AddValidators(header, base.Header, x.c.Clock()) {
		f.base = nil
	}
	u := *x.r.URL
	u.RawQuery = x.c.DropQuery.Apply(u.RawQuery)
	f.request = (&http.Request{
		Method: http.MethodGet, URL: &u, Host: x.r.Host, RequestURI: x.r.RequestURI,
		Proto: x.r.Proto, ProtoMajor: x.r.ProtoMajor, ProtoMinor: x.r.ProtoMinor,
		Header: header, Body: http.NoBody, RemoteAddr: x.r.RemoteAddr, TLS: x.r.TLS,
	}).WithContext(ctx)
	return f
}

// run fetches. It is the flight's goroutine.
func (f *flight) run() {
	f.sent = f.c.Clock()
	if s := f.stored(); s != nil {
		f.c.flights.remove(f)
		f.publish(answer{confirmed: s, reason: ReasonFresh})
		f.c.flights.end(f)
		f.cancel(nil)
		return
	}
	f.touch()
	f.watchdog = time.AfterFunc(f.c.Stall, f.watch)
	w := &flightWriter{f: f, header: make(http.Header), length: -1}
	err := f.call(w)
	f.watchdog.Stop()
	f.end(w, err)
	f.cancel(nil)
}

// stored looks a second time, now that this flight is the one that others join:
// another one may have ended between the look-up and its start, and left a fresh
// response. It returns that, or nil.
func (f *flight) stored() *Stored {
	if f.credentials || f.replacement || f.c.Stale.HonourRequest {
		return nil
	}
	s := f.c.Store.Lookup(f.place.Key, f.fields).Stored
	if s == nil || s == f.seen {
		return nil
	}
	if use, _ := f.c.reusable(s, f.c.prepare(s), f.request, f.sent); use != UseFresh {
		return nil
	}
	return s
}

// call calls the handler and turns a panic into an error.
func (f *flight) call(w *flightWriter) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = http.ErrAbortHandler
		default:
			err = fmt.Errorf("origin's handler panicked: %v", p)
			f.c.Hooks.log("panic in a fetch", ReasonError, fmt.Errorf("%w\n%s", err, debug.Stack()))
		}
		if err != nil && f.ctx.Err() != nil {
			err = context.Cause(f.ctx)
		}
	}()
	return f.handler.ServeHTTP(w, f.request)
}

// touch notes that the origin brought something.
func (f *flight) touch() { f.moved.Store(time.Now().UnixNano()) }

// watch looks whether the flight stalls. Before the header it gives place to a
// replacement and tells its clients; afterwards it takes no new clients, whom a new
// flight serves, and goes on for those whom it has begun to serve.
func (f *flight) watch() {
	idle := time.Since(time.Unix(0, f.moved.Load()))
	if f.blocked.Load() {
		idle = 0
	}
	if idle < f.c.Stall {
		f.watchdog.Reset(f.c.Stall - idle)
		return
	}
	f.c.flights.remove(f)
	f.c.Hooks.log("origin stalled", ReasonStalled, nil)
	if !f.answered() {
		close(f.stalled)
	}
}

// respond takes the answer's header. status is final.
func (f *flight) respond(status int, h http.Header, length int64) {
	c, now := f.c, f.c.Clock()
	if f.base != nil && status == http.StatusNotModified {
		f.confirm(h, now)
		return
	}
	header := h.Clone()
	tags, tagsKept := takeTags(header)
	tags = addGroups(tags, header)
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
	p := c.derive(m, length)
	a := answer{meta: m, length: length, reason: ReasonStored, codable: p.codable}
	storable := Storable(Exchange{Method: http.MethodGet, Authorization: f.credentials, Status: status, Header: header, Policy: p.policy, Freshness: p.fresh})
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
		a.prepared = p
		a.body = newBody(length, c.SpillBytes, c.WindowBytes, c.memory, func() (Writer, error) { return c.Store.Create(m, length) })
	} else {
		// One client alone gets it, with all that was said to him.
		m.Header = StoredHeader(header, Policy{})
		if len(c.Codings) > 0 {
			setVary(m.Header, a.codable)
		}
		a.body = newBody(-1, 0, c.WindowBytes, c.memory, nil)
		a.body.window()
		c.flights.remove(f)
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
	if old != nil && !old.RequestTime.After(f.sent) {
		f.c.Store.Drop(old)
	}
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
	age, told := ParseAge(m.Header["Age"])
	generated := DateOf(m.Header, now).Add(-age)
	if !generated.Add(time.Second).After(cover.at) {
		return ReasonSuperseded
	}
	if since := now.Sub(cover.at); !told && since < purgeEcho {
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
	tags, tagged := takeTags(f304)
	tags = addGroups(tags, f304)
	header, reason := Freshen(base.Header, f304, ResponsePolicy(f304, now))
	m := new(*base.Meta)
	m.Header, m.Number = header, f.number
	m.RequestTime, m.ResponseTime = f.sent, now
	if tagged && len(tags) > 0 {
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
		c.Hooks.log("freshened response was not stored", ReasonStoreFull, err)
	}
	if s == nil {
		// Dropped meanwhile; who waited may still have it.
		s = &Stored{Meta: m, Bytes: base.Bytes, Opener: base.Opener}
	}
	c.marks.clear(f.primary())
	f.publish(answer{confirmed: s, reason: ReasonNotModified, meta: m})
	c.flights.remove(f)
}

// end concludes the flight: the handler has returned.
func (f *flight) end(w *flightWriter, err error) {
	c := f.c
	reason := ReasonStored
	switch {
	case !f.answered():
		if err == nil {
			err = ErrNoAnswer
		}
		c.flights.remove(f)
		f.publish(answer{err: err, reason: ReasonError})
		reason = ReasonError
	case f.answer.body == nil:
		reason = f.answer.reason
	default:
		reason = f.conclude(w, err)
	}
	c.flights.end(f)
	c.Hooks.fetched(c.Clock().Sub(f.sent), reason)
}

// answered says whether the answer's header is known.
func (f *flight) answered() bool {
	select {
	case <-f.ready:
		return true
	default:
		return false
	}
}

// conclude ends the body, and stores it if it is whole.
func (f *flight) conclude(w *flightWriter, err error) Reason {
	c, a := f.c, &f.answer
	size, held := a.body.progress()
	if err == nil && w.length >= 0 && size != w.length && bodyAllowed(a.meta.Status) {
		err = errIncomplete
	}
	if err != nil {
		// No one joins a cut body.
		c.flights.remove(f)
		a.body.finish(err)
		if errors.Is(err, errAbandoned) {
			return ReasonAbandoned
		}
		return ReasonIncomplete
	}
	f.trailer = w.trailers()
	a.body.finish(nil)
	reason := a.reason
	switch {
	case reason != ReasonStored:
	case !held:
		reason = ReasonTooLarge
	case f.doomed.Load():
		reason = ReasonSuperseded
	default:
		reason = f.storeSafely(size)
	}
	c.flights.remove(f)
	return reason
}

// storeSafely is store; a panic of the store costs the response, not the process.
func (f *flight) storeSafely(size int64) (reason Reason) {
	defer func() {
		if p := recover(); p != nil {
			f.c.Hooks.log("panic in the store", ReasonStoreFull, fmt.Errorf("%v\n%s", p, debug.Stack()))
			reason = ReasonStoreFull
		}
	}()
	return f.store(size)
}

// store commits the complete body.
func (f *flight) store(size int64) Reason {
	c, m := f.c, f.answer.meta
	if c.covered(m, f.number).hard {
		return ReasonPurged
	}
	old := c.Store.Lookup(m.Key, f.fields).Stored
	if old != nil && old.RequestTime.After(m.RequestTime) {
		return ReasonSuperseded
	}
	body, inMemory := f.answer.body.bytes()
	if f.fastCGI && f.answer.length < 0 && isHTML(m.Header) && !f.endsHTML(body, inMemory, size) {
		return ReasonIncomplete
	}
	// The store owns what it gets; clients go on reading the first Meta.
	stored := new(*m)
	stored.Length = size
	var s *Stored
	var err error
	if inMemory {
		s, err = c.Store.Put(stored, body)
	} else if w := f.answer.body.spillWriter(); w != nil {
		s, err = w.Commit(stored)
	} else {
		return ReasonTooLarge
	}
	switch {
	case errors.Is(err, ErrTooLarge):
		return ReasonTooLarge
	case err != nil:
		c.Hooks.log("response was not stored", ReasonStoreFull, err)
		return ReasonStoreFull
	}
	if p := f.answer.prepared; f.answer.length >= 0 || !p.codable || size >= minCodedBytes && size <= maxCodedBytes {
		// What was derived without the length holds with it.
		s.prepared.CompareAndSwap(nil, p)
	}
	c.inherit(s, old)
	f.keepForms(s)
	c.counts.stored.Add(1)
	return ReasonStored
}

// endsHTML says whether the body ends as a whole HTML page does: with </html>,
// then at most white space and comments.
func (f *flight) endsHTML(body []byte, inMemory bool, size int64) bool {
	const tail = 4 << 10
	if !inMemory {
		w := f.answer.body.spillWriter()
		if w == nil {
			return false
		}
		body = make([]byte, min(size, tail))
		if n, _ := w.ReadAt(body, size-int64(len(body))); n < len(body) {
			return false
		}
	}
	s := strings.ToLower(string(body[max(0, len(body)-tail):]))
	i := strings.LastIndex(s, "</html>")
	if i < 0 {
		return false
	}
	rest := strings.TrimSpace(s[i+len("</html>"):])
	for strings.HasPrefix(rest, "<!--") {
		_, after, ok := strings.Cut(rest, "-->")
		if !ok {
			return false
		}
		rest = strings.TrimSpace(after)
	}
	return rest == ""
}

// isHTML says whether a response is an HTML page.
func isHTML(h http.Header) bool {
	lines := h["Content-Type"]
	if len(lines) == 0 {
		return false
	}
	mediaType, _, _ := strings.Cut(lines[0], ";")
	mediaType = strings.ToLower(trimOWS(mediaType))
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}
