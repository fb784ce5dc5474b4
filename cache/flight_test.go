package cache

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

var errOrigin = errors.New("connection refused")

func TestFlightIsTailedPieceByPiece(t *testing.T) {
	play(t, nil, func(s *stage) {
		leader := s.visit("/a")
		c := s.call()
		slow := s.start("GET", "/a", make(chan struct{}))
		early := s.visit("/a")
		c.head(200, "Cache-Control", "max-age=60").write("one ")
		leader.has("one ")
		early.has("one ")
		leader.leave()
		late := s.visit("/a")
		late.has("one ")
		c.write("two ")
		for _, v := range []*visitor{early, late} {
			v.has("one two ")
		}
		slow.has("")
		c.write("three").end()
		for _, v := range []*visitor{early, late} {
			v.whole("one two three")
		}
		for !slow.done {
			slow.gate <- struct{}{}
			s.wait()
		}
		slow.whole("one two three")
		leader.has("one ")
		s.quiet()
		if s.stored() != 1 {
			t.Error("not stored")
		}
		late.is(PhaseCollapsed, ReasonStored)
	})
}

func TestFlightGoesOnWithoutItsStarter(t *testing.T) {
	play(t, nil, func(s *stage) {
		leader, follower := s.visit("/a"), (*visitor)(nil)
		c := s.call()
		follower = s.visit("/a")
		s.wait()
		leader.leave()
		s.wait()
		if c.r.Context().Err() != nil {
			t.Fatal("the fetch ended with its starter")
		}
		c.answer("page")
		follower.whole("page")
		if leader.status != statusClientGone {
			t.Errorf("leader noted with status %d", leader.status)
		}
	})
}

func TestFlightAbandoned(t *testing.T) {
	for _, c := range []struct {
		name   string
		length int
		sent   string
		ends   bool
	}{
		{"before the header", -1, "", true},
		{"length unknown", 0, "x", true},
		{"much remains", 4 << 20, "x", true},
		{"little remains", 1 << 20, "x", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *stage) {
				v := s.visit("/a")
				call := s.call()
				switch {
				case c.length > 0:
					call.head(200, "Cache-Control", "max-age=60", "Content-Length", fmt.Sprint(c.length)).write(c.sent)
				case c.length == 0:
					call.head(200, "Cache-Control", "max-age=60").write(c.sent)
				}
				v.leave()
				s.wait()
				if call.gone.Load() != c.ends {
					t.Fatalf("fetch ended: %v", call.gone.Load())
				}
				if c.ends {
					if s.stored() != 0 {
						t.Error("an abandoned body was stored")
					}
					again := s.visit("/a")
					s.call().answer("fresh")
					again.whole("fresh")
					return
				}
				call.write(strings.Repeat("y", c.length-1)).end()
				if s.stored() != 1 {
					t.Error("a nearly complete body was not stored")
				}
			})
		})
	}
}

func TestFlightSharesOnlyWhatIsStorable(t *testing.T) {
	const followers = 20
	for _, c := range []struct {
		name   string
		fields []string
		marks  bool
	}{
		{"private", []string{"Cache-Control", "private, max-age=60"}, true},
		{"no-store", []string{"Cache-Control", "no-store"}, true},
		{"set-cookie", []string{"Cache-Control", "max-age=60", "Set-Cookie", "id=1"}, true},
		{"vary star", []string{"Cache-Control", "max-age=60", "Vary", "*"}, true},
		{"no lifetime", nil, true},
		{"too large", []string{"Cache-Control", "max-age=60", "Content-Length", "99999999999"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *stage) {
				leader := s.visit("/a")
				first := s.call()
				var others []*visitor
				for range followers {
					others = append(others, s.visit("/a"))
				}
				s.quiet()
				first.head(200, c.fields...)
				// All go their own way at once: none waits for another.
				var calls []*call
				for range followers {
					calls = append(calls, s.call())
				}
				s.quiet()
				first.write("leader's")
				leader.has("leader's")
				for i, call := range calls {
					call.head(200, c.fields...).write(fmt.Sprint("own ", i))
				}
				seen := map[string]bool{}
				for _, v := range others {
					s.wait()
					seen[v.body.String()] = true
				}
				if len(seen) != followers || seen["leader's"] {
					t.Fatalf("answers were shared: %v", seen)
				}
				for _, call := range append(calls, first) {
					if c.marks {
						call.end()
					} else {
						call.cut()
					}
				}
				next := s.visit("/a")
				s.wait()
				if marked := next.q.Result.Reason == ReasonHitForMiss; marked != c.marks {
					t.Fatalf("marked: %v", marked)
				}
				s.call().head(200, "Cache-Control", "private").end()
				if s.stored() != 0 {
					t.Error("stored")
				}
			})
		})
	}
}

