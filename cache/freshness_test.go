package cache

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// at writes the time that is n seconds from testNow as an HTTP-date.
func at(n int) string { return testNow.Add(time.Duration(n) * time.Second).Format(http.TimeFormat) }

// freshnessOf is the Freshness of a response that was asked for and came at testNow.
func freshnessOf(status int, h http.Header, o FreshnessOptions) Freshness {
	return NewFreshness(status, h, ResponsePolicy(h, testNow), testNow, testNow, o)
}

func TestFreshnessLifetime(t *testing.T) {
	operator := FreshnessOptions{TTL: 5 * time.Minute, Heuristic: true}
	heuristic := FreshnessOptions{Heuristic: true}
	const day = 86400
	for name, test := range map[string]struct {
		status  int
		header  http.Header
		options FreshnessOptions
		seconds int64
		source  LifetimeSource
	}{
		"freshness-none":    {200, header(), FreshnessOptions{}, 0, LifetimeNone},
		"freshness-max-age": {200, header("Cache-Control", "max-age=3600"), operator, 3600, LifetimeOrigin},
		"freshness-max-age-expires": {
			200, header("Cache-Control", "max-age=3600", "Expires", at(-7200), "Date", at(0)), operator, 3600, LifetimeOrigin,
		},
		"freshness-max-age-expires-invalid": {200, header("Cache-Control", "max-age=3600", "Expires", "0"), operator, 3600, LifetimeOrigin},
		"freshness-max-age-0-expires":       {200, header("Cache-Control", "max-age=0", "Expires", at(3600)), operator, 0, LifetimeOrigin},
		"freshness-s-maxage-shared":         {200, header("Cache-Control", "s-maxage=3600"), operator, 3600, LifetimeOrigin},
		"freshness-max-age-s-maxage-shared-longer": {
			200, header("Cache-Control", "max-age=3600, s-maxage=1"), operator, 1, LifetimeOrigin,
		},
		"freshness-max-age-s-maxage-shared-shorter-expires": {
			200, header("Expires", at(-10), "Cache-Control", "max-age=0, s-maxage=3600"), operator, 3600, LifetimeOrigin,
		},
		"freshness-expires-future":       {200, header("Expires", at(30*day), "Date", at(0)), operator, 30 * day, LifetimeOrigin},
		"freshness-expires-past":         {200, header("Expires", at(-30*day), "Date", at(0)), operator, 0, LifetimeOrigin},
		"freshness-expires-present":      {200, header("Expires", at(0), "Date", at(0)), operator, 0, LifetimeOrigin},
		"freshness-expires-old-date":     {200, header("Expires", at(300), "Date", at(400)), operator, 0, LifetimeOrigin},
		"freshness-expires-invalid":      {200, header("Expires", "0", "Date", at(0)), operator, 0, LifetimeOrigin},
		"freshness-expires-invalid-date": {200, header("Expires", at(10), "Date", "foo"), operator, 10, LifetimeOrigin},
		"freshness-expires-far-future":   {200, header("Expires", "Sun, 21 Nov 2286 04:46:39 GMT", "Date", at(0)), operator, maxDelta, LifetimeOrigin},
		"freshness-expires-invalid-multiple-lines": {
			200, header("Expires", "Thu, 18 Aug 2050 2:01:18 GMT", "Expires", "Thu, 18 Aug 2050 2:01:19 GMT"), operator, 0, LifetimeOrigin,
		},
		"several Expires, the earliest":  {200, header("Expires", at(50), "Expires", at(20)), operator, 20, LifetimeOrigin},
		"cdn-max-age-0-expires":          {200, header("CDN-Cache-Control", "max-age=0", "Expires", at(10000)), operator, 0, LifetimeOrigin},
		"cdn-max-age-expires":            {200, header("CDN-Cache-Control", "max-age=3600", "Expires", at(-10000)), operator, 3600, LifetimeOrigin},
		"cdn field without lifetime":     {200, header("CDN-Cache-Control", "public", "Cache-Control", "max-age=5", "Expires", at(50)), FreshnessOptions{}, 0, LifetimeNone},
		"ttl":                            {200, header("Last-Modified", at(-day)), operator, 300, LifetimeOperator},
		"ttl is not for Pragma no-cache": {200, header("Pragma", "no-cache"), operator, 0, LifetimeNone},
		"pragma-response-no-cache-heuristic": {
			200, header("Date", at(0), "Last-Modified", at(-10000), "Pragma", "no-cache"), heuristic, 0, LifetimeNone,
		},
		"pragma-response-no-cache":  {200, header("Cache-Control", "max-age=3600", "Pragma", "no-cache"), heuristic, 3600, LifetimeOrigin},
		"pragma-response-extension": {200, header("Pragma", "unrecognised-extension"), operator, 300, LifetimeOperator},
		"limit":                     {200, header("Cache-Control", "max-age=500", "X-Accel-Expires", "60"), operator, 60, LifetimeOrigin},
		"limit makes no lifetime":   {200, header("X-Accel-Expires", "60"), FreshnessOptions{}, 0, LifetimeNone},
		"status-503-fresh":          {503, header("Cache-Control", "max-age=100000"), operator, 60, LifetimeOrigin},
		"ttl of an error":           {503, header(), operator, 300, LifetimeOperator},
		"status-404-fresh":          {404, header("Cache-Control", "max-age=100000"), operator, 100000, LifetimeOrigin},

		"heuristic-delta-600":        {200, header("Last-Modified", at(-600), "Date", at(0)), heuristic, 60, LifetimeHeuristic},
		"heuristic is at most a day": {200, header("Last-Modified", at(-1000*day), "Date", at(0)), heuristic, day, LifetimeHeuristic},
		"heuristic of the future":    {200, header("Last-Modified", at(10), "Date", at(0)), heuristic, 0, LifetimeNone},
		"heuristic of garbage":       {200, header("Last-Modified", "yesterday", "Date", at(0)), heuristic, 0, LifetimeNone},
		"heuristic off":              {200, header("Last-Modified", at(-day), "Date", at(0)), FreshnessOptions{}, 0, LifetimeNone},
	} {
		t.Run(name, func(t *testing.T) {
			got := freshnessOf(test.status, test.header, test.options).Lifetime
			if want := (Lifetime{time.Duration(test.seconds) * time.Second, test.source}); got != want {
				t.Errorf("%v from %v, want %v from %v", got.Duration, got.Source, want.Duration, want.Source)
			}
		})
	}
}

