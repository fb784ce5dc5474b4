package cache

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseVary(t *testing.T) {
	var many []string
	for i := range maxVaryFields + 1 {
		many = append(many, fmt.Sprint("f", i))
	}
	for name, test := range map[string]struct {
		lines  []string
		fields []string
		reason Reason
	}{
		"none":                          {nil, nil, ReasonStored},
		"one list over all lines":       {[]string{"foo, BAR", "", "foo"}, []string{"Bar", "Foo"}, ReasonStored},
		"vary-syntax-star":              {[]string{"*"}, nil, ReasonVaryStar},
		"vary-syntax-star-star":         {[]string{"*, *"}, nil, ReasonVaryStar},
		"vary-syntax-star-star-lines":   {[]string{"*", "*"}, nil, ReasonVaryStar},
		"vary-syntax-empty-star":        {[]string{", *"}, nil, ReasonVaryStar},
		"vary-syntax-empty-star-lines":  {[]string{"", "*"}, nil, ReasonVaryStar},
		"vary-syntax-star-foo":          {[]string{"*, Foo"}, nil, ReasonVaryStar},
		"vary-syntax-foo-star":          {[]string{"Foo, *"}, []string{"Foo"}, ReasonVaryStar},
		"no field name":                 {[]string{"a b"}, nil, ReasonVaryStar},
		"WP Super Cache":                {[]string{"Accept-Encoding, Cookie"}, nil, ReasonStored},
		"never sent, configured, keyed": {[]string{"Referer, X-Forwarded-Proto, Origin, If-None-Match, Host"}, nil, ReasonStored},
		"the visitor's address":         {[]string{"X-Real-IP"}, nil, ReasonVaryClientAddress},
		"credentials":                   {[]string{"authorization"}, []string{"Authorization"}, ReasonStored},
		"too many":                      {many, nil, ReasonVaryOverflow},
	} {
		t.Run(name, func(t *testing.T) {
			v := ParseVary(test.lines)
			if v.Reason() != test.reason {
				t.Errorf("%v, want %v", v.Reason(), test.reason)
			}
			if diff := cmp.Diff(test.fields, v.Fields); diff != "" && test.reason != ReasonVaryOverflow {
				t.Error(diff)
			}
			if got, want := v.Cookie, name == "WP Super Cache"; got != want {
				t.Errorf("cookie %v", got)
			}
		})
	}
}

func TestVariants(t *testing.T) {
	lang := func(v string) http.Header { return header("Accept-Language", v) }
	for name, test := range map[string]struct {
		vary string
		a, b http.Header
		same bool
	}{
		"vary-match":                      {"Foo", header("Foo", "1"), header("Foo", "1"), true},
		"vary-no-match":                   {"Foo", header("Foo", "1"), header("Foo", "2"), false},
		"vary-omit-stored":                {"Foo", header(), header("Foo", "1"), false},
		"vary-omit":                       {"Foo", header("Foo", "1"), header(), false},
		"empty is not absent":             {"Foo", header("Foo", ""), header(), false},
		"vary-cache-key":                  {"Foo", header("Foo", "1", "Other", "2"), header("Foo", "1", "Other", "3"), true},
		"vary-2-match":                    {"Foo, Bar", header("Foo", "1", "Bar", "abc"), header("Foo", "1", "Bar", "abc"), true},
		"vary-2-no-match":                 {"Foo, Bar", header("Foo", "1", "Bar", "abc"), header("Foo", "2", "Bar", "abc"), false},
		"vary-3-order":                    {"Foo, Bar, Baz", header("Foo", "1", "Bar", "abc", "Baz", "789"), header("Foo", "1", "Baz", "789", "Bar", "abcde"), false},
		"vary-3-omit":                     {"Foo, Bar, Baz", header("Foo", "1", "Baz", "789"), header("Foo", "1", "Baz", "789"), true},
		"joins are unambiguous":           {"Foo, Bar", header("Foo", "a,b", "Bar", ""), header("Foo", "a", "Bar", "b"), false},
		"vary-normalise-combine":          {"Foo", header("Foo", "1, 2"), header("Foo", "1", "Foo", "2"), true},
		"vary-normalise-space":            {"Foo", header("Foo", "1,2"), header("Foo", " 1, 2 "), true},
		"space inside an element":         {"Foo", header("Foo", "1 2"), header("Foo", "12"), false},
		"comma inside a string":           {"Foo", header("Foo", `"1, 2"`), header("Foo", `"1,2"`), false},
		"vary-normalise-lang-order":       {"Accept-Language", lang("en, de"), lang("de, en"), true},
		"vary-normalise-lang-case":        {"Accept-Language", lang("en, de"), lang("eN, De"), true},
		"vary-normalise-lang-space":       {"Accept-Language", lang("en, de"), lang(" en ,   de"), true},
		"equal weights spelled two ways":  {"Accept-Language", lang("de;q=0.5, en;q=1.000"), lang("en,de; q=0.50"), true},
		"other weights":                   {"Accept-Language", lang("en, de;q=0.5"), lang("en, de;q=0.6"), false},
		"other languages":                 {"Accept-Language", lang("en"), lang("en-GB"), false},
		"malformed weight":                {"Accept-Language", lang("en;q=2"), lang("en"), false},
		"thousandths are no weight":       {"Accept-Language", lang("de;q=500"), lang("de;q=0.5"), false},
		"accept-encoding selects nothing": {"Accept-Encoding", header("Accept-Encoding", "gzip"), header("Accept-Encoding", "br"), true},
		"credentials differ":              {"Authorization", header("Authorization", "Basic YTpi"), header("Authorization", "Basic YTpj"), false},
	} {
		t.Run(name, func(t *testing.T) {
			v := ParseVary([]string{test.vary})
			a, b := v.AppendVariant(nil, test.a), v.AppendVariant(nil, test.b)
			if (string(a) == string(b)) != test.same {
				t.Errorf("%q and %q: same %v, want %v", a, b, !test.same, test.same)
			}
			if strings.Contains(string(a), "Basic") {
				t.Errorf("%q shows credentials", a)
			}
		})
	}
}

