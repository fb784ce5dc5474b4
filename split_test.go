package mount

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/google/go-cmp/cmp"
)

func TestWithoutCookie(t *testing.T) {
	for _, test := range []struct {
		name     string
		in, want []string
	}{
		{"none", nil, nil},
		{"others only", []string{"a=1;b=2", ";c"}, []string{"a=1;b=2", ";c"}},
		{"alone", []string{"split=x"}, nil},
		{"first", []string{"split=x; a=1"}, []string{"a=1"}},
		{"last", []string{"a=1; b=2;split=x"}, []string{"a=1; b=2"}},
		{"several", []string{"split=x; a=1; split=y", "split=z"}, []string{"a=1"}},
		{"several lines", []string{"a=1", "split=x", "b=2"}, []string{"a=1", "b=2"}},
		{"blanks", []string{" \tsplit \t= x ;a=1"}, []string{"a=1"}},
		{"no value", []string{"split; a=1"}, []string{"a=1"}},
		{"another case", []string{"Split=x"}, []string{"Split=x"}},
		{"a longer name", []string{"splitter=x; a=split=x"}, []string{"splitter=x; a=split=x"}},
		{"no name", []string{"=split; ; split="}, []string{"=split"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := http.Header{"X": {"y"}}
			if test.in != nil {
				h["Cookie"] = slices.Clone(test.in)
			}
			got := withoutCookie(h, "split")
			if diff := cmp.Diff(test.want, got["Cookie"]); diff != "" {
				t.Errorf("cookies (-want +have):\n%s", diff)
			}
			if _, there := got["Cookie"]; there != (test.want != nil) || got.Get("X") != "y" {
				t.Errorf("the header is %v", got)
			}
			if diff := cmp.Diff(test.in, h["Cookie"]); diff != "" {
				t.Errorf("the request's own header has changed (-want +have):\n%s", diff)
			}
		})
	}
}

// FuzzWithoutCookie: what is left is what was there in its order, and nothing
// that net/http would read as the cookie.
func FuzzWithoutCookie(f *testing.F) {
	f.Add("split=x; a=1", "b=2")
	f.Add("a=1;split = y;;", "split")
	f.Add("=;split\t=\"x;y\"", " ; ")
	f.Fuzz(func(t *testing.T, first, second string) {
		h := http.Header{"Cookie": {first, second}}
		got := withoutCookie(h, "split")
		r := http.Request{Header: got}
		if left := r.CookiesNamed("split"); len(left) > 0 {
			t.Errorf("left %v", left)
		}
		before := http.Request{Header: h}
		var others []string
		for _, c := range before.Cookies() {
			if c.Name != "split" {
				others = append(others, c.Name+"="+c.Value)
			}
		}
		var kept []string
		for _, c := range r.Cookies() {
			kept = append(kept, c.Name+"="+c.Value)
		}
		if !slices.Equal(others, kept) {
			t.Errorf("kept %q of %q", kept, others)
		}
	})
}

func TestGrouped(t *testing.T) {
	groups := map[string][]string{"a": {"x:1"}, "b": {"y:1"}}
	const policy = `{"groups":{"a":["x:1"],"b":["y:1"]},"policy":"mount_split"}`
	for _, test := range []struct {
		name   string
		groups map[string][]string
		chain  []string
		want   []string
		err    string
	}{
		{"no groups", nil, []string{`{"handler":"vars"}`}, []string{`{"handler":"vars"}`}, ""},
		{
			"default policy", groups,
			[]string{`{"handler":"vars"}`, `{"handler":"reverse_proxy"}`},
			[]string{`{"handler":"vars"}`, `{"handler":"reverse_proxy","load_balancing":{"selection_policy":` + policy + `}}`},
			"",
		},
		{
			"own policy", groups,
			[]string{`{"handler":"reverse_proxy","load_balancing":{"retries":2,"selection_policy":{"policy":"first"}}}`},
			[]string{`{"handler":"reverse_proxy","load_balancing":{"retries":2,"selection_policy":` +
				strings.Replace(policy, `,"policy":"mount_split"}`, `,"within":{"policy":"first"},"policy":"mount_split"}`, 1) + `}}`},
			"",
		},
		{
			"null", groups,
			[]string{`null`, `{"handler":"reverse_proxy","load_balancing":null}`},
			[]string{`null`, `{"handler":"reverse_proxy","load_balancing":{"selection_policy":` + policy + `}}`},
			"",
		},
		{"none", groups, []string{`{"handler":"vars"}`}, nil, "need a reverse_proxy"},
		{"two", groups, []string{`{"handler":"reverse_proxy"}`, `{"handler":"reverse_proxy"}`}, nil, "there are several"},
		{"no object", groups, []string{`[]`}, nil, "reading handler 0"},
		{"bad balancing", groups, []string{`{"handler":"reverse_proxy","load_balancing":7}`}, nil, "reading load_balancing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var chain []json.RawMessage
			for _, h := range test.chain {
				chain = append(chain, json.RawMessage(h))
			}
			got, err := grouped(chain, test.groups)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want an error with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var have, want []any
			for i := range got {
				have, want = append(have, decoded(t, got[i])), append(want, decoded(t, []byte(test.want[i])))
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("chain (-want +have):\n%s", diff)
			}
		})
	}
}

func decoded(t *testing.T, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSplitWriter(t *testing.T) {
	const cookie = "mount_split_x=1; Path=/blog"
	for _, test := range []struct {
		name  string
		write func(w http.ResponseWriter)
	}{
		{"WriteHeader", func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK); w.WriteHeader(http.StatusOK) }},
		{"Write", func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) }},
		{"ReadFrom", func(w http.ResponseWriter) { _, _ = w.(*splitWriter).ReadFrom(strings.NewReader("x")) }},
		{"Flush", func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }},
		{"304", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotModified) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			stored := make([]string, 1, 4)
			stored[0] = "max-age=60"
			rec := httptest.NewRecorder()
			w := &splitWriter{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: rec}, cookie: cookie}
			w.WriteHeader(http.StatusEarlyHints)
			if _, early := rec.Header()["Set-Cookie"]; early {
				t.Error("an interim answer carries the cookie")
			}
			h := w.Header()
			h["Set-Cookie"], h["Cache-Control"], h["Cdn-Cache-Control"] = []string{"a=1"}, stored, []string{"max-age=9"}
			test.write(w)
			want := http.Header{"Set-Cookie": {"a=1", cookie}, "Cache-Control": {"max-age=60", "private"}}
			if diff := cmp.Diff(want, rec.Header()); diff != "" {
				t.Errorf("header (-want +have):\n%s", diff)
			}
			if more := stored[:2]; more[1] != "" {
				t.Errorf("the stored header's array was written to: %q", more)
			}
		})
	}
}
