package handler

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestSetCookie(t *testing.T) {
	const site = "http://blog.example.net"
	tests := []struct {
		name   string
		mode   Mode
		prefix string
		site   string
		in     string
		want   string // "" when the cookie is dropped
	}{
		{"A2 19 path", Transparent, "/blog", site, "a=b; path=/", "a=b; path=/blog/; Secure"},
		{"A2 20 deeper path", Transparent, "/blog", site, "a=b; path=/wp-admin; secure; HttpOnly", "a=b; path=/blog/wp-admin; secure; HttpOnly"},
		{"A2 21 domain", Transparent, "/blog", site, "a=b; Domain=blog.example.net; path=/", "a=b; path=/blog/; Secure"},
		{"domain of the parent", Transparent, "/blog", site, "a=b; Domain=.EXAMPLE.net", "a=b; Secure"},
		{"domain with a trailing dot", Transparent, "/blog", site, "a=b; Domain=example.net.", "a=b; Secure"},
		{"domain of the public host", Transparent, "/blog", site, "a=b; Domain=example.com; path=/", ""},
		{"foreign domain", Transparent, "/blog", site, "a=b; Domain=other.example", ""},
		{"domain that ends alike", Transparent, "/blog", site, "a=b; Domain=ample.net", ""},
		{"domain below the site", Transparent, "/blog", site, "a=b; Domain=x.blog.example.net", ""},
		{"last domain holds", Transparent, "/blog", site, "a=b; Domain=other.example; Domain=example.net", "a=b; Secure"},
		{"last domain is foreign", Transparent, "/blog", site, "a=b; Domain=example.net; Domain=other.example", ""},
		{"empty domain", Transparent, "/blog", site, "a=b; Domain=; Path=/", "a=b; Path=/blog/; Secure"},
		{"part of an address", Transparent, "/blog", "http://10.0.0.5", "a=b; Domain=0.5", ""},
		{"address", Transparent, "/blog", "http://10.0.0.5", "a=b; Domain=10.0.0.5", "a=b; Secure"},
		{"none stays none", Transparent, "/blog", site, "a=b", "a=b; Secure"},
		{"A2 24 secure", Transparent, "/blog", site, "a=b; SameSite=Lax", "a=b; SameSite=Lax; Secure"},
		{"secure once", Transparent, "/blog", site, "a=b;SECURE;Path=/", "a=b;SECURE;Path=/blog/"},
		{"bytes kept", Transparent, "/blog", site, `a="b=c"; eXpires=Thu, 01 Jan 2026 00:00:00 GMT ;Foo;; Partitioned; secure`, `a="b=c"; eXpires=Thu, 01 Jan 2026 00:00:00 GMT ;Foo;; Partitioned; secure`},
		{"path in spaces", Transparent, "/blog", site, "a=b; Path = /x ; secure", "a=b; Path = /blog/x ; secure"},
		{"quoted path", Transparent, "/blog", site, `a=b; Path="/x"; secure`, "a=b; Path=/blog/x; secure"},
		{"relative path", Transparent, "/blog", site, "a=b; Path=x; secure", "a=b; Path=x; secure"},
		{"empty path", Transparent, "/blog", site, "a=b; Path=; secure", "a=b; Path=; secure"},
		{"two paths", Transparent, "/blog", site, "a=b; Path=/x; Path=/y; secure", "a=b; Path=/blog/x; Path=/blog/y; secure"},
		{"site's own blog page", Transparent, "/blog", site, "a=b; Path=/blog/; secure", "a=b; Path=/blog/blog/; secure"},
		{"path in the value", Transparent, "/blog", site, "path=/; secure", "path=/; secure"},
		{"host prefix", Transparent, "/blog", site, "__Host-a=b; Path=/; Secure", ""},
		{"host prefix in lower case", Transparent, "/blog", site, "__host-a=b; Path=/; Secure", ""},
		{"host prefix in spaces", Transparent, "/blog", site, " __Host-a =b; Path=/; Secure", ""},
		{"secure prefix", Transparent, "/blog", site, "__Secure-a=b; Path=/; Secure", "__Secure-a=b; Path=/blog/; Secure"},
		{"nameless", Transparent, "/blog", site, "=__Host-a=b; Path=/", ""},
		{"no pair", Transparent, "/blog", site, "b; Path=/", ""},
		{"empty", Transparent, "/blog", site, "", ""},
		{"only attributes", Transparent, "/blog", site, "; Path=/", ""},

		{"base path", Transparent, "/blog", site + "/wp", "a=b; path=/wp/wp-admin", "a=b; path=/blog/wp-admin; Secure"},
		{"base path itself", Transparent, "/blog", site + "/wp", "a=b; path=/wp/", "a=b; path=/blog/; Secure"},
		{"base path, whole host", Transparent, "/blog", site + "/wp", "a=b; path=/", "a=b; path=/blog/; Secure"},
		{"base path, elsewhere", Transparent, "/blog", site + "/wp", "a=b; path=/wpx", ""},

		{"aware, right already", Aware, "/blog", site, "a=b; path=/blog/wp-admin", "a=b; path=/blog/wp-admin; Secure"},
		{"aware, whole host", Aware, "/blog", site, "a=b; path=/", "a=b; path=/blog/; Secure"},
		{"aware, parent", Aware, "/a/blog", site, "a=b; path=/a", "a=b; path=/a/blog/; Secure"},
		{"aware, public domain", Aware, "/blog", site, "a=b; Domain=example.com; path=/blog/", "a=b; path=/blog/; Secure"},
		{"stripped, right already", AwareStripped, "/blog", site, "a=b; path=/blog/", "a=b; path=/blog/; Secure"},
		{"stripped, prefix lost", AwareStripped, "/blog", site, "a=b; path=/wp-admin", "a=b; path=/blog/wp-admin; Secure"},

		{"root, path", Transparent, "", site, "a=b; path=/", "a=b; path=/; Secure"},
		{"root, host prefix", Transparent, "", site, "__Host-a=b; Path=/; Secure", "__Host-a=b; Path=/; Secure"},
		{"root, domain", Transparent, "", site, "a=b; Domain=blog.example.net", "a=b; Secure"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, tt.mode, tt.prefix, tt.site)
			h := http.Header{"Set-Cookie": {tt.in}}
			v.MapHeader(h, 200, nil, nil)
			if got := h.Get("Set-Cookie"); got != tt.want {
				t.Errorf("Set-Cookie: %s\nbecame      %s\nwant        %s", tt.in, got, tt.want)
			}
			lines, ok := h["Set-Cookie"]
			if !ok {
				t.Error("nothing says that the site set a cookie")
			}
			if len(lines) > 0 && tt.want == "" {
				t.Error("an empty line is left")
			}
		})
	}
}

