package cache

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// header makes a header of alternating names and values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

var testNow = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

func TestResponsePolicy(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   Policy
	}{
		"cache-control": {
			header("Cache-Control", "max-age=5"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(5)}},
		},
		"cdn-max-age-short-cc-max-age": {
			header("Cache-Control", "max-age=1", "CDN-Cache-Control", "max-age=3600"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(3600)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"cdn-fresh-cc-nostore": {
			header("Cache-Control", "no-store", "CDN-Cache-Control", "max-age=10000"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(10000)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"cdn-no-store-cc-fresh": {
			header("Cache-Control", "max-age=10000", "CDN-Cache-Control", "no-store"),
			Policy{ResponseDirectives: ResponseDirectives{NoStore: true}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"cdn-no-cache": {
			header("Cache-Control", "max-age=10000", "CDN-Cache-Control", "no-cache"),
			Policy{ResponseDirectives: ResponseDirectives{NoCache: true}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"cdn-private": {
			header("Cache-Control", "max-age=10000", "CDN-Cache-Control", "private"),
			Policy{ResponseDirectives: ResponseDirectives{Private: true}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"cdn-max-age-extension": {
			header("CDN-Cache-Control", "foobar, max-age=3600"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(3600)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"cdn-max-age-max-plus": {
			header("CDN-Cache-Control", "max-age=99999999999"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(maxDelta)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"cdn-cc-invalid-sh-type-unknown": {
			header("Cache-Control", "no-store", "CDN-Cache-Control", "max-age=10000, &&&&&"),
			Policy{ResponseDirectives: ResponseDirectives{NoStore: true}},
		},
		"cdn-cc-invalid-sh-type-wrong": {
			header("Cache-Control", "no-store", "CDN-Cache-Control", `max-age="10000"`),
			Policy{ResponseDirectives: ResponseDirectives{NoStore: true}},
		},
		"empty targeted field": {
			header("Cache-Control", "no-store", "CDN-Cache-Control", ""),
			Policy{ResponseDirectives: ResponseDirectives{NoStore: true}},
		},
		"false member": {
			header("CDN-Cache-Control", "no-store=?0, max-age=5"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(5)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"negative member": {
			header("CDN-Cache-Control", "max-age=-5"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(0)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"a parameter means nothing": {
			header("CDN-Cache-Control", "max-age=5;x=1"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(5)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"surrogate-control of Fastly": {
			header("Surrogate-Control", "max-age=86400, stale-while-revalidate=60, stale-if-error=70"),
			Policy{
				ResponseDirectives: ResponseDirectives{MaxAge: seconds(86400), StaleWhileRevalidate: seconds(60), StaleIfError: seconds(70)},
				Source:             PolicySurrogateControl, IgnoreExpires: true,
			},
		},
		"surrogate-control lifts no restriction": {
			header("Cache-Control", "private, no-store, no-cache, must-revalidate", "Surrogate-Control", "max-age=86400"),
			Policy{
				ResponseDirectives: ResponseDirectives{MaxAge: seconds(86400), Private: true, NoStore: true, NoCache: true, MustRevalidate: true},
				Source:             PolicySurrogateControl, IgnoreExpires: true,
			},
		},
		"surrogate-control over s-maxage still forbids stale": {
			header("Cache-Control", "s-maxage=5", "Surrogate-Control", "max-age=86400"),
			Policy{
				ResponseDirectives: ResponseDirectives{MaxAge: seconds(86400), ProxyRevalidate: true},
				Source:             PolicySurrogateControl, IgnoreExpires: true,
			},
		},
		"surrogate-control may restrict": {
			header("Cache-Control", "max-age=5", "Surrogate-Control", "no-store"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(5), NoStore: true}},
		},
		"surrogate-control does not understand for no-store": {
			header("Cache-Control", "no-store", "Surrogate-Control", "must-understand, max-age=5"),
			Policy{ResponseDirectives: ResponseDirectives{NoStore: true, MaxAge: seconds(5)}, Source: PolicySurrogateControl, IgnoreExpires: true},
		},
		"cdn-cache-control goes before surrogate-control": {
			header("CDN-Cache-Control", "max-age=5", "Surrogate-Control", "max-age=9, no-store"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(5)}, Source: PolicyCDNCacheControl, IgnoreExpires: true},
		},
		"x-accel-expires bounds": {
			header("Cache-Control", "max-age=500", "X-Accel-Expires", "60"),
			Policy{ResponseDirectives: ResponseDirectives{MaxAge: seconds(500)}, Limit: seconds(60)},
		},
		"x-accel-expires overrides no private": {
			header("Cache-Control", "private", "X-Accel-Expires", "60"),
			Policy{ResponseDirectives: ResponseDirectives{Private: true}, Limit: seconds(60)},
		},
		"x-accel-expires zero": {header("X-Accel-Expires", "0"), Policy{ResponseDirectives: ResponseDirectives{NoStore: true}, Limit: seconds(0)}},
		"x-accel-expires off":  {header("X-Accel-Expires", "off"), Policy{ResponseDirectives: ResponseDirectives{NoStore: true}}},
		"x-accel-expires absolute": {
			header("X-Accel-Expires", "@1795262430"), // 30 s after testNow
			Policy{Limit: seconds(30)},
		},
		"x-accel-expires absolute and past": {
			header("X-Accel-Expires", "@1"), Policy{ResponseDirectives: ResponseDirectives{NoStore: true}, Limit: seconds(0)},
		},
		"x-accel-expires garbage": {header("X-Accel-Expires", "soon", "X-Accel-Expires", "@", "X-Accel-Expires", "@x"), Policy{}},
		"litespeed no-cache":      {header("X-LiteSpeed-Cache-Control", "no-cache,esi=on"), Policy{ResponseDirectives: ResponseDirectives{NoStore: true}}},
		"litespeed esi":           {header("X-LiteSpeed-Cache-Control", "public,max-age=5,esi=on"), Policy{ResponseDirectives: ResponseDirectives{NoStore: true}, Limit: seconds(5)}},
		"cloudflare no-cache":     {header("Cf-Edge-Cache", "no-cache"), Policy{ResponseDirectives: ResponseDirectives{NoStore: true}}},
		"cloudflare cache":        {header("Cf-Edge-Cache", "cache,platform=wordpress"), Policy{}},
		"vcaching":                {header("X-VC-Cacheable", "NO:logged in", "Cache-Control", "no-store, must-understand"), Policy{ResponseDirectives: ResponseDirectives{NoStore: true}}},
		"vcaching yes":            {header("X-VC-Cacheable", "YES"), Policy{}},
		"litespeed private":       {header("X-LiteSpeed-Cache-Control", "private,max-age=1800"), Policy{ResponseDirectives: ResponseDirectives{Private: true}, Limit: seconds(1800)}},
		"litespeed public states no lifetime": {
			header("X-LiteSpeed-Cache-Control", "public,max-age=604800"), Policy{Limit: seconds(604800)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ResponsePolicy(test.header, testNow)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPolicySourceWords(t *testing.T) {
	for s, want := range map[PolicySource]string{
		PolicyCacheControl: "cache-control", PolicyCDNCacheControl: "cdn-cache-control", PolicySurrogateControl: "surrogate-control", 99: "cache-control",
	} {
		if s.String() != want {
			t.Errorf("%d = %q", s, s)
		}
	}
}

func TestCacheGroups(t *testing.T) {
	for name, test := range map[string]struct {
		value string
		want  []string
		ok    bool
	}{
		"strings":     {`"post-1", "term-2"`, []string{"post-1", "term-2"}, true},
		"parameters":  {`"a";x=1`, []string{"a"}, true},
		"tokens":      {`post-1`, nil, false},
		"inner list":  {`("a")`, nil, false},
		"not a field": {`"a`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := CacheGroups(header("Cache-Groups", test.value))
			if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
				t.Errorf("%v %s", ok, diff)
			}
			invalidated, ok := InvalidatedGroups("POST", 200, header("Cache-Group-Invalidation", test.value))
			if diff := cmp.Diff(test.want, invalidated); diff != "" || ok != test.ok {
				t.Errorf("%v %s", ok, diff)
			}
		})
	}
	for _, test := range []struct {
		method string
		status int
	}{{"GET", 200}, {"POST", 500}} {
		if got, ok := InvalidatedGroups(test.method, test.status, header("Cache-Group-Invalidation", `"a"`)); got != nil || !ok {
			t.Errorf("%s %d invalidates %q", test.method, test.status, got)
		}
	}
	if got, ok := CacheGroups(header()); got != nil || !ok {
		t.Errorf("absent: %q, %v", got, ok)
	}
}