func TestMarkHealsAndExpires(t *testing.T) {
	play(t, nil, func(s *stage) {
		v := s.visit("/a")
		s.call().answer("mine", "Cache-Control", "private")
		v.whole("mine")
		a, b := s.visit("/a"), s.visit("/a")
		first, second := s.call(), s.call() // not collapsed
		first.answer("x")
		second.answer("x")
		a.is(PhasePass, ReasonHitForMiss)
		b.is(PhasePass, ReasonHitForMiss)
		c := s.visit("/a")
		s.call().answer("shared") // the mark is gone: stored
		c.is(PhaseMiss, ReasonStored)
		s.visit("/a").whole("shared")
		s.quiet()

		w := s.visit("/b")
		s.call().answer("mine", "Cache-Control", "private")
		w.whole("mine")
		s.pass(DefaultHitForMiss)
		w = s.visit("/b")
		s.call().answer("shared")
		w.is(PhaseMiss, ReasonStored)
	})
}

func TestFlightVariants(t *testing.T) {
	play(t, nil, func(s *stage) {
		fields := []string{"Cache-Control", "max-age=60", "Vary", "X-Device"}
		leader := s.visit("/a", "X-Device", "a")
		first := s.call()
		same := s.visit("/a", "X-Device", "a")
		var others []*visitor
		for range 5 {
			others = append(others, s.visit("/a", "X-Device", "b"))
		}
		s.quiet()
		first.head(200, fields...)
		second := s.call() // those of one variant share one
		s.quiet()
		if got := second.r.Header.Get("X-Device"); got != "b" {
			t.Fatalf("asked for variant %q", got)
		}
		second.answer("for b", fields...)
		first.write("for a").end()
		leader.whole("for a")
		same.whole("for a")
		for _, v := range others {
			v.whole("for b")
		}
		s.visit("/a", "X-Device", "b").whole("for b")
		s.visit("/a", "X-Device", "a").whole("for a")
		s.quiet()
	})
}

func TestFlightCut(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*call)
	}{
		{"abort", func(c *call) { c.cut() }},
		{"error after the header", func(c *call) { c.fail(errOrigin) }},
		{"shorter than declared", func(c *call) { c.end() }},
		{"panic", func(c *call) { c.run(func(http.ResponseWriter) (bool, error) { panic("bug") }) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *stage) {
				leader := s.visit("/a")
				call := s.call()
				follower := s.visit("/a")
				call.head(200, "Cache-Control", "max-age=60", "Content-Length", "10").write("five.")
				c.end(call)
				leader.wasCut()
				follower.wasCut()
				if s.stored() != 0 {
					t.Fatal("a cut body was stored")
				}
				next := s.visit("/a")
				s.call().answer("whole")
				next.whole("whole")
			})
		})
	}
}

func TestFlightSurplusIsDropped(t *testing.T) {
	play(t, nil, func(s *stage) {
		v := s.visit("/a")
		s.call().head(200, "Cache-Control", "max-age=60", "Content-Length", "4").write("four and more").end()
		v.whole("four")
		s.visit("/a").whole("four")
	})
}

func TestFlightFailsBeforeTheHeader(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*call)
		want error
	}{
		{"error", func(c *call) { c.fail(errOrigin) }, errOrigin},
		{"nothing answered", func(c *call) { c.end() }, ErrNoAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *stage) {
				a := s.visit("/a")
				call := s.call()
				b := s.visit("/a")
				c.end(call)
				a.failed(c.want)
				b.failed(c.want)
				s.quiet()
			})
		})
	}
	t.Run("stale-if-error", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			s.seed("/a", "old", "Cache-Control", "max-age=60, stale-if-error=86400")
			a := s.visit("/a")
			s.call().fail(errOrigin)
			a.whole("old")
			a.is(PhaseStale, ReasonStaleIfError)
			b := s.visit("/a")
			s.call().head(503)
			b.whole("old")
		})
	})
	t.Run("must-revalidate forbids", func(t *testing.T) {
		play(t, func(o *Options) { o.Stale.Disconnected = DefaultDisconnected }, func(s *stage) {
			s.seed("/a", "old", "Cache-Control", "max-age=60, must-revalidate", "Etag", `"1"`)
			a := s.visit("/a")
			s.call().fail(errOrigin)
			a.failed(errOrigin)
		})
	})
}