func TestLanguageVariant(t *testing.T) {
	v := ParseVary([]string{"Accept-Language, Foo"})
	find := func(h http.Header) string {
		b, _ := v.AppendLanguageVariant(nil, h, PreferredLanguage(h))
		return string(b)
	}
	stored, ok := v.AppendLanguageVariant(nil, header("Accept-Language", "en, de"), ContentLanguage(header("Content-Language", " DE ")))
	if !ok {
		t.Fatal("a response in one language has no language variant")
	}
	for name, test := range map[string]struct {
		header http.Header
		found  bool
	}{
		"vary-normalise-lang-select": {header("Accept-Language", "fr;q=0.5, de;q=1.0"), true},
		"no favourite":               {header("Accept-Language", "de, en"), false},
		"another favourite":          {header("Accept-Language", "en, de;q=0.9"), false},
		"a closer language":          {header("Accept-Language", "de-AT, de;q=0.9"), false},
		"none":                       {header(), false},
		"anything":                   {header("Accept-Language", "*"), false},
		"refused":                    {header("Accept-Language", "de;q=0"), false},
		"another field differs":      {header("Accept-Language", "de", "Foo", "1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := find(test.header) == string(stored); got != test.found {
				t.Errorf("found %v", got)
			}
		})
	}
	// The value of a client can never be taken for a language variant.
	if string(v.AppendVariant(nil, header("Accept-Language", "de"))) == string(stored) {
		t.Error("a value and a language share a variant")
	}
	for _, value := range []string{"", "de, en", "*", "d e"} {
		if got := ContentLanguage(header("Content-Language", value)); got != "" {
			t.Errorf("%q is in %q", value, got)
		}
	}
	if _, ok := ParseVary([]string{"Foo"}).AppendLanguageVariant(nil, header(), "de"); ok {
		t.Error("a language selects where Vary does not name it")
	}
}

func TestLongAcceptLanguageIsComparedAsSent(t *testing.T) {
	long := strings.Repeat("de,", maxLanguages+1)
	if parseLanguages([]string{long}) != nil {
		t.Error("not bounded")
	}
	if normaliseLanguages([]string{long}) != strings.TrimSuffix(long, ",") {
		t.Error("not compared as sent")
	}
}

func FuzzVary(f *testing.F) {
	f.Add("Foo, *", "Accept-Language")
	f.Add("", "a b")
	f.Fuzz(func(t *testing.T, a, b string) {
		v := ParseVary([]string{a, b})
		if strings.Contains(","+strings.ReplaceAll(a, " ", "")+",", ",*,") && !strings.ContainsAny(a, `"`) && v.Reason() == ReasonStored {
			t.Fatalf("%q is stored", a)
		}
		if len(v.Fields) > maxVaryFields {
			t.Fatalf("%d fields", len(v.Fields))
		}
		h := http.Header{"Accept-Language": {a, b}, "Foo": {b}}
		v.AppendVariant(nil, h)
		PreferredLanguage(h)
		if n := normaliseLanguages([]string{a}); normaliseLanguages([]string{n}) == "" && n != "" {
			t.Fatalf("%q normalised to %q and then to nothing", a, n)
		}
	})
}
