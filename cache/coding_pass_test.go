package cache

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// passing is a request that is one visitor's own.
var passing = []string{"Cookie", "session=1"}

func TestPassIsCoded(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	page := *g.body.Load()
	for range 2 {
		got := g.ask("GET", "/a", "br, gzip, zstd", passing...)
		means(t, got, "zstd", page)
		if got.Header().Get("Etag") != `W/"v~zstd"` || !varies(got) || got.Header().Get("Content-Length") != "" {
			t.Fatalf("%v", got.Header())
		}
	}
	plain := g.ask("GET", "/a", "", passing...)
	means(t, plain, "identity", page)
	if plain.Header().Get("Etag") != `"v"` || !varies(plain) {
		t.Fatalf("%v", plain.Header())
	}
	means(t, g.ask("POST", "/a", "gzip"), "gzip", page)
	head := g.ask("HEAD", "/a", "gzip", passing...)
	if head.Body.Len() > 0 || head.Header().Get("Content-Encoding") != "gzip" || !varies(head) {
		t.Fatalf("HEAD: %v %d", head.Header(), head.Body.Len())
	}
	if n := g.coder.live.Load(); n != 0 {
		t.Errorf("%d are still being coded", n)
	}
}

func TestPassIsNotCoded(t *testing.T) {
	t.Parallel()
	long := prose(5000, 1)
	for _, test := range []struct {
		name, body string
		fields     []string
	}{
		{"image", long, []string{"Content-Type", "image/png"}},
		{"coded by the site", long, []string{"Content-Type", "text/html", "Content-Encoding", "deflate", "Vary", "Accept-Encoding"}},
		{"event stream", long, []string{"Content-Type", "text/event-stream"}},
		{"no-transform", long, []string{"Content-Type", "text/html", "Cache-Control", "no-transform"}},
		{"short", "short", []string{"Content-Type", "text/html", "Content-Length", "5"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newCodedRig(t, nil, test.fields...)
			g.say(test.body)
			got := g.ask("GET", "/a", "br, gzip, zstd", passing...)
			if got.Body.String() != test.body || varies(got) != strings.Contains(test.name, "by the site") {
				t.Errorf("%v %.20q", got.Header(), got.Body)
			}
		})
	}
}

// The site knows its own tags only; the visitor is told of the form that he holds.
func TestPassedConditionsAreInTheSitesWords(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	g.origin = func(w http.ResponseWriter, r *http.Request) error {
		if got := r.Header.Get("If-None-Match"); got != `"x", W/"v"` {
			t.Errorf("asked with %s", got)
		}
		w.Header().Set("Etag", `W/"v"`)
		w.WriteHeader(304)
		return nil
	}
	r := httptest.NewRequest("GET", "http://example.com/a", nil)
	r.Header.Set("Cookie", "session=1")
	r.Header.Set("If-None-Match", `"x", W/"v~br"`)
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != 304 || w.Header().Get("Etag") != `W/"v~br"` {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if got := r.Header.Get("If-None-Match"); got != `"x", W/"v~br"` {
		t.Errorf("the request was changed to %s", got)
	}
}

// A body that is not whole must not end as a whole coded body does.
func TestCutPassIsCut(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func() error{
		"panic":     func() error { panic(http.ErrAbortHandler) },
		"error":     func() error { return errors.New("lost") },
		"too short": func() error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newCodedRig(t, nil)
			g.origin = func(w http.ResponseWriter, r *http.Request) error {
				w.Header().Set("Content-Type", "text/html")
				w.Header().Set("Content-Length", "6000")
				w.Write([]byte(prose(5000, 1))[:5000])
				http.NewResponseController(w).Flush()
				return end()
			}
			r := httptest.NewRequest("POST", "http://example.com/a", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			w := httptest.NewRecorder()
			func() {
				defer func() {
					if p := recover(); p != nil && p != http.ErrAbortHandler {
						panic(p)
					}
				}()
				q := &Request{Scheme: "http", Host: r.Host, Path: r.URL.EscapedPath()}
				if g.cache.Serve(w, r, q, HandlerFunc(g.origin)) == nil {
					t.Error("answered well")
				}
			}()
			if _, err := decoded("gzip", w.Body.Bytes()); err == nil {
				t.Error("the coded body looks whole")
			}
			if n := g.coder.live.Load(); n != 0 {
				t.Errorf("%d are still being coded", n)
			}
		})
	}
}

// Each flush of the site brings the visitor all that was written.
func TestPassFlushes(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	for _, word := range []string{"gzip", "zstd", "br"} {
		w := httptest.NewRecorder()
		g.origin = func(out http.ResponseWriter, r *http.Request) error {
			out.Header().Set("Content-Type", "text/html")
			for _, piece := range []string{"one", "two"} {
				before := w.Body.Len()
				out.Write([]byte(piece))
				if err := http.NewResponseController(out).Flush(); err != nil {
					t.Error(err)
				}
				if w.Body.Len() == before {
					t.Errorf("%s: %s is held back", word, piece)
				}
			}
			return nil
		}
		r := httptest.NewRequest("POST", "http://example.com/a", nil)
		r.Header.Set("Accept-Encoding", word)
		g.ServeHTTP(w, r)
		means(t, w, word, "onetwo")
	}
}
