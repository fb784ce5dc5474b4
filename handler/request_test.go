package handler

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outbound maps a request for a public path and returns it.
func outbound(t testing.TB, v *View, method, target string, h http.Header, p Peer) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Host = v.public.Host
	r.Header = h
	if h == nil {
		r.Header = make(http.Header)
	}
	place, _, rest := v.m.Locate(r.URL.EscapedPath())
	if place != Inside && place != Bare {
		t.Fatalf("%s is %v", target, place)
	}
	v.Outbound(r, rest, p)
	return r
}

func TestOutboundAddress(t *testing.T) {
	tests := []struct {
		name         string
		mode         Mode
		prefix, site string
		target       string
		host, uri    string
	}{
		{"transparent", Transparent, "/blog", siteHTTPS, "/blog/a/?b=c", "blog.example.net", "/a/?b=c"},
		{"bare", Transparent, "/blog", siteHTTPS, "/blog?x", "blog.example.net", "/?x"},
		{"port", Transparent, "/blog", "http://10.0.0.5:8080", "/blog/", "10.0.0.5:8080", "/"},
		{"default port", Transparent, "/blog", "https://blog.example.net:443/", "/blog/", "blog.example.net", "/"},
		{"internationalised", Transparent, "/blog", "https://Bücher.example", "/blog/", "xn--bcher-kva.example", "/"},
		{"base path", Transparent, "/blog", siteHTTPS + "/wp/", "/blog/a", "blog.example.net", "/wp/a"},
		{"A1 11 raw path", Transparent, "/blog", siteHTTPS, "/blog//a%2Fb;c/%e2%82%AC/%7Ex", "blog.example.net", "//a%2Fb;c/%e2%82%AC/%7Ex"},
		{"raw query", Transparent, "/blog", siteHTTPS, "/blog/?&&a;b=%zz&=%2f&c", "blog.example.net", "/?&&a;b=%zz&=%2f&c"},
		{"question mark alone", Transparent, "/blog", siteHTTPS, "/blog/?", "blog.example.net", "/?"},
		{"A1 9 page called blog", Transparent, "/blog", siteHTTPS, "/blog/blog/", "blog.example.net", "/blog/"},
		{"A1 14 redirect_to", Transparent, "/blog", siteHTTP, "/blog/wp-login.php?redirect_to=https%3A%2F%2Fexample.com%2Fblog%2Fwp-admin%2F", "blog.example.net", "/wp-login.php?redirect_to=http%3A%2F%2Fblog.example.net%2Fwp-admin%2F"},
		{"A3 40 oEmbed", Transparent, "/blog", siteHTTP, "/blog/wp-json/oembed/1.0/embed?url=https%3A%2F%2Fexample.com%2Fblog%2Fa%2F", "blog.example.net", "/wp-json/oembed/1.0/embed?url=http%3A%2F%2Fblog.example.net%2Fa%2F"},
		{"main site's URL stays", Transparent, "/blog", siteHTTP, "/blog/?u=https%3A%2F%2Fexample.com%2Fblogger", "blog.example.net", "/?u=https%3A%2F%2Fexample.com%2Fblogger"},
		{"aware", Aware, "/blog", siteHTTPS, "/blog/a?u=https://example.com/blog/", "example.com", "/blog/a?u=https://example.com/blog/"},
		{"aware, encoded prefix", Aware, "/blog", siteHTTPS, "/%62log/a", "example.com", "/blog/a"},
		{"aware, origin with the prefix", Aware, "/blog", siteHTTPS + "/blog", "/blog/a", "example.com", "/blog/a"},
		{"stripped", AwareStripped, "/blog", siteHTTPS, "/blog/a", "example.com", "/a"},
		{"stripped, base path", AwareStripped, "/blog", siteHTTPS + "/wp", "/blog/a", "example.com", "/wp/a"},
		{"root", Transparent, "", siteHTTPS, "/a/../b", "blog.example.net", "/b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := outbound(t, newTestView(t, tt.mode, tt.prefix, tt.site), "GET", tt.target, nil, Peer{ClientIP: "192.0.2.1"})
			if r.Host != tt.host || r.RequestURI != tt.uri || r.URL.RequestURI() != tt.uri {
				t.Errorf("got %s %s (%s), want %s %s", r.Host, r.RequestURI, r.URL.RequestURI(), tt.host, tt.uri)
			}
			if decoded, err := url.PathUnescape(r.URL.EscapedPath()); err != nil || decoded != r.URL.Path {
				t.Errorf("path %q is not %q", r.URL.Path, decoded)
			}
		})
	}
}