func TestFlightStalls(t *testing.T) {
	t.Run("replacement answers", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			a := s.visit("/a")
			s.call()
			b := s.visit("/a")
			s.pass(DefaultStall)
			second := s.call()
			s.quiet() // one replacement for all
			third := s.visit("/a")
			s.quiet()
			second.answer("page")
			for _, v := range []*visitor{a, b, third} {
				v.whole("page")
			}
		})
	})
	t.Run("the first answers after all", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			a := s.visit("/a")
			first := s.call()
			s.pass(DefaultStall)
			s.call()
			first.answer("late")
			a.whole("late")
		})
	})
	t.Run("error", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			a := s.visit("/a")
			s.call()
			s.pass(DefaultStall)
			s.call()
			b := s.visit("/a")
			s.pass(DefaultStall)
			a.failed(ErrStalled)
			b.failed(ErrStalled)
			// The key is not poisoned.
			c := s.visit("/a")
			s.call().answer("page")
			c.whole("page")
		})
	})
	t.Run("stale", func(t *testing.T) {
		play(t, func(o *Options) { o.Stale.Disconnected = DefaultDisconnected }, func(s *stage) {
			s.seed("/a", "old")
			a := s.visit("/a")
			s.call()
			s.pass(DefaultStall)
			s.call()
			s.pass(DefaultStall)
			a.whole("old")
			a.is(PhaseStale, ReasonDisconnected)
		})
	})
	t.Run("in the body", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			a := s.visit("/a")
			first := s.call().head(200, "Cache-Control", "max-age=60").write("slow ")
			s.pass(DefaultStall)
			b := s.visit("/a") // does not wait for the stalled one
			s.call().answer("quick")
			b.whole("quick")
			first.write("page").end()
			a.whole("slow page")
			s.visit("/a").whole("quick") // the older answer does not replace the newer
		})
	})
}

func TestFlightAndPurge(t *testing.T) {
	t.Run("before the header", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			a := s.visit("/a")
			first := s.call()
			s.pass(2 * time.Second)
			s.purge(Purge{Scope: ScopeAll})
			b := s.visit("/a") // does not join what was asked for before
			second := s.call()
			first.head(200, "Cache-Control", "max-age=60")
			second.answer("new")
			a.whole("new")
			b.whole("new")
			s.visit("/a").whole("new")
		})
	})
	t.Run("in the body", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			a := s.visit("/a")
			first := s.call().head(200, "Cache-Control", "max-age=60", "Cache-Tag", "t").write("old ")
			s.pass(2 * time.Second)
			s.purge(Purge{Scope: ScopeTag, Tag: "t"})
			b := s.visit("/a")
			s.call().answer("new")
			b.whole("new")
			first.write("page").end()
			a.whole("old page")
			s.visit("/a").whole("new")
		})
	})
	t.Run("soft", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			v := s.visit("/a")
			s.call().answer("page", "Cache-Control", "max-age=600", "Etag", `"1"`)
			v.whole("page")
			s.pass(2 * time.Second)
			s.purge(Purge{Scope: ScopeURL, Path: "/a", Soft: true})
			w := s.visit("/a")
			c := s.call()
			if c.r.Header.Get("If-None-Match") != `"1"` {
				t.Fatalf("not validated: %v", c.r.Header)
			}
			c.head(304, "Age", "0").end()
			w.whole("page")
			w.is(PhaseValidated, ReasonNotModified)
			s.visit("/a").whole("page")
			s.quiet()
		})
	})
	t.Run("soft, then hard during the validation", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			v := s.visit("/a")
			s.call().answer("page", "Cache-Control", "max-age=600", "Etag", `"1"`)
			v.whole("page")
			s.pass(2 * time.Second)
			s.purge(Purge{Scope: ScopeAll, Soft: true})
			w := s.visit("/a")
			c := s.call()
			s.purge(Purge{Scope: ScopeAll})
			c.head(304).end()
			again := s.call()
			if again.r.Header.Get("If-None-Match") != "" {
				t.Fatal("a hard purged response is validated")
			}
			again.answer("new")
			w.whole("new")
		})
	})
	t.Run("echo of an inner cache", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			s.purge(Purge{Scope: ScopeAll})
			v := s.visit("/a")
			s.call().answer("echo", "Cache-Control", "max-age=600")
			v.whole("echo")
			s.pass(4 * time.Second)
			s.visit("/a").whole("echo")
			s.pass(2 * time.Second)
			w := s.visit("/a")
			s.call().answer("new", "Cache-Control", "max-age=600", "Age", "30") // older than the purge
			w.whole("new")
			w.is(PhaseMiss, ReasonSuperseded)
			s.pass(purgeEcho)
			w = s.visit("/a")
			s.call().answer("newer", "Cache-Control", "max-age=600")
			w.whole("newer")
			s.pass(time.Minute)
			s.visit("/a").whole("newer")
		})
	})
}

