package mount

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestMountPath(t *testing.T) {
	for _, test := range []struct {
		in, want, err string
	}{
		{in: "/blog", want: "/blog"},
		{in: "/blog/", want: "/blog"},
		{in: "/blog/*", want: "/blog"},
		{in: "/a/b", want: "/a/b"},
		{in: "/caf%C3%A9", want: "/café"},
		{in: "/", want: "/"},
		{in: "/*", want: "/"},
		{in: "blog", err: "absolute path"},
		{in: "", err: "absolute path"},
		{in: "https://example.com/blog", err: "absolute path"},
		{in: "/blog*", err: "/blogger too"},
		{in: "/bl*og", err: "no path can have"},
		{in: "/a//b", err: "empty or dot segment"},
		{in: "/a/../b", err: "empty or dot segment"},
		{in: "/a/./b", err: "empty or dot segment"},
		{in: "/a?b", err: "no path can have"},
		{in: "/{path}", err: "no path can have"},
		{in: "/a%zz", err: "invalid URL escape"},
		{in: "/a b", err: "no path can have"},
	} {
		t.Run(test.in, func(t *testing.T) {
			got, err := mountPath(test.in)
			switch {
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("got %q, %v; want an error with %q", got, err, test.err)
			case test.err == "" && (err != nil || got != test.want):
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestSize(t *testing.T) {
	for _, test := range []struct {
		json string
		want Size
		bad  bool
	}{
		{json: `1024`, want: 1024},
		{json: `"256MiB"`, want: 256 << 20},
		{json: `"2GB"`, want: 2_000_000_000},
		{json: `-1`, bad: true},
		{json: `"much"`, bad: true},
		{json: `"99999999999GB"`, bad: true},
		{json: `true`, bad: true},
	} {
		t.Run(test.json, func(t *testing.T) {
			var s Size
			err := json.Unmarshal([]byte(test.json), &s)
			if test.bad != (err != nil) || !test.bad && s != test.want {
				t.Errorf("got %d, %v; want %d, error %v", s, err, test.want, test.bad)
			}
		})
	}
}

func TestMatchHost(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"example.com", "example.com", true},
		{"Example.com", "example.com", true},
		{"*.example.com", "www.example.com", true},
		{"*.example.com", "a.b.example.com", false},
		{"*.example.com", "example.com", false},
		{"example.com", "example.org", false},
	} {
		if got := matchHost(test.pattern, test.name); got != test.want {
			t.Errorf("matchHost(%q, %q) = %v", test.pattern, test.name, got)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	got := strings.Join(placeholders(`{"handler":"vars","a":"{http.vars.root}/{env.HOME}","b":{"c":"x{not a name}{http.auth.user.id}"}}`), " ")
	if want := "http.vars.root env.HOME http.auth.user.id"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
