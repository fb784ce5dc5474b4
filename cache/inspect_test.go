package cache

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// TestExplainSaysWhatServeDoes explains a request and then serves it.
func TestExplainSaysWhatServeDoes(t *testing.T) {
	const site = "session"
	answers := map[string][]string{
		"/page":    {"Cache-Control", "max-age=60", "Etag", `"a"`},
		"/stale":   {"Cache-Control", "max-age=60, stale-while-revalidate=600", "Etag", `"a"`},
		"/vary":    {"Cache-Control", "max-age=60", "Vary", "Accept-Language"},
		"/private": {"Cache-Control", "private"},
		"/ours":    {"Etag", `"a"`},
	}
	for _, c := range []struct {
		name          string
		before        func(*rig)
		method, path  string
		fields        []string
		phase, reason string
	}{
		{"nothing is stored", nil, "GET", "/page", nil, "miss", "uri-miss"},
		{"fresh", func(g *rig) { g.get("/page") }, "GET", "/page", nil, "hit", "fresh"},
		{"HEAD of what is fresh", func(g *rig) { g.get("/page") }, "HEAD", "/page", nil, "hit", "fresh"},
		{"HEAD of nothing", nil, "HEAD", "/page", nil, "pass", "head-miss"},
		{"a part of nothing", nil, "GET", "/page", []string{"Range", "bytes=0-1"}, "pass", "range-miss"},
		{"stale", func(g *rig) { g.get("/page"); g.clock.advance(2 * time.Minute) }, "GET", "/page", nil, "miss", "expired"},
		{"stale, while it is fetched", func(g *rig) { g.get("/stale"); g.clock.advance(2 * time.Minute) }, "GET", "/stale", nil, "stale", "stale-while-revalidate"},
		{"another variant", func(g *rig) { g.get("/vary", "Accept-Language", "en") }, "GET", "/vary", []string{"Accept-Language", "de"}, "miss", "vary-miss"},
		{"purged", func(g *rig) { g.get("/page"); g.purge(Purge{Scope: ScopeAll}) }, "GET", "/page", nil, "miss", "purged"},
		{"purged softly", func(g *rig) { g.get("/page"); g.purge(Purge{Scope: ScopeAll, Soft: true}) }, "GET", "/page", nil, "miss", "purged"},
		{"hit for miss", func(g *rig) { g.get("/private") }, "GET", "/private", nil, "pass", "hit-for-miss"},
		{"cookie of the site", func(g *rig) { g.get("/ours") }, "GET", "/ours", []string{"Cookie", site + "=1"}, "pass", "cookie"},
		{"cookie, the site's own lifetime", func(g *rig) { g.get("/page") }, "GET", "/page", []string{"Cookie", site + "=1"}, "hit", "fresh"},
		{"only if cached", nil, "GET", "/page", []string{"Cache-Control", "only-if-cached"}, "refused", "only-if-cached"},
		{"method", nil, "POST", "/page", nil, "pass", "method"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, func(o *Options) {
				o.SiteCookie = func(name string) bool { return name == site }
				o.TTL = func(int, string) time.Duration { return time.Minute }
			}, func(w http.ResponseWriter, r *http.Request) error {
				for f := answers[r.URL.Path]; len(f) > 0; f = f[2:] {
					w.Header().Set(f[0], f[1])
				}
				_, err := w.Write([]byte("a page of the site"))
				return err
			})
			if c.before != nil {
				c.before(g)
			}
			r := httptest.NewRequest(c.method, "http://example.com"+c.path, nil)
			for f := c.fields; len(f) > 0; f = f[2:] {
				r.Header.Set(f[0], f[1])
			}
			request := func() *Request { return &Request{Scheme: "http", Host: r.Host, Path: r.URL.Path} }
			asked, counted := g.asked.Load(), g.cache.Inspect()
			e := g.cache.Explain(r, request())
			if e.Phase != c.phase || e.Reason != c.reason {
				t.Errorf("%s %s, want %s %s", e.Phase, e.Reason, c.phase, c.reason)
			}
			after := g.cache.Inspect()
			if g.asked.Load() != asked || after.CookieMisses != counted.CookieMisses || len(after.Cookies) != len(counted.Cookies) || after.Requests["miss"] != counted.Requests["miss"] {
				t.Errorf("explaining was counted or asked for: %+v, then %+v", counted, after)
			}
			q := request()
			if err := g.cache.Serve(httptest.NewRecorder(), r, q, HandlerFunc(func(w http.ResponseWriter, r *http.Request) error { return g.origin(w, r) })); err != nil {
				t.Fatal(err)
			}
			g.settle()
			phase, reason := q.Result.Phase.String(), q.Result.Reason.String()
			if phase == "validated" || phase == "collapsed" {
				phase = "miss" // as it began
			}
			if phase == "miss" {
				reason = e.Reason // that of a fetch is what became of it
				if got := q.Result.Status.Forward; got.String() != forwardOf(t, e.Reason) {
					t.Errorf("forwarded for %s, explained as %s", got, e.Reason)
				}
			}
			if phase != e.Phase || reason != e.Reason {
				t.Errorf("explained as %s %s, served as %s %s", e.Phase, e.Reason, phase, reason)
			}
			if (e.Key == "") != (q.Result.Key == Key{}) || e.Key != "" && e.Key != q.Result.Key.String() {
				t.Errorf("key %q, then %v", e.Key, q.Result.Key)
			}
		})
	}
}