func TestSetCookiePublicHTTP(t *testing.T) {
	v := newMount(t, Transparent, "/blog", "https://blog.example.net").View(Base{Scheme: "http", Host: "example.com"})
	h := http.Header{"Set-Cookie": {"a=b; Path=/", "c=d; Secure"}}
	v.MapHeader(h, 200, nil, nil)
	if got := strings.Join(h["Set-Cookie"], " | "); got != "a=b; Path=/blog/ | c=d; Secure" {
		t.Errorf("got %s", got)
	}
}

// Below the bare prefix the browser's default path is the main site's.
func TestSetCookieBare(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", "https://blog.example.net")
	for _, tt := range []struct{ in, want string }{
		{"a=b", "a=b; Path=/blog/; Secure"},
		{"a=b; Path=x", "a=b; Path=x; Path=/blog/; Secure"},
		{"a=b; Path=/x", "a=b; Path=/blog/x; Secure"},
	} {
		h := http.Header{"Set-Cookie": {tt.in}}
		v.MapHeader(h, 200, &http.Request{URL: &url.URL{Path: "/blog"}}, nil)
		if got := h.Get("Set-Cookie"); got != tt.want {
			t.Errorf("%s became %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestSetCookieLearns(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", "https://blog.example.net")
	h := http.Header{"Set-Cookie": {"a=b", "__Host-c=d", "e=f; Domain=example.com", " g =h"}}
	var learnt []string
	v.MapHeader(h, 200, nil, func(name string) { learnt = append(learnt, name) })
	if got := strings.Join(learnt, ","); got != "a,g" {
		t.Errorf("learnt %s, want a,g: dropped cookies teach nothing", got)
	}
	if len(h["Set-Cookie"]) != 2 {
		t.Errorf("kept %q", h["Set-Cookie"])
	}
}

func FuzzSetCookie(f *testing.F) {
	for _, seed := range []string{
		"a=b; path=/; Domain=.example.net; HttpOnly", "__Host-a=b; Path=/", "a=b;;;;", "=;=;=", "a=b; Path=/x; path=/",
		`a="b; Path=/"; Path="/"`, "a=b; domain; path", "a=b; Path=//x; Secure=1", "wordpress_test_cookie=WP%20Cookie%20check; path=/; secure",
	} {
		f.Add(seed)
	}
	v := newTestView(f, Transparent, "/blog", "https://blog.example.net/wp")
	f.Fuzz(func(t *testing.T, line string) {
		mapped, name, verdict := v.setCookie(line, false)
		if verdict != cookieKept {
			if mapped != "" {
				t.Fatalf("%q is dropped, yet became %q", line, mapped)
			}
			return
		}
		pair, _, _ := strings.Cut(line, ";")
		got, attributes, _ := strings.Cut(mapped, ";")
		if got != pair || name == "" {
			t.Fatalf("%q became %q", line, mapped)
		}
		secure := false
		for attribute := range strings.SplitSeq(attributes, ";") {
			key, value, _ := strings.Cut(attribute, "=")
			key, value = strings.Trim(key, " \t"), strings.Trim(value, " \t")
			switch {
			case strings.EqualFold(key, "Domain"):
				t.Fatalf("%q keeps its domain: %q", line, mapped)
			case strings.EqualFold(key, "Path") && strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "/blog/") && value != "/blog":
				t.Fatalf("%q leaves the mount: %q", line, mapped)
			case strings.EqualFold(key, "Secure"):
				secure = true
			}
		}
		if !secure {
			t.Fatalf("%q lacks Secure: %q", line, mapped)
		}
		if len(mapped) > len(line)+strings.Count(line, ";")*len("/blog/")+len("; Secure") {
			t.Fatalf("%q grew to %q", line, mapped)
		}
	})
}
