package handler

import (
	"net/url"
	"strings"
	"testing"
)

// newMount makes a mount for a test, with the sites given.
func newMount(t testing.TB, mode Mode, prefix string, sites ...string) *Mount {
	t.Helper()
	m, err := New(Options{Prefix: prefix, Sites: sites, Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newTestView views a mount from https://example.com.
func newTestView(t testing.TB, mode Mode, prefix string, sites ...string) *View {
	t.Helper()
	return newMount(t, mode, prefix, sites...).View(Base{Scheme: "https", Host: "example.com"})
}

func TestLocate(t *testing.T) {
	tests := []struct {
		name, prefix, path string
		place              Place
		canonical, rest    string
	}{
		{"bare", "/blog", "/blog", Bare, "/blog/", "/"},
		{"home", "/blog", "/blog/", Inside, "/blog/", "/"},
		{"below", "/blog", "/blog/2026/a-post/", Inside, "/blog/2026/a-post/", "/2026/a-post/"},
		{"no boundary", "/blog", "/blogger", Outside, "", ""},
		{"file beside", "/blog", "/blog.html", Outside, "", ""},
		{"at sign", "/blog", "/blog@evil.example/", Outside, "", ""},
		{"semicolon", "/blog", "/blog;x/", Outside, "", ""},
		{"case", "/blog", "/Blog/", Outside, "", ""},
		{"main site", "/blog", "/", Outside, "", ""},
		{"empty", "/blog", "", Outside, "", ""},
		{"asterisk", "/blog", "*", Outside, "", ""},
		{"doubled slash before", "/blog", "//blog/", Outside, "", ""},
		{"encoded prefix", "/blog", "/%62log/x", Inside, "/blog/x", "/x"},
		{"encoded prefix, bare", "/blog", "/bl%6Fg", Bare, "/blog/", "/"},
		{"encoded slash is no boundary", "/blog", "/blog%2Fx", Outside, "", ""},
		{"site's own blog page", "/blog", "/blog/blog/", Inside, "/blog/blog/", "/blog/"},
		{"doubled slash", "/blog", "/blog//evil.example//", Inside, "/blog//evil.example//", "//evil.example//"},
		{"encoded slash", "/blog", "/blog/a%2Fb%2fc", Inside, "/blog/a%2Fb%2fc", "/a%2Fb%2fc"},
		{"path parameter", "/blog", "/blog/a;b=c/d", Inside, "/blog/a;b=c/d", "/a;b=c/d"},
		{"escapes kept", "/blog", "/blog/caf%c3%A9/%41", Inside, "/blog/caf%c3%A9/%41", "/caf%c3%A9/%41"},
		{"dot", "/blog", "/blog/./x", Inside, "/blog/x", "/x"},
		{"last dot", "/blog", "/blog/x/.", Inside, "/blog/x/", "/x/"},
		{"dot at the prefix", "/blog", "/blog/.", Inside, "/blog/", "/"},
		{"dot before", "/blog", "/./blog/x", Inside, "/blog/x", "/x"},
		{"dots", "/blog", "/blog/a/b/../../c", Inside, "/blog/c", "/c"},
		{"last dots", "/blog", "/blog/x/..", Inside, "/blog/", "/"},
		{"encoded dots", "/blog", "/blog/a/%2e%2E/c", Inside, "/blog/c", "/c"},
		{"mixed dots", "/blog", "/blog/a/.%2e/b/%2e./c/%2e", Inside, "/blog/c/", "/c/"},
		{"dots over an empty segment", "/blog", "/blog//../x", Inside, "/blog/x", "/x"},
		{"dots in a name", "/blog", "/blog/...//..x", Inside, "/blog/...//..x", "/...//..x"},
		{"twice encoded dots are a name", "/blog", "/blog/%252e%252e/x", Inside, "/blog/%252e%252e/x", "/%252e%252e/x"},
		{"leaves", "/blog", "/blog/../admin", Refused, "", ""},
		{"leaves, encoded", "/blog", "/blog/%2e%2e/admin", Refused, "", ""},
		{"leaves from below", "/blog", "/blog/a/../../admin", Refused, "", ""},
		{"leaves and returns", "/blog", "/blog/../blog/x", Refused, "", ""},
		{"leaves, encoded prefix", "/blog", "/%62log/..", Refused, "", ""},
		{"enters and leaves", "/blog", "/x/../blog/../admin", Refused, "", ""},
		{"enters", "/blog", "/x/../blog/y", Inside, "/blog/y", "/y"},
		{"enters, bare", "/blog", "/x/y/../../blog", Bare, "/blog/", "/"},
		{"enters over the root", "/blog", "/../../blog/y", Inside, "/blog/y", "/y"},
		{"passes by", "/blog", "/x/blog/../y", Outside, "", ""},
		{"dots behind a slash", "/blog", "/blog/x%2f..%2f..%2fadmin", Refused, "", ""},
		{"dots before a slash", "/blog", "/blog/..%2Fadmin", Refused, "", ""},
		{"encoded dots and slash", "/blog", "/blog/%2e%2e%2fadmin", Refused, "", ""},
		{"dots behind a backslash", "/blog", "/blog/x%5c..%5cadmin", Refused, "", ""},
		{"dots behind a raw backslash", "/blog", `/blog/x\..\admin`, Refused, "", ""},
		{"dots with a parameter", "/blog", "/blog/..;/admin", Refused, "", ""},
		{"dots as a parameter", "/blog", "/blog/x;..", Inside, "/blog/x;..", "/x;.."},
		{"backslash", "/blog", "/blog/a%5Cb", Inside, "/blog/a%5Cb", "/a%5Cb"},
		{"NUL", "/blog", "/blog/a%00b", Refused, "", ""},
		{"CR", "/blog", "/blog/a%0db", Refused, "", ""},
		{"LF", "/blog", "/blog/a%0Ab", Refused, "", ""},
		{"raw LF", "/blog", "/blog/a\nb", Refused, "", ""},
		{"broken escape", "/blog", "/blog/%zz", Refused, "", ""},
		{"cut escape", "/blog", "/blog/%4", Refused, "", ""},
		{"NUL outside is not ours", "/blog", "/x%00/blog", Outside, "", ""},
		{"broken escape outside is not ours", "/blog", "/%zz/../y", Outside, "", ""},
		{"two segments", "/a/b", "/a/b/c", Inside, "/a/b/c", "/c"},
		{"two segments, half way", "/a/b", "/a/x/../b/c", Inside, "/a/b/c", "/c"},
		{"two segments, parent", "/a/b", "/a", Outside, "", ""},
		{"two segments, leaves to the parent", "/a/b", "/a/b/..", Refused, "", ""},
		{"prefix beyond ASCII", "/café", "/caf%C3%A9/x", Inside, "/caf%C3%A9/x", "/x"},
		{"prefix beyond ASCII, lower hex", "/café", "/caf%c3%a9/x", Inside, "/caf%C3%A9/x", "/x"},
		{"root", "", "/", Inside, "/", "/"},
		{"root, empty", "", "", Inside, "/", "/"},
		{"root, below", "", "/a//b", Inside, "/a//b", "/a//b"},
		{"root, dots", "", "/a/../b", Inside, "/b", "/b"},
		{"root, leaves", "", "/../b", Refused, "", ""},
		{"root, asterisk", "", "*", Outside, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMount(t, Transparent, tt.prefix, "https://blog.example.net")
			place, canonical, rest := m.Locate(tt.path)
			if place != tt.place || canonical != tt.canonical || rest != tt.rest {
				t.Errorf("Locate(%q) = %v, %q, %q; want %v, %q, %q",
					tt.path, place, canonical, rest, tt.place, tt.canonical, tt.rest)
			}
		})
	}
}

// The time for a path must grow with its length only.
func TestLocateIsLinear(t *testing.T) {
	m := newMount(t, Transparent, "/blog", "https://blog.example.net")
	testLinear(t, "dot segments", func(n int) {
		if place, _, _ := m.Locate("/blog" + strings.Repeat("/a/..", n) + strings.Repeat("/%2e", n)); place != Inside {
			t.Fatalf("Locate = %v", place)
		}
	})
}

func FuzzLocate(f *testing.F) {
	for _, seed := range []string{
		"/blog", "/blog/", "/blogger", "/blog/../x", "/%62log/a%2Fb", "/x/../blog//y", "/blog/%2e%2e%2fadmin",
		"/blog/..;/x", `/blog/\..`, "/blog/%00", "/./blog/.", "//blog/", "/blog/a/%2E%2e/b;c?d",
	} {
		f.Add(seed)
	}
	transparent := newMount(f, Transparent, "/blog", "https://blog.example.net/wp")
	view := transparent.View(Base{Scheme: "https", Host: "example.com"})
	f.Fuzz(func(t *testing.T, path string) {
		place, canonical, rest := transparent.Locate(path)
		if place == Outside || place == Refused {
			if canonical != "" || rest != "" {
				t.Fatalf("Locate(%q) = %v, %q, %q", path, place, canonical, rest)
			}
			return
		}
		if canonical != "/blog"+rest || !strings.HasPrefix(rest, "/") {
			t.Fatalf("Locate(%q) = %q, %q", path, canonical, rest)
		}
		// The canonical path is its own canonical path.
		if p, c, r := transparent.Locate(canonical); p != Inside || c != canonical || r != rest {
			t.Fatalf("Locate(%q) = %v, %q, %q", canonical, p, c, r)
		}
		// No server finds a way out of the mount or of the site's base path.
		for _, full := range []string{canonical, view.SitePath(rest)} {
			decoded, ok := unescape(full)
			if !ok {
				t.Fatalf("%q holds a broken escape", full)
			}
			for _, segment := range strings.FieldsFunc(decoded, func(r rune) bool { return r == '/' || r == '\\' }) {
				if segment == ".." || strings.HasPrefix(segment, "..;") {
					t.Fatalf("%q climbs", full)
				}
			}
			if strings.ContainsAny(decoded, "\x00\r\n") {
				t.Fatalf("%q splits", full)
			}
		}
		// There and back is the identity.
		if strings.ContainsAny(rest, "?#\\\t") {
			return // no path that EscapedPath returns
		}
		site := view.SiteURL("https://example.com" + canonical)
		if site != "https://blog.example.net/wp"+rest {
			t.Fatalf("SiteURL of %q = %q", canonical, site)
		}
		if public, ok := view.PublicURL(site); !ok || public != "https://example.com"+canonical {
			t.Fatalf("PublicURL(%q) = %q, %v", site, public, ok)
		}
		u := &url.URL{}
		setPath(u, view.SitePath(rest))
		if again, err := url.PathUnescape(u.EscapedPath()); err != nil || again != u.Path {
			t.Fatalf("setPath(%q): %q is not %q", view.SitePath(rest), again, u.Path)
		}
	})
}
