package handler

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestNewRefuses(t *testing.T) {
	ok := Options{Prefix: "/blog", Sites: []string{siteHTTPS}}
	tests := []struct {
		name   string
		change func(*Options)
		want   string // part of the message
	}{
		{"relative path", func(o *Options) { o.Prefix = "blog" }, "such as /blog"},
		{"trailing slash", func(o *Options) { o.Prefix = "/blog/" }, "such as /blog"},
		{"star", func(o *Options) { o.Prefix = "/blog*" }, "such as /blog"},
		{"empty segment", func(o *Options) { o.Prefix = "/a//b" }, "such as /blog"},
		{"dots", func(o *Options) { o.Prefix = "/a/../b" }, "such as /blog"},
		{"control", func(o *Options) { o.Prefix = "/a\nb" }, "such as /blog"},
		{"query in path", func(o *Options) { o.Prefix = "/a?b" }, "such as /blog"},
		{"no site", func(o *Options) { o.Sites = nil }, "no site"},
		{"site without scheme", func(o *Options) { o.Sites = []string{"blog.example.net"} }, "base URL such as"},
		{"site of another scheme", func(o *Options) { o.Sites = []string{"ftp://blog.example.net"} }, "base URL such as"},
		{"site with a query", func(o *Options) { o.Sites = []string{siteHTTPS + "/?a"} }, "base URL such as"},
		{"site with an empty query", func(o *Options) { o.Sites = []string{siteHTTPS + "/?"} }, "base URL such as"},
		{"site with a fragment", func(o *Options) { o.Sites = []string{siteHTTPS + "/#"} }, "base URL such as"},
		{"site with a user", func(o *Options) { o.Sites = []string{"https://a:b@h.example"} }, "base URL such as"},
		{"site with a bad port", func(o *Options) { o.Sites = []string{"https://h.example:99999"} }, "base URL such as"},
		{"site with dots", func(o *Options) { o.Sites = []string{siteHTTPS + "/a/../b"} }, "base URL such as"},
		{"second site", func(o *Options) { o.Sites = append(o.Sites, "x") }, `"x"`},
		{"aware site with a path", func(o *Options) { o.Mode = Aware; o.Sites = []string{siteHTTPS + "/wp"} }, `"/blog"`},
		{"unknown mode", func(o *Options) { o.Mode = 9 }, "mode 9"},
		{"public with a path", func(o *Options) { o.Public = "https://example.com/blog" }, "such as https://example.com"},
		{"public without scheme", func(o *Options) { o.Public = "example.com" }, "such as https://example.com"},
		{"cookie pattern", func(o *Options) { o.Cookies = []string{"a=b"} }, "cookie name"},
		{"authorization", func(o *Options) { o.Authorization = "keep" }, "pass or drop"},
	}
	if _, err := New(ok); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := ok
			tt.change(&o)
			_, err := New(o)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q does not say %q", err, tt.want)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	base := Options{Prefix: "/blog", Sites: []string{siteHTTPS}}
	sum := func(change func(*Options)) uint64 {
		o := base
		change(&o)
		m, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		return m.Fingerprint()
	}
	same := sum(func(*Options) {})
	seen := map[uint64]string{same: "none"}
	for name, change := range map[string]func(*Options){
		"prefix":        func(o *Options) { o.Prefix = "/news" },
		"site":          func(o *Options) { o.Sites = []string{siteHTTP} },
		"further site":  func(o *Options) { o.Sites = []string{siteHTTPS, siteHTTP} },
		"mode":          func(o *Options) { o.Mode = Aware },
		"public":        func(o *Options) { o.Public = "https://example.com" },
		"types":         func(o *Options) { o.Transform.Types = []string{"a", "b"} },
		"types joined":  func(o *Options) { o.Transform.Types = []string{"a1:b"} },
		"skip":          func(o *Options) { o.Transform.Skip = []string{"a", "b"} },
		"off":           func(o *Options) { o.Transform.Off = true },
		"root-relative": func(o *Options) { o.Transform.KeepRootRelative = true },
	} {
		got := sum(change)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s have one fingerprint", name, other)
		}
		seen[got] = name
	}
	for name, change := range map[string]func(*Options){
		"again":         func(*Options) {},
		"spelling":      func(o *Options) { o.Sites = []string{"HTTPS://BLOG.example.net:443/"} },
		"cookies":       func(o *Options) { o.Cookies = []string{"a*"} },
		"authorization": func(o *Options) { o.Authorization = "drop" },
	} {
		if sum(change) != same {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
}

func TestCanonicalBase(t *testing.T) {
	tests := []struct{ scheme, host, want string }{
		{"https", "example.com", "https://example.com"},
		{"HTTPS", "Example.COM:443", "https://example.com"},
		{"http", "example.com:80", "http://example.com"},
		{"http", "example.com:443", "http://example.com:443"},
		{"https", "example.com.", "https://example.com"},
		{"https", "example.com.:08443", "https://example.com:8443"},
		{"https", "example.com:", "https://example.com"},
		{"https", "BÜCHER.example", "https://xn--bcher-kva.example"},
		{"https", "192.0.2.1:8080", "https://192.0.2.1:8080"},
		{"https", "[2001:DB8:0::1]:443", "https://[2001:db8::1]"},
		{"https", "a_b.example", "https://a_b.example"},
		{"ftp", "example.com", ""},
		{"https", "", ""},
		{"https", ".", ""},
		{"https", "a..b", ""},
		{"https", ".example.com", ""},
		{"https", "a@example.com", ""},
		{"https", "example.com:80:evil", ""},
		{"https", "example.com:x", ""},
		{"https", "example.com:0", ""},
		{"https", "example.com:65536", ""},
		{"https", "example.com:-1", ""},
		{"https", "example.com/x", ""},
		{"https", "exa mple.com", ""},
		{"https", "[::1", ""},
		{"https", "[::1%25eth0]", ""},
		{"https", "[192.0.2.1]", ""},
		{"https", "::1", ""},
		{"https", strings.Repeat("a", 254), ""},
	}
	for _, tt := range tests {
		b, ok := CanonicalBase(tt.scheme, tt.host)
		got := ""
		if ok {
			got = b.String()
		}
		if got != tt.want {
			t.Errorf("CanonicalBase(%q, %q) = %q, want %q", tt.scheme, tt.host, got, tt.want)
		}
		if again, _ := CanonicalBase(b.Scheme, b.Host); again != b {
			t.Errorf("%v is not canonical: %v", b, again)
		}
	}
}

func TestView(t *testing.T) {
	m := newMount(t, Transparent, "/blog", siteHTTPS)
	b := Base{"https", "example.com"}
	if first := m.View(b); first != m.View(b) {
		t.Error("a view is made twice")
	}
	for i := range 3 * maxViews {
		host := fmt.Sprintf("h%d.example", i)
		if got := m.View(Base{"https", host}).Public().Host; got != host {
			t.Fatalf("View of %s is of %s", host, got)
		}
		if n := len(*m.views.Load()); n > maxViews {
			t.Fatalf("%d views are kept", n)
		}
	}
	if home := m.View(b).Home(); home != "https://example.com/blog/" {
		t.Error(home)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 400 {
				m.View(Base{"https", fmt.Sprintf("h%d.example", i)})
			}
		})
	}
	wg.Wait()
	pinned, err := New(Options{Prefix: "/blog", Sites: []string{siteHTTPS}, Public: "https://Example.com:443"})
	if err != nil {
		t.Fatal(err)
	}
	if got := pinned.View(Base{"http", "evil.example"}).Public(); got != b {
		t.Errorf("the pinned base lost to %v", got)
	}
}