func TestHeuristicByStatus(t *testing.T) {
	for status, cached := range map[int]bool{
		200: true, 203: true, 204: true, 404: true, 410: true, 414: true, 501: true,
		201: false, 202: false, 403: false, 502: false, 503: false, 504: false, 599: false,
	} {
		name := "heuristic-" + strconv.Itoa(status)
		h := header("Last-Modified", at(-86400), "Date", at(0))
		if got := freshnessOf(status, h, FreshnessOptions{Heuristic: true}).Fresh(testNow); got != cached {
			t.Errorf("%s: fresh %v, want %v", name, got, cached)
		}
		h.Set("Cache-Control", "public")
		if !freshnessOf(status, h, FreshnessOptions{Heuristic: true}).Fresh(testNow) {
			t.Errorf("%s with public: not fresh", name)
		}
	}
}

func TestParseAge(t *testing.T) {
	const none = -1
	for name, test := range map[string]struct {
		lines []string
		want  int64
	}{
		"absent":                      {nil, none},
		"age-parse-nonnumeric":        {[]string{"abc"}, none},
		"age-parse-negative":          {[]string{"-7200"}, none},
		"age-parse-float":             {[]string{"7200.0"}, none},
		"age-parse-large-minus-one":   {[]string{"2147483647"}, 2147483647},
		"age-parse-large":             {[]string{"2147483648"}, maxDelta},
		"age-parse-larger":            {[]string{"2147483649"}, maxDelta},
		"overflow of int64":           {[]string{strings.Repeat("9", 30)}, maxDelta},
		"age-parse-suffix":            {[]string{"7200, 0"}, 7200},
		"age-parse-prefix":            {[]string{"0, 7200"}, 0},
		"age-parse-suffix-twoline":    {[]string{"7200", "0"}, 7200},
		"age-parse-prefix-twoline":    {[]string{"0", "7200"}, 0},
		"age-parse-dup-0":             {[]string{"0, 0"}, 0},
		"age-parse-dup-0-twoline":     {[]string{"0", "0"}, 0},
		"age-parse-dup-old":           {[]string{"3600", "3600"}, 3600},
		"age-parse-parameter":         {[]string{"7200;foo=bar"}, none},
		"age-parse-numeric-parameter": {[]string{"7200;foo=111"}, none},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseAge(test.lines)
			if !ok {
				got = none * time.Second
			}
			if got != time.Duration(test.want)*time.Second {
				t.Errorf("%q = %v", test.lines, got)
			}
		})
	}
}

