package cache

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKeyPartsDoNotImitateEachOther(t *testing.T) {
	parts := []KeyParts{
		{},
		{Mount: "a"},
		{Scheme: "a"},
		{Host: "a"},
		{Path: "a"},
		{Query: "a"},
		{Split: "a"},
		{Origin: "a"},
		{Extra: []string{"a"}},
		{Extra: []string{""}},
		{Extra: []string{"", ""}},
		{Extra: []string{"a", ""}},
		{Extra: []string{"", "a"}},
		{BareQuery: true},
		{HasOrigin: true},
		{HasOrigin: true, Extra: []string{"a"}},
		{Host: "example.com", Path: "/a", Query: "b"},
		{Host: "example.com", Path: "/a?b"},
		{Host: "example.com/a", Query: "b"},
		{Path: "/\x00\x01"},
		{Path: "/", Query: "\x00\x01"},
	}
	seen := map[Key]int{}
	for i, p := range parts {
		k := NewKey(p)
		if j, ok := seen[k]; ok {
			t.Errorf("%+v and %+v have one key", parts[i], parts[j])
		}
		seen[k] = i
		if k == (Key{}) {
			t.Errorf("%+v has the zero key", p)
		}
	}
}

func TestKeyVariants(t *testing.T) {
	k := NewKey(KeyParts{Host: "example.com", Path: "/"})
	none, some := k.WithVariant(nil), k.WithVariant([]byte("x"))
	if k == none || none == some || k == some {
		t.Error("a primary key and its variants must differ")
	}
	for _, v := range []Key{k, none, some} {
		if v.Primary() != k {
			t.Errorf("the primary key of %q is lost", v.Bytes())
		}
		if KeyFromBytes(v.Bytes()) != v {
			t.Errorf("%q does not survive its bytes", v.Bytes())
		}
	}
	if (Key{}).Primary() != (Key{}) || KeyFromBytes("\xff").Primary() != (Key{}) || KeyFromBytes("\x05a").Primary() != (Key{}) {
		t.Error("bytes that are no key have no primary key")
	}
}

func TestKeyAllocatesOnce(t *testing.T) {
	p := KeyParts{Mount: "0123456789abcdef", Scheme: "https", Host: "example.com", Path: "/blog/2024/01/", Query: "page=2"}
	if n := testing.AllocsPerRun(100, func() { _ = NewKey(p) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzKey: equal keys mean equal parts and equal variants.
func FuzzKey(f *testing.F) {
	f.Add("m", "https", "h", "/p", "q", "s", "o", "e", "v", "m", "https", "h", "/pq", "", "s", "o", "e", "v")
	f.Fuzz(func(t *testing.T, m1, s1, h1, p1, q1, l1, o1, e1, v1, m2, s2, h2, p2, q2, l2, o2, e2, v2 string) {
		parts := func(m, s, h, p, q, l, o, e string) KeyParts {
			k := KeyParts{Mount: m, Scheme: s, Host: h, Path: p, Query: q, Split: l, Origin: o, HasOrigin: o != "", BareQuery: q == ""}
			if e != "" {
				k.Extra = []string{e, e + "x"}
			}
			return k
		}
		a, b := parts(m1, s1, h1, p1, q1, l1, o1, e1), parts(m2, s2, h2, p2, q2, l2, o2, e2)
		ka, kb := NewKey(a).WithVariant([]byte(v1)), NewKey(b).WithVariant([]byte(v2))
		if (ka == kb) != (cmp.Equal(a, b) && v1 == v2) {
			t.Fatalf("%+v %q and %+v %q", a, v1, b, v2)
		}
		if ka.Primary() != NewKey(a) {
			t.Fatalf("%q: primary key lost", ka.Bytes())
		}
	})
}

// FuzzVariant: two requests that select one variant agree, normalised, in every
// selecting field.
func FuzzVariant(f *testing.F) {
	f.Add("Foo, Bar", "1", "a,b", "1", "a , b")
	f.Add("Accept-Language", "de, en;q=0.5", "", "en;q=0.5,DE", "")
	f.Fuzz(func(t *testing.T, vary, foo1, bar1, foo2, bar2 string) {
		v := ParseVary([]string{vary})
		header := func(foo, bar string) http.Header {
			h := http.Header{}
			for i, name := range v.Fields {
				h[name] = []string{foo}
				if i%2 == 1 {
					h[name] = []string{bar, foo}
				}
			}
			return h
		}
		a, b := header(foo1, bar1), header(foo2, bar2)
		equal := true
		for _, name := range v.Fields {
			na, nb := normaliseList(a[name]), normaliseList(b[name])
			if name == "Accept-Language" {
				na, nb = normaliseLanguages(a[name]), normaliseLanguages(b[name])
			}
			equal = equal && na == nb
		}
		if got := string(v.AppendVariant(nil, a)) == string(v.AppendVariant(nil, b)); got != equal {
			t.Fatalf("%q: variants equal %v, fields equal %v", vary, got, equal)
		}
	})
}
