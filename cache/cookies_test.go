package cache

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCookieClass(t *testing.T) {
	rules := NewCookieRules([]string{"shop_*", "wp_lang"}, false)
	rules.Learnt = func(name string) bool { return name == "learnt" || name == "_ga" }
	for name, want := range map[string]CookieClass{
		"wordpress_logged_in_0123456789abcdef0123456789abcdef": CookieSite,
		"wordpress_sec_x": CookieSite, "wordpress_0123456789abcdef0123456789abcdef": CookieSite, "wordpress_rec_x": CookieSite,
		"wordpress_no_cache": CookieSite, "wp-resetpass-x": CookieSite, "wp-postpass_x": CookieSite, "swpm_session": CookieSite,
		"comment_author_x": CookieSite, "comment_author_email_x": CookieSite, "comment_author_url_x": CookieSite,
		"woocommerce_items_in_cart": CookieSite, "woocommerce_cart_hash": CookieSite, "wp_woocommerce_session_x": CookieSite,
		"edd_items_in_cart": CookieSite, "give_wp_session": CookieSite, "charitable_sessions": CookieSite,
		"yith_wcwl_session_x": CookieSite, "PHPSESSID": CookieSite, "JSESSIONID": CookieSite, "vip-go-cb": CookieSite,
		"wordpress_test_cookie": CookieHarmless, "wp-settings-1": CookieHarmless, "wp-settings-time-1": CookieHarmless,
		"has_js": CookieHarmless, "__utma": CookieHarmless, "_ga": CookieHarmless, "_ga_ABC": CookieHarmless, "_gid": CookieHarmless,
		"_fbp": CookieHarmless, "__qca": CookieHarmless, "woocommerce_recently_viewed": CookieHarmless, "store_notice123": CookieHarmless,
		"session": CookieMain, "phpsessid": CookieMain, "wordpress": CookieMain, "": CookieMain,
		"shop_cart": CookieSite, "wp_lang": CookieSite, "learnt": CookieSite,
	} {
		if got := rules.Class(name); got != want {
			t.Errorf("%q is %v, want %v", name, got, want)
		}
	}
	for _, all := range []*CookieRules{NewCookieRules(nil, true), NewCookieRules([]string{"*"}, false)} {
		if all.Class("session") != CookieSite || all.Class("_ga") != CookieHarmless {
			t.Error("all means every cookie that is not harmless")
		}
	}
	if (&CookieRules{}).Class("wordpress_logged_in_x") != CookieMain {
		t.Error("rules of nothing know a cookie")
	}
	if CookieSite.String() != "site" || CookieClass(99).String() != "main" {
		t.Error("words of the classes")
	}
}

func TestSiteCookie(t *testing.T) {
	rules := NewCookieRules(nil, false)
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"none":                {nil, ""},
		"main and harmless":   {[]string{"session=1; _ga=2"}, ""},
		"first of two":        {[]string{"a=1; PHPSESSID=x; wp-postpass_y=1"}, "PHPSESSID"},
		"on a second line":    {[]string{"a=1", "wp-postpass_y=1"}, "wp-postpass_y"},
		"spaces":              {[]string{" ;\t PHPSESSID = x"}, "PHPSESSID"},
		"quotes mean nothing": {[]string{`a="b; PHPSESSID=x"`}, "PHPSESSID"},
		"a value, no name":    {[]string{"PHPSESSID; =PHPSESSID"}, ""},
		"in a value":          {[]string{"a=PHPSESSID=x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := rules.Site(test.lines)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("%q, %v", got, ok)
			}
		})
	}
	line := []string{"session=1; _ga=GA1.2.3.4; theme=dark; wordpress_logged_in_x=y"}
	if n := testing.AllocsPerRun(100, func() { rules.Site(line) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCookies(t *testing.T) {
	var got []string
	for name, value := range Cookies([]string{`a=1;; b = "x" ;c; =d;e=f=g;`, "h=i"}) {
		got = append(got, name+"|"+value)
	}
	if diff := cmp.Diff([]string{"a|1", `b|"x"`, "|c", "|d", "e|f=g", "h|i"}, got); diff != "" {
		t.Error(diff)
	}
	for range Cookies([]string{"a=1; b=2"}) {
		break
	}
}

func TestDefaultListsAreCopies(t *testing.T) {
	for name, list := range map[string]func() []string{
		"site cookies": DefaultSiteCookies, "harmless cookies": DefaultHarmlessCookies, "paths": DefaultBypassPaths,
		"queries": DefaultBypassQueries, "dropped": DefaultDropQuery,
	} {
		a := list()
		if len(a) == 0 {
			t.Errorf("%s: empty", name)
			continue
		}
		a[0] = "changed"
		if list()[0] == "changed" {
			t.Errorf("%s: a caller can change the default", name)
		}
	}
}
