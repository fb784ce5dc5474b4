package cache

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func seconds(n int64) Delta { return Delta{Duration: time.Duration(n) * time.Second, Stated: true} }

func TestParseResponseDirectives(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  ResponseDirectives
	}{
		"none":                                       {nil, ResponseDirectives{}},
		"freshness-max-age":                          {[]string{"max-age=3600"}, ResponseDirectives{MaxAge: seconds(3600)}},
		"freshness-max-age-case-insenstive":          {[]string{"MaX-aGe=3600"}, ResponseDirectives{MaxAge: seconds(3600)}},
		"freshness-max-age-extension":                {[]string{"foobar, max-age=3600"}, ResponseDirectives{MaxAge: seconds(3600)}},
		"freshness-max-age-max":                      {[]string{"max-age=2147483648"}, ResponseDirectives{MaxAge: seconds(maxDelta)}},
		"freshness-max-age-max-plus":                 {[]string{"max-age=99999999999"}, ResponseDirectives{MaxAge: seconds(maxDelta)}},
		"overflow of int64":                          {[]string{"max-age=" + strings.Repeat("9", 40)}, ResponseDirectives{MaxAge: seconds(maxDelta)}},
		"freshness-max-age-negative":                 {[]string{"max-age=-3600"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-quoted":                   {[]string{`max-age="3600"`}, ResponseDirectives{MaxAge: seconds(3600)}},
		"freshness-max-age-leading-zero":             {[]string{"max-age=003600"}, ResponseDirectives{MaxAge: seconds(3600)}},
		"freshness-max-age-single-quoted":            {[]string{"max-age='3600'"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-decimal-zero":             {[]string{"max-age=3600.0"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-100a":                     {[]string{"max-age=3600a"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-a100":                     {[]string{"max-age=a3600"}, ResponseDirectives{MaxAge: seconds(0)}},
		"no argument":                                {[]string{"max-age"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-space-before-equals":      {[]string{"max-age =3600"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-space-after-equals":       {[]string{"max-age= 3600"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-ignore-quoted":            {[]string{`extension="max-age=3600", max-age=1`}, ResponseDirectives{MaxAge: seconds(1)}},
		"freshness-max-age-ignore-quoted-rev":        {[]string{`max-age=1, extension="max-age=3600"`}, ResponseDirectives{MaxAge: seconds(1)}},
		"freshness-max-age-two-fresh-stale-sameline": {[]string{"max-age=1800, max-age=1"}, ResponseDirectives{MaxAge: seconds(1)}},
		"freshness-max-age-two-stale-fresh-sepline":  {[]string{"max-age=1", "max-age=1800"}, ResponseDirectives{MaxAge: seconds(1)}},
		"one of two invalid":                         {[]string{"max-age=x, max-age=1800"}, ResponseDirectives{MaxAge: seconds(0)}},
		"freshness-max-age-s-maxage-shared-longer-multiple": {
			[]string{"max-age=3600", "s-maxage=1"}, ResponseDirectives{MaxAge: seconds(3600), SMaxAge: seconds(1)},
		},
		"cc-resp-no-store-case-insensitive": {[]string{"No-StOrE"}, ResponseDirectives{NoStore: true}},
		"no-store with an argument":         {[]string{"no-store=0"}, ResponseDirectives{NoStore: true}},
		"no-store with garbage":             {[]string{"no-store;x"}, ResponseDirectives{NoStore: true}},
		"open quote hides nothing":          {[]string{`a="b, no-store, max-age=5`}, ResponseDirectives{NoStore: true, MaxAge: seconds(5)}},
		"escaped quote":                     {[]string{`a="\", no-store", private`}, ResponseDirectives{Private: true}},
		"private in a later line":           {[]string{"max-age=5", "a, PRIVATE"}, ResponseDirectives{MaxAge: seconds(5), Private: true}},
		"qualified private":                 {[]string{`private="Set-Cookie"`}, ResponseDirectives{Private: true}},
		"public":                            {[]string{"public"}, ResponseDirectives{Public: true}},
		"public loosens only as spelled":    {[]string{"public=1, must-understand=1"}, ResponseDirectives{}},
		"headers-omit-headers-listed-in-Cache-Control-no-cache": {
			[]string{`no-cache="a, b"`}, ResponseDirectives{NoCacheFields: []string{"A", "B"}},
		},
		"no-cache of nothing":                  {[]string{`no-cache=""`}, ResponseDirectives{NoCache: true}},
		"no-cache of a needed field":           {[]string{`no-cache="x, vary"`}, ResponseDirectives{NoCache: true, NoCacheFields: []string{"X"}}},
		"no-cache of no field name":            {[]string{`no-cache="a b"`}, ResponseDirectives{NoCache: true}},
		"no-cache with an open quote":          {[]string{`no-cache="a`}, ResponseDirectives{NoCache: true}},
		"stale windows":                        {[]string{"stale-while-revalidate=5, stale-if-error=x"}, ResponseDirectives{StaleWhileRevalidate: seconds(5), StaleIfError: seconds(0)}},
		"the rest":                             {[]string{"must-revalidate,proxy-revalidate,must-understand,no-transform"}, ResponseDirectives{MustRevalidate: true, ProxyRevalidate: true, MustUnderstand: true, NoTransform: true}},
		"empty elements":                       {[]string{", ,\t,no-cache,"}, ResponseDirectives{NoCache: true}},
		"what nocache_headers of WordPress is": {[]string{"no-cache, must-revalidate, max-age=0, no-store, private"}, ResponseDirectives{NoCache: true, MustRevalidate: true, MaxAge: seconds(0), NoStore: true, Private: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ParseResponseDirectives(test.lines)); diff != "" {
				t.Errorf("%q:\n%s", test.lines, diff)
			}
		})
	}
}

func TestNoCacheFieldsAreBounded(t *testing.T) {
	d := ParseResponseDirectives([]string{`no-cache="` + strings.Repeat("a,", maxQualifiedFields+1) + `"`})
	if !d.NoCache || len(d.NoCacheFields) > maxQualifiedFields {
		t.Errorf("%d fields, no-cache %v", len(d.NoCacheFields), d.NoCache)
	}
}

func TestParseRequestDirectives(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   RequestDirectives
	}{
		"none":                     {http.Header{}, RequestDirectives{}},
		"unknown":                  {http.Header{"Cache-Control": {"nothing-to-see-here"}, "Pragma": {"no-cache"}}, RequestDirectives{}},
		"pragma-request-no-cache":  {http.Header{"Pragma": {"a, No-Cache"}}, RequestDirectives{NoCache: true}},
		"pragma-request-extension": {http.Header{"Pragma": {"foo"}}, RequestDirectives{}},
		"flags":                    {http.Header{"Cache-Control": {"no-store, no-cache", "no-transform, only-if-cached"}}, RequestDirectives{NoStore: true, NoCache: true, NoTransform: true, OnlyIfCached: true}},
		"numbers":                  {http.Header{"Cache-Control": {"max-age=5, max-age=3, min-fresh=2, min-fresh=4, max-stale=9, max-stale"}}, RequestDirectives{MaxAge: seconds(3), MinFresh: seconds(4), MaxStale: seconds(9)}},
		"max-stale of any age":     {http.Header{"Cache-Control": {"max-stale"}}, RequestDirectives{MaxStale: seconds(maxDelta)}},
		"invalid":                  {http.Header{"Cache-Control": {"max-age=-1, max-stale=x, min-fresh"}}, RequestDirectives{MaxAge: seconds(0), MaxStale: seconds(0), MinFresh: seconds(0)}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, ParseRequestDirectives(test.header)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzCacheControl: adding anything to a field never lifts a restriction.
func FuzzCacheControl(f *testing.F) {
	f.Add("max-age=5, public", "no-store")
	f.Add(`a="`, `private="x", s-maxage=1`)
	f.Fuzz(func(t *testing.T, a, b string) {
		one := ParseResponseDirectives([]string{a})
		both := ParseResponseDirectives([]string{a, b})
		for name, lifted := range map[string]bool{
			"no-store":         one.NoStore && !both.NoStore,
			"no-cache":         one.NoCache && !both.NoCache,
			"private":          one.Private && !both.Private,
			"must-revalidate":  one.MustRevalidate && !both.MustRevalidate,
			"proxy-revalidate": one.ProxyRevalidate && !both.ProxyRevalidate,
			"max-age":          one.MaxAge.Stated && (!both.MaxAge.Stated || both.MaxAge.Duration > one.MaxAge.Duration),
			"s-maxage":         one.SMaxAge.Stated && (!both.SMaxAge.Stated || both.SMaxAge.Duration > one.SMaxAge.Duration),
		} {
			if lifted {
				t.Errorf("%q lifts %s of %q", b, name, a)
			}
		}
		if d := both.MaxAge.Duration; d < 0 || d > maxDelta*time.Second {
			t.Errorf("max-age out of range: %v", d)
		}
		ParseRequestDirectives(http.Header{"Cache-Control": {a, b}, "Pragma": {b}})
	})
}
