package cache

import (
	"net/http"
	"testing"
)

func TestMarkTag(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		tag  string
		k    Coding
		want string
	}{
		{`"abc"`, Brotli, `W/"abc~br"`},
		{`W/"abc-m1x"`, Gzip, `W/"abc-m1x~gzip"`},
		{`""`, Zstd, `W/"~zstd"`},
		{`"abc"`, Identity, `"abc"`},
		{`abc`, Brotli, ``},
		{``, Brotli, ``},
		{`"a"b"`, Brotli, ``},
	} {
		if got := markTag(test.tag, test.k); got != test.want {
			t.Errorf("%s as %v is %s, want %s", test.tag, test.k, got, test.want)
		}
	}
}

func TestMatchForm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sent, tag string
		k         Coding
		ok        bool
	}{
		{`"abc"`, `"abc"`, Identity, true},
		{`W/"abc"`, `"abc"`, Identity, true},
		{`W/"abc~br"`, `"abc"`, Brotli, true},
		{`"abc~zstd"`, `W/"abc"`, Zstd, true},
		{`"abc~br"`, `"abc~br"`, Identity, true}, // the origin's own
		{`"abc~br~br"`, `"abc~br"`, Brotli, true},
		{`"abc~identity"`, `"abc"`, Identity, false},
		{`"abc~"`, `"abc"`, Identity, false},
		{`"abcd"`, `"abc"`, Identity, false},
		{`"ab"`, `"abc"`, Identity, false},
		{`abc~br`, `"abc"`, Identity, false},
		{`"abc~br"`, ``, Identity, false},
		{`"`, `"`, Identity, false},
	} {
		if k, ok := matchForm(test.sent, test.tag); k != test.k || ok != test.ok {
			t.Errorf("%s for %s: %v %v", test.sent, test.tag, k, ok)
		}
	}
}

func TestUnmarkCondition(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, sent, want string }{
		{"plain", `"a", W/"b"`, `"a", W/"b"`},
		{"marked", `W/"a~br"`, `W/"a"`},
		{"some", `"a~x", W/"b~gzip" ,"c"`, `"a~x", W/"b", "c"`},
		{"comma within", `"a,~b", W/"b~zstd"`, `"a,~b", W/"b"`},
		{"star", `*`, `*`},
		{"no tag", `~br`, `~br`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{"If-None-Match": {test.sent}}
			before := unmarkCondition(h)
			if got := h.Get("If-None-Match"); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if before[0] != test.sent {
				t.Errorf("what was sent became %s", before[0])
			}
		})
	}
}

func FuzzCodingTag(f *testing.F) {
	for _, seed := range []string{`"abc"`, `W/"abc"`, `"a~br"`, `""`, `"`, `W/`, `"a, b"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		for k := Gzip; k < codingCount; k++ {
			marked := markTag(tag, k)
			if (marked == "") != (opaqueTag(tag) == "") {
				t.Fatalf("%q as %v is %q", tag, k, marked)
			}
			if marked == "" {
				continue
			}
			if got, ok := matchForm(marked, tag); !ok || got != k {
				t.Fatalf("%q for %q is %v %v", marked, tag, got, ok)
			}
			if back, got := unmarkTag(marked); got != k || !weakMatch(back, tag) {
				t.Fatalf("%q unmarked is %q in %v, want %q in %v", marked, back, got, tag, k)
			}
		}
		unmarkCondition(http.Header{"If-None-Match": {tag}})
	})
}
