package cache

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stage is a Cache whose origin and clients are moved step by step inside a
// synctest bubble: after wait everyone has done all that he can do.
type stage struct {
	t      *testing.T
	cache  *Cache
	ledger *Ledger
	calls  chan *call
	asked  int
	adjust func(*Request)

	mu  sync.Mutex
	cut []Reason
}

// play runs test on a stage in a bubble.
func play(t *testing.T, set func(*Options), test func(*stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, err := NewMemory(64 << 20)
		if err != nil {
			t.Fatal(err)
		}
		ledger, _ := NewLedger(nil, 0)
		s := &stage{t: t, ledger: ledger, calls: make(chan *call, 1000)}
		o := Options{Mount: "m", Store: store, Ledger: ledger}
		o.Hooks.Cut = func(r Reason) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.cut = append(s.cut, r)
		}
		if set != nil {
			set(&o)
		}
		if s.cache, err = New(o); err != nil {
			t.Fatal(err)
		}
		test(s)
		s.cache.Wait()
		synctest.Wait()
		if n := s.cache.memory.used.Load(); n != 0 {
			t.Errorf("%d bytes of flight memory were not given back", n)
		}
		store.Close()
		synctest.Wait()
	})
}

// wait lets everyone go as far as he can.
func (s *stage) wait() { synctest.Wait() }

// pass lets time pass, and everyone do what he does then.
func (s *stage) pass(d time.Duration) {
	time.Sleep(d) // the bubble's time
	synctest.Wait()
}

// call is one request at the origin, driven by the test.
type call struct {
	s      *stage
	r      *http.Request
	do     chan func(http.ResponseWriter) (done bool, err error)
	gone   atomic.Bool // the handler has returned
	flight bool        // asked by a flight, not by a request that passes
}