func TestFlightEarlyHints(t *testing.T) {
	play(t, nil, func(s *stage) {
		a := s.visit("/a")
		c := s.call()
		b := s.visit("/a")
		c.run(func(w http.ResponseWriter) (bool, error) {
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Del("Link")
			return false, nil
		})
		if len(a.hints) != 1 || a.hints[0].Get("Link") == "" || len(b.hints) != 0 {
			t.Fatalf("hints: %v %v", a.hints, b.hints)
		}
		c.answer("page")
		a.whole("page")
		if a.sent.Get("Link") != "" {
			t.Error("a hint's field stayed in the answer")
		}
	})
}

func TestFlightTrailers(t *testing.T) {
	play(t, nil, func(s *stage) {
		a := s.visit("/a")
		c := s.call()
		c.head(200, "Cache-Control", "max-age=60", "Trailer", "X-Sum").write("page")
		c.run(func(w http.ResponseWriter) (bool, error) {
			w.Header().Set("X-Sum", "1")
			w.Header().Set(http.TrailerPrefix+"X-Late", "2")
			w.Header().Set(http.TrailerPrefix+"Set-Cookie", "id=1")
			return true, nil
		})
		a.whole("page")
		if got := a.header; got.Get(http.TrailerPrefix+"X-Sum") != "1" || got.Get(http.TrailerPrefix+"X-Late") != "2" || got.Get(http.TrailerPrefix+"Set-Cookie") != "" {
			t.Fatalf("trailers: %v", got)
		}
		b := s.visit("/a")
		b.whole("page")
		if b.sent.Get("X-Sum") != "" || b.sent.Get("X-Late") != "" {
			t.Fatalf("trailers became fields: %v", b.sent)
		}
	})
}

func TestFlightHead(t *testing.T) {
	play(t, nil, func(s *stage) {
		h := s.start("HEAD", "/a", nil)
		c := s.call()
		if c.r.Method != "HEAD" {
			t.Fatalf("a HEAD miss was fetched by %s", c.r.Method)
		}
		c.head(200, "Cache-Control", "max-age=60").end()
		h.whole("")
		h.is(PhasePass, ReasonHeadMiss)
		if s.stored() != 0 {
			t.Fatal("stored")
		}
		v := s.visit("/a")
		c = s.call()
		h = s.start("HEAD", "/a", nil)
		s.quiet()
		c.head(200, "Cache-Control", "max-age=60")
		h.whole("")
		h.is(PhaseCollapsed, ReasonStored)
		c.write("page").end()
		v.whole("page")
	})
}

func TestFlightStream(t *testing.T) {
	for _, field := range [][2]string{{"Content-Type", "text/event-stream"}, {"Incremental", "?1"}, {"X-Accel-Buffering", "no"}} {
		t.Run(field[0], func(t *testing.T) {
			play(t, nil, func(s *stage) {
				a := s.visit("/a")
				first := s.call()
				b := s.visit("/a")
				first.head(200, "Cache-Control", "max-age=60", field[0], field[1])
				second := s.call()
				second.head(200, "Cache-Control", "max-age=60", field[0], field[1])
				for i := range 3 {
					first.write(fmt.Sprint("event ", i, "\n"))
					second.write(fmt.Sprint("other ", i, "\n"))
					a.has(strings.Join([]string{"event 0\n", "event 1\n", "event 2\n"}[:i+1], ""))
					b.has(strings.Join([]string{"other 0\n", "other 1\n", "other 2\n"}[:i+1], ""))
					if a.flushes == 0 {
						t.Fatal("not flushed")
					}
				}
				s.pass(time.Hour) // a silent stream stays
				first.write("late\n").end()
				second.end()
				s.wait()
				if a.panicked != nil || !strings.HasSuffix(a.body.String(), "late\n") || s.stored() != 0 {
					t.Fatalf("%q %v", a.body.String(), a.panicked)
				}
			})
		})
	}
}

