package cache

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAddValidators(t *testing.T) {
	for name, test := range map[string]struct{ stored, want http.Header }{
		"conditional-etag-strong-generate":    {header("ETag", `"abcdef"`), header("If-None-Match", `"abcdef"`)},
		"conditional-etag-weak-generate-weak": {header("ETag", `W/"abcdef"`), header("If-None-Match", `W/"abcdef"`)},
		"conditional-lm-stale":                {header("Last-Modified", at(-3000)), header("If-Modified-Since", at(-3000))},
		"both":                                {header("ETag", `"a"`, "Last-Modified", at(-1)), header("If-None-Match", `"a"`, "If-Modified-Since", at(-1))},
		"none":                                {header(), header()},
		"malformed":                           {header("ETag", `abc`, "Last-Modified", "yesterday"), header()},
		"two tags":                            {header("ETag", `"a"`, "ETag", `"b"`), header()},
		"split tag":                           {header("ETag", `"a", "b"`), header()},
	} {
		t.Run(name, func(t *testing.T) {
			fetch := header()
			if ok := AddValidators(fetch, test.stored, testNow); ok != (len(test.want) > 0) {
				t.Errorf("ok %v", ok)
			}
			if diff := cmp.Diff(test.want, fetch); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEvaluatePrecondition(t *testing.T) {
	const none, unmodified, origin = PreconditionNone, PreconditionNotModified, PreconditionOrigin
	tagged := func(tag string) http.Header { return header("ETag", tag, "Last-Modified", at(-5000), "Date", at(0)) }
	for name, test := range map[string]struct {
		request, stored http.Header
		status          int
		want            Precondition
	}{
		"none":                            {header(), tagged(`"a"`), 200, none},
		"conditional-etag-strong-respond": {header("If-None-Match", `"abcdef"`), tagged(`"abcdef"`), 200, unmodified},
		"conditional-etag-weak-respond":   {header("If-None-Match", `W/"abcdef"`), tagged(`W/"abcdef"`), 200, unmodified},
		"weak comparison":                 {header("If-None-Match", `W/"abcdef"`), tagged(`"abcdef"`), 200, unmodified},
		"conditional-etag-strong-respond-multiple-first":  {header("If-None-Match", `"abcdef", "1234", "5678"`), tagged(`"abcdef"`), 200, unmodified},
		"conditional-etag-strong-respond-multiple-second": {header("If-None-Match", `"1234", "abcdef", "5678"`), tagged(`"abcdef"`), 200, unmodified},
		"conditional-etag-strong-respond-multiple-last":   {header("If-None-Match", `"1234", "5678", "abcdef"`), tagged(`"abcdef"`), 200, unmodified},
		"over two lines": {header("If-None-Match", `"1234"`, "If-None-Match", `"abcdef"`), tagged(`"abcdef"`), 200, unmodified},
		"conditional-etag-strong-respond-obs-text": {header("If-None-Match", "\"abcdef\xfc\""), tagged("\"abcdef\xfc\""), 200, unmodified},
		"a comma in the tag":                       {header("If-None-Match", `"x", "a,b"`), tagged(`"a,b"`), 200, unmodified},
		"a backslash in the tag":                   {header("If-None-Match", `"a\", "b"`), tagged(`"b"`), 200, unmodified},
		"part of a tag":                            {header("If-None-Match", `"a,b"`), tagged(`"b"`), 200, none},
		"star":                                     {header("If-None-Match", `*`), header(), 200, unmodified},
		"another tag":                              {header("If-None-Match", `"x"`), tagged(`"a"`), 200, none},
		"no tag stored":                            {header("If-None-Match", `"x"`), header(), 200, none},
		"conditional-etag-quoted-respond-unquoted": {header("If-None-Match", `abcdef`), tagged(`"abcdef"`), 200, none},
		"conditional-etag-precedence": {
			header("If-None-Match", `"abcdef"`, "If-Modified-Since", at(-10000)), tagged(`"abcdef"`), 200, unmodified,
		},
		"precedence the other way": {
			header("If-None-Match", `"x"`, "If-Modified-Since", at(0)), tagged(`"abcdef"`), 200, none,
		},
		"conditional-lm-fresh":         {header("If-Modified-Since", at(-5000)), tagged(`"a"`), 200, unmodified},
		"conditional-lm-fresh-earlier": {header("If-Modified-Since", at(-2000)), tagged(`"a"`), 200, unmodified},
		"modified since":               {header("If-Modified-Since", at(-6000)), tagged(`"a"`), 200, none},
		"conditional-lm-fresh-rfc850": {
			header("If-Modified-Since", testNow.Add(-5000e9).Format("Monday, 02-Jan-06 15:04:05 GMT")), tagged(`"a"`), 200, unmodified,
		},
		"conditional-lm-fresh-no-lm, RFC 9111 section 4.3.2": {header("If-Modified-Since", at(-3000)), header("Date", at(0)), 200, none},
		"no Last-Modified, as old as its Date":               {header("If-Modified-Since", at(0)), header("Date", at(0)), 200, unmodified},
		"invalid date":                                       {header("If-Modified-Since", "now"), tagged(`"a"`), 200, none},
		"two dates":                                          {header("If-Modified-Since", at(0), "If-Modified-Since", at(0)), tagged(`"a"`), 200, none},
		"a stored error":                                     {header("If-None-Match", `"a"`), tagged(`"a"`), 404, none},
		"a stored redirect":                                  {header("If-None-Match", `*`), tagged(`"a"`), 301, none},
		"if-match":                                           {header("If-Match", `"a"`), tagged(`"a"`), 200, origin},
		"if-unmodified-since":                                {header("If-Unmodified-Since", at(0), "If-None-Match", `"a"`), tagged(`"a"`), 200, origin},
	} {
		t.Run(name, func(t *testing.T) {
			if got := EvaluatePrecondition(test.request, test.status, test.stored, testNow); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}

func TestNotModifiedHeader(t *testing.T) {
	h := header("ETag", `"a"`, "Last-Modified", at(-9), "Date", at(0), "Vary", "Foo", "Cache-Control", "max-age=5", "Expires", at(5),
		"Content-Location", "/x", "Content-Length", "5", "Content-Type", "text/html", "Content-Encoding", "br", "Accept-Ranges", "bytes", "X-A", "1")
	want := header("ETag", `"a"`, "Date", at(0), "Vary", "Foo", "Cache-Control", "max-age=5", "Expires", at(5), "Content-Location", "/x", "X-A", "1")
	if diff := cmp.Diff(want, NotModifiedHeader(h)); diff != "" {
		t.Error(diff)
	}
	if got := NotModifiedHeader(header("Last-Modified", at(-9))); got.Get("Last-Modified") == "" {
		t.Error("the only validator is left out")
	}
}

func TestSelects(t *testing.T) {
	for name, test := range map[string]struct {
		notModified, stored http.Header
		only, want          bool
	}{
		"the strong tag":               {header("ETag", `"a"`), header("ETag", `"a"`), false, true},
		"another strong tag":           {header("ETag", `"b"`), header("ETag", `"a"`), true, false},
		"strong against weak":          {header("ETag", `"a"`), header("ETag", `W/"a"`), true, false},
		"the weak tag":                 {header("ETag", `W/"a"`), header("ETag", `W/"a"`), false, true},
		"weak against strong":          {header("ETag", `W/"a"`), header("ETag", `"a"`), false, true},
		"the tag goes before the date": {header("ETag", `"b"`, "Last-Modified", at(-9)), header("ETag", `"a"`, "Last-Modified", at(-9)), true, false},
		"malformed tag":                {header("ETag", `b`), header("ETag", `b`), true, false},
		"the date":                     {header("Last-Modified", at(-9)), header("Last-Modified", at(-9)), false, true},
		"another date":                 {header("Last-Modified", at(-8)), header("Last-Modified", at(-9)), true, false},
		"no validator, the only one":   {header(), header("ETag", `"a"`), true, true},
		"no validator, one of several": {header(), header("ETag", `"a"`), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Selects(test.notModified, test.stored, test.only, testNow); got != test.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestFreshen(t *testing.T) {
	stored := header("Cache-Control", "max-age=2", "ETag", `"a"`, "Date", at(-100), "Age", "50", "Test-Header", "old", "Kept", "1",
		"Content-Length", "36", "Content-Encoding", "br", "Content-Type", "text/html")
	before := stored.Clone()
	notModified := header("Cache-Control", "max-age=3600", "Date", at(0), "Test-Header", "new", "Content-Length", "10", "Content-Encoding", "gzip",
		"Content-Type", "text/plain", "Content-Range", "bytes 0-1/2", "Connection", "x-hop", "X-Hop", "1", "Keep-Alive", "a", "Transfer-Encoding", "chunked",
		"Content-Foo", "1", "Cache-Status", "inner; hit")
	got, reason := Freshen(stored, notModified, ResponsePolicy(notModified, testNow))
	want := header("Cache-Control", "max-age=3600", "ETag", `"a"`, "Date", at(0), "Test-Header", "new", "Kept", "1",
		"Content-Length", "36", "Content-Encoding", "br", "Content-Type", "text/html", "Content-Foo", "1")
	if diff := cmp.Diff(want, got); diff != "" || reason != ReasonNotModified {
		t.Error(reason, diff)
	}
	if diff := cmp.Diff(before, stored); diff != "" {
		t.Errorf("the stored header was changed:\n%s", diff)
	}
	got, _ = Freshen(stored, header(), Policy{})
	if f := freshnessOf(200, got, FreshnessOptions{}); !f.Fresh(testNow) {
		t.Error("a 304 without Date leaves the response as old as it was")
	}
}

func TestFreshenForbidsExtending(t *testing.T) {
	stored := header("Vary", "Foo", "ETag", `"a"`)
	for name, test := range map[string]struct {
		notModified http.Header
		want        Reason
	}{
		"set-cookie":     {header("Set-Cookie", "a=b"), ReasonSetCookie},
		"private":        {header("Cache-Control", "private"), ReasonPrivate},
		"no-store":       {header("Cache-Control", "no-store"), ReasonNoStore},
		"vary star":      {header("Vary", "Foo, *"), ReasonVaryStar},
		"another vary":   {header("Vary", "Foo, Bar"), ReasonVaryChanged},
		"the same vary":  {header("Vary", "foo, Accept-Encoding"), ReasonNotModified},
		"vary left out":  {header(), ReasonNotModified},
		"no-cache is ok": {header("Cache-Control", "no-cache"), ReasonNotModified},
	} {
		t.Run(name, func(t *testing.T) {
			h, got := Freshen(stored, test.notModified, ResponsePolicy(test.notModified, testNow))
			if got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			if len(h["Set-Cookie"]) > 0 {
				t.Error("a cookie became stored")
			}
		})
	}
}

func TestStoredHeader(t *testing.T) {
	h := header("Connection", "a, b, keep-alive", "A", "1", "B", "2", "C", "3", "D", "4", "Keep-Alive", "x", "Proxy-Authenticate", "x", "Proxy-Authentication-Info", "x",
		"Proxy-Authorization", "x", "Proxy-Connection", "x", "Te", "x", "Transfer-Encoding", "x", "Upgrade", "x", "Trailer", "x",
		"Cache-Control", `no-cache="d", max-age=5`)
	want := header("C", "3", "Cache-Control", `no-cache="d", max-age=5`)
	if diff := cmp.Diff(want, StoredHeader(h, ResponsePolicy(h, testNow))); diff != "" {
		t.Error(diff)
	}
}