// origin is the origin's handler. As a proxy does, it gives up when the context of
// its request ends: with an abort after the header, silently before it.
func (s *stage) origin(w http.ResponseWriter, r *http.Request) error {
	c := &call{s: s, r: r, do: make(chan func(http.ResponseWriter) (bool, error))}
	_, c.flight = w.(*flightWriter)
	wrote := false
	defer c.gone.Store(true)
	s.calls <- c
	for {
		select {
		case f := <-c.do:
			wrote = true
			if done, err := f(w); done {
				return err
			}
		case <-r.Context().Done():
			if wrote {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(statusClientGone)
			return nil
		}
	}
}

// call returns the next request at the origin.
func (s *stage) call() *call {
	s.t.Helper()
	s.wait()
	select {
	case c := <-s.calls:
		s.asked++
		return c
	default:
		s.t.Fatal("the origin was not asked")
		return nil
	}
}

// quiet fails if the origin was asked.
func (s *stage) quiet() {
	s.t.Helper()
	s.wait()
	if len(s.calls) > 0 {
		s.t.Fatal("the origin was asked once more")
	}
}

// run makes the origin do f and waits until that had all its effects.
func (c *call) run(f func(http.ResponseWriter) (bool, error)) {
	c.s.t.Helper()
	c.s.wait()
	if c.gone.Load() {
		c.s.t.Fatal("the origin's handler has returned already")
	}
	c.do <- f
	c.s.wait()
}

// head sends a header.
func (c *call) head(status int, fields ...string) *call {
	c.s.t.Helper()
	c.run(func(w http.ResponseWriter) (bool, error) {
		for i := 0; i+1 < len(fields); i += 2 {
			w.Header().Add(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
		return false, nil
	})
	return c
}

// write sends a piece of the body; it does not wait until it is taken.
func (c *call) write(p string) *call {
	c.s.t.Helper()
	c.run(func(w http.ResponseWriter) (bool, error) { w.Write([]byte(p)); return false, nil })
	return c
}

func (c *call) end() { c.run(func(http.ResponseWriter) (bool, error) { return true, nil }) }

func (c *call) fail(err error) { c.run(func(http.ResponseWriter) (bool, error) { return true, err }) }

func (c *call) cut() {
	c.run(func(http.ResponseWriter) (bool, error) { panic(http.ErrAbortHandler) })
}

// answer is a whole storable answer.
func (c *call) answer(body string, fields ...string) {
	if len(fields) == 0 {
		fields = []string{"Cache-Control", "max-age=60"}
	}
	c.head(200, fields...).write(body).end()
}

// visitor is a client on the stage and its http.ResponseWriter.
type visitor struct {
	s      *stage
	leave  context.CancelFunc
	q      Request
	gate   chan struct{} // nil, or takes one token a Write
	cancel context.Context

	mu       sync.Mutex
	header   http.Header
	status   int
	sent     http.Header // as of WriteHeader
	hints    []http.Header
	body     bytes.Buffer
	flushes  int
	done     bool
	err      error
	panicked any
}

func (v *visitor) Header() http.Header { return v.header }

func (v *visitor) WriteHeader(status int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if status < 200 {
		v.hints = append(v.hints, v.header.Clone())
		return
	}
	if v.status == 0 {
		v.status, v.sent = status, v.header.Clone()
	}
}

func (v *visitor) Write(p []byte) (int, error) {
	v.WriteHeader(200)
	if v.gate != nil {
		select {
		case <-v.gate:
		case <-v.cancel.Done():
			return 0, errors.New("connection closed")
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.body.Write(p)
}

func (v *visitor) Flush() { v.mu.Lock(); v.flushes++; v.mu.Unlock() }

// visit sends a request.
func (s *stage) visit(target string, fields ...string) *visitor {
	return s.start(http.MethodGet, target, nil, fields...)
}

// start sends a request whose client takes one piece for each token in gate.
func (s *stage) start(method, target string, gate chan struct{}, fields ...string) *visitor {
	r := httptest.NewRequest(method, "http://example.com"+target, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	ctx, cancel := context.WithCancel(context.Background())
	v := &visitor{s: s, leave: cancel, cancel: ctx, gate: gate, header: http.Header{}}
	v.q = Request{Scheme: "http", Host: r.Host, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery}
	if s.adjust != nil {
		s.adjust(&v.q)
	}
	go func() {
		defer func() {
			p := recover()
			v.mu.Lock()
			v.done, v.panicked = true, p
			v.mu.Unlock()
			cancel()
		}()
		err := s.cache.Serve(v, r.WithContext(ctx), &v.q, HandlerFunc(s.origin))
		v.mu.Lock()
		v.err = err
		v.mu.Unlock()
	}()
	return v
}

// has fails unless the client holds exactly body by now.
func (v *visitor) has(body string) {
	v.s.t.Helper()
	v.s.wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	if got := v.body.String(); got != body {
		v.s.t.Fatalf("client holds %.40q (%d bytes), want %.40q (%d bytes)", got, len(got), body, len(body))
	}
}

// whole fails unless the client got all of body and was told that it is all.
func (v *visitor) whole(body string) {
	v.s.t.Helper()
	v.has(body)
	if !v.done || v.panicked != nil || v.err != nil {
		v.s.t.Fatalf("response not ended well: done %v, panic %v, error %v", v.done, v.panicked, v.err)
	}
}

// wasCut fails unless the client was shown that its response is not whole.
func (v *visitor) wasCut() {
	v.s.t.Helper()
	v.s.wait()
	if !v.done || v.panicked != http.ErrAbortHandler {
		v.s.t.Fatalf("response not cut: done %v, panic %v, error %v", v.done, v.panicked, v.err)
	}
}

// failed fails unless Serve returned want.
func (v *visitor) failed(want error) {
	v.s.t.Helper()
	v.s.wait()
	if !v.done || !errors.Is(v.err, want) || v.panicked != nil {
		v.s.t.Fatalf("done %v, error %v, panic %v; want error %v", v.done, v.err, v.panicked, want)
	}
}

// is fails unless the request was answered so.
func (v *visitor) is(phase Phase, reason Reason) {
	v.s.t.Helper()
	v.s.wait()
	if v.q.Result.Phase != phase || v.q.Result.Reason != reason {
		v.s.t.Fatalf("answered as %v %v, want %v %v", v.q.Result.Phase, v.q.Result.Reason, phase, reason)
	}
}

// stored returns how many responses are stored.
func (s *stage) stored() int64 { return s.cache.Store.Stats().Entries }

func (s *stage) purge(p Purge) {
	s.t.Helper()
	p.Mount = "m"
	if _, err := s.ledger.Purge(p, time.Now()); err != nil {
		s.t.Fatal(err)
	}
}

// seed stores an answer for target and lets its lifetime pass.
func (s *stage) seed(target, body string, fields ...string) {
	s.t.Helper()
	v := s.visit(target)
	s.call().answer(body, fields...)
	v.whole(body)
	s.pass(time.Hour)
}
