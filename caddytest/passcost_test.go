//go:build !race

package caddytest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

const passCaddyfile = `
{
	metrics
}
http://mount.example.com {
	mount /blog %[1]s {
		cache off
	}
}
http://proxy.example.com {
	reverse_proxy %[1]s
}
`

// passPath is what both servers are asked for: an image, of which nothing is mapped.
const passPath = "/blog/wp-content/uploads/cat.png"

// passServer returns Caddy's server with one origin behind a mount without a cache
// and behind a stock reverse_proxy.
func passServer(tb testing.TB) http.Handler {
	image := make([]byte, 8<<10)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("ETag", `"cat"`)
		_, _ = w.Write(image)
	}))
	tb.Cleanup(origin.Close)
	return costServer(tb, fmt.Sprintf(passCaddyfile, origin.URL))
}

// passRequests are the requests to compare: what a browser sends, to the mount and
// to the stock proxy.
func passRequests() map[string]*http.Request {
	requests := make(map[string]*http.Request)
	for _, by := range []string{"mount", "proxy"} {
		r := httptest.NewRequest(http.MethodGet, "http://"+by+".example.com"+passPath, nil)
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
		r.Header.Set("Accept", "image/avif,image/webp,*/*;q=0.8")
		r.Header.Set("Accept-Language", "en")
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
		r.Header.Set("Referer", "http://"+by+".example.com/blog/hello/")
		r.Header.Set("Cookie", "wordpress_test_cookie=1; theme=dark")
		requests[by] = r
	}
	return requests
}

// TestPassCost holds the allocations of the bare pass-through to few above those of
// a stock reverse_proxy to the same origin. The origin's and the transport's are in
// both counts.
func TestPassCost(t *testing.T) {
	const most = 30
	server := passServer(t)
	count := make(map[string]float64)
	for by, r := range passRequests() {
		count[by] = testing.AllocsPerRun(300, func() {
			w := &nowhere{header: make(http.Header)}
			server.ServeHTTP(w, r)
			if w.status != http.StatusOK || len(w.header["Etag"]) == 0 {
				t.Fatalf("%s: %d %v", by, w.status, w.header)
			}
		})
	}
	t.Logf("%v allocations, reverse_proxy %v", count["mount"], count["proxy"])
	if more := count["mount"] - count["proxy"]; more > most {
		t.Errorf("%v allocations more than reverse_proxy's %v; at most %d are ours", more, count["proxy"], most)
	}
}

func BenchmarkPass(b *testing.B) {
	server := passServer(b)
	for by, r := range passRequests() {
		b.Run("by="+by, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				server.ServeHTTP(&nowhere{header: make(http.Header)}, r)
			}
		})
	}
}
