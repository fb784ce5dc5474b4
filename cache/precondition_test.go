package cache

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
