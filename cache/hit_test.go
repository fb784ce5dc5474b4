package cache

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nullWriter is a client that costs nothing.
type nullWriter struct{ h http.Header }

func (w *nullWriter) Header() http.Header         { return w.h }
func (w *nullWriter) WriteHeader(int)             {}
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }

// hitRig returns a function that is answered from the store each time it is called.
func hitRig(tb testing.TB, fields ...string) func() *Request {
	store, err := NewMemory(64 << 20)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close() })
	clock := newTestClock()
	c, err := New(Options{Mount: "m", Fingerprint: "f", Store: store, Clock: clock.now, SiteCookie: wordpressCookie})
	if err != nil {
		tb.Fatal(err)
	}
	body := strings.Repeat("x", 4<<10)
	origin := HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		for i := 0; i+1 < len(fields); i += 2 {
			h.Add(fields[i], fields[i+1])
		}
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Etag", `"abc"`)
		h.Set("Link", "</a>; rel=x")
		_, err := w.Write([]byte(body))
		return err
	})
	r := httptest.NewRequest("GET", "http://example.com/blog/2026/a-post/?x=1", nil)
	r.Header.Set("Cookie", "_ga=1; wordpress_test_cookie=x")
	r.Header.Set("Accept-Language", "de")
	w := &nullWriter{h: http.Header{}}
	q := &Request{Scheme: "https", Host: "example.com", Path: "/blog/2026/a-post/", RawQuery: "x=1"}
	serve := func() *Request {
		*q = Request{Scheme: q.Scheme, Host: q.Host, Path: q.Path, RawQuery: q.RawQuery}
		clear(w.h)
		if err := c.Serve(w, r, q, origin); err != nil {
			tb.Fatal(err)
		}
		return q
	}
	serve()
	c.Wait()
	if q := serve(); q.Result.Phase != PhaseHit {
		tb.Fatalf("answered as %v %v", q.Result.Phase, q.Result.Reason)
	}
	return serve
}

func TestHitAllocates(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		most   float64
	}{
		{"plain", []string{"Cache-Control", "max-age=600"}, 3},
		{"varying", []string{"Cache-Control", "max-age=600", "Vary", "Accept-Language"}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve := hitRig(t, c.fields...)
			if n := testing.AllocsPerRun(100, func() { serve() }); n > c.most {
				t.Errorf("a hit allocates %v times, want at most %v", n, c.most)
			}
		})
	}
}

func BenchmarkHit(b *testing.B) {
	serve := hitRig(b, "Cache-Control", "max-age=600")
	b.ReportAllocs()
	b.SetBytes(4 << 10)
	for b.Loop() {
		serve()
	}
}

func TestClientsMayKeepOnlyWhatTheSiteSaid(t *testing.T) {
	ttl := func(o *Options) { o.TTL = func(int, string) time.Duration { return time.Hour } }
	for _, c := range []struct {
		name   string
		set    func(*Options)
		fields []string
		want   string
		cdn    string
	}{
		{"origin's lifetime", nil, []string{"Cache-Control", "public, max-age=60"}, "public, max-age=60", ""},
		{"operator's lifetime", ttl, nil, "max-age=0, must-revalidate", ""},
		{"operator's over a mere public", ttl, []string{"Cache-Control", "public"}, "max-age=0, must-revalidate", ""},
		{"no-transform stays", ttl, []string{"Cache-Control", "no-transform"}, "max-age=0, must-revalidate, no-transform", ""},
		{"browser and cdn", func(o *Options) { ttl(o); o.Browser, o.CDN = time.Minute, time.Hour }, nil, "max-age=70", "max-age=3600"},
		{"heuristic", func(o *Options) { o.Heuristic = true }, []string{"Last-Modified", "Sun, 01 Feb 2026 00:00:00 GMT"}, "max-age=0, must-revalidate", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newRig(t, c.set, page(append([]string{"Surrogate-Control", "stale-if-error=1"}, c.fields...)...))
			first := g.get("/a")
			g.clock.advance(10 * time.Second)
			second := g.get("/a")
			g.wantAsked(1)
			if got := second.Header().Get("Cache-Control"); got != c.want {
				t.Errorf("stored: Cache-Control %q, want %q", got, c.want)
			}
			if got := second.Header().Get("Cdn-Cache-Control"); got != c.cdn {
				t.Errorf("stored: CDN-Cache-Control %q, want %q", got, c.cdn)
			}
			if first.Header().Get("Surrogate-Control") != "" || second.Header().Get("Surrogate-Control") != "" {
				t.Error("Surrogate-Control reached the client")
			}
			if c.name != "browser and cdn" && first.Header().Get("Cache-Control") != c.want {
				t.Errorf("streamed: Cache-Control %q, want %q", first.Header().Get("Cache-Control"), c.want)
			}
		})
	}
}

func TestHitRanges(t *testing.T) {
	g := newRig(t, nil, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Etag", `"1"`)
		w.Write([]byte("0123456789"))
		return nil
	})
	g.get("/a")
	for _, c := range []struct {
		name, rng, ifRange string
		status             int
		body, contentRange string
	}{
		{"first", "bytes=0-1", "", 206, "01", "bytes 0-1/10"},
		{"suffix", "bytes=-2", "", 206, "89", "bytes 8-9/10"},
		{"open", "bytes=7-", "", 206, "789", "bytes 7-9/10"},
		{"past the end", "bytes=10-", "", 416, "", "bytes */10"},
		{"malformed", "bytes=x", "", 200, "0123456789", ""},
		{"other unit", "lines=1-2", "", 200, "0123456789", ""},
		{"if-range holds", "bytes=0-0", `"1"`, 206, "0", "bytes 0-0/10"},
		{"if-range fails", "bytes=0-0", `"2"`, 200, "0123456789", ""},
		{"several", "bytes=0-1,4-5", "", 206, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields := []string{"Range", c.rng}
			if c.ifRange != "" {
				fields = append(fields, "If-Range", c.ifRange)
			}
			w := g.get("/a", fields...)
			if w.Code != c.status || w.Header().Get("Content-Range") != c.contentRange {
				t.Fatalf("%d %v", w.Code, w.Header())
			}
			if c.name == "several" {
				if !strings.HasPrefix(w.Header().Get("Content-Type"), "multipart/byteranges") || !strings.Contains(w.Body.String(), "\r\n\r\n45\r\n") {
					t.Fatalf("%v %q", w.Header(), w.Body)
				}
			} else if w.Body.String() != c.body {
				t.Fatalf("body %q", w.Body)
			}
			if got := w.Header().Get("Content-Length"); got != "" && got != strconv.Itoa(w.Body.Len()) {
				t.Fatalf("Content-Length %s for %d bytes", got, w.Body.Len())
			}
		})
	}
	g.wantAsked(1)
}