func TestFlightRange(t *testing.T) {
	play(t, func(o *Options) { o.RangeAheadBytes = 10 }, func(s *stage) {
		a := s.visit("/a")
		c := s.call().head(200, "Cache-Control", "max-age=60", "Content-Length", "100", "Etag", `"1"`).write("0123456789")
		at := s.visit("/a", "Range", "bytes=2-5")
		at.whole("2345")
		if at.status != 206 || at.sent.Get("Content-Range") != "bytes 2-5/100" || at.sent.Get("Etag") != `"1"` {
			t.Fatalf("%d %v", at.status, at.sent)
		}
		near := s.visit("/a", "Range", "bytes=12-14")
		near.has("")
		s.quiet()
		far := s.visit("/a", "Range", "bytes=90-")
		p := s.call()
		if p.r.Header.Get("Range") != "bytes=90-" {
			t.Fatal("Range did not reach the origin")
		}
		p.head(206, "Content-Range", "bytes 90-99/100").write("far").end()
		far.is(PhasePass, ReasonRangeMiss)
		past := s.visit("/a", "Range", "bytes=100-")
		past.whole("")
		if past.status != 416 {
			t.Fatalf("status %d", past.status)
		}
		c.write("abcdefghij")
		near.whole("cde")
		c.write(strings.Repeat("z", 80)).end()
		a.whole("0123456789abcdefghij" + strings.Repeat("z", 80))
		stored := s.visit("/a", "Range", "bytes=-3")
		stored.whole("zzz")
		if stored.status != 206 || stored.sent.Get("Content-Range") != "bytes 97-99/100" {
			t.Fatalf("%d %v", stored.status, stored.sent)
		}
		s.quiet()
	})
}

func TestFlightWindow(t *testing.T) {
	const piece = 32 << 10
	text := func(n int) string { return strings.Repeat("x", n*piece) }
	set := func(o *Options) { o.MaxBodyBytes, o.SpillBytes, o.WindowBytes = 4*piece, 2*piece, 4*piece }
	t.Run("a slow reader is cut, the others are not slowed", func(t *testing.T) {
		play(t, set, func(s *stage) {
			fast := s.visit("/a")
			c := s.call().head(200, "Cache-Control", "max-age=60")
			slow := s.start("GET", "/a", make(chan struct{}))
			for i := range 20 {
				c.write(text(1))
				fast.has(text(i + 1))
			}
			late := s.visit("/a") // takes no new readers
			other := s.call()
			other.answer("own", "Cache-Control", "private")
			late.whole("own")
			c.end()
			fast.whole(text(20))
			for !slow.done {
				slow.gate <- struct{}{}
				s.wait()
			}
			slow.wasCut()
			if s.stored() != 0 || len(s.cut) != 1 {
				t.Fatalf("%d stored, cut %v", s.stored(), s.cut)
			}
		})
	})
	t.Run("one slow reader slows the origin", func(t *testing.T) {
		play(t, set, func(s *stage) {
			slow := s.start("GET", "/a", make(chan struct{}))
			c := s.call().head(200, "Cache-Control", "max-age=60")
			sent := make(chan int, 100)
			go func() {
				for i := range 20 {
					c.do <- func(w http.ResponseWriter) (bool, error) {
						_, err := w.Write([]byte(text(1)))
						return err != nil, err
					}
					sent <- i
				}
				c.do <- func(http.ResponseWriter) (bool, error) { return true, nil }
			}()
			s.wait()
			s.pass(time.Hour) // a waiting origin is no stalled one
			if len(sent) > 12 {
				t.Fatalf("%d pieces taken from the origin for a reader that took none", len(sent))
			}
			for !slow.done {
				slow.gate <- struct{}{}
				s.wait()
			}
			slow.whole(text(20))
		})
	})
}

