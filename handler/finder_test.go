package handler

import (
	"bytes"
	"strings"
	"testing"
)

func TestFinder(t *testing.T) {
	for _, name := range []string{"blog.example.net", "a", "xn--bcher-kva.example", "[2001:db8::1]", "aaaa", "qqqq.q", "intranet"} {
		f := newFinder([]byte(name))
		for _, text := range []string{
			"", name, "x" + name, name + "x", name[1:], name[:len(name)-1], name + name,
			strings.Repeat("x", 1000) + name, strings.Repeat("q", 1000) + name, strings.Repeat(name[1:], 100) + name,
			strings.Repeat(name[:len(name)-1], 100), strings.Repeat(name[f.at:f.at+1], 500) + name,
		} {
			if have, want := f.index([]byte(text)), strings.Index(text, name); have != want {
				t.Errorf("%q in %.40q: got %d, want %d", name, text, have, want)
			}
		}
	}
}

func FuzzFinder(f *testing.F) {
	f.Add([]byte("blog.example.net"), []byte("https://blog.example.net/"))
	f.Fuzz(func(t *testing.T, name, text []byte) {
		if len(name) == 0 {
			return
		}
		finder := newFinder(name)
		if have, want := finder.index(text), bytes.Index(text, name); have != want {
			t.Errorf("got %d, want %d", have, want)
		}
	})
}
