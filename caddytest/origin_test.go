package caddytest

import (
	"strings"
	"testing"
)

func TestParseOriginErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"statement before on", "body x", "line 1: body before the first on"},
		{"unknown statement", "on *\nsing", "line 2: unknown statement sing"},
		{"too few words", "on *\nbody", "line 2: body with 0 words"},
		{"too many words", "on *\nbody a b", "line 2: body with 2 words"},
		{"unknown scheme", "listen gopher", "line 1: cannot listen on gopher"},
		{"listen after on", "on *\nlisten http", "line 2: expected listen"},
		{"on without pattern", "on GET", "line 1: expected on METHOD PATTERN"},
		{"bad count", "on GET /x #0", "line 1: expected #1 or more"},
		{"bad pattern", "on GET [", "line 1: pattern ["},
		{"unterminated quote", "on *\n\nbody 'x", "line 3: unterminated quote"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseOrigin(test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("parseOrigin(%q): %v, want %s", test.text, err, test.want)
			}
		})
	}
}

func TestHandlerMatches(t *testing.T) {
	tests := []struct {
		on, method, target string
		want               bool
	}{
		{"*", "PURGE", "/x?y", true},
		{"GET /x", "GET", "/x", true},
		{"GET /x", "GET", "/x?y", true},
		{"GET /x", "POST", "/x", false},
		{"GET /x", "GET", "/x/", false},
		{"* /x", "POST", "/x", true},
		{"GET /x?y", "GET", "/x?y", true},
		{"GET /x?y", "GET", "/x", false},
		{"GET /x?y", "GET", "/xzy", false},
		{"GET /a/*", "GET", "/a/b", true},
		{"GET /a/*", "GET", "/a/b/c", false},
		{"GET /a/**", "GET", "/a/b/c?d", true},
		{"GET /a/**", "GET", "/ab", false},
	}
	for _, test := range tests {
		t.Run(test.on+" for "+test.method+" "+test.target, func(t *testing.T) {
			h, err := parseOn(strings.Fields(test.on))
			if err != nil {
				t.Fatal(err)
			}
			if have := h.matches(test.method, test.target); have != test.want {
				t.Errorf("matches = %v, want %v", have, test.want)
			}
		})
	}
}

func FuzzParseOrigin(f *testing.F) {
	f.Add("listen http a.test\non GET /x #1\nheader A 'b c'\nbody x\n")
	f.Fuzz(func(t *testing.T, text string) {
		script, err := parseOrigin(text)
		if err != nil {
			return
		}
		for _, h := range script.handlers {
			h.matches("GET", text)
		}
	})
}