func forwardOf(t *testing.T, word string) string {
	t.Helper()
	for r := range reasonCount {
		if r.String() == word {
			return r.Forward().String()
		}
	}
	t.Fatalf("there is no reason %s", word)
	return ""
}

// TestExplainFollowsWhatRuns: a fetch that runs is joined.
func TestExplainFollowsWhatRuns(t *testing.T) {
	arrived, release, served := make(chan struct{}), make(chan struct{}), make(chan struct{})
	g := newRig(t, nil, func(http.ResponseWriter, *http.Request) error {
		close(arrived)
		<-release
		return errors.New("down")
	})
	go func() {
		defer close(served)
		g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://example.com/page", nil))
	}()
	<-arrived
	r := httptest.NewRequest(http.MethodGet, "http://example.com/page", nil)
	e := g.cache.Explain(r, &Request{Scheme: "http", Host: r.Host, Path: "/page"})
	close(release)
	<-served
	g.settle()
	if e.Phase != "collapsed" || e.Reason != "uri-miss" {
		t.Errorf("%s %s", e.Phase, e.Reason)
	}
}

// TestList lists what is stored, as people read it.
func TestList(t *testing.T) {
	g := newRig(t, nil, page("Cache-Control", "max-age=60", "Vary", "Accept-Language", "Surrogate-Key", "b a"))
	g.get("/a?x=1", "Accept-Language", "en")
	g.get("/b")
	g.clock.advance(90 * time.Second)
	all := g.cache.List(t.Context(), 10, nil)
	slices.SortFunc(all, func(a, b Listed) int { return len(b.URL) - len(a.URL) })
	if len(all) != 2 {
		t.Fatalf("%+v", all)
	}
	a := all[0]
	if a.URL != "example.com/a?x=1" || a.Status != 200 || a.Bytes != 6 || a.Age != 90 || a.TTL != -30 || a.Source != "origin" ||
		!slices.Equal(a.Vary, []string{"Accept-Language"}) || !slices.Equal(a.Tags, []string{"a", "b"}) || a.Purged || a.Stored.IsZero() {
		t.Errorf("%+v", a)
	}
	if got := g.cache.List(t.Context(), 1, nil); len(got) != 1 {
		t.Errorf("with a limit of 1: %+v", got)
	}
	if got := g.cache.List(t.Context(), 10, func(m *Meta) bool { return m.Path == "/b" }); len(got) != 1 || got[0].URL != "example.com/b" {
		t.Errorf("of /b: %+v", got)
	}
	g.purge(Purge{Scope: ScopeAll})
	for _, l := range g.cache.List(t.Context(), 10, nil) {
		if !l.Purged {
			t.Errorf("after a purge: %+v", l)
		}
	}
}
