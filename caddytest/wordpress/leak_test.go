package wordpress

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newGate(t *testing.T) *Gate {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "allowed.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	allowed, err := ReadAllowances(file, OriginHost)
	if err != nil {
		t.Fatal(err)
	}
	return &Gate{
		Hosts:        []string{OriginHost, "127.0.0.1:9999"},
		Public:       &url.URL{Scheme: "https", Host: PublicHost, Path: "/blog"},
		RootRelative: true,
		Allowed:      allowed,
	}
}

func TestGateBody(t *testing.T) {
	for _, tt := range []struct {
		name, mediaType, body string
		form                  string // of the one leak; "" for none
	}{
		{"clean", "text/html", `<a href="https://example.com/blog/about/">a</a> <a href="/blog">b</a> <a href='/blog/?p=1'>c</a>`, ""},
		{"third party", "text/html", `<a href="https://www.example.org/about/">a</a> <a href="//www.example.org/x">b</a>`, ""},
		{"relative", "text/html", `<a href="about/">a</a> <a href="#top">b</a>`, ""},
		{"plain host", "text/html", `<a href="http://blog.example.net/x">a</a>`, "origin host"},
		{"address", "text/html", `<a href="http://127.0.0.1:9999/x">a</a>`, "origin host"},
		{"upper case", "text/html", `HTTP://BLOG.EXAMPLE.NET/`, "origin host"},
		{"JSON", "application/json", `{"a":"http:\/\/blog.example.net\/x"}`, "origin host"},
		{"JSON in JSON", "text/html", `\"http:\\\/\\\/blog.example.net\\\/x\"`, "origin host"},
		{"percent", "text/html", `?u=http%3A%2F%2Fblog.example.net%2F`, "origin host"},
		{"escaped dots", "text/html", `http://blog%2Eexample\u002enet/`, "origin host"},
		{"mail", "text/html", `editor@blog.example.net`, ""},
		{"another host", "text/html", `http://notblog.example.net/ http://sub.blog.example.net/`, ""},
		{"attribute", "text/html", `<a href="/about/">a</a>`, "path outside of the mount"},
		{"home", "text/html", `<a href="/">a</a>`, "path outside of the mount"},
		{"neighbour", "text/html", `<a href="/blogger/">a</a>`, "path outside of the mount"},
		{"unquoted", "text/html", `<a href=/about/>a</a>`, "path outside of the mount"},
		{"attribute in JSON", "application/json", `{"r":"<a href=\"\/about\/\">a<\/a>"}`, "path outside of the mount"},
		{"srcset", "text/html", `<img srcset="/blog/a.png 1x, /b.png 2x">`, "path outside of the mount"},
		{"style", "text/css", `a { background: url(/x.png) }`, "path outside of the mount"},
		{"script", "text/html", `ajaxurl = '/wp-admin/admin-ajax.php'`, "path outside of the mount"},
		{"script, glued", "text/html", `base + '/wp-admin/admin-ajax.php'`, ""},
		{"script file", "text/javascript", `x = '/wp-admin/admin-ajax.php'`, ""},
		{"settings", "text/html", `userSettings = {"url":"/","uid":"1"}`, "path outside of the mount"},
		{"referer field", "text/html", `<input type="hidden" name="_wp_http_referer" value="/wp-admin/x" />`, ""},
		{"main site", "text/html", `https://example.com/about/`, "main site"},
		{"main site's origin", "text/html", `postMessage(x, "https://example.com")`, ""},
		{"prefix twice", "text/html", `https://example.com/blog/blog/about/`, "prefix twice"},
		{"page called blog", "text/html", `https://example.com/blog/blog/`, ""},
		{"picture", "image/png", `http://blog.example.net/`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaks := newGate(t).Check(http.Header{"Content-Type": {tt.mediaType}}, []byte(tt.body))
			switch {
			case tt.form == "" && len(leaks) > 0:
				t.Errorf("leaks %v, want none", leaks)
			case tt.form != "" && (len(leaks) != 1 || leaks[0].Form != tt.form):
				t.Errorf("leaks %v, want one of form %q", leaks, tt.form)
			}
		})
	}
}

func TestGateHeader(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		leaks       int
	}{
		{"Location", "https://example.com/blog/", 0},
		{"Location", "/blog/x", 0},
		{"Location", "https://www.example.org/", 0},
		{"Location", "/x", 1},
		{"Location", "https://example.com/x", 1},
		{"Location", "http://example.com/blog/x", 1},
		{"Location", "http://example.com:9999/blog/x", 1},
		{"Link", "<http://blog.example.net/wp-json/>; rel=next", 1},
		{"Link", "<https://example.com/blog/wp-json/>; rel=next", 0},
		{"Set-Cookie", "a=b; Path=/blog/; Secure", 0},
		{"Set-Cookie", "a=b; Path=/blog/", 1},
		{"Set-Cookie", "a=b; Path=/; Secure", 1},
		{"Set-Cookie", "a=b; Path=/blog/; Domain=example.com; Secure", 1},
	} {
		t.Run(tt.name+" "+tt.value, func(t *testing.T) {
			if got := newGate(t).Check(http.Header{tt.name: {tt.value}}, nil); len(got) != tt.leaks {
				t.Errorf("leaks %v, want %d", got, tt.leaks)
			}
		})
	}
}

func TestReadAllowancesRefuses(t *testing.T) {
	for _, text := range []string{"no reason", "no reason\t", "(\tno expression"} {
		if list, err := ReadAllowances(strings.NewReader(text), OriginHost); err == nil {
			t.Errorf("%q gave %v, want an error", text, list)
		}
	}
}

func TestReadPagesRefuses(t *testing.T) {
	for _, text := range []string{"visitor 200", "nobody 200 /", "visitor ok /", "visitor 200 about/"} {
		if list, err := ReadPages(strings.NewReader(text)); err == nil {
			t.Errorf("%q gave %v, want an error", text, list)
		}
	}
}