func TestFlightSpills(t *testing.T) {
	play(t, func(o *Options) { o.SpillBytes = 10 }, func(s *stage) {
		a := s.visit("/a")
		c := s.call().head(200, "Cache-Control", "max-age=60")
		want := ""
		for i := range 10 {
			c.write(fmt.Sprintf("piece %d ", i))
			want += fmt.Sprintf("piece %d ", i)
			a.has(want)
			if i == 5 {
				late := s.visit("/a")
				late.has(want)
				late.leave()
				s.wait()
			}
		}
		c.end()
		a.whole(want)
		s.visit("/a").whole(want)
		s.quiet()
	})
}

func TestFlightFastCGI(t *testing.T) {
	for _, c := range []struct {
		name, contentType, body string
		stored                  bool
	}{
		{"whole page", "text/html; charset=utf-8", "<html>x</html>\n<!-- served by php -->\n", true},
		{"cut page", "text/html", "<html>x", false},
		{"cut in a comment", "text/html", "<html>x</html><!-- ser", false},
		{"feed", "application/rss+xml", "<rss/>", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, nil, func(s *stage) {
				s.adjust = func(q *Request) { q.FastCGI = true }
				v := s.visit("/a")
				s.call().answer(c.body, "Cache-Control", "max-age=600", "Content-Type", c.contentType)
				v.whole(c.body)
				if got := s.stored() == 1; got != c.stored {
					t.Fatalf("stored: %v", got)
				}
				if c.name == "feed" {
					s.pass(DefaultUnverifiedLifetime)
					s.visit("/a")
					s.call().answer("again")
				}
			})
		})
	}
}

func TestFlightBounds(t *testing.T) {
	play(t, func(o *Options) { o.MaxFollowers, o.MaxFlights = 2, 2 }, func(s *stage) {
		s.visit("/a")
		c := s.call()
		s.visit("/a")
		s.wait()
		third := s.visit("/a") // one follower too many: passes
		p := s.call()
		third.is(PhasePass, ReasonOverload)
		p.answer("own")
		s.visit("/b")
		d := s.call()
		over := s.visit("/c") // one flight too many: passes
		e := s.call()
		over.is(PhasePass, ReasonOverload)
		for _, c := range []*call{c, d, e} {
			c.answer("page")
		}
	})
}

func TestStaleWhileRevalidate(t *testing.T) {
	play(t, nil, func(s *stage) {
		s.seed("/a", "old", "Cache-Control", "max-age=60, stale-while-revalidate=86400", "Etag", `"1"`)
		a, b := s.visit("/a"), s.visit("/a")
		a.whole("old")
		b.whole("old")
		a.is(PhaseStale, ReasonStaleWhileRevalidate)
		c := s.call() // once, in the background
		s.quiet()
		if c.r.Header.Get("If-None-Match") != `"1"` {
			t.Fatalf("%v", c.r.Header)
		}
		c.head(304, "Cache-Control", "max-age=60, stale-while-revalidate=86400", "X-New", "1").end()
		d := s.visit("/a")
		d.whole("old")
		d.is(PhaseHit, ReasonFresh)
		if d.sent.Get("X-New") != "1" {
			t.Error("not freshened")
		}
		s.pass(time.Hour)
		s.visit("/a").whole("old")
		s.call().head(404, "Cache-Control", "no-store").write("gone").end()
		e := s.visit("/a") // a page that has gone is not served on
		s.call().head(404).write("gone").end()
		e.whole("gone")
	})
}

// TestBackgroundFlightEnds: a fetch that nobody waits for ends by itself, whatever
// its origin does.
func TestBackgroundFlightEnds(t *testing.T) {
	big := strings.Repeat("x", DefaultWindowBytes)
	for _, test := range []struct {
		name string
		play func(s *stage, c *call)
	}{
		{"never answered", func(s *stage, _ *call) { s.pass(DefaultStall) }},
		{"stalled in the body", func(s *stage, c *call) {
			c.head(200, "Cache-Control", "max-age=60").write("half")
			s.pass(DefaultStall)
		}},
		{"long and private", func(_ *stage, c *call) {
			c.head(200, "Cache-Control", "private").write(big).write("more")
		}},
		{"longer than may be stored", func(_ *stage, c *call) {
			c.head(200, "Cache-Control", "max-age=60").write(big).write(big).write(big)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(o *Options) { o.MaxBodyBytes = 2 * DefaultWindowBytes }, func(s *stage) {
				s.seed("/a", "old", "Cache-Control", "max-age=60, stale-while-revalidate=86400", "Etag", `"1"`)
				s.visit("/a").whole("old")
				c := s.call()
				test.play(s, c)
				if !c.gone.Load() || s.cache.flights.count() != 0 {
					t.Fatalf("the origin's handler has returned: %v; %d fetches run", c.gone.Load(), s.cache.flights.count())
				}
			})
		})
	}
}

