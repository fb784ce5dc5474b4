package handler

import (
	"maps"
	"net/http"
	"net/url"
	"testing"
)

// BenchmarkOutbound maps a browser's request for a page.
func BenchmarkOutbound(b *testing.B) {
	v := newTestView(b, Transparent, "/blog", siteHTTPS)
	header := http.Header{
		"Accept":                    {"text/html,application/xhtml+xml"},
		"Accept-Encoding":           {"gzip, deflate, br"},
		"Accept-Language":           {"en"},
		"Cookie":                    {"session=0123456789; _ga=GA1.1.1; wordpress_logged_in_x=admin"},
		"Referer":                   {"https://example.com/blog/"},
		"Sec-Fetch-Dest":            {"document"},
		"Upgrade-Insecure-Requests": {"1"},
		"User-Agent":                {"Mozilla/5.0"},
	}
	r := &http.Request{Method: http.MethodGet, URL: new(url.URL), Header: make(http.Header, 16)}
	b.ReportAllocs()
	for b.Loop() {
		clear(r.Header)
		maps.Copy(r.Header, header)
		_, _, rest := v.m.Locate("/blog/2026/11/a-post/")
		*r.URL = url.URL{RawQuery: "p=1"}
		v.Outbound(r, rest, Peer{ClientIP: "192.0.2.1", RemoteIP: "192.0.2.1"})
	}
}

// BenchmarkMapHeader maps the header of a WordPress page.
func BenchmarkMapHeader(b *testing.B) {
	v := newTestView(b, Transparent, "/blog", siteHTTPS)
	h := make(http.Header, 16)
	b.ReportAllocs()
	for b.Loop() {
		clear(h)
		h["Content-Type"] = []string{"text/html; charset=UTF-8"}
		h["Date"] = []string{"Thu, 01 Jan 2026 00:00:00 GMT"}
		h["Server"] = []string{"Apache"}
		h["X-Powered-By"] = []string{"PHP/8.2"}
		h["X-Pingback"] = []string{"https://blog.example.net/xmlrpc.php"}
		h["Vary"] = []string{"Accept-Encoding"}
		h["Link"] = []string{
			`<https://blog.example.net/wp-json/>; rel="https://api.w.org/"`,
			`<https://blog.example.net/?p=1>; rel=shortlink`,
		}
		v.MapHeader(h, 200, nil, nil)
		stripInternal(h, false)
	}
}
