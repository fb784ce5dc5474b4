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