// TestStalledFlightThatIsLeft: what little remains of a body is not waited for when
// its origin stalls.
func TestStalledFlightThatIsLeft(t *testing.T) {
	play(t, nil, func(s *stage) {
		v := s.visit("/a")
		c := s.call().head(200, "Cache-Control", "max-age=60", "Content-Length", "100").write("half")
		s.pass(DefaultStall)
		if c.gone.Load() {
			t.Fatal("ended while it was read")
		}
		v.leave()
		s.pass(DefaultStall)
		if !c.gone.Load() {
			t.Error("goes on for nobody")
		}
	})
}

func TestValidationOfManyWaiters(t *testing.T) {
	play(t, nil, func(s *stage) {
		s.seed("/a", "page", "Cache-Control", "max-age=60", "Etag", `"1"`)
		var vs []*visitor
		for range 10 {
			vs = append(vs, s.visit("/a"))
		}
		cond := s.visit("/a", "If-None-Match", `"1"`)
		c := s.call()
		s.quiet()
		c.head(304, "Cache-Control", "max-age=60").end()
		for _, v := range vs {
			v.whole("page")
		}
		cond.whole("")
		if cond.status != 304 {
			t.Errorf("status %d", cond.status)
		}
		s.visit("/a").whole("page")
		s.quiet()
	})
}

func TestAuthorizationIsNeverCollapsed(t *testing.T) {
	play(t, nil, func(s *stage) {
		a, b := s.visit("/a", "Authorization", "Basic x"), s.visit("/a", "Authorization", "Basic y")
		first, second := s.call(), s.call()
		if first.r.Header.Get("Authorization") == second.r.Header.Get("Authorization") {
			t.Fatal("credentials mixed")
		}
		first.answer("one", "Cache-Control", "max-age=60")
		second.answer("two", "Cache-Control", "max-age=60")
		s.wait()
		if a.body.String() == b.body.String() || s.stored() != 0 {
			t.Fatal("shared")
		}
		s.visit("/p", "Authorization", "Basic x")
		s.call().answer("public", "Cache-Control", "public, max-age=60")
		s.visit("/p").whole("public")
		s.visit("/p", "Authorization", "Basic y").whole("public")
		s.quiet()
	})
}

func TestConditionsHoldForWhatIsNotStored(t *testing.T) {
	play(t, nil, func(s *stage) {
		v := s.visit("/feed", "If-None-Match", `W/"1"`)
		c := s.call()
		if c.r.Header.Get("If-None-Match") != "" {
			t.Error("a client's condition reached the origin of a storable fetch")
		}
		c.head(200, "Etag", `"1"`, "Content-Type", "text/xml", "X-Accel-Expires", "0", "Surrogate-Control", "no-store")
		v.whole("")
		if v.status != 304 || v.sent.Get("Etag") != `"1"` || v.sent.Get("Content-Type") != "" || v.sent.Get("X-Accel-Expires")+v.sent.Get("Surrogate-Control") != "" {
			t.Fatalf("%d %v", v.status, v.sent)
		}
	})
}

func TestUnaskedUpgradeIsNoAnswer(t *testing.T) {
	play(t, nil, func(s *stage) {
		v := s.visit("/a")
		s.call().head(101).end()
		v.failed(ErrNoAnswer)
	})
}

func TestGroupsAreInvalidated(t *testing.T) {
	play(t, nil, func(s *stage) {
		v := s.visit("/a")
		s.call().answer("old", "Cache-Control", "max-age=600", "Cache-Groups", `"news", "home"`)
		v.whole("old")
		if v.sent.Get("Cache-Groups") == "" {
			t.Error("Cache-Groups is for clients too")
		}
		s.pass(2 * time.Second)
		s.start("POST", "/x", nil)
		s.call().head(200, "Cache-Group-Invalidation", `"home"`).end()
		v = s.visit("/a")
		s.call().answer("new")
		v.whole("new")
	})
}

// brokenStore panics on Put.
type brokenStore struct{ *Memory }

