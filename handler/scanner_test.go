package handler

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// blogForms map http://blog.example.net to https://example.com/blog.
func blogForms() *forms {
	return newForms([]formBase{{"http", "blog.example.net", ""}}, formBase{"https", "example.com", "/blog"}, formOptions{})
}

// scanCut scans in pieces of the given sizes, used in turn; a size of zero is a
// flush.
func scanCut(t testing.TB, f *forms, kind mediaKind, in string, sizes ...int) string {
	t.Helper()
	var out bytes.Buffer
	scanTo(t, newScanner(&out, f, kind), in, sizes...)
	return out.String()
}

// scanWhole is scanCut for a body that is mapped before any of it is written.
func scanWhole(t testing.TB, f *forms, kind mediaKind, in string, sizes ...int) string {
	t.Helper()
	var out bytes.Buffer
	scanTo(t, newWholeScanner(&out, f, kind), in, sizes...)
	return out.String()
}

func scanTo(t testing.TB, s *scanner, in string, sizes ...int) {
	t.Helper()
	for i := 0; len(in) > 0; i++ {
		k := len(in)
		if len(sizes) > 0 {
			k = min(k, sizes[i%len(sizes)])
		}
		if k == 0 {
			if err := s.Flush(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if _, err := io.WriteString(s, in[:k]); err != nil {
			t.Fatal(err)
		}
		in = in[k:]
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestScanner maps each case whole and at every cut.
func TestScanner(t *testing.T) {
	for _, c := range scannerCases {
		t.Run(c.name, func(t *testing.T) {
			f := c.tables()
			want := c.want
			if want == "" {
				want = c.in
			}
			if got := scanWhole(t, f, c.kind, c.in, 7); got != want {
				t.Fatalf("as a whole\nin   %s\ngot  %s\nwant %s", c.in, got, want)
			}
			if got := scanCut(t, f, c.kind, c.in); got != want {
				t.Fatalf("in   %s\ngot  %s\nwant %s", c.in, got, want)
			}
			for _, sizes := range [][]int{{1}, {2}, {3}, {7}, {13}, {64}, {1000}, {4096}, {1, 0}, {3, 0}, {7, 0, 0, 5}} {
				if got := scanCut(t, f, c.kind, c.in, sizes...); got != want {
					t.Fatalf("in pieces of %v\nin   %s\ngot  %s\nwant %s", sizes, c.in, got, want)
				}
			}
			for i := range len(c.in) {
				for _, scan := range []func(testing.TB, *forms, mediaKind, string, ...int) string{scanCut, scanWhole} {
					if got := scan(t, f, c.kind, c.in, max(i, 1), 0, len(c.in)); got != want {
						t.Fatalf("cut at %d\nin   %s\ngot  %s\nwant %s", i, c.in, got, want)
					}
				}
			}
		})
	}
}

// TestScannerLongText puts each case behind and between more text than the
// history holds.
func TestScannerLongText(t *testing.T) {
	filler := strings.Repeat("<p>Lorem ipsum dolor sit amet, <em>consectetur</em> adipiscing elit.</p>\n", 300)
	for _, c := range scannerCases {
		if c.kind != kindHTML || c.sites != nil {
			continue
		}
		want := c.want
		if want == "" {
			want = c.in
		}
		in, want := filler+c.in+"\n</script></style></textarea>-->\n"+filler, filler+want+"\n</script></style></textarea>-->\n"+filler
		f := c.tables()
		for _, sizes := range [][]int{{len(in)}, {1000}, {4096}, {777, 0}} {
			if got := scanCut(t, f, c.kind, in, sizes...); got != want {
				t.Errorf("%s: pieces of %v differ at %d", c.name, sizes, firstDifference(got, want))
			}
			if got := scanWhole(t, f, c.kind, in, sizes...); got != want {
				t.Errorf("%s: as a whole, pieces of %v differ at %d", c.name, sizes, firstDifference(got, want))
			}
		}
	}
}

// TestScannerLongElements puts URLs deep into elements and values that are longer than
// what is read back, without a closing tag on the way.
func TestScannerLongElements(t *testing.T) {
	css := strings.Repeat(".a .b>c:hover{margin:0 auto;padding:1px}", 300)
	script := strings.Repeat("if(a<b){c('d',e)};", 700)
	value := strings.Repeat(`{&quot;a&quot;:&quot;&lt;b&gt;\n&quot;},`, 300)
	text := strings.Repeat("&lt;p&gt;Lorem &quot;ipsum&quot;, a{b} dolor.\n", 300)
	for _, c := range []struct{ name, in, want string }{
		{"style", `<style>` + css + `a{b:url(/x)}</style><a href="/y">`, `<style>` + css + `a{b:url(/blog/x)}</style><a href="/blog/y">`},
		{"style over lines", "<style>" + strings.ReplaceAll(css, "}", "}\n") + "a{b:url('/x')}</style>", "<style>" + strings.ReplaceAll(css, "}", "}\n") + "a{b:url('/blog/x')}</style>"},
		{"script without double quotes", `<script>` + script + `fetch('/wp-json/')</script><a href="/y">`, `<script>` + script + `fetch('/blog/wp-json/')</script><a href="/blog/y">`},
		{
			"value", `<form data-x="[` + value + `{&quot;u&quot;:&quot;\/wp-content\/a&quot;,&quot;v&quot;:&quot;\/x&quot;}]"><a class="b" href="/y"><p>"/wp-admin/"`,
			`<form data-x="[` + value + `{&quot;u&quot;:&quot;\/blog\/wp-content\/a&quot;,&quot;v&quot;:&quot;\/x&quot;}]"><a class="b" href="/blog/y"><p>"/wp-admin/"`,
		},
		{
			"value in single quotes", `<form data-x='[` + value + `&quot;\/wp-content\/a&quot;]' class="b"><a class="b" href="/y">`,
			`<form data-x='[` + value + `&quot;\/blog\/wp-content\/a&quot;]' class="b"><a class="b" href="/blog/y">`,
		},
		{"textarea", `<textarea>` + text + `&lt;a href=&quot;/x&quot;&gt; url(/x)</textarea><a href="/y">`, `<textarea>` + text + `&lt;a href=&quot;/x&quot;&gt; url(/x)</textarea><a href="/blog/y">`},
	} {
		for _, sizes := range [][]int{nil, {1000}, {4096}, {777, 0}} {
			if got := scanCut(t, blogForms(), kindHTML, c.in, sizes...); got != c.want {
				i := firstDifference(got, c.want)
				t.Errorf("%s, pieces of %v: %q where %q is wanted", c.name, sizes, got[i-10:], c.want[i-10:])
			}
		}
	}
}

func firstDifference(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestScannerFlush proves that a flush holds back only what may become a URL.
func TestScannerFlush(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<p>hello</p>", "<p>hello</p>"},
		{"<p>uses", "<p>uses"},
		{"say http", "say "},
		{"say http:", "say "},
		{"say http:/", "say "},
		{"say http://blog.exam", "say "},
		{"say http://blog.example.net", "say "},
		{"say http://blog.example.net/", "say https://example.com/blog/"},
		{"say http://other", "say http://other"},
		{`"http:\/\/bl`, `"`},
		{`u=http%3A%2`, `u=`},
		{`u=http%3A%2F%2Fb`, `u=`},
		{`<a href="`, `<a href="`},
		{`<a href="/`, `<a href="`},
		{`<a href="/x`, `<a href="/blog/x`},
		{"<br ", "<br "},
		{"a /", "a "},
	} {
		var out bytes.Buffer
		s := newScanner(&out, blogForms(), kindHTML)
		io.WriteString(s, c.in)
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != c.want {
			t.Errorf("after a flush of %q: %q, want %q", c.in, out.String(), c.want)
		}
		s.Close()
	}
}

// TestScannerCount says why hosts were left.
func TestScannerCount(t *testing.T) {
	var out bytes.Buffer
	s := newScanner(&out, blogForms(), kindHTML)
	io.WriteString(s, `http://blog.example.net admin@blog.example.net "blog.example.net" ftp://blog.example.net/ `+
		`https://web.archive.org/web/2020/http://blog.example.net/ http://blog.example.net:99/ `+
		`http://blog.example.net@evil.com/ notblog.example.net blog.example.net.evil.com s:27:"http://blog.example.net/abc";`)
	s.Close()
	got := fmt.Sprint(s.Count())
	if want := fmt.Sprint(scanCount{Mapped: 1, Unmapped: [unmappedCount]int64{
		unmappedBare: 1, unmappedMailbox: 1, unmappedScheme: 1, unmappedNested: 1, unmappedSerialized: 1, unmappedPort: 1, unmappedUserinfo: 1,
	}}); got != want {
		t.Errorf("count %s, want %s", got, want)
	}
}
