package handler

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCookieClass(t *testing.T) {
	m, err := New(Options{Prefix: "/blog", Sites: []string{siteHTTP}, Cookies: []string{"shop_*", "*_cart", "a*b*c"}})
	if err != nil {
		t.Fatal(err)
	}
	m.CookieNames().Learn("PHPSESSID")
	m.CookieNames().Learn("wordpress_test_cookie")
	tests := map[string]CookieClass{
		"wordpress_logged_in_0123":                   CookieSite,
		"wordpress_sec_0123":                         CookieSite,
		"wordpress_0123456789abcdef0123456789abcdef": CookieSite,
		"wordpress_0123":                             CookieMain,
		"wp-postpass_0123":                           CookieSite,
		"comment_author_email_0123":                  CookieSite,
		"woocommerce_cart_hash":                      CookieSite,
		"woocommerce_recently_viewed":                CookieHarmless,
		"wordpress_test_cookie":                      CookieHarmless,
		"wp-settings-1":                              CookieHarmless,
		"wp-settings-time-1":                         CookieHarmless,
		"_ga":                                        CookieHarmless,
		"_ga_ABC":                                    CookieHarmless,
		"_gallery":                                   CookieMain,
		"PHPSESSID":                                  CookieSite,
		"phpsessid":                                  CookieMain,
		"JSESSIONID":                                 CookieSession,
		"shop_":                                      CookieSite,
		"shop_x":                                     CookieSite,
		"my_cart":                                    CookieSite,
		"my_cart2":                                   CookieMain,
		"axxbyyc":                                    CookieSite,
		"axxc":                                       CookieMain,
		"session":                                    CookieMain,
		"":                                           CookieMain,
	}
	for name, want := range tests {
		if got := m.CookieClass(name); got != want {
			t.Errorf("%q is %v, want %v", name, got, want)
		}
		if m.SiteCookie(name) != (want == CookieSite || want == CookieSession) {
			t.Errorf("SiteCookie(%q) differs", name)
		}
	}
	root := newMount(t, Transparent, "", siteHTTP)
	all, err := New(Options{Prefix: "/blog", Sites: []string{siteHTTP}, Cookies: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]CookieClass{"session": CookieSite, "_ga": CookieHarmless} {
		if got := all.CookieClass(name); got != want {
			t.Errorf("with *: CookieClass(%q) = %v, want %v", name, got, want)
		}
		if got := root.CookieClass(name); got != want {
			t.Errorf("at the root %q is %v, want %v", name, got, want)
		}
	}
}

// TestDocumentedCookies holds the lists of docs/cache.md to those of the code.
func TestDocumentedCookies(t *testing.T) {
	page, err := os.ReadFile("../docs/cache.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	for mark, list := range map[string][]string{
		"site cookies": DefaultSiteCookies(), "harmless cookies": DefaultHarmlessCookies(), "session cookies": DefaultSessionCookies(),
	} {
		_, rest, ok := strings.Cut(string(page), "<!-- list: "+mark+" -->\n")
		text, _, ended := strings.Cut(rest, "<!-- end -->\n")
		if !ok || !ended {
			t.Fatalf("docs/cache.md has no list of %s", mark)
		}
		var documented []string
		for _, match := range code.FindAllStringSubmatch(text, -1) {
			documented = append(documented, match[1])
		}
		if diff := cmp.Diff(list, documented); diff != "" {
			t.Errorf("%s: %s", mark, diff)
		}
	}
}

func TestCookiesToSite(t *testing.T) {
	tests := []struct {
		name   string
		prefix string
		in     []string
		want   []string
	}{
		{"M01 main site's session", "/blog", []string{"session=s; wordpress_logged_in_x=1; csrf=c"}, []string{"wordpress_logged_in_x=1"}},
		{"harmless goes", "/blog", []string{"_ga=1; session=2"}, []string{"_ga=1"}},
		{"none left", "/blog", []string{"session=s"}, nil},
		{"crumbs", "/blog", []string{"session=s", "comment_author_x=a", "wp-postpass_x=b"}, []string{"comment_author_x=a; wp-postpass_x=b"}},
		{"bytes kept", "/blog", []string{`wordpress_logged_in_x="a=b c,d" ;  wp-settings-1=x%20y;;`}, []string{`wordpress_logged_in_x="a=b c,d"; wp-settings-1=x%20y`}},
		{"twice", "/blog", []string{"wp-postpass_x=a; wp-postpass_x=b"}, []string{"wp-postpass_x=a; wp-postpass_x=b"}},
		{"nameless", "/blog", []string{"value; =value; wp-postpass_x=1"}, []string{"wp-postpass_x=1"}},
		{"root", "", []string{"session=s; value", "_ga=1"}, []string{"session=s; value; _ga=1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, Transparent, tt.prefix, siteHTTP)
			h := outbound(t, v, "GET", tt.prefix+"/", http.Header{"Cookie": tt.in}, Peer{}).Header
			if diff := cmp.Diff(tt.want, h["Cookie"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCookieNames(t *testing.T) {
	var c CookieNames
	c.Load([]string{"b", "a", "", strings.Repeat("x", 129)})
	if c.Learn("a") {
		t.Error("a known name is new")
	}
	if !c.Learn("c") || !c.Learn("d") {
		t.Error("a new name is not")
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, c.Snapshot()); diff != "" {
		t.Error(diff)
	}
	if c.Learn("") || c.Learn(strings.Repeat("x", 129)) || !c.Learn(strings.Repeat("x", 128)) {
		t.Error("the bound of a name is not 128 bytes")
	}
	for i := range 1000 {
		c.Learn(fmt.Sprint("n", i))
	}
	if n := len(c.Snapshot()); n != maxCookieNames {
		t.Errorf("%d names are kept", n)
	}
	if !c.Has("a") || c.Has("n999") {
		t.Error("a full set forgot a name")
	}
}

func TestCookieNamesConcurrently(t *testing.T) {
	var c CookieNames
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 100 {
				c.Learn(fmt.Sprint(g, "-", i))
				c.Has("0-0")
				c.Snapshot()
			}
		})
	}
	wg.Wait()
	if n := len(c.Snapshot()); n != 400 {
		t.Errorf("%d names are kept, want 400", n)
	}
}

func FuzzCookie(f *testing.F) {
	for _, seed := range []string{
		"session=s; wordpress_logged_in_x=1", "wp-postpass_x=1;session=s", " ; =; a ;b=;wp-settings-1", "wp-postpass_x =1", "wp-postpass_x\t=\"a;session=b\"",
	} {
		f.Add(seed)
	}
	v := newTestView(f, Transparent, "/blog", siteHTTP)
	f.Fuzz(func(t *testing.T, line string) {
		h := http.Header{"Cookie": {line}}
		v.filterCookies(h)
		// Read by Go's own parser, too, nothing of the main site's is left.
		for _, c := range (&http.Request{Header: h}).Cookies() {
			if v.m.CookieClass(c.Name) == CookieMain {
				t.Fatalf("%q leaves %q in %q", line, c.Name, h["Cookie"])
			}
		}
	})
}
