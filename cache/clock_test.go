package cache

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// jumps are how far a clock is set in these tests.
var jumps = []time.Duration{-366 * 24 * time.Hour, -24 * time.Hour, 24 * time.Hour, 366 * 24 * time.Hour}

// jumping runs test with each jump, within one process and over a restart, with a
// store on disk. jump sets the clock of the cache and of its site.
func jumping(t *testing.T, test func(t *testing.T, g *rig, jump func())) {
	for _, by := range jumps {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v restart=%v", by, restart), func(t *testing.T) {
				folder, clock := t.TempDir(), newTestClock()
				site := datedSite(clock)
				g, stop := tieredRig(t, folder, site)
				g.setClock(clock)
				test(t, g, func() {
					if restart {
						stop()
						asked := g.asked.Load()
						var fresh *rig
						fresh, stop = tieredRig(t, folder, site)
						*g = rig{t: g.t, cache: fresh.cache, ledger: fresh.ledger, origin: fresh.origin}
						g.asked.Store(asked)
						g.setClock(clock)
					}
					clock.advance(by)
				})
				stop()
			})
		}
	}
}

// setClock has the rig go by another clock.
func (g *rig) setClock(c *testClock) { g.clock, g.cache.Clock = c, c.now }

// datedSite answers with the number of the call. It dates what it sends by the
// clock and confirms nothing.
func datedSite(clock *testClock) func(http.ResponseWriter, *http.Request) error {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) error {
		n++
		h := w.Header()
		h.Set("Date", clock.now().Format(http.TimeFormat))
		h.Set("Cache-Control", "max-age=600, stale-while-revalidate=60")
		_, err := fmt.Fprintf(w, "page %d", n)
		return err
	}
}

// body returns the body of the answer for target.
func (g *rig) body(target string) string {
	g.t.Helper()
	return g.get(target).Body.String()
}

func (g *rig) purge(p Purge) {
	g.t.Helper()
	p.Mount = "m"
	if _, err := g.ledger.Purge(p, g.clock.now()); err != nil {
		g.t.Fatal(err)
	}
}

// TestClockJumpAges sets the clock: what is stored lives no longer for it, and what
// comes after is stored in its place.
func TestClockJumpAges(t *testing.T) {
	jumping(t, func(t *testing.T, g *rig, jump func()) {
		for range 2 {
			g.body("/a") // the second brings it to disk
		}
		g.wantAsked(1)
		jump()
		if got := g.body("/a"); got != "page 2" {
			t.Errorf("after the jump: %q", got)
		}
		g.wantAsked(2)
		g.clock.advance(599 * time.Second)
		if got := g.body("/a"); got != "page 2" {
			t.Errorf("what was fetched after the jump was not stored: %q", got)
		}
		g.clock.advance(2 * time.Minute)
		if got := g.body("/a"); got != "page 3" {
			t.Errorf("past its lifetime: %q", got)
		}
	})
}

// TestClockJumpPurge purges, then sets the clock: nobody gets what was purged, and
// what is fetched is stored, for the full time once the purge is some time past.
func TestClockJumpPurge(t *testing.T) {
	for _, scope := range []Purge{{Scope: ScopeAll}, {Scope: ScopePrefix, Path: "/a"}, {Scope: ScopeURL, Path: "/a"}} {
		t.Run(scope.Scope.String(), func(t *testing.T) {
			jumping(t, func(t *testing.T, g *rig, jump func()) {
				for range 2 {
					g.body("/a")
				}
				g.purge(scope)
				jump()
				if got := g.body("/a"); got != "page 2" {
					t.Fatalf("after purge and jump: %q", got)
				}
				g.clock.advance(time.Second)
				if got := g.body("/a"); got != "page 2" {
					t.Errorf("what was fetched after the jump was not stored: %q", got)
				}
				g.clock.advance(purgeEcho)
				g.body("/a")
				asked := g.asked.Load()
				g.clock.advance(9 * time.Minute)
				g.body("/a")
				g.wantAsked(asked)
			})
		})
	}
}

// TestClockJumpSoftPurge purges softly, then sets the clock: what is purged is
// served while it is validated for no longer than stale-while-revalidate says.
func TestClockJumpSoftPurge(t *testing.T) {
	jumping(t, func(t *testing.T, g *rig, jump func()) {
		for range 2 {
			g.body("/a")
		}
		g.purge(Purge{Scope: ScopeAll, Soft: true})
		jump()
		g.origin = func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusServiceUnavailable)
			return nil
		}
		g.get("/a")
		g.clock.advance(61 * time.Second)
		if got := g.get("/a"); got.Code != http.StatusServiceUnavailable {
			t.Errorf("purged content is still served: %d %q", got.Code, got.Body)
		}
	})
}

// TestClockJumpBetweenPurges purges before and after the clock is set: the later
// purge is the one with the higher number.
func TestClockJumpBetweenPurges(t *testing.T) {
	jumping(t, func(t *testing.T, g *rig, jump func()) {
		for range 2 {
			g.body("/a")
		}
		g.purge(Purge{Scope: ScopeURL, Path: "/a"})
		jump()
		g.body("/a")
		g.clock.advance(time.Hour)
		g.body("/a")
		g.purge(Purge{Scope: ScopeAll})
		asked := g.asked.Load()
		g.body("/a")
		g.wantAsked(asked + 1)
		// For a while it lives for 5 s at most.
		g.clock.advance(6 * time.Second)
		g.body("/a")
		g.wantAsked(asked + 2)
	})
}

// TestClockJumpGone takes the page away and sets the clock: the stored one goes.
func TestClockJumpGone(t *testing.T) {
	jumping(t, func(t *testing.T, g *rig, jump func()) {
		for range 2 {
			g.body("/a")
		}
		jump()
		g.origin = func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNotFound)
			return nil
		}
		g.get("/a")
		g.origin = func(w http.ResponseWriter, _ *http.Request) error { return ErrNoAnswer }
		if got := g.get("/a"); got.Code != http.StatusBadGateway {
			t.Errorf("the page is back: %d %q", got.Code, got.Body)
		}
		if n := g.cache.Store.Stats().Entries; n != 0 {
			t.Errorf("%d responses are stored", n)
		}
	})
}

// TestClockJumpMark marks a URL and sets the clock: requests for it are collapsed
// again after no longer than the life of a mark.
func TestClockJumpMark(t *testing.T) {
	for _, by := range jumps {
		clock, m := newTestClock(), newMarks(time.Minute, 10)
		m.set(KeyFromBytes("one"), clock.now())
		clock.advance(by)
		clock.advance(time.Minute)
		if m.has(KeyFromBytes("one"), clock.now()) {
			t.Errorf("marked %v after the clock was set by %v", time.Minute, by)
		}
		m.set(KeyFromBytes("two"), clock.now())
		if n := m.count(); n != 1 {
			t.Errorf("%d marks after the clock was set by %v", n, by)
		}
	}
}
