package handler

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestOracle holds the oracle to the same cases as the scanner.
func TestOracle(t *testing.T) {
	for _, c := range scannerCases {
		if got, want := c.oracle().run(c.in), c.expected(); got != want {
			t.Errorf("%s\nin   %s\ngot  %s\nwant %s", c.name, c.in, got, want)
		}
	}
}

func (c scannerCase) expected() string {
	if c.want == "" {
		return c.in
	}
	return c.want
}

func (c scannerCase) oracle() *oracle {
	o := &oracle{from: c.sites, to: formBase{"https", "example.com", "/blog"}, opts: c.opts, kind: c.kind}
	if o.from == nil {
		o.from = []formBase{{"http", "blog.example.net", ""}}
	}
	if c.to != nil {
		o.to = *c.to
	}
	return o
}

// fuzzSetups are the tables that random texts are mapped with.
var fuzzSetups = []scannerCase{
	{},
	{sites: portSite},
	{sites: wpSite},
	{sites: labelSite},
	{sites: idnSite},
	{to: atRoot},
	{to: toPort},
	{sites: back, to: toSite},
	{sites: back, to: toWP},
	{sites: []formBase{{"http", "blog.example.net", ""}, {"https", "www.blog.example.net", ""}, {"https", "cdn.example.org", "/s"}}},
}

// FuzzScanner compares the scanner with the oracle on any text, in any pieces,
// with flushes between them.
func FuzzScanner(f *testing.F) {
	for i, c := range scannerCases {
		f.Add(c.in, uint8(c.kind), uint8(i), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in string, kind, setup uint8, seed uint64) {
		if len(in) > 2000 || int(kind) >= int(kindCount) {
			return
		}
		c := fuzzSetups[int(setup)%len(fuzzSetups)]
		c.kind = mediaKind(kind)
		want := c.oracle().run(in)
		tables := c.tables()
		if got := scanCut(t, tables, c.kind, in); got != want {
			t.Fatalf("kind %d, setup %d\nin   %q\ngot  %q\nwant %q", kind, int(setup)%len(fuzzSetups), in, got, want)
		}
		rnd := rand.New(rand.NewPCG(seed, 0))
		sizes := make([]int, 1+rnd.IntN(8))
		for i := range sizes {
			sizes[i] = rnd.IntN(9)
		}
		sizes[0] = 1 + rnd.IntN(40)
		if got := scanCut(t, tables, c.kind, in, sizes...); got != want {
			t.Fatalf("kind %d, setup %d, pieces %v\nin   %q\ngot  %q\nwant %q", kind, int(setup)%len(fuzzSetups), sizes, in, got, want)
		}
		if got := scanWhole(t, tables, c.kind, in, sizes...); got != want {
			t.Fatalf("kind %d, setup %d, as a whole, pieces %v\nin   %q\ngot  %q\nwant %q", kind, int(setup)%len(fuzzSetups), sizes, in, got, want)
		}
	})
}

// scrapWords are what random texts are glued from: enough of each form that
// whole ones come about, and broken ones more often.
var scrapWords = []string{
	"http", "https", ":", "/", "//", `\/`, `\\/`, `\/\/`, "%3A", "%2F%2F", "%2f", "%252F%252F", "%253A", "%5C%2F%5C%2F", "%5C%2F", "%5C", "%255c%252f", "&#x2F;", "&#47;", "&sol;", "&colon;", `\u002F`, `\u003a`,
	"blog.example.net", "Blog.example.net", "blog", "www.", "cdn.example.org", "/s/", "example.com", "example.com/blog", `example.com\/blog\/`, "/blog", "/blog/", "/wp", "/wp/", ":8080", ":80", ":443", "%3A80", "@",
	"/x", "/", " ", ",", ", ", " 2x, ", " 300w,", `"`, "'", `\"`, "&quot;", `\&quot;`, "=\\&quot;", "&#039;", `\u0022`, "=", "=\"", "='", "=&quot;", "(", "url(", "@import ", ";", "5; url=", "5;url='",
	" href", " src", "srcset", " srcset=\"", " data-u=\"", " value=\"", "title=\"", "<a ", `\u003Ca href=`, `\u003E`, "image-set(", "`", "`/wp-json/", "fetch(`", " from", "import", "a[href^=", "a[href=\"", "img-src ", " http://blog.example.net", ":*", "<a href=\"", "<a href= ", "&lt;a href=", "&gt;", "<b style=", " hx-get=", "<script ", "<link ", "<script src=\"", " integrity=\"sha384-a/b=\"", " Integrity = x", ">", "</a>", "<p>", "<script>", "</script>", "<script type=\"importmap\">", "<style>", "</style>", "<textarea>", "</textarea>", "<!--", "-->",
	`"/wp-admin/"`, `"\/wp-json\/`, "/wp-login.php", "/xmlrpc.php", "/?wc-ajax=", "?rest_route=", `"/wp`, `"\/blog`, "[", "{", "+", "concat(", `userSettings = {"url":"`, `"_wp_http_referer":"`, `"url":"`, "s:21:\"", "s:3:\"", ".", "-", "\n", `\n`, "n", "\x00", "é", "ü", "xn--bcher-kva.example", "bücher.example", `\`, `\\\\`,
}

// TestScannerScraps compares the scanner with the oracle on texts glued from
// pieces of forms.
func TestScannerScraps(t *testing.T) {
	rounds := 4_000
	if testing.Short() {
		rounds = 500
	}
	for seed := range uint64(rounds) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range 2 + rnd.IntN(14) {
			b.WriteString(scrapWords[rnd.IntN(len(scrapWords))])
		}
		in := b.String()
		c := fuzzSetups[rnd.IntN(len(fuzzSetups))]
		c.kind = mediaKind(rnd.IntN(int(kindCount)))
		want := c.oracle().run(in)
		tables := c.tables()
		for _, sizes := range [][]int{nil, {1}, {1, 0}, {1 + rnd.IntN(20), 0, 1 + rnd.IntN(5)}} {
			if got := scanCut(t, tables, c.kind, in, sizes...); got != want {
				t.Fatalf("seed %d, kind %d, setup %+v, pieces %v\nin   %q\ngot  %q\nwant %q", seed, c.kind, c.sites, sizes, in, got, want)
			}
		}
	}
}
