package handler

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	siteHTTP  = "http://blog.example.net"
	siteHTTPS = "https://blog.example.net"
)

func TestLocation(t *testing.T) {
	tests := []struct {
		name     string
		mode     Mode
		prefix   string
		site     string
		in, want string
	}{
		{"A1 2 both schemes", Transparent, "/blog", siteHTTP, "https://blog.example.net/wp-admin/", "https://example.com/blog/wp-admin/"},
		{"A1 2 same scheme", Transparent, "/blog", siteHTTP, "http://blog.example.net/x?y#z", "https://example.com/blog/x?y#z"},
		{"A1 2 default ports", Transparent, "/blog", siteHTTP, "http://blog.example.net:80/x", "https://example.com/blog/x"},
		{"A1 2 other default port", Transparent, "/blog", siteHTTP, "https://blog.example.net:443/x", "https://example.com/blog/x"},
		{"site's port", Transparent, "/blog", siteHTTP + ":8080", "http://blog.example.net:8080/x", "https://example.com/blog/x"},
		{"site's port under the other scheme (I 3)", Transparent, "/blog", siteHTTP + ":8080", "https://blog.example.net:8080/x", "https://example.com/blog/x"},
		{"site's port dropped", Transparent, "/blog", siteHTTP + ":8080", "http://blog.example.net/x", "https://example.com/blog/x"},
		{"other port is another service", Transparent, "/blog", siteHTTP, "http://blog.example.net:9000/x", "http://blog.example.net:9000/x"},
		{"case and trailing dot", Transparent, "/blog", siteHTTP, "HTTP://Blog.Example.NET./x", "https://example.com/blog/x"},
		{"no path", Transparent, "/blog", siteHTTP, "http://blog.example.net", "https://example.com/blog/"},
		{"no path, query", Transparent, "/blog", siteHTTP, "http://blog.example.net?p=1", "https://example.com/blog/?p=1"},
		{"network path", Transparent, "/blog", siteHTTP, "//blog.example.net/x", "//example.com/blog/x"},
		{"A1 5 public under the prefix, http", Transparent, "/blog", siteHTTP, "http://example.com/blog/wp-admin/", "https://example.com/blog/wp-admin/"},
		{"A1 5 web server's own, aware", Aware, "/blog", siteHTTP, "http://blog.example.net/blog/wp-admin/", "https://example.com/blog/wp-admin/"},
		{"public elsewhere", Transparent, "/blog", siteHTTP, "http://example.com/shop", "http://example.com/shop"},
		{"A1 6 internal port, aware", Aware, "/blog", siteHTTP + ":18444", "https://example.com:18444/blog/", "https://example.com/blog/"},
		{"A1 7 root-relative", Transparent, "/blog", siteHTTP, "/wp-admin/options-general.php?settings-updated=true", "/blog/wp-admin/options-general.php?settings-updated=true"},
		{"root", Transparent, "/blog", siteHTTP, "/", "/blog/"},
		{"A1 9 page called blog", Transparent, "/blog", siteHTTP, "/blog/", "/blog/blog/"},
		{"A1 18a fragment", Transparent, "/blog", siteHTTP, "http://blog.example.net/a/?unapproved=2&moderation-hash=x%2By#comment-2", "https://example.com/blog/a/?unapproved=2&moderation-hash=x%2By#comment-2"},
		{"relative", Transparent, "/blog", siteHTTP, "wp-login.php?x", "wp-login.php?x"},
		{"dots, relative", Transparent, "/blog", siteHTTP, "../x", "../x"},
		{"query only", Transparent, "/blog", siteHTTP, "?paged=2", "?paged=2"},
		{"empty", Transparent, "/blog", siteHTTP, "", ""},
		{"spaces", Transparent, "/blog", siteHTTP, " /x ", "/blog/x"},
		{"foreign", Transparent, "/blog", siteHTTP, "https://wordpress.org/x", "https://wordpress.org/x"},
		{"foreign network path", Transparent, "/blog", siteHTTP, "//evil.example/x", "//evil.example/x"},
		{"other scheme", Transparent, "/blog", siteHTTP, "mailto:a@blog.example.net", "mailto:a@blog.example.net"},
		{"longer host", Transparent, "/blog", siteHTTP, "http://blog.example.net.evil.example/", "http://blog.example.net.evil.example/"},
		{"host as user", Transparent, "/blog", siteHTTP, "http://blog.example.net@evil.example/", "http://blog.example.net@evil.example/"},
		{"host as user, backslash", Transparent, "/blog", siteHTTP, `http://blog.example.net\@evil.example/`, "https://example.com/blog/@evil.example/"},
		{"user", Transparent, "/blog", siteHTTP, "http://a:b@blog.example.net/", "http://a:b@blog.example.net/"},
		{"backslash is a slash", Transparent, "/blog", siteHTTP, `/\evil.example`, "/blog//evil.example"},
		{"tab is nothing", Transparent, "/blog", siteHTTP, "/\t/evil.example", "/blog//evil.example"},
		{"dots climb no further than the root", Transparent, "/blog", siteHTTP, "/../../x", "/blog/x"},
		{"encoded dots climb no further", Transparent, "/blog", siteHTTP, "http://blog.example.net/%2e%2e/x", "https://example.com/blog/x"},
		{"backslash dots climb no further", Transparent, "/blog", siteHTTP, `/a\..\..\x`, "/blog/x"},
		{"doubled slash kept", Transparent, "/blog", siteHTTP, "http://blog.example.net//x", "https://example.com/blog//x"},
		{"escapes kept", Transparent, "/blog", siteHTTP, "/caf%c3%A9/a%2Fb?x=%zz", "/blog/caf%c3%A9/a%2Fb?x=%zz"},

		{"I redirect_to", Transparent, "/blog", siteHTTP, "http://blog.example.net/wp-login.php?redirect_to=http%3A%2F%2Fblog.example.net%2Fwp-admin%2F&reauth=1", "https://example.com/blog/wp-login.php?redirect_to=https%3A%2F%2Fexample.com%2Fblog%2Fwp-admin%2F&reauth=1"},
		{"redirect_to, root-relative Location", Transparent, "/blog", siteHTTP, "/wp-login.php?redirect_to=http%3a%2f%2fblog.example.net%2fx", "/blog/wp-login.php?redirect_to=https%3a%2f%2fexample.com%2fblog%2fx"},
		{"redirect_to, path-valued stays", Transparent, "/blog", siteHTTP, "/wp-login.php?redirect_to=%2Fwp-admin%2F", "/blog/wp-login.php?redirect_to=%2Fwp-admin%2F"},
		{"redirect_to, foreign Location stays", Transparent, "/blog", siteHTTP, "https://sso.example/?back=http%3A%2F%2Fblog.example.net%2F", "https://sso.example/?back=http%3A%2F%2Fblog.example.net%2F"},

		{"base path", Transparent, "/blog", siteHTTPS + "/wp", "https://blog.example.net/wp/x", "https://example.com/blog/x"},
		{"base path, root-relative", Transparent, "/blog", siteHTTPS + "/wp", "/wp/x", "/blog/x"},
		{"base path itself", Transparent, "/blog", siteHTTPS + "/wp", "/wp?a", "/blog/?a"},
		{"beside the base path", Transparent, "/blog", siteHTTPS + "/wp", "https://blog.example.net/wpx", "https://blog.example.net/wpx"},
		{"beside the base path, root-relative", Transparent, "/blog", siteHTTPS + "/wp", "/other", "https://blog.example.net/other"},
		{"out of the base path by dots", Transparent, "/blog", siteHTTPS + "/wp", "https://blog.example.net/wp/../x", "https://blog.example.net/wp/../x"},

		{"A1 3 prefix lost", AwareStripped, "/blog", siteHTTP, "https://example.com/2026/a/", "https://example.com/blog/2026/a/"},
		{"A1 3 prefix there", AwareStripped, "/blog", siteHTTP, "https://example.com/blog/2026/a/", "https://example.com/blog/2026/a/"},
		{"A1 3 root-relative", AwareStripped, "/blog", siteHTTP, "/wp-admin/", "/blog/wp-admin/"},
		{"A1 3 root-relative, right", AwareStripped, "/blog", siteHTTP, "/blog/wp-admin/", "/blog/wp-admin/"},
		{"A1 5 stripped, the web server's port", AwareStripped, "/blog", siteHTTP + ":8080", "http://example.com:8080/wp-admin/", "https://example.com/blog/wp-admin/"},
		{"A1 5 stripped, the web server's port, prefix there", AwareStripped, "/blog", siteHTTP + ":8080", "http://example.com:8080/blog/wp-admin/", "https://example.com/blog/wp-admin/"},
		{"stripped, another port", AwareStripped, "/blog", siteHTTP + ":8080", "http://example.com:9090/x", "http://example.com:9090/x"},
		{"stripped, base path", AwareStripped, "/blog", siteHTTP + "/wp", "/wp/wp-admin/", "/blog/wp-admin/"},
		{"aware keeps the main site's", Aware, "/blog", siteHTTP, "https://example.com/shop", "https://example.com/shop"},
		{"aware, root-relative", Aware, "/blog", siteHTTP, "/blog/x", "/blog/x"},
		{"aware, old host", Aware, "/blog", siteHTTP, "http://blog.example.net/2019/a/", "https://example.com/blog/2019/a/"},

		{"root mount", Transparent, "", siteHTTP, "http://blog.example.net/x", "https://example.com/x"},
		{"root mount, root-relative", Transparent, "", siteHTTP, "/x", "/x"},
		{"root mount, network path must not appear", Transparent, "", siteHTTP + "/wp", "/wp//evil.example", "https://example.com//evil.example"},
		{"root mount, backslash", Transparent, "", siteHTTP, `/\evil.example`, "https://example.com//evil.example"},
		{"internationalised", Transparent, "/blog", "https://bücher.example", "https://xn--bcher-kva.example/x", "https://example.com/blog/x"},
		{"internationalised, Unicode", Transparent, "/blog", "https://xn--bcher-kva.example", "https://BÜCHER.example/x", "https://example.com/blog/x"},
		{"IPv6", Transparent, "/blog", "http://[::1]:8080", "http://[0:0::1]:8080/x", "https://example.com/blog/x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, tt.mode, tt.prefix, tt.site)
			h := http.Header{"Location": {tt.in}}
			v.MapHeader(h, 302, nil, nil)
			if got := h.Get("Location"); got != tt.want {
				t.Errorf("Location: %s\nbecame    %s\nwant      %s", tt.in, got, tt.want)
			}
		})
	}
}