func (brokenStore) Put(*Meta, []byte) (*Stored, error) { panic("bug") }

func TestStoreThatPanics(t *testing.T) {
	play(t, func(o *Options) { o.Store = brokenStore{o.Store.(*Memory)} }, func(s *stage) {
		a := s.visit("/a")
		c := s.call()
		b := s.visit("/a")
		c.answer("page")
		a.whole("page")
		b.whole("page")
	})
}

func TestInvalidation(t *testing.T) {
	play(t, nil, func(s *stage) {
		fill := func(target string) {
			v := s.visit(target)
			s.call().answer("old", "Cache-Control", "max-age=600")
			v.whole("old")
		}
		fill("/a")
		fill("/b")
		fill("/c")
		bad := s.start("POST", "/a", nil)
		s.call().head(500).end()
		bad.whole("")
		s.visit("/a").whole("old")
		s.visit("/d")
		d := s.call() // under way
		post := s.start("POST", "/a", nil)
		s.call().head(303, "Location", "/b", "Content-Location", "http://other.example/c").end()
		post.whole("")
		s.start("POST", "/d", nil)
		s.call().head(200).end()
		d.answer("old")
		s.visit("/c").whole("old")
		for _, target := range []string{"/a", "/b", "/d"} {
			v := s.visit(target)
			s.call().answer("new")
			v.whole("new")
		}
	})
}

// lateStore calls back between a look-up and its use.
type lateStore struct {
	*Memory
	looked func()
}

func (s *lateStore) Lookup(key string, request http.Header) Found {
	found := s.Memory.Lookup(key, request)
	if f := s.looked; f != nil {
		s.looked = nil
		f()
	}
	return found
}

// TestFlightLooksTwice: a fetch that ends between the look-up of a request and
// the start of its own spares it that.
func TestFlightLooksTwice(t *testing.T) {
	store := new(lateStore)
	g := newRig(t, func(o *Options) {
		store.Memory = o.Store.(*Memory)
		o.Store = store
	}, page("Cache-Control", "max-age=60"))
	store.looked = func() {
		g.get("/x")
		g.settle()
	}
	if w := g.get("/x"); w.Code != http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
	g.wantAsked(1)
}

// hiddenStore finds nothing for a while.
type hiddenStore struct {
	*Memory
	lookups int // that find nothing
}

func (s *hiddenStore) Lookup(key string, request http.Header) Found {
	if s.lookups--; s.lookups >= 0 {
		return Found{}
	}
	return s.Memory.Lookup(key, request)
}

// TestReplacementLooksTwice: who hears late that a fetch has stalled finds what its
// replacement has stored meanwhile, and asks for nothing.
func TestReplacementLooksTwice(t *testing.T) {
	store := new(hiddenStore)
	play(t, func(o *Options) {
		store.Memory = o.Store.(*Memory)
		o.Store = store
	}, func(s *stage) {
		v := s.visit("/a")
		s.call().answer("page", "Cache-Control", "max-age=60")
		v.whole("page")
		store.lookups = 2 // of the request, of the fetch that stalls
		late := s.visit("/a")
		s.call()
		s.pass(DefaultStall)
		s.quiet()
		late.whole("page")
	})
}

// TestConditionOnWhatIsNotStored: a feed reader that holds the feed gets a 304,
// though nothing says how long the feed may be stored.
func TestConditionOnWhatIsNotStored(t *testing.T) {
	g := newRig(t, nil, page("Etag", `"a"`))
	for i, test := range []struct {
		tag  string
		want int
	}{{`"a"`, http.StatusNotModified}, {`W/"a"`, http.StatusNotModified}, {`"b"`, http.StatusOK}} {
		// A URL each: the next request for one passes, and the origin evaluates it.
		if w := g.get(fmt.Sprint("/feed/", i), "If-None-Match", test.tag); w.Code != test.want || test.want == 304 && w.Body.Len() > 0 {
			t.Errorf("%s: status %d, want %d", test.tag, w.Code, test.want)
		}
	}
	g.wantAsked(3)

	g = newRig(t, nil, page("Etag", `"a"`, "Set-Cookie", "a=b"))
	if w := g.get("/", "If-None-Match", `"a"`); w.Code != http.StatusOK || w.Header().Get("Set-Cookie") == "" {
		t.Errorf("status %d, Set-Cookie %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}