func TestOutboundRequestsOff(t *testing.T) {
	m, err := New(Options{Prefix: "/blog", Sites: []string{siteHTTP}, Transform: Transform{RequestsOff: true}})
	if err != nil {
		t.Fatal(err)
	}
	const uri = "/?u=https%3A%2F%2Fexample.com%2Fblog%2F"
	r := outbound(t, m.View(Base{"https", "example.com"}), "GET", "/blog"+uri, nil, Peer{})
	if r.RequestURI != uri {
		t.Errorf("got %s", r.RequestURI)
	}
}

func TestForwarded(t *testing.T) {
	spoofed := func() http.Header {
		return http.Header{
			"Forwarded":         {"for=1.1.1.1;host=evil.example"},
			"X-Forwarded-For":   {"1.1.1.1"},
			"X-Forwarded-Host":  {"evil.example"},
			"X-Forwarded-Proto": {"gopher"},
			"X-Forwarded-Port":  {"1"},
			"X-Forwarded-Foo":   {"x"},
			"X_Forwarded_Host":  {"evil.example"},
			"X-Real-Ip":         {"1.1.1.1"},
		}
	}
	client := Peer{ClientIP: "192.0.2.1", RemoteIP: "192.0.2.1"}
	tests := []struct {
		name string
		mode Mode
		site string
		peer Peer
		want http.Header
	}{
		{"transparent, http site", Transparent, siteHTTP, client, http.Header{
			"X-Real-Ip": {"192.0.2.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"80"},
		}},
		{"transparent, https site", Transparent, siteHTTPS, client, http.Header{
			"X-Real-Ip": {"192.0.2.1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"443"},
		}},
		{"aware", Aware, siteHTTP, client, http.Header{
			"X-Real-Ip": {"192.0.2.1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"443"},
			"X-Forwarded-Host": {"example.com"}, "X-Forwarded-Prefix": {"/blog"},
		}},
		{"aware, stripped", AwareStripped, siteHTTP, Peer{ClientIP: "2001:db8::1"}, http.Header{
			"X-Real-Ip": {"2001:db8::1"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Port": {"443"},
			"X-Forwarded-Host": {"example.com"}, "X-Forwarded-Prefix": {"/blog"},
		}},
		{"trusted chain from the client on", Transparent, siteHTTP, Peer{
			ClientIP: "192.0.2.1", RemoteIP: "10.0.0.2", Trusted: true, ForwardedFor: "6.6.6.6, 192.0.2.1,10.0.0.1",
		}, http.Header{
			"X-Forwarded-For": {"192.0.2.1, 10.0.0.1"}, "X-Real-Ip": {"192.0.2.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"80"},
		}},
		{"trusted, client known otherwise", Transparent, siteHTTP, Peer{
			ClientIP: "192.0.2.1", RemoteIP: "10.0.0.2", Trusted: true, ForwardedFor: "6.6.6.6",
		}, http.Header{
			"X-Forwarded-For": {"192.0.2.1"}, "X-Real-Ip": {"192.0.2.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"80"},
		}},
		{"untrusted chain", Transparent, siteHTTP, Peer{
			ClientIP: "192.0.2.1", RemoteIP: "192.0.2.1", ForwardedFor: "6.6.6.6, 192.0.2.1",
		}, http.Header{
			"X-Real-Ip": {"192.0.2.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"80"},
		}},
		{"no host for proxies to add", Transparent, siteHTTP, Peer{ClientIP: "192.0.2.1", RemoteIP: "192.0.2.1", OmitHost: true}, http.Header{
			"X-Real-Ip": {"192.0.2.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"80"}, "X-Forwarded-Host": nil,
		}},
		{"nobody known", Transparent, siteHTTP, Peer{}, http.Header{
			"X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"80"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, tt.mode, "/blog", tt.site)
			r := outbound(t, v, "GET", "/blog/", spoofed(), tt.peer)
			delete(r.Header, "Cdn-Loop")
			if diff := cmp.Diff(tt.want, r.Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestClaims(t *testing.T) {
	claims := []string{
		"Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-Email", "X-WEBAUTH-USER", "Client-Cert",
		"X-SSL-Client-Cert", "SSL-Client-Verify", "X-Authentik-Username", "CF-Connecting-IP", "True-Client-IP",
		"X-Client-IP", "Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP",
	}
	always := []string{
		"X-Host", "X-Original-URL", "X-Rewrite-URL", "Proxy", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Prefix",
		"X-LSCACHE", "Front-End-Https", "X-Accel-Internal", "Surrogate-Capability",
	}
	fill := func() http.Header {
		h := http.Header{"X-Wp-Nonce": {"n"}, "X-Custom": {"c"}, "User-Agent": {"u"}}
		for _, name := range append(claims, always...) {
			h.Set(name, "x")
		}
		return h
	}
	v := newTestView(t, Transparent, "/blog", siteHTTP)

	h := outbound(t, v, "GET", "/blog/", fill(), Peer{FieldsSet: []string{"remote-user"}}).Header
	for _, name := range append(claims, always...) {
		if kept := h.Get(name) != ""; kept != (name == "Remote-User") {
			t.Errorf("untrusted: %s kept: %v", name, kept)
		}
	}
	for _, name := range []string{"X-Wp-Nonce", "X-Custom", "User-Agent"} {
		if h.Get(name) == "" {
			t.Errorf("%s is lost", name)
		}
	}
	h = outbound(t, v, "GET", "/blog/", fill(), Peer{Trusted: true}).Header
	for _, name := range claims {
		if h.Get(name) == "" {
			t.Errorf("trusted: %s is lost", name)
		}
	}
	for _, name := range always {
		if h.Get(name) != "" {
			t.Errorf("trusted: %s is kept", name)
		}
	}
}

func TestMethodOverride(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", siteHTTP)
	for method, keep := range map[string]bool{"GET": false, "HEAD": false, "OPTIONS": false, "POST": true, "PUT": true} {
		for _, name := range []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"} {
			h := outbound(t, v, method, "/blog/", http.Header{name: {"DELETE"}}, Peer{}).Header
			if kept := h.Get(name) != ""; kept != keep {
				t.Errorf("%s: %s kept: %v", method, name, kept)
			}
		}
	}
}

func TestRequestReferences(t *testing.T) {
	tests := []struct {
		name     string
		mode     Mode
		field    string
		in, want string // want "": the field is dropped
	}{
		{"A1 16 Referer", Transparent, "Referer", "https://example.com/blog/wp-admin/?a=b", "http://blog.example.net/wp-admin/?a=b"},
		{"Referer, other scheme", Transparent, "Referer", "http://example.com/blog/a", "http://blog.example.net/a"},
		{"Referer, encoded URL", Transparent, "Referer", "https://example.com/blog/wp-login.php?redirect_to=https%3A%2F%2Fexample.com%2Fblog%2F", "http://blog.example.net/wp-login.php?redirect_to=http%3A%2F%2Fblog.example.net%2F"},
		{"Referer, bare", Transparent, "Referer", "https://example.com/blog", "http://blog.example.net/"},
		{"Referer of the main site", Transparent, "Referer", "https://example.com/account/reset?token=x", "https://example.com/"},
		{"Referer beside the mount", Transparent, "Referer", "https://example.com/blogger/secret", "https://example.com/"},
		{"Referer that climbs", Transparent, "Referer", "https://example.com/blog/../secret", "https://example.com/"},
		{"Referer from elsewhere", Transparent, "Referer", "https://search.example:8443/?q=secret", "https://search.example:8443/"},
		{"Referer with a user", Transparent, "Referer", "https://user:pw@example.com/blog/", ""},
		{"Referer, partial", Transparent, "Referer", "/secret", ""},
		{"Referer, app", Transparent, "Referer", "android-app://com.example/", ""},
		{"Referer, aware", Aware, "Referer", "https://example.com/blog/a?b", "https://example.com/blog/a?b"},
		{"Referer of the main site, aware", Aware, "Referer", "https://example.com/secret", "https://example.com/"},
		{"Ping-From", Transparent, "Ping-From", "https://example.com/secret", "https://example.com/"},
		{"A2 25 Origin", Transparent, "Origin", "https://example.com", "http://blog.example.net"},
		{"Origin, foreign", Transparent, "Origin", "https://other.example", "https://other.example"},
		{"Origin, null", Transparent, "Origin", "null", "null"},
		{"Origin, aware", Aware, "Origin", "https://example.com", "https://example.com"},
		{"Destination", Transparent, "Destination", "https://example.com/blog/dav/b", "http://blog.example.net/dav/b"},
		{"Destination, path", Transparent, "Destination", "/blog/dav/b", "/dav/b"},
		{"Destination outside", Transparent, "Destination", "https://example.com/dav/b", "https://example.com/dav/b"},
		{"Destination outside, path", Transparent, "Destination", "/dav/b", "https://example.com/dav/b"},
		{"If", Transparent, "If", "<https://example.com/blog/a> (<urn:uuid:1>)", "<http://blog.example.net/a> (<urn:uuid:1>)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, tt.mode, "/blog", siteHTTP)
			h := outbound(t, v, "GET", "/blog/", http.Header{tt.field: {tt.in}}, Peer{}).Header
			if got := h.Get(tt.field); got != tt.want {
				t.Errorf("%s: %s became %s, want %s", tt.field, tt.in, got, tt.want)
			}
		})
	}
}

func TestHopByHop(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", siteHTTP)
	h := outbound(t, v, "GET", "/blog/", http.Header{
		"Connection":          {"close, X-Custom", "x-forwarded-for, Cookie, cdn-loop, Authorization, X-Real-IP"},
		"X-Custom":            {"x"},
		"Keep-Alive":          {"x"},
		"Proxy-Authorization": {"x"},
		"Proxy-Connection":    {"x"},
		"Te":                  {"gzip, Trailers"},
		"Trailer":             {"X"},
		"Upgrade":             {"h2c"},
		"Http2-Settings":      {"x"},
		"Transfer-Encoding":   {"chunked"},
		"Cookie":              {"wordpress_logged_in_x=1"},
		"Authorization":       {"Basic eDp5"},
		"Cdn-Loop":            {"other"},
	}, Peer{ClientIP: "192.0.2.1"}).Header
	want := http.Header{
		"Te":                {"trailers"},
		"Cookie":            {"wordpress_logged_in_x=1"},
		"Authorization":     {"Basic eDp5"},
		"Cdn-Loop":          {"other", v.m.loopToken},
		"X-Real-Ip":         {"192.0.2.1"},
		"X-Forwarded-Proto": {"http"},
		"X-Forwarded-Port":  {"80"},
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestUpgrade(t *testing.T) {
	tests := []struct {
		name, method, connection string
		upgrade                  []string
		keep                     bool
	}{
		{"websocket", "GET", "keep-alive, Upgrade", []string{"WebSocket"}, true},
		{"h2c", "GET", "Upgrade, HTTP2-Settings", []string{"h2c"}, false},
		{"both", "GET", "Upgrade", []string{"websocket, h2c"}, false},
		{"two lines", "GET", "Upgrade", []string{"websocket", "h2c"}, false},
		{"not named", "GET", "keep-alive", []string{"websocket"}, false},
		{"POST", "POST", "Upgrade", []string{"websocket"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, Transparent, "/blog", siteHTTP)
			h := outbound(t, v, tt.method, "/blog/", http.Header{"Connection": {tt.connection}, "Upgrade": tt.upgrade}, Peer{}).Header
			if kept := h.Get("Upgrade") == "websocket" && h.Get("Connection") == "Upgrade"; kept != tt.keep {
				t.Errorf("kept: %v", kept)
			}
			if !tt.keep && (h["Upgrade"] != nil || h["Connection"] != nil) {
				t.Errorf("left: %v", h)
			}
		})
	}
}

func TestAuthorization(t *testing.T) {
	tests := []struct {
		option        string
		authenticated bool
		keep          bool
	}{
		{"", false, true}, {"", true, false}, {"pass", false, true}, {"pass", true, true}, {"drop", false, false}, {"drop", true, false},
	}
	for _, tt := range tests {
		m, err := New(Options{Prefix: "/blog", Sites: []string{siteHTTP}, Authorization: tt.option})
		if err != nil {
			t.Fatal(err)
		}
		h := outbound(t, m.View(Base{"https", "example.com"}), "GET", "/blog/",
			http.Header{"Authorization": {"Basic eDp5"}}, Peer{UserAuthenticated: tt.authenticated}).Header
		if kept := h.Get("Authorization") != ""; kept != tt.keep {
			t.Errorf("%q, authenticated %v: kept %v", tt.option, tt.authenticated, kept)
		}
	}
}

func TestLooping(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", siteHTTP)
	lines := make([]string, 1, 4)
	lines[0] = "cdn.example; x=1"
	h := outbound(t, v, "GET", "/blog/", http.Header{"Cdn-Loop": lines}, Peer{}).Header
	if !v.m.Looping(h) {
		t.Error("its own token is not seen")
	}
	if v.m.Looping(http.Header{"Cdn-Loop": {"cdn.example, x" + v.m.loopToken}}) {
		t.Error("a foreign token is taken for its own")
	}
	if !v.m.Looping(http.Header{"Cdn-Loop": {"a", "b , " + v.m.loopToken + " ;c=d"}}) {
		t.Error("its own token is not seen among others")
	}
	if other := newTestView(t, Transparent, "/blog", siteHTTP); other.m.Looping(h) {
		t.Error("two mounts have one token")
	}
	if lines[:2][1] != "" {
		t.Error("the client's slice was written to")
	}
}
