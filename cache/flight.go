package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"runtime/debug"
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
	// fill: a part of the body was asked for, and passed.
	fill   bool
	ctx    context.Context
	cancel context.CancelCauseFunc
	sent   time.Time

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
	noted    bool         // watch has said that it stalls
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

// newFlight builds the flight for x, on the request's goroutine.
func (x *serving) newFlight(key Key, base *Stored) *flight {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(x.r.Context()))
	f := &flight{
		c: x.c, key: key, base: base, seen: x.found.Stored, handler: x.origin, fastCGI: x.q.FastCGI,
		ctx: ctx, cancel: cancel,
		place: Meta{Key: x.key.Bytes(), Mount: x.c.Mount, Host: x.q.Host, Path: x.q.Path, Query: x.query},
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
	growStack()
	f.sent = f.c.Clock()
	if s := f.stored(); s != nil {
		f.c.flights.remove(f)
		f.publish(answer{confirmed: s, reason: ReasonFresh})
		f.c.flights.end(f)
		f.cancel(nil)
		return
	}
	f.touch()
	f.watchdog = time.AfterFunc(math.MaxInt64, f.watch)
	f.watchdog.Reset(f.c.Stall) // now watch finds it
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
	if f.credentials || f.c.Stale.HonourRequest {
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
// flight serves, and goes on for those whom it has begun to serve. One that serves
// nobody ends. It is called by one goroutine at a time, until the origin is done.
func (f *flight) watch() {
	idle := time.Since(time.Unix(0, f.moved.Load()))
	if f.blocked.Load() {
		idle = 0
	}
	if idle < f.c.Stall {
		f.watchdog.Reset(f.c.Stall - idle)
		return
	}
	clients, ended := f.c.flights.served(f)
	if ended {
		return
	}
	if !f.noted {
		f.noted = true
		f.c.flights.remove(f)
		f.c.Hooks.log("origin stalled", ReasonStalled, nil)
		if !f.answered() {
			close(f.stalled)
		}
		clients, _ = f.c.flights.served(f)
	}
	if clients == 0 {
		f.cancel(ErrStalled)
		return
	}
	f.watchdog.Reset(f.c.Stall)
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
