package cache

import (
	"strings"
	"testing"
)

func TestParseDictionary(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  string // keys in order, or "" for invalid
	}{
		"empty":                           {[]string{""}, "-"},
		"members":                         {[]string{"a=1, b;x=2, c=?0"}, "a b c"},
		"lines are one list":              {[]string{"a=1", "b"}, "a b"},
		"tabs around commas":              {[]string{"a=1\t,\tb"}, "a b"},
		"last of a repeated key":          {[]string{"a=1, b, a=2"}, "a b"},
		"inner list":                      {[]string{`a=("x" y;q=1);z, b=()`}, "a b"},
		"date, bytes, display string":     {[]string{`a=@1659578233, b=:aGk=:, c=%"f%c3%bc"`}, "a b c"},
		"decimal":                         {[]string{"a=-1.250"}, "a"},
		"cdn-cc-invalid-sh-type-unknown":  {[]string{"max-age=10000, &&&&&"}, ""},
		"cdn-max-age-case-insensitive":    {[]string{"MaX-aGe=3600"}, ""},
		"cdn-max-age-space-before-equals": {[]string{"max-age =100"}, ""},
		"cdn-max-age-space-after-equals":  {[]string{"max-age= 100"}, ""},
		"trailing comma":                  {[]string{"a,"}, ""},
		"empty member":                    {[]string{"a,,b"}, ""},
		"no comma":                        {[]string{"a b"}, ""},
		"16 digits":                       {[]string{"a=1234567890123456"}, ""},
		"4 digits after the point":        {[]string{"a=1.2345"}, ""},
		"no digit after the point":        {[]string{"a=1."}, ""},
		"13 digits before the point":      {[]string{"a=1234567890123.1"}, ""},
		"lone minus":                      {[]string{"a=-"}, ""},
		"open string":                     {[]string{`a="b`}, ""},
		"bad escape":                      {[]string{`a="\b"`}, ""},
		"control in string":               {[]string{"a=\"\x01\""}, ""},
		"not ASCII":                       {[]string{`a="ü"`}, ""},
		"bad boolean":                     {[]string{"a=?2"}, ""},
		"open bytes":                      {[]string{"a=:aGk="}, ""},
		"bad base64":                      {[]string{"a=:a~:"}, ""},
		"decimal date":                    {[]string{"a=@1.5"}, ""},
		"display string not UTF-8":        {[]string{`a=%"%ff"`}, ""},
		"upper-case hex":                  {[]string{`a=%"%C3%BC"`}, ""},
		"open inner list":                 {[]string{"a=(1 2"}, ""},
		"inner list without space":        {[]string{`a=("a""b")`}, ""},
		"parameter without key":           {[]string{"a;=1"}, ""},
		"too long":                        {[]string{strings.Repeat("a", maxStructuredBytes+1)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, ok := parseDictionary(test.lines)
			var keys []string
			for _, m := range d {
				keys = append(keys, m.key)
			}
			got := strings.Join(keys, " ")
			if ok && got == "" {
				got = "-"
			}
			if got != test.want || ok != (test.want != "") {
				t.Errorf("%q = %q, %v; want %q", test.lines, got, ok, test.want)
			}
		})
	}
}

func TestParseItem(t *testing.T) {
	if m, ok := parseItem([]string{"?1;a"}); !ok || m.kind != kindBoolean || !m.boolean || len(m.params) != 1 {
		t.Errorf("?1;a = %+v, %v", m, ok)
	}
	for _, s := range []string{"", "?1 x", "?1, ?0", "(1)"} {
		if m, ok := parseItem([]string{s}); ok {
			t.Errorf("%q = %+v", s, m)
		}
	}
}

// FuzzStructured: no input panics, and a valid List is valid when its lines are
// joined by a comma.
func FuzzStructured(f *testing.F) {
	f.Add(`a=1, b="x\"y";c;d=?0, e=(1 2);f`, "g=:aGk=:")
	f.Add(`"a", tok/en, 1.5`, `%"%c3%bc", @12`)
	f.Fuzz(func(t *testing.T, a, b string) {
		parseItem([]string{a})
		_, okA := parseDictionary([]string{a})
		_, okB := parseDictionary([]string{b})
		if okA && okB && strings.Trim(a, " ") != "" && strings.Trim(b, " ") != "" {
			if _, ok := parseDictionary([]string{a, b}); !ok && len(a)+len(b) < maxStructuredBytes-2 && !strings.ContainsAny(a+b, "\t") {
				t.Fatalf("%q and %q are valid, but not as two lines", a, b)
			}
		}
		la, okA := parseList([]string{a})
		lb, okB := parseList([]string{b})
		if okA && okB && len(la) > 0 && len(lb) > 0 && len(a)+len(b) < maxStructuredBytes-2 {
			if l, ok := parseList([]string{a, b}); !ok || len(l) != len(la)+len(lb) {
				t.Fatalf("%q and %q: %d and %d members, together %d", a, b, len(la), len(lb), len(l))
			}
		}
	})
}