// A reference that is relative to the path that the site was asked for leads visitors
// to the same place, also from the bare prefix and from above the site's root.
func TestRelativeReferences(t *testing.T) {
	tests := []struct {
		name         string
		mode         Mode
		prefix, site string
		asked        string
		in, want     string
	}{
		{name: "below", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/a/b", in: "x?y#z", want: "x?y#z"},
		{name: "up", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/a/b", in: "../x", want: "../x"},
		{name: "to the root", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/a/b", in: "..", want: ".."},
		{name: "above the root", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/a/b", in: "../../x?y#z", want: "/blog/x?y#z"},
		{name: "above the root, escaped", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/a/b", in: "%2e%2E/../x", want: "/blog/x"},
		{name: "above the root, backslashes", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/a/b", in: `..\..\x`, want: "/blog/x"},
		{name: "above the root and down", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/a/b", in: "../../blog/x", want: "/blog/blog/x"},
		{name: "bare", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "x?y", want: "/blog/x?y"},
		{name: "bare, itself", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "./", want: "/blog/"},
		{name: "home, which is stored for both", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog/", in: "x", want: "/blog/x"},
		{name: "bare, query", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "?y", want: "?y"},
		{name: "bare, empty", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "", want: ""},
		{name: "bare, scheme", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "mailto:a@example.net", want: "mailto:a@example.net"},
		{name: "bare, colon", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "./a:b", want: "/blog/a:b"},
		{name: "bare, empty segment", mode: Transparent, prefix: "/blog", site: siteHTTP, asked: "/blog", in: ".//evil.example", want: "https://example.com/blog//evil.example"},
		{name: "folder, above", mode: Transparent, prefix: "/blog", site: siteHTTP + "/wp", asked: "/blog/a", in: "../x", want: siteHTTP + "/x"},
		{name: "folder, bare", mode: Transparent, prefix: "/blog", site: siteHTTP + "/wp", asked: "/blog", in: "x", want: "/blog/x"},
		{name: "stripped, above", mode: AwareStripped, prefix: "/blog", site: siteHTTP, asked: "/blog/a", in: "../x", want: "/blog/x"},
		{name: "stripped, bare", mode: AwareStripped, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "x", want: "/blog/x"},
		{name: "aware, bare", mode: Aware, prefix: "/blog", site: siteHTTP, asked: "/blog", in: "x", want: "/blog/x"},
		{name: "aware, above", mode: Aware, prefix: "/blog", site: siteHTTP, asked: "/blog/a", in: "../x", want: "../x"},
		{name: "whole host", mode: Transparent, prefix: "", site: siteHTTP, asked: "/", in: "x", want: "x"},
		{name: "whole host, above", mode: Transparent, prefix: "", site: siteHTTP, asked: "/a", in: "../../x", want: "../../x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, tt.mode, tt.prefix, tt.site)
			h := http.Header{"Location": {tt.in}, "Content-Location": {tt.in}, "Refresh": {"0; url=" + tt.in}, "Link": {"<" + tt.in + ">; rel=next"}}
			v.MapHeader(h, 302, httptest.NewRequest("POST", "https://example.com"+tt.asked, nil), nil)
			want := http.Header{"Location": {tt.want}, "Content-Location": {tt.want}, "Refresh": {"0; url=" + tt.want}, "Link": {"<" + tt.want + ">; rel=next"}}
			if diff := cmp.Diff(want, h); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLocationOnEveryStatus(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", siteHTTP)
	for _, status := range []int{200, 201, 202, 301, 302, 303, 304, 307, 308, 404, 503} {
		h := http.Header{"Location": {"/a"}, "Content-Location": {"http://blog.example.net/b"}}
		v.MapHeader(h, status, nil, nil)
		if h.Get("Location") != "/blog/a" || h.Get("Content-Location") != "https://example.com/blog/b" {
			t.Errorf("%d: %v", status, h)
		}
	}
}

func TestSeveralSites(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", siteHTTPS, "http://old.example.net:8080/wp", "https://www.blog.example.net")
	for in, want := range map[string]string{
		"https://blog.example.net/x":       "https://example.com/blog/x",
		"https://www.blog.example.net/x":   "https://example.com/blog/x",
		"http://old.example.net:8080/wp/x": "https://example.com/blog/x",
		"http://old.example.net/wp/x":      "https://example.com/blog/x",
		"http://old.example.net/x":         "http://old.example.net/x",
		"https://sub.blog.example.net/x":   "https://sub.blog.example.net/x",
	} {
		if got, ok := v.PublicURL(in); got != want || ok != (in != want) {
			t.Errorf("PublicURL(%s) = %s, %v; want %s", in, got, ok, want)
		}
	}
}

// The site on the public host under another path, or behind another of its ports.
func TestSiteOnPublicHost(t *testing.T) {
	for _, tt := range []struct{ site, in, want string }{
		{"https://example.com/wp", "https://example.com/wp/x", "https://example.com/blog/x"},
		{"https://example.com/wp", "https://example.com/blog/x", "https://example.com/blog/x"},
		{"https://example.com/wp", "https://example.com/x", "https://example.com/x"},
		{"http://example.com:8080", "http://example.com:8080/x", "https://example.com/blog/x"},
		{"http://example.com:8080", "https://example.com/x", "https://example.com/x"},
	} {
		v := newTestView(t, Transparent, "/blog", tt.site)
		if got, _ := v.PublicURL(tt.in); got != tt.want {
			t.Errorf("site %s: PublicURL(%s) = %s, want %s", tt.site, tt.in, got, tt.want)
		}
	}
}

func TestMapHeader(t *testing.T) {
	tests := []struct {
		name     string
		prefix   string
		field    string
		in, want string // want "-": the field is dropped
	}{
		{"D3 Refresh", "/blog", "Refresh", "5; url=http://blog.example.net/x", "5; url=https://example.com/blog/x"},
		{"D3 Refresh root-relative", "/blog", "Refresh", "0;URL = '/x?a=b'", "0;URL = '/blog/x?a=b'"},
		{"D3 Refresh without url=", "/blog", "Refresh", "0, /x", "0, /blog/x"},
		{"D3 Refresh, number only", "/blog", "Refresh", "5", "5"},
		{"D3 Refresh, open quote", "/blog", "Refresh", `0; url="/x`, `0; url="/blog/x`},
		{"D3 Refresh, path called url", "/blog", "Refresh", "0; urls/x", "0; urls/x"},
		{"A3 39 Link", "/blog", "Link", `<http://blog.example.net/wp-json/>; rel="https://api.w.org/"`, `<https://example.com/blog/wp-json/>; rel="https://api.w.org/"`},
		{"D3 Link, several", "/blog", "Link", `</a>; rel=prev, <http://blog.example.net/b?c=%3E>; rel="next"; title="</x>", <//cdn.example/d>; rel=preload`, `</blog/a>; rel=prev, <https://example.com/blog/b?c=%3E>; rel="next"; title="</x>", <//cdn.example/d>; rel=preload`},
		{"D3 Link, anchor", "/blog", "Link", `<https://a.example/>; rel=x; anchor="/y"`, `<https://a.example/>; rel=x; anchor="/blog/y"`},
		{"D3 Link, srcset", "/blog", "Link", `</a.jpg>; rel=preload; as=image; imagesrcset="/a.jpg 1x, http://blog.example.net/b.jpg 2x"`, `</blog/a.jpg>; rel=preload; as=image; imagesrcset="/blog/a.jpg 1x, https://example.com/blog/b.jpg 2x"`},
		{"D3 Link, srcset without descriptors", "/blog", "Link", `<a>; imagesrcset="/a, /b,/c"`, `<a>; imagesrcset="/blog/a, /blog/b,/c"`},
		{"D3 Link, escaped quote", "/blog", "Link", `</a>; title="x\"</b>", </c>; rel=x`, `</blog/a>; title="x\"</b>", </blog/c>; rel=x`},
		{"D3 Link, cut", "/blog", "Link", `</a>; rel=x, </b`, `</blog/a>; rel=x, </b`},
		{"D3 Access-Control-Allow-Origin", "/blog", "Access-Control-Allow-Origin", "http://blog.example.net", "https://example.com"},
		{"D3 ACAO any", "/blog", "Access-Control-Allow-Origin", "*", "*"},
		{"D3 ACAO null", "/blog", "Access-Control-Allow-Origin", "null", "null"},
		{"D3 ACAO foreign", "/blog", "Access-Control-Allow-Origin", "https://other.example", "https://other.example"},
		{"Permissions-Policy", "/blog", "Permissions-Policy", `geolocation=(self "http://blog.example.net"), camera=("https://a.example")`, `geolocation=(self "https://example.com"), camera=("https://a.example")`},
		{"Feature-Policy", "/blog", "Feature-Policy", "camera http://blog.example.net; fullscreen *", "camera https://example.com; fullscreen *"},
		{"Timing-Allow-Origin", "/blog", "Timing-Allow-Origin", "https://a.example, https://blog.example.net", "https://a.example, https://example.com"},
		{"A2 28 Content-Security-Policy", "/blog", "Content-Security-Policy", "frame-ancestors 'self' http://blog.example.net; script-src https://blog.example.net https://cdn.example 'nonce-x'", "frame-ancestors 'self' https://example.com; script-src https://example.com https://cdn.example 'nonce-x'"},
		{"D3 CSP, bare host", "/blog", "Content-Security-Policy", "img-src blog.example.net *.example.net blog.example.net:* data:", "img-src example.com *.example.net example.com:* data:"},
		{"D3 CSP, paths", "/blog", "Content-Security-Policy-Report-Only", "script-src https://blog.example.net/wp-includes/ https://blog.example.net/; report-uri /csp", "script-src https://example.com/blog/wp-includes/ https://example.com/; report-uri /blog/csp"},
		{"D3 CSP, websocket", "/blog", "Content-Security-Policy", "connect-src ws://blog.example.net", "connect-src wss://example.com"},
		{"D3 X-Pingback", "/blog", "X-Pingback", "http://blog.example.net/xmlrpc.php", "https://example.com/blog/xmlrpc.php"},
		{"D3 SourceMap", "/blog", "Sourcemap", "/a.js.map", "/blog/a.js.map"},
		{"D3 SourceMap, relative", "/blog", "Sourcemap", "a.js.map", "a.js.map"},
		{"D3 X-SourceMap", "/blog", "X-Sourcemap", "http://blog.example.net/a.js.map", "https://example.com/blog/a.js.map"},
		{"Speculation-Rules", "/blog", "Speculation-Rules", `"/rules.json", "https://blog.example.net/b.json"`, `"/blog/rules.json", "https://example.com/blog/b.json"`},
		{"D3 any other", "/blog", "X-Whatever", `see http://blog.example.net/x, //blog.example.net. and /y`, `see https://example.com/blog/x, //example.com/blog. and /y`},
		{"D3 X-Frame-Options", "/blog", "X-Frame-Options", "ALLOW-FROM http://blog.example.net/", "ALLOW-FROM https://example.com/blog/"},
		{"ETag keeps its bytes", "/blog", "Etag", `"http://blog.example.net/"`, `"http://blog.example.net/"`},
		{"X-Redirect-By passes", "/blog", "X-Redirect-By", "WordPress", "WordPress"},

		{"M06 Alt-Svc", "/blog", "Alt-Svc", `h3=":443"`, "-"},
		{"M07 Clear-Site-Data", "/blog", "Clear-Site-Data", `"*"`, "-"},
		{"M08 Service-Worker-Allowed", "/blog", "Service-Worker-Allowed", "/", "-"},
		{"M09 HSTS", "/blog", "Strict-Transport-Security", "max-age=1", "-"},
		{"M10 NEL", "/blog", "Nel", "{}", "-"},
		{"D3 Report-To", "/blog", "Report-To", "{}", "-"},
		{"D3 Reporting-Endpoints", "/blog", "Reporting-Endpoints", `a="https://blog.example.net/r"`, "-"},
		{"Set-Login", "/blog", "Set-Login", "logged-in", "-"},
		{"Origin-Agent-Cluster", "/blog", "Origin-Agent-Cluster", "?1", "-"},
		{"Supports-Loading-Mode", "/blog", "Supports-Loading-Mode", "fenced-frame", "-"},
		{"Public-Key-Pins", "/blog", "Public-Key-Pins", "x", "-"},
		{"Public-Key-Pins-Report-Only", "/blog", "Public-Key-Pins-Report-Only", "x", "-"},
		{"Expect-CT", "/blog", "Expect-Ct", "max-age=1", "-"},
		{"Accept-CH", "/blog", "Accept-Ch", "DPR", "-"},
		{"raw name", "/blog", "alt-svc", "x", "-"},
		{"root mount, HSTS", "", "Strict-Transport-Security", "max-age=1", "max-age=1"},
		{"root mount, Clear-Site-Data", "", "Clear-Site-Data", `"*"`, `"*"`},
		{"root mount, reports", "", "Reporting-Endpoints", `a="https://blog.example.net/r"`, `a="https://example.com/r"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, Transparent, tt.prefix, siteHTTP)
			h := http.Header{tt.field: {tt.in}}
			v.MapHeader(h, 200, nil, nil)
			want := http.Header{tt.field: {tt.want}}
			if tt.want == "-" {
				want = http.Header{}
			}
			if diff := cmp.Diff(want, h); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMapHeaderKeepsLines(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", siteHTTP)
	h := http.Header{"Link": {"</a>; rel=x", "<http://blog.example.net/b>; rel=y", "</c>; rel=z"}}
	v.MapHeader(h, 103, nil, nil)
	want := http.Header{"Link": {"</blog/a>; rel=x", "<https://example.com/blog/b>; rel=y", "</blog/c>; rel=z"}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestInternalFieldsStop(t *testing.T) {
	h := http.Header{}
	for _, name := range []string{
		"X-Accel-Redirect", "X-Accel-Expires", "X-Accel-Buffering", "X-Sendfile", "X-Reproxy-URL", "Surrogate-Control",
		"Surrogate-Key", "Cache-Tag", "X-Cache-Tags", "X-LiteSpeed-Tag", "X-LiteSpeed-Purge", "X-LiteSpeed-Purge2",
		"xkey", "Edge-Cache-Tag", "Cache-Groups", "lsc-cookie",
	} {
		h.Set(name, "x")
	}
	v := newTestView(t, Transparent, "/blog", siteHTTP)
	before := len(h)
	v.MapHeader(h, 200, nil, nil)
	if len(h) != before {
		t.Errorf("the cache can read only %v", h)
	}
	h.Set("Content-Type", "text/html")
	h["x-accel-redirect"] = []string{"/internal"}
	stripInternal(h, false)
	if diff := cmp.Diff(http.Header{"Content-Type": {"text/html"}}, h); diff != "" {
		t.Error(diff)
	}
}

func TestRedirectFault(t *testing.T) {
	tests := []struct {
		name     string
		mode     Mode
		location string
		cookie   bool
		method   string
		status   int
		want     RedirectFault
	}{
		{"A1 1 scheme loop", Transparent, "https://blog.example.net/a?b", false, "GET", 301, FaultSelf},
		{"A1 4 sitemap loop", AwareStripped, "https://example.com/blog/a?b", false, "GET", 301, FaultSelf},
		{"root-relative loop", Transparent, "/a?b", false, "HEAD", 302, FaultSelf},
		{"with a cookie", Transparent, "/a?b", true, "GET", 302, FaultNone},
		{"after a form", Transparent, "/a?b", false, "POST", 303, FaultNone},
		{"elsewhere", Transparent, "/a", false, "GET", 302, FaultNone},
		{"created", Transparent, "/a?b", false, "GET", 201, FaultNone},
		{"A1 3 prefix lost", AwareStripped, "https://example.com/2026/", false, "GET", 301, FaultPrefixLost},
		{"main site, aware", Aware, "https://example.com/2026/", false, "GET", 301, FaultNone},
		{"A1 6 port", Aware, "https://example.com:18444/blog/a/", false, "GET", 301, FaultPort},
		{"A1 5 port, prefix lost", AwareStripped, "http://example.com:8080/wp-admin/", false, "GET", 301, FaultPort},
		{"another service, stripped", AwareStripped, "http://example.com:9090/x", false, "GET", 301, FaultNone},
		{"none", Transparent, "", false, "GET", 301, FaultNone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			site := siteHTTP
			if tt.mode != Transparent {
				site += ":8080"
			}
			v := newTestView(t, tt.mode, "/blog", site)
			h := http.Header{"Location": {tt.location}}
			if tt.cookie {
				h.Set("Set-Cookie", "a=b")
			}
			if got := v.RedirectFault(h, tt.status, tt.method, "/blog/a", "b"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzLocation(f *testing.F) {
	for _, seed := range []string{
		"http://blog.example.net/wp/x", "/wp/x", "//blog.example.net/wp", `/\evil`, "/wp/../x", "/wp/..%2fx", `\\evil`,
		"http://blog.example.net@evil.example/", "/wp//evil", "?x=http%3A%2F%2Fblog.example.net%2Fwp%2F", "http://blog.example.net:080/wp/",
	} {
		f.Add(seed)
	}
	v := newTestView(f, Transparent, "", "https://blog.example.net/wp")
	f.Fuzz(func(t *testing.T, s string) {
		mapped, ok := v.PublicURL(s)
		if !ok {
			if mapped != s {
				t.Fatalf("%q is not mapped, yet became %q", s, mapped)
			}
			return
		}
		// What the mount itself wrote leads to the mount, or names the site openly.
		u := cutURL(mapped)
		switch u.kind {
		case rootRelativeURL:
			if leavesHost(u.path) {
				t.Fatalf("%q became the open redirect %q", s, mapped)
			}
		case absoluteURL, networkURL:
			if !v.home.at(u.name, u.port) && !strings.HasPrefix(mapped, "https://blog.example.net/") {
				t.Fatalf("%q became %q", s, mapped)
			}
		default:
			t.Fatalf("%q became %q", s, mapped)
		}
	})
}

func FuzzLink(f *testing.F) {
	for _, seed := range []string{
		`</a>; rel="x", <http://blog.example.net/b>`, `<`, `"`, `</a`, `<a>; title="\`, `<>`, `</x>;imagesrcset="/a, /b 2x"`, `<a>;anchor="`,
	} {
		f.Add(seed)
	}
	v := newTestView(f, Transparent, "/blog", siteHTTP)
	strip := strings.NewReplacer("https://example.com/blog", "", "http://blog.example.net", "", "https://blog.example.net", "", "/blog/", "/")
	f.Fuzz(func(t *testing.T, s string) {
		mapped := v.mapLink(s, nil)
		if strings.ContainsAny(s, "\\\t.%:") || strings.Contains(s, "//") || strings.Contains(s, "example") {
			return // such paths are read as browsers do
		}
		// Nothing but prefixes was added.
		if strip.Replace(mapped) != strip.Replace(s) {
			t.Fatalf("%q became %q", s, mapped)
		}
	})
}

// Whatever a site says, mapping its fields ends, and bounds what it adds.
func FuzzMapHeader(f *testing.F) {
	for _, seed := range []string{
		"5; url=/x", `0;url="/x`, "script-src blog.example.net:* ws://blog.example.net/x", `"/a", "https://blog.example.net`, "*", ";,;,", "//blog.example.net",
	} {
		f.Add(seed)
	}
	v := newTestView(f, Transparent, "/blog", siteHTTP+"/wp")
	fields := []string{
		"Location", "Content-Location", "Refresh", "Link", "Speculation-Rules", "Access-Control-Allow-Origin",
		"Content-Security-Policy", "X-Pingback", "X-Text", "Set-Cookie",
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, name := range fields {
			h := http.Header{name: {value}}
			v.MapHeader(h, 302, nil, nil)
			// The shortest thing that grows is "/" or a relative host.
			if got := h.Get(name); len(got) > 64+len(value)*len("https://blog.example.net/blog/") {
				t.Fatalf("%s: %q became %q", name, value, got)
			}
		}
	})
}

func TestMendNames(t *testing.T) {
	h := http.Header{
		"Cache-Control": {"max-age=600"}, "Cache-Control ": {"private"}, "set-cookie\t ": {"a=b"},
		"Content-Length ": {"5"}, "Transfer-Encoding\t": {"chunked"}, " ": {"x"}, "X-A": {"kept"},
	}
	mendNames(h)
	want := http.Header{"Cache-Control": {"max-age=600", "private"}, "Set-Cookie": {"a=b"}, "X-A": {"kept"}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}
