package handler

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// corpusFile is one answer of a real WordPress: "debian" is 6.1 from Debian,
// "nightly" a newer one. The site is http://blog.example.net.
type corpusFile struct {
	name string
	kind mediaKind
	body []byte
}

func corpus(t testing.TB) (files []corpusFile) {
	t.Helper()
	kinds := map[string]mediaKind{".html": kindHTML, ".json": kindJSON, ".css": kindCSS, ".js": kindScript, ".rss": kindXML, ".xml": kindXML}
	root := filepath.Join("testdata", "corpus")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, ok := strings.CutSuffix(path, ".gz")
		if err != nil || !ok {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		if b, err = io.ReadAll(r); err != nil {
			return err
		}
		kind, ok := kinds[filepath.Ext(name)]
		if !ok {
			return fmt.Errorf("no kind for %s", name)
		}
		name, err = filepath.Rel(root, name)
		files = append(files, corpusFile{filepath.ToSlash(name), kind, b})
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// group is what the benchmarks call files of a kind together.
func (f corpusFile) group() string {
	base := f.name[strings.IndexByte(f.name, '/')+1:]
	switch {
	case f.kind == kindHTML && (strings.HasPrefix(base, "editor") || strings.Contains(base, "customizer") || strings.Contains(base, "widgets")):
		return "editor"
	case f.kind == kindHTML && (strings.HasPrefix(base, "dashboard") || strings.HasPrefix(base, "settings") || strings.HasPrefix(base, "posts-list") || strings.HasPrefix(base, "login")):
		return "admin"
	case f.kind == kindHTML:
		return "front"
	}
	return map[mediaKind]string{kindJSON: "rest", kindXML: "feed", kindCSS: "css", kindScript: "js"}[f.kind]
}

// TestFlushHoldsLittle: a browser that waits for more of a page has all of it but for
// what may be the beginning of a URL, wherever the site stops.
func TestFlushHoldsLittle(t *testing.T) {
	held := 24 + len("blog.example.net") + 8
	f := newForms(benchSites, formBase{"https", "example.com", "/blog"}, formOptions{})
	for _, file := range corpus(t) {
		for _, size := range []int{67, 559, 997} {
			s := newScanner(io.Discard, f, file.kind)
			for rest := file.body[:min(len(file.body), 100_000)]; len(rest) > 0; rest = rest[min(len(rest), size):] {
				s.Write(rest[:min(len(rest), size)])
				s.Flush()
				if s.n-s.done > held {
					t.Fatalf("%s in pieces of %d: %q waits", file.name, size, s.mem.in[s.done:s.n])
				}
			}
			s.Close()
		}
	}
}

// TestCorpus maps every capture, in pieces of all sizes, and looks for hosts
// that are left without one of the known reasons.
func TestCorpus(t *testing.T) {
	f := blogForms()
	known := []string{
		"editor@blog.example.net", "notblog.example.net", "sub.blog.example.net", "blog.example.net.example.org",
		"blog.example.net-old", "blog.example.net:9", "/blog.example.net\\/picture", "/blog.example.net/picture",
		"Write to blog.example.net, or visit blog.example.net",
	}
	for _, c := range corpus(t) {
		in := string(c.body)
		want := scanCut(t, f, c.kind, in)
		if bytes.Contains(c.body, []byte("://blog.example.net")) && want == in {
			t.Errorf("%s: nothing is mapped", c.name)
		}
		rest := want
		for _, k := range known {
			rest = strings.ReplaceAll(rest, k, "")
		}
		if i := strings.Index(rest, "blog.example.net"); i >= 0 {
			t.Errorf("%s: a host is left in ...%s", c.name, rest[max(0, i-60):min(len(rest), i+40)])
		}
		for _, size := range []int{1, 2, 3, 7, 13, 64, 1000, 4096} {
			if len(in) > 60_000*size {
				continue
			}
			if got := scanCut(t, f, c.kind, in, size); got != want {
				t.Errorf("%s: pieces of %d differ at %d", c.name, size, firstDifference(got, want))
			}
			if got := scanCut(t, f, c.kind, in, size*97, 0); got != want {
				t.Errorf("%s: flushed pieces of %d differ at %d", c.name, size*97, firstDifference(got, want))
			}
		}
	}
}

// TestCorpusThereAndBack maps JSON answers to the visitor and back: the site
// gets what it wrote, so that a saved post is stored in the site's own form.
func TestCorpusThereAndBack(t *testing.T) {
	v := blogView(t)
	for _, c := range corpus(t) {
		if c.kind != kindJSON {
			continue
		}
		// Links of the other scheme and in capitals come back in the site's form.
		in := bytes.ReplaceAll(c.body, []byte(`https:\/\/blog.example.net`), []byte(`http:\/\/blog.example.net`))
		in = bytes.ReplaceAll(in, []byte("BLOG.EXAMPLE.NET"), []byte("blog.example.net"))
		public := v.answers.mapText(in, kindJSON)
		if got := v.sent.mapText(public, kindJSON); !bytes.Equal(got, in) {
			i := firstDifference(string(got), string(in))
			t.Errorf("%s: differs at %d: ...%s, not ...%s", c.name, i, got[max(0, i-60):min(len(got), i+40)], in[max(0, i-60):min(len(in), i+40)])
		}
	}
}

// joined are the bodies of a group, at least atLeast bytes of them.
func joined(t testing.TB, group string, atLeast int) (b []byte, kind mediaKind) {
	files := corpus(t)
	for len(b) < atLeast || b == nil {
		for _, c := range files {
			if c.group() == group {
				b, kind = append(b, c.body...), c.kind
			}
		}
	}
	return b, kind
}

var benchSites = []formBase{
	{"http", "blog.example.net", ""}, {"http", "www.blog.example.net", ""}, {"https", "static.example.org", ""}, {"http", "cdn.example.net", "/assets"},
}

// BenchmarkScanner maps the captures with all rules on. The metric "of-index" is
// the speed as a share of bytes.Index with the same needle over the same bytes,
// by the best of interleaved rounds.
func BenchmarkScanner(b *testing.B) {
	for _, group := range []string{"front", "admin", "editor", "rest", "feed", "css", "js"} {
		size := 0
		if group == "js" {
			size = 8 << 20
		}
		body, kind := joined(b, group, size)
		for _, bases := range []int{1, 4} {
			b.Run(fmt.Sprintf("group=%s/bases=%d", group, bases), func(b *testing.B) {
				f := newForms(benchSites[:bases], formBase{"https", "example.com", "/blog"}, formOptions{})
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				index, scan := time.Hour, time.Hour
				for b.Loop() {
					start := time.Now()
					for rest := body; ; {
						i := bytes.Index(rest, benchNeedle)
						if i < 0 {
							break
						}
						rest = rest[i+1:]
					}
					middle := time.Now()
					scanAll(f, kind, body)
					index, scan = min(index, middle.Sub(start)), min(scan, time.Since(middle))
				}
				b.ReportMetric(index.Seconds()/scan.Seconds(), "of-index")
				b.ReportMetric(float64(len(body))/scan.Seconds()/1e6, "scan-MB/s")
			})
		}
	}
}

var benchNeedle = []byte("blog.example.net")

// scanAll scans as reverse_proxy writes: 32 KiB at a time.
func scanAll(f *forms, kind mediaKind, body []byte) {
	s := newScanner(io.Discard, f, kind)
	for len(body) > 0 {
		k := min(len(body), 32<<10)
		s.Write(body[:k])
		body = body[k:]
	}
	s.Close()
}

// worstInputs are texts that make the scanner decide at every few bytes.
var worstInputs = map[string]string{
	"slashes":            "/",
	"quoted slashes":     `"/`,
	"attributes":         `href="/a"`,
	"hosts":              "http://blog.example.net/",
	"sources":            " http://blog.example.net",
	"sources in a list":  " img-src http://blog.example.net http://blog.example.net",
	"hosts alone":        "blog.example.net",
	"beginnings":         "blog.example.",
	"capitals":           "//BLOG.EXAMPLE.NET",
	"almost capitals":    "//BLOG.EXAMPLE.NE/",
	"backslashes":        `\`,
	"escaped slashes":    `\/`,
	"entities":           "&#x2F;",
	"ampersands":         "&",
	"percents":           "%25",
	"commas":             `, /a`,
	"image sets":         `image-set("/a"`,
	"images":             `,"/a"`,
	"images, entities":   `,&quot;/a`,
	"srcset":             `<img srcset="/a 1x, /b 2x`,
	"candidates":         ` 1x, /b`,
	"paths in text":      `("/wp-admin/`,
	"tags":               `<a href=/x `,
	"scripts":            `<script>"/wp-json/`,
	"script ends":        `</script "/wp-json/`,
	"textareas":          `<textarea>("/wp-json/`,
	"comments":           `<!--("/wp-json/`,
	"quotes in tags":     `<a b="("/wp-json/`,
	"serialized":         `s:9:"http://blog.example.net/`,
	"user settings":      `userSettings = {"url":"/`,
	"spaces":             " ",
	"spaces and slashes": "               /",
	"names":              `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa="/`,
}

// TestScannerLinear maps each of the worst inputs at two lengths, and counts the
// bytes that the scanner looks at: twice the input may take no more than twice as
// many, but for what a window more or less brings, and none takes more than
// maxLooked for each of its own.
func TestScannerLinear(t *testing.T) {
	const (
		n         = 200_000
		maxLooked = 6
	)
	f := newForms(benchSites, formBase{"https", "example.com", "/blog"}, formOptions{})
	looked := func(kind mediaKind, body []byte, piece int, flush bool) int64 {
		s := newScanner(io.Discard, f, kind)
		for len(body) > 0 {
			k := min(len(body), piece)
			s.Write(body[:k])
			if flush {
				s.Flush()
			}
			body = body[k:]
		}
		s.Close()
		return s.looked
	}
	for name, piece := range worstInputs {
		body := []byte(strings.Repeat(piece, 2*n/len(piece)))
		for kind := range kindCount {
			for _, cut := range []struct {
				size  int
				flush bool
			}{{32 << 10, false}, {1000, false}, {200, true}} {
				once, twice := looked(kind, body[:len(body)/2], cut.size, cut.flush), looked(kind, body, cut.size, cut.flush)
				if twice > once*21/10 || once > maxLooked*n {
					t.Errorf("%s, kind %d, pieces of %d: %d bytes looked at for %d, %d for twice as many",
						name, kind, cut.size, once, n, twice)
				}
			}
		}
	}
}

// TestScannerAllocates nothing for a match.
func TestScannerAllocates(t *testing.T) {
	const host = "a-host-whose-name-is-longer-than-a-buffer-on-the-stack.example.net:8080"
	f := newForms([]formBase{{"http", host, "/wp"}}, formBase{"https", "example.com", "/blog"}, formOptions{})
	const urls = `<a href="http://` + host + `/wp/x" src="/wp/y" data-u="//A-Host-Whose-Name-Is-Longer-Than-A-Buffer-On-The-Stack.example.net:8080/wp/">`
	few, many := []byte(strings.Repeat(urls, 10)), []byte(strings.Repeat(urls, 1000))
	a := testing.AllocsPerRun(50, func() { scanAll(f, kindHTML, few) })
	b := testing.AllocsPerRun(50, func() { scanAll(f, kindHTML, many) })
	if b > a+1 {
		t.Errorf("%v allocations for 30 URLs, %v for 3000", a, b)
	}
}

// TestScannerHoldsLittle feeds one long line and looks at how much is held.
func TestScannerHoldsLittle(t *testing.T) {
	var out countWriter
	s := newScanner(&out, blogForms(), kindHTML)
	piece := bytes.Repeat([]byte(`x"/`), 10_000)
	var in int64
	for range 3_000 {
		s.Write(piece)
		in += int64(len(piece))
		if held := in - int64(out); held > inBytes {
			t.Fatalf("%d bytes are held", held)
		}
	}
	s.Close()
	if int64(out) != in {
		t.Errorf("%d bytes of %d", out, in)
	}
}

type countWriter int64

func (c *countWriter) Write(p []byte) (int, error) {
	*c += countWriter(len(p))
	return len(p), nil
}
