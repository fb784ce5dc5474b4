//go:build !race

// Under the race detector a sync.Pool drops what it is given at random, so that
// allocations cannot be counted.

package caddytest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	for _, h := range []caddyhttp.MiddlewareHandler{pageHandler{}, floorHandler{}} {
		caddy.RegisterModule(h.(caddy.Module))
		name := h.(caddy.Module).CaddyModule().ID.Name()
		httpcaddyfile.RegisterHandlerDirective(name, func(helper httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
			helper.Next()
			return h, nil
		})
		httpcaddyfile.RegisterDirectiveOrder(name, httpcaddyfile.Before, "respond")
	}
}

// pageHandler is a mounted site with one page of about 60 KB.
type pageHandler struct{}

func (pageHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.cost_page", New: func() caddy.Module { return new(pageHandler) }}
}

func (pageHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	if r.Header.Get("If-None-Match") == `"page"` {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	for name, value := range map[string]string{
		"Content-Type": "text/html; charset=UTF-8", "Etag": `"page"`, "Link": `<https://blog.example.net/wp-json/>; rel="https://api.w.org/"`,
		"Last-Modified": "Sun, 01 Mar 2026 10:00:00 GMT", "X-Pingback": "https://blog.example.net/xmlrpc.php",
	} {
		w.Header().Set(name, value)
	}
	var page strings.Builder
	for i := range 600 {
		fmt.Fprintf(&page, "<p><a href=\"https://blog.example.net/%d/\">Item number %d of a long list</a> with some words</p>\n", i, i*i)
	}
	_, err := io.WriteString(w, page.String())
	return err
}

// floorHandler writes prepared bytes: the least that a handler of Caddy can do.
type floorHandler struct{}

// floor is what it writes.
var floor struct {
	status int
	header http.Header
	body   []byte
}

func (floorHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.cost_floor", New: func() caddy.Module { return new(floorHandler) }}
}

func (floorHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	h := w.Header()
	for name, values := range floor.header {
		h[name] = values
	}
	w.WriteHeader(floor.status)
	if r.Method != http.MethodHead {
		_, err := w.Write(floor.body)
		return err
	}
	return nil
}

const costCaddyfile = `
{
	metrics
}
http://mount.example.com {
	mount /blog {
		site https://blog.example.net
		cache {
			ttl 1h
		}
		handle {
			cost_page
		}
	}
}
http://floor.example.com {
	cost_floor
}
`

// costServer loads the Caddyfile and returns Caddy's server.
func costServer(tb testing.TB, caddyfile string) http.Handler {
	tb.Helper()
	s := NewServer(tb.TempDir(), nil)
	if err := s.Load(caddyfile, "Caddyfile"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Error(err)
		}
	})
	app, err := caddy.ActiveContext().App("http")
	if err != nil {
		tb.Fatal(err)
	}
	for _, server := range app.(*caddyhttp.App).Servers {
		return server
	}
	tb.Fatal("no server")
	return nil
}

// nowhere is an http.ResponseWriter that keeps nothing of a body.
type nowhere struct {
	header http.Header
	status int
}

func (w *nowhere) Header() http.Header { return w.header }

func (w *nowhere) WriteHeader(status int) { w.status = status }

func (w *nowhere) Flush() {}

func (w *nowhere) Write(p []byte) (int, error) { return len(p), nil }

// costCase is a kind of hit.
type costCase struct {
	name, method string
	fields       []string
	status       int
}

var costCases = []costCase{
	{"coding=br", http.MethodGet, []string{"Accept-Encoding", "gzip, deflate, br, zstd"}, http.StatusOK},
	{"coding=identity", http.MethodGet, nil, http.StatusOK},
	{"conditional", http.MethodGet, []string{"Accept-Encoding", "gzip, deflate, br, zstd", "If-None-Match", ""}, http.StatusNotModified},
	{"head", http.MethodHead, []string{"Accept-Encoding", "gzip, deflate, br, zstd"}, http.StatusOK},
}