func TestFreshOnReceipt(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		fresh  bool
	}{
		"freshness-max-age-age":           {header("Date", at(0), "Cache-Control", "max-age=3600", "Age", "7200"), false},
		"cdn-max-age-age":                 {header("Date", at(0), "CDN-Cache-Control", "max-age=3600", "Age", "7200"), false},
		"freshness-max-age-date":          {header("Date", at(-7200), "Cache-Control", "max-age=3600"), false},
		"freshness-expires-age-slow-date": {header("Date", at(-10), "Expires", at(10), "Age", "25"), false},
		"freshness-expires-age-fast-date": {header("Date", at(10), "Expires", at(20), "Age", "15"), false},
		"age-parse-large":                 {header("Date", at(0), "Cache-Control", "max-age=3600", "Age", "2147483648"), false},
		"age-parse-nonnumeric":            {header("Date", at(0), "Cache-Control", "max-age=3600", "Age", "abc"), true},
		"age and lifetime saturated":      {header("Cache-Control", "max-age=99999999999", "Age", "99999999999"), false},
		"Date of the future":              {header("Date", at(3600), "Cache-Control", "max-age=60"), true},
		"freshness-expires-invalid-date":  {header("Date", "foo", "Expires", at(10)), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := freshnessOf(200, test.header, FreshnessOptions{}).Fresh(testNow); got != test.fresh {
				t.Errorf("fresh %v, want %v", got, test.fresh)
			}
		})
	}
}

func TestAge(t *testing.T) {
	h := header("Date", at(-3), "Age", "30", "Cache-Control", "max-age=60")
	f := NewFreshness(200, h, ResponsePolicy(h, testNow), testNow.Add(-5*time.Second), testNow, FreshnessOptions{})
	for after, want := range map[time.Duration]time.Duration{
		0:                35 * time.Second, // Age and the five seconds that the answer took
		10 * time.Second: 45 * time.Second,
		-time.Second:     35 * time.Second,       // read on another goroutine, a little earlier
		-time.Hour:       maxDelta * time.Second, // the clock was set back
		aCentury:         maxDelta * time.Second,
	} {
		if got := f.Age(testNow.Add(after)); got != want {
			t.Errorf("after %v: %v, want %v", after, got, want)
		}
	}
	if got := f.TTL(testNow.Add(25 * time.Second)); got != 0 || f.Fresh(testNow.Add(25*time.Second)) {
		t.Errorf("at the end of the lifetime: ttl %v", got)
	}
	// Date is written in whole seconds: the part of one makes nothing older.
	sub := testNow.Add(900 * time.Millisecond)
	if got := InitialAge(header("Date", at(0)), sub, sub); got != 0 {
		t.Errorf("age within the second of Date: %v", got)
	}
}

const aCentury = 100 * 365 * 24 * time.Hour

func TestZeroFreshnessIsStale(t *testing.T) {
	var f Freshness
	if f.Fresh(testNow) || f.Origin() || f.Source.String() != "none" {
		t.Errorf("%+v", f)
	}
	if LifetimeSource(99).String() != "none" || LifetimeOperator.String() != "ttl" {
		t.Error("words of the sources")
	}
}

func FuzzAge(f *testing.F) {
	f.Add("7200, 0", "Sun, 06 Nov 1994 08:49:37 GMT", "max-age=5")
	f.Fuzz(func(t *testing.T, age, date, cc string) {
		h := http.Header{"Age": {age}, "Date": {date}, "Cache-Control": {cc}, "Expires": {date}}
		fresh := freshnessOf(200, h, FreshnessOptions{TTL: time.Hour})
		if fresh.InitialAge < 0 || fresh.InitialAge > maxDelta*time.Second || fresh.Duration < 0 || fresh.Duration > maxDelta*time.Second {
			t.Fatalf("%+v out of range", fresh)
		}
		if got, ok := ParseAge([]string{age}); ok && fresh.InitialAge < got {
			t.Fatalf("younger than its Age: %v < %v", fresh.InitialAge, got)
		}
	})
}