func TestViewFrom(t *testing.T) {
	m := newMount(t, Transparent, "/blog", siteHTTPS)
	v := m.View(Base{"https", "example.com"})
	for _, host := range []string{"example.com", "Example.COM", "example.com.", "example.com:443", "example.com:0443"} {
		if m.ViewFrom("https", host) != v {
			t.Errorf("%q is seen from elsewhere than example.com", host)
		}
	}
	if n := len(*m.views.Load()); n != 1 {
		t.Errorf("%d views are kept, want one for all spellings", n)
	}
	for _, host := range []string{"", "a b", "user@example.com", "example.com:0", "example.com/x"} {
		if m.ViewFrom("https", host) != nil {
			t.Errorf("%q is no host, yet has a view", host)
		}
	}
	if m.ViewFrom("http", "example.com") == v {
		t.Error("http is seen as https")
	}
}

func TestSiteURL(t *testing.T) {
	tests := []struct {
		mode         Mode
		prefix, site string
		in, want     string
	}{
		{Transparent, "/blog", siteHTTPS, "https://example.com/blog/a?b#c", "https://blog.example.net/a?b#c"},
		{Transparent, "/blog", siteHTTPS, "/blog/a", "/a"},
		{Transparent, "/blog", siteHTTPS, "//example.com/blog/a", "//blog.example.net/a"},
		{Transparent, "/blog", siteHTTPS, "https://example.com/blog", "https://blog.example.net/"},
		{Transparent, "/blog", siteHTTPS, "https://example.com/blogger", "https://example.com/blogger"},
		{Transparent, "/blog", siteHTTPS, "https://other.example/blog/a", "https://other.example/blog/a"},
		{Transparent, "/blog", siteHTTPS, "/blog//evil.example", "https://blog.example.net//evil.example"},
		{Transparent, "/blog", siteHTTPS + "/wp", "/blog//a", "/wp//a"},
		{Transparent, "/blog", siteHTTPS, "a/b", "a/b"},
		{Transparent, "", siteHTTPS, "https://example.com", "https://blog.example.net/"},
		{Aware, "/blog", siteHTTPS, "https://example.com/blog/a", "https://example.com/blog/a"},
		{AwareStripped, "/blog", siteHTTPS, "/blog/a", "/blog/a"},
	}
	for _, tt := range tests {
		if got := newTestView(t, tt.mode, tt.prefix, tt.site).SiteURL(tt.in); got != tt.want {
			t.Errorf("SiteURL(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestSiteScheme(t *testing.T) {
	for mode, want := range map[Mode]string{Transparent: "http", Aware: "https", AwareStripped: "https"} {
		if got := newTestView(t, mode, "/blog", siteHTTP).SiteScheme(); got != want {
			t.Errorf("mode %d: %s, want %s", mode, got, want)
		}
	}
}

// Words for logs and placeholders must differ.
func TestStrings(t *testing.T) {
	for name, words := range map[string][]string{
		"Place":         {Outside.String(), Bare.String(), Inside.String(), Refused.String()},
		"CookieClass":   {CookieMain.String(), CookieSite.String(), CookieHarmless.String(), CookieSession.String()},
		"RedirectFault": {FaultNone.String(), FaultSelf.String(), FaultPrefixLost.String(), FaultPort.String()},
	} {
		seen := make(map[string]bool)
		for _, word := range words {
			if word == "" || seen[word] {
				t.Errorf("%s: %q is empty or said twice", name, word)
			}
			seen[word] = true
		}
	}
}

func FuzzCanonicalBase(f *testing.F) {
	for _, seed := range []string{"Example.com:443", "[::1]:8080", "a..b", "b\u00fccher.example.", "h:080", "a@b", "[::ffff:1.2.3.4]"} {
		f.Add(seed)
	}
	m := newMount(f, Transparent, "/blog", siteHTTPS)
	f.Fuzz(func(t *testing.T, host string) {
		b, ok := CanonicalBase("https", host)
		if !ok {
			if b != (Base{}) {
				t.Fatalf("%q is no host, yet became %v", host, b)
			}
			return
		}
		if again, ok := CanonicalBase(b.Scheme, b.Host); !ok || again != b {
			t.Fatalf("%q became %v, then %v", host, b, again)
		}
		// The host can be put into a URL without becoming part of anything else.
		if u := cutURL(b.String() + "/x"); u.kind != absoluteURL || u.path != "/x" {
			t.Fatalf("%q became %v, which cuts to %+v", host, b, u)
		}
		v := m.View(b)
		if got := v.SiteURL(v.Home() + "x"); got != siteHTTPS+"/x" {
			t.Fatalf("seen from %v, home is %s", b, got)
		}
	})
}