// warm brings the page of c into the store in its coding, gives the floor the same
// answer, and returns the two requests.
func (c costCase) warm(tb testing.TB, server http.Handler) (ours, theirs *http.Request) {
	tb.Helper()
	request := func(url string) *http.Request {
		r := httptest.NewRequest(c.method, url, nil)
		for i := 0; i+1 < len(c.fields); i += 2 {
			r.Header.Set(c.fields[i], c.fields[i+1])
		}
		return r
	}
	ours, theirs = request("http://mount.example.com/blog/page"), request("http://floor.example.com/blog/page")
	var answer *httptest.ResponseRecorder
	for tries := 0; ; tries++ {
		get := ours.Clone(ours.Context())
		get.Method = http.MethodGet
		if get.Header.Get("If-None-Match") == "" {
			get.Header.Del("If-None-Match")
		}
		answer = httptest.NewRecorder()
		server.ServeHTTP(answer, get)
		coding := answer.Header().Get("Content-Encoding")
		if ours.Header["If-None-Match"] != nil && get.Header["If-None-Match"] == nil {
			ours.Header.Set("If-None-Match", answer.Header().Get("Etag"))
		} else if strings.Contains(answer.Header().Get("Cache-Status"), "hit") &&
			(answer.Code == http.StatusNotModified || coding == "" && len(c.fields) == 0 || coding == "br") {
			break
		}
		if tries == 1_000_000 {
			tb.Fatalf("no hit: %d %v", answer.Code, answer.Header())
		}
	}
	if answer.Code != c.status {
		tb.Fatalf("%s: %d %v", c.name, answer.Code, answer.Header())
	}
	floor.status, floor.header, floor.body = answer.Code, answer.Header(), answer.Body.Bytes()
	delete(floor.header, "Server")
	return ours, theirs
}

// TestHitCost holds the allocations of a hit, with metrics and all placeholders, to
// few above those of a handler that writes the same bytes and does nothing else.
func TestHitCost(t *testing.T) {
	const most = 8
	server := costServer(t, costCaddyfile)
	for _, c := range costCases {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := c.warm(t, server)
			allocations := func(r *http.Request) float64 {
				return testing.AllocsPerRun(200, func() {
					w := &nowhere{header: make(http.Header)}
					server.ServeHTTP(w, r)
					if w.status != c.status {
						t.Fatalf("status %d", w.status)
					}
				})
			}
			hit, least := allocations(ours), allocations(theirs)
			t.Logf("%v allocations, floor %v", hit, least)
			if hit > least+most {
				t.Errorf("%v allocations, %v above the floor; at most %d are ours", hit, hit-least, most)
			}
		})
	}
}

func BenchmarkHit(b *testing.B) {
	server := costServer(b, costCaddyfile)
	for _, c := range costCases {
		ours, theirs := c.warm(b, server)
		for _, by := range []struct {
			name    string
			request *http.Request
		}{{"mount", ours}, {"floor", theirs}} {
			b.Run(c.name+"/by="+by.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					server.ServeHTTP(&nowhere{header: make(http.Header)}, by.request)
				}
			})
		}
	}
}

// missed counts the requests of BenchmarkMiss: the store outlives a benchmark, and no
// URL may be asked for again.
var missed int

// BenchmarkMiss fetches, maps and, where the client accepts one, codes the page.
func BenchmarkMiss(b *testing.B) {
	server := costServer(b, costCaddyfile)
	for _, accept := range []string{"identity", "gzip", "zstd", "br"} {
		b.Run("coding="+accept, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				missed++
				r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("http://mount.example.com/blog/miss/%d", missed), nil)
				r.Header.Set("Accept-Encoding", accept)
				server.ServeHTTP(&nowhere{header: make(http.Header)}, r)
			}
		})
	}
}
