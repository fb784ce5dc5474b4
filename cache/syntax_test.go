package cache

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestListElements(t *testing.T) {
	for name, test := range map[string]struct{ lines, want []string }{
		"none":                  {nil, nil},
		"empty":                 {[]string{"", " , ,\t"}, nil},
		"over lines":            {[]string{"a, b", "c"}, []string{"a", "b", "c"}},
		"quoted":                {[]string{`a="b,c", d`}, []string{`a="b,c"`, "d"}},
		"escaped quote":         {[]string{`a="b\",c", d`}, []string{`a="b\",c"`, "d"}},
		"open quote":            {[]string{`a="b,c, d`, "e"}, []string{`a="b`, "c", "d", "e"}},
		"open after closed":     {[]string{`"a,b","c,d`}, []string{`"a,b"`, `"c`, "d"}},
		"a quote spans no line": {[]string{`"a`, `b"`}, []string{`"a`, `b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, slices.Collect(listElements(test.lines))); diff != "" {
				t.Error(diff)
			}
		})
	}
	for range listElements([]string{"a, b"}) {
		break
	}
	// Quotes that are never closed must not make the time quadratic: this takes
	// minutes if each of them is searched to the end.
	n := 0
	for range listElements([]string{strings.Repeat(`"\`, 1<<20)}) {
		n++
	}
	if n != 1 {
		t.Errorf("%d elements", n)
	}
}

func TestUnquote(t *testing.T) {
	for in, want := range map[string]string{`"a"`: "a", `""`: "", `"a\"b"`: `a"b`, `"a\\"`: `a\`} {
		if got, ok := unquote(in); !ok || got != want {
			t.Errorf("%s = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", `"`, "a", `"a`, `"a"b`, `"a"b"`, `"a\"`} {
		if got, ok := unquote(in); ok {
			t.Errorf("%s = %q", in, got)
		}
	}
}
