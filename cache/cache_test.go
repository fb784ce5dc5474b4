package cache

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testClock is a clock that tests advance.
type testClock struct{ nano atomic.Int64 }

func newTestClock() *testClock {
	c := &testClock{}
	c.nano.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *testClock) now() time.Time          { return time.Unix(0, c.nano.Load()).UTC() }
func (c *testClock) advance(d time.Duration) { c.nano.Add(int64(d)) }

// rig is a Cache in front of an origin, without a network.
type rig struct {
	t      *testing.T
	clock  *testClock
	cache  *Cache
	ledger *Ledger
	origin func(w http.ResponseWriter, r *http.Request) error
	asked  atomic.Int64
	adjust func(*Request)
}

func newRig(t *testing.T, set func(*Options), origin func(http.ResponseWriter, *http.Request) error) *rig {
	t.Helper()
	g := &rig{t: t, clock: newTestClock(), origin: origin}
	store, err := NewMemory(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if g.ledger, err = NewLedger(nil, 0); err != nil {
		t.Fatal(err)
	}
	o := Options{Mount: "m", Store: store, Ledger: g.ledger, Clock: g.clock.now}
	if set != nil {
		set(&o)
	}
	if g.cache, err = New(o); err != nil {
		t.Fatal(err)
	}
	return g
}

// ServeHTTP is the mount: it serves r through the cache.
func (g *rig) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &Request{Scheme: "http", Host: r.Host, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery}
	if g.adjust != nil {
		g.adjust(q)
	}
	err := g.cache.Serve(w, r, q, HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		g.asked.Add(1)
		return g.origin(w, r)
	}))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

// do sends one request and waits until the fetches that it started have ended.
func (g *rig) do(method, target string, fields ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequest(method, "http://example.com"+target, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	g.settle()
	return w
}

func (g *rig) get(target string, fields ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	return g.do(http.MethodGet, target, fields...)
}

// settle waits until no fetch runs.
func (g *rig) settle() { g.cache.flights.idle() }

func (g *rig) wantAsked(n int64) {
	g.t.Helper()
	if got := g.asked.Load(); got != n {
		g.t.Fatalf("origin was asked %d times, want %d", got, n)
	}
}

// page answers with these fields and a body that counts its calls.
func page(fields ...string) func(http.ResponseWriter, *http.Request) error {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) error {
		for i := 0; i+1 < len(fields); i += 2 {
			w.Header().Add(fields[i], fields[i+1])
		}
		fmt.Fprintf(w, "page %d", n.Add(1))
		return nil
	}
}

func TestServeStoresAndHits(t *testing.T) {
	g := newRig(t, nil, page("Cache-Control", "max-age=60", "Etag", `"a"`))
	first := g.get("/a")
	if first.Body.String() != "page 1" || first.Header().Get("Cache-Status") != "mount; fwd=uri-miss; fwd-status=200; ttl=60; stored" {
		t.Fatalf("first: %q %v", first.Body, first.Header())
	}
	g.clock.advance(10 * time.Second)
	second := g.get("/a")
	if second.Body.String() != "page 1" || second.Header().Get("Cache-Status") != "mount; hit; ttl=50" || second.Header().Get("Age") != "10" {
		t.Fatalf("second: %q %v", second.Body, second.Header())
	}
	g.wantAsked(1)
	if got := g.get("/a", "If-None-Match", `"a"`); got.Code != 304 || got.Body.Len() != 0 {
		t.Fatalf("conditional: %d %q", got.Code, got.Body)
	}
	if got := g.do("HEAD", "/a"); got.Code != 200 || got.Body.Len() != 0 || got.Header().Get("Content-Length") != "6" {
		t.Fatalf("HEAD: %d %v", got.Code, got.Header())
	}
	g.clock.advance(time.Minute)
	if got := g.get("/a"); got.Body.String() != "page 2" {
		t.Fatalf("after expiry: %q", got.Body)
	}
	g.wantAsked(2)
}

func TestServeNeverShares(t *testing.T) {
	for _, c := range []struct{ name, field, value string }{
		{"set-cookie", "Set-Cookie", "a=b"},
		{"private", "Cache-Control", "private"},
		{"no-store", "Cache-Control", "no-store"},
		{"vary-star", "Vary", "Accept, *"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, nil, page("Cache-Control", "max-age=60", c.field, c.value))
			for i := range 3 {
				if got := g.get("/a").Body.String(); got != fmt.Sprintf("page %d", i+1) {
					t.Fatalf("answer %d is %q", i+1, got)
				}
			}
		})
	}
}

func TestServeCollapses(t *testing.T) {
	const clients = 50
	release := make(chan struct{})
	g := newRig(t, nil, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "first ")
		<-release
		io.WriteString(w, "second")
		return nil
	})
	server := httptest.NewServer(g)
	defer server.Close()
	var began, done sync.WaitGroup
	began.Add(clients)
	done.Add(clients)
	for range clients {
		go func() {
			defer done.Done()
			res, err := server.Client().Get(server.URL + "/a")
			if err != nil {
				t.Error(err)
				began.Done()
				return
			}
			defer res.Body.Close()
			p := make([]byte, 6)
			_, err = io.ReadFull(res.Body, p)
			began.Done()
			rest, err2 := io.ReadAll(res.Body)
			if err != nil || err2 != nil || string(p)+string(rest) != "first second" {
				t.Errorf("%q %q %v %v", p, rest, err, err2)
			}
		}()
	}
	began.Wait() // all hold the first part before the second is released
	close(release)
	done.Wait()
	g.settle()
	g.wantAsked(1)
}

func TestServeCutsEveryFollower(t *testing.T) {
	const clients = 5
	var began sync.WaitGroup
	began.Add(clients)
	g := newRig(t, nil, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, strings.Repeat("x", 100))
		began.Wait()
		panic(http.ErrAbortHandler)
	})
	server := httptest.NewServer(g)
	defer server.Close()
	var done sync.WaitGroup
	for range clients {
		done.Go(func() {
			res, err := server.Client().Get(server.URL + "/a")
			began.Done()
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if _, err := io.ReadAll(res.Body); err == nil {
				t.Error("a cut body was told as whole")
			}
		})
	}
	done.Wait()
	g.settle()
	if n := g.cache.Store.Stats().Entries; n != 0 {
		t.Fatalf("%d responses stored", n)
	}
}

func TestServePurge(t *testing.T) {
	for _, c := range []struct {
		name  string
		purge Purge
	}{
		{"url", Purge{Scope: ScopeURL, Path: "/blog/a"}},
		{"prefix", Purge{Scope: ScopePrefix, Path: "/blog/"}},
		{"tag", Purge{Scope: ScopeTag, Tag: "post-1"}},
		{"all", Purge{Scope: ScopeAll}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, nil, page("Cache-Control", "max-age=600", "Surrogate-Key", "home post-1"))
			if h := g.get("/blog/a").Header(); h.Get("Surrogate-Key") != "" {
				t.Fatalf("tags reached the client: %v", h)
			}
			g.clock.advance(time.Second)
			g.get("/blog/a")
			g.wantAsked(1)
			c.purge.Mount = "m"
			if _, err := g.ledger.Purge(c.purge, g.clock.now()); err != nil {
				t.Fatal(err)
			}
			g.clock.advance(time.Minute)
			if got := g.get("/blog/a").Body.String(); got != "page 2" {
				t.Fatalf("after the purge: %q", got)
			}
			g.get("/blog/a")
			g.wantAsked(2)
		})
	}
}
