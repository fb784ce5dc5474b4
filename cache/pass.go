package cache

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
)

// pass hands the request to the origin on the request's goroutine, with the
// client's own writer, and neither looks up nor stores.
func (x *serving) pass(reason Reason) error {
	forward := reason.Forward()
	switch {
	case x.why == ReasonUndecided:
	case forward == ForwardMiss, reason == ReasonHeadMiss:
		// The look-up knows better how it came to that.
		forward = x.why.Forward()
	}
	w := &passWriter{ResponseWriter: x.w, x: x, reason: reason, forward: forward, described: x.outdatedBy(reason), fill: x.fillable(reason)}
	x.note(PhasePass, reason, Status{Forward: forward, Detail: reason})
	if len(x.c.Codings) == 0 || reason == ReasonUpgrade {
		return w.ended(x.origin.ServeHTTP(w, x.r))
	}
	coded := x.codes()
	defer coded.release()
	w.ResponseWriter = coded
	if before := unmarkCondition(x.r.Header); before != nil {
		defer func() { x.r.Header["If-None-Match"] = before }()
	}
	err := x.origin.ServeHTTP(w, x.r)
	if err == nil {
		coded.finish()
	}
	return w.ended(err)
}

// passWriter is the writer of a request that passes. It changes header fields
// only; bodies, flushes and interim responses go straight through.
type passWriter struct {
	http.ResponseWriter
	x       *serving
	reason  Reason
	forward Forward
	// described is the stored response that a HEAD's answer speaks of, or nil.
	described *Stored
	// fill is the flight to launch if a part comes, or nil. It may stay unused.
	fill  *flight
	wrote bool
}

// WriteHeader implements http.ResponseWriter.
func (w *passWriter) WriteHeader(status int) {
	switch {
	case w.wrote:
	case status >= 200 || status == http.StatusSwitchingProtocols:
		w.wrote = true
		w.answered(status)
	default:
		takeTags(w.Header())
		dropSpoken(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

// answered handles the final header before the client sees it.
func (w *passWriter) answered(status int) {
	x, h := w.x, w.Header()
	if tags, kept := takeTags(h); x.c.CDN > 0 {
		x.tellTags(surrogateFields(tags, kept))
	}
	if Invalidates(x.r.Method, status) {
		x.c.invalidate(x.r, x.q, status, h)
		x.c.invalidateGroups(x.r.Method, status, h)
	}
	if x.q.Answered != nil {
		x.q.Answered(status, h)
	}
	if w.reason == ReasonHitForMiss {
		x.heal(status, h)
	}
	if w.described != nil {
		x.c.outdate(w.described, status, h)
	}
	if w.fill != nil {
		x.fillAfter(w.fill, status, h)
	}
	dropSpoken(h)
	s := Status{Forward: w.forward, ForwardStatus: status, Detail: w.reason}
	x.q.Result.Status = s
	s.AddTo(h)
}

// ended says in Cache-Status how a request passed that the origin did not answer: an
// error page takes its place.
func (w *passWriter) ended(err error) error {
	if err != nil && !w.wrote {
		w.x.q.Result.Status.AddTo(w.x.w.Header())
	}
	return err
}

// heal clears the hit-for-miss mark when the answer may be shared after all.
func (x *serving) heal(status int, h http.Header) {
	if x.mayStore(status, h) {
		x.c.marks.clear(x.key)
	}
}

// mayStore reports whether an answer with this header, just come, may be shared.
func (x *serving) mayStore(status int, h http.Header) bool {
	now := x.c.Clock()
	j := x.c.judge(&Meta{Status: status, Header: h, Path: x.q.Path, RequestTime: now, ResponseTime: now})
	return Storable(Exchange{Method: http.MethodGet, Status: status, Header: h, Policy: j.policy, Freshness: j.fresh}) == ReasonStored
}

// Write implements io.Writer.
func (w *passWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom, so that the writer below can use the
// kernel's copy.
func (w *passWriter) ReadFrom(r io.Reader) (int64, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return io.Copy(w.ResponseWriter, r)
}

// FlushError is what http.ResponseController calls.
func (w *passWriter) FlushError() error {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (w *passWriter) Flush() { _ = w.FlushError() }

// Hijack implements http.Hijacker.
func (w *passWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController find the deadlines of the writer below.
func (w *passWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// invalidate drops what a successful unsafe request has made doubtful (RFC 9111
// section 4.4): what is stored under its target and, on the same host, under the
// URLs of Location and Content-Location. Fetches under way for them are neither
// stored nor joined.
func (c *Cache) invalidate(r *http.Request, q *Request, status int, h http.Header) {
	target := &url.URL{Scheme: q.Scheme, Host: q.Host, RawQuery: q.RawQuery}
	if p, err := url.PathUnescape(q.Path); err == nil {
		target.Path, target.RawPath = p, q.Path
	} else {
		target.Path = q.Path
	}
	for i, u := range InvalidationTargets(r.Method, target, status, h) {
		p := c.parts(r, q)
		if i > 0 {
			p.Path, p.Query, p.BareQuery = u.EscapedPath(), u.RawQuery, u.ForceQuery
			p.Query = c.DropQuery.Apply(p.Query)
		}
		c.drop(p, q.Splits)
	}
}

// invalidateGroups purges the cache groups that a successful unsafe request names
// (RFC 9875 section 3).
func (c *Cache) invalidateGroups(method string, status int, h http.Header) {
	groups, _ := InvalidatedGroups(method, status, h)
	for _, group := range groups {
		if _, err := c.Ledger.Purge(Purge{Mount: c.Mount, Scope: ScopeTag, Tag: group}, c.Clock()); err != nil {
			c.Hooks.log("cache group was not invalidated", ReasonError, err)
		}
	}
}

// drop drops what is stored and under way for a URL: for each variant of a split,
// with and without the Origin field.
func (c *Cache) drop(p KeyParts, splits []string) {
	if len(splits) == 0 {
		splits = []string{p.Split}
	}
	// First the flights: one that commits meanwhile sees that it is doomed, or has
	// committed before the keys are dropped.
	c.flights.doom(func(f *flight) bool {
		return f.place.Host == p.Host && f.place.Path == p.Path && f.place.Query == p.Query
	})
	for _, p.Split = range splits {
		c.dropKey(NewKey(p))
		if p.HasOrigin {
			plain := p
			plain.HasOrigin, plain.Origin = false, ""
			c.dropKey(NewKey(plain))
		}
	}
}

// dropKey drops what is stored under one key.
func (c *Cache) dropKey(k Key) {
	c.Store.Delete(k.Bytes())
	c.marks.clear(k)
}
