package handler

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// blogView is http://blog.example.net below https://example.com/blog.
func blogView(t testing.TB) *View {
	t.Helper()
	m, err := New(Options{Prefix: "/blog", Sites: []string{"http://blog.example.net"}, Transform: Transform{Skip: []string{"/raw/*"}}})
	if err != nil {
		t.Fatal(err)
	}
	m.fingerprint = 0xf3
	return m.View(Base{Scheme: "https", Host: "example.com"})
}

// testAnswer returns the writer for an answer of the blog.
func testAnswer(t testing.TB, w http.ResponseWriter, method, rest string) *ResponseWriter {
	return NewResponseWriter(w, blogView(t), httptest.NewRequest(method, rest, nil))
}

const (
	sitePage   = `<a href="http://blog.example.net/a">a</a><a href="/b">b</a>`
	publicPage = `<a href="https://example.com/blog/a">a</a><a href="/blog/b">b</a>`
)

func encoded(t testing.TB, c coding, s string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch c {
	case codingIdentity:
		return s
	case codingGzip:
		w = gzip.NewWriter(&b)
	case codingDeflate:
		w = zlib.NewWriter(&b)
	case codingBrotli:
		w = brotli.NewWriter(&b)
	case codingZstd:
		w, _ = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	case codingUnknown: // bare deflate
		w, _ = flate.NewWriter(&b, 5)
	}
	io.WriteString(w, s)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnswerMapped(t *testing.T) {
	rec := httptest.NewRecorder()
	a := testAnswer(t, rec, "GET", "/p/")
	h := a.Header()
	h.Set("Content-Type", "text/html; charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(sitePage)))
	h.Set("ETag", `"abc"`)
	h.Set("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
	h.Set("Accept-Ranges", "bytes")
	h.Set("Cache-Control", "no-transform")
	for _, f := range integrityFields {
		h.Set(f, "x")
	}
	io.WriteString(a, sitePage)
	if err := a.Close(nil); err != nil {
		t.Fatal(err)
	}
	if rec.Body.String() != publicPage {
		t.Errorf("body %q", rec.Body)
	}
	got := rec.Result().Header
	for k, want := range map[string]string{
		"Etag": `W/"abc-m6r"`, "Content-Length": strconv.Itoa(len(publicPage)), "Accept-Ranges": "none", "Digest": "", "Content-Digest": "", "Content-Md5": "", "Signature": "",
		"Repr-Digest": "", "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT", "Cache-Control": "no-transform",
	} {
		if got.Get(k) != want {
			t.Errorf("%s: %q, want %q", k, got.Get(k), want)
		}
	}
	if a.Reason() != BodyMapped || a.Mapped() != 2 {
		t.Errorf("reason %v, mapped %d", a.Reason(), a.Mapped())
	}
}

func TestAnswerUntouched(t *testing.T) {
	for _, c := range []struct {
		name, rest, contentType string
		status                  int
		reason                  BodyReason
	}{
		{"image", "/a.png", "image/png", 200, BodyType},
		{"plain text", "/a.txt", "text/plain", 200, BodyPlainText},
		{"no type", "/a", "", 200, BodyUntyped},
		{"partial", "/", "text/html", 206, BodyPartial},
		{"utf-16", "/", "text/html; charset=utf-16le", 200, BodyCharset},
		{"skipped", "/raw/x", "text/html", 200, BodySkipped},
		{"stream", "/", "text/event-stream", 200, BodyStream},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			a := testAnswer(t, rec, "GET", c.rest)
			h := a.Header()
			for k, v := range map[string]string{"Content-Type": c.contentType, "Content-Length": strconv.Itoa(len(sitePage)), "Etag": `"abc"`, "Accept-Ranges": "bytes", "Digest": "x"} {
				if v != "" {
					h.Set(k, v)
				}
			}
			a.WriteHeader(c.status)
			a.ReadFrom(strings.NewReader(sitePage))
			if err := a.Close(nil); err != nil {
				t.Fatal(err)
			}
			if a.Reason() != c.reason {
				t.Errorf("reason %v, want %v", a.Reason(), c.reason)
			}
			got := rec.Result().Header
			if rec.Body.String() != sitePage || got.Get("Etag") != `"abc"` || got.Get("Accept-Ranges") != "bytes" || got.Get("Content-Length") == "" || got.Get("Digest") != "x" {
				t.Errorf("%v\n%s", got, rec.Body)
			}
		})
	}
}

// TestAnswerOfUploader: WordPress's uploader is answered in HTML or JSON that is
// told as plain text.
func TestAnswerOfUploader(t *testing.T) {
	rec := httptest.NewRecorder()
	a := testAnswer(t, rec, "POST", "/wp-admin/async-upload.php")
	a.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	a.Write([]byte(`{"url":"http:\/\/blog.example.net\/a.png","html":"<img src=\"\/b.png\">"}`))
	if err := a.Close(nil); err != nil {
		t.Fatal(err)
	}
	if want := `{"url":"https:\/\/example.com\/blog\/a.png","html":"<img src=\"\/blog\/b.png\">"}`; rec.Body.String() != want {
		t.Errorf("got %s\nwant %s", rec.Body, want)
	}
}

func TestAnswerCodings(t *testing.T) {
	for name, c := range map[string]coding{"gzip": codingGzip, "x-gzip": codingGzip, "deflate": codingDeflate, "DEFLATE": codingUnknown, "br": codingBrotli, "zstd": codingZstd} {
		t.Run(name, func(t *testing.T) {
			page := strings.Repeat(sitePage+"\n<p>text</p>", 5000)
			want := strings.Repeat(publicPage+"\n<p>text</p>", 5000)
			body := encoded(t, c, page)
			for _, size := range []int{1, 7, 1000, 1 << 20} {
				rec := httptest.NewRecorder()
				a := testAnswer(t, rec, "GET", "/")
				a.Header().Set("Content-Type", "text/html")
				a.Header().Set("Content-Encoding", name)
				a.WriteHeader(200)
				for b := body; b != ""; {
					k := min(size, len(b))
					if _, err := io.WriteString(a, b[:k]); err != nil {
						t.Fatal(err)
					}
					b = b[k:]
				}
				if err := a.Close(nil); err != nil {
					t.Fatal(err)
				}
				if rec.Body.String() != want || rec.Result().Header.Get("Content-Encoding") != "" {
					t.Fatalf("pieces of %d: %d bytes, want %d; %v", size, rec.Body.Len(), len(want), rec.Result().Header)
				}
			}
			// Cut anywhere, the body must not be taken as whole.
			for _, cut := range []int{3, len(body) / 2, len(body) - 1} {
				a := testAnswer(t, httptest.NewRecorder(), "GET", "/")
				a.Header().Set("Content-Type", "text/html")
				a.Header().Set("Content-Encoding", name)
				io.WriteString(a, body[:cut])
				if err := a.Close(nil); err == nil {
					t.Errorf("cut at %d of %d: no error", cut, len(body))
				}
			}
		})
	}
}

func TestAnswerWrongCoding(t *testing.T) {
	for _, coding := range []string{"gzip", "zstd", "compress", "gzip, br"} {
		rec := httptest.NewRecorder()
		a := testAnswer(t, rec, "GET", "/")
		a.Header().Set("Content-Type", "text/html")
		a.Header().Set("Content-Encoding", coding)
		a.Header().Set("Etag", `"x"`)
		io.WriteString(a, sitePage)
		if err := a.Close(nil); err != nil {
			t.Fatal(err)
		}
		if rec.Body.String() != sitePage || rec.Result().Header.Get("Etag") != `"x"` || a.Reason() != BodyCoding {
			t.Errorf("%s: %v %v %s", coding, a.Reason(), rec.Result().Header, rec.Body)
		}
	}
}

// TestAnswerBomb writes 1 GiB of zeros in gzip: the answer is cut.
func TestAnswerBomb(t *testing.T) {
	var bomb bytes.Buffer
	w, _ := gzip.NewWriterLevel(&bomb, 9)
	zero := make([]byte, 1<<20)
	for range 64 {
		w.Write(zero)
	}
	w.Close()
	a := testAnswer(t, discardWriter{}, "GET", "/")
	a.Header().Set("Content-Type", "text/html")
	a.Header().Set("Content-Encoding", "gzip")
	a.Write(bomb.Bytes())
	if err := a.Close(nil); !errors.Is(err, errBomb) {
		t.Errorf("error %v", err)
	}
}

type discardWriter struct{}

func (discardWriter) Header() http.Header         { return http.Header{} }
func (discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (discardWriter) WriteHeader(int)             {}

// TestAnswerFlush proves that what is flushed at the origin reaches the
// visitor, also when it is compressed.
func TestAnswerFlush(t *testing.T) {
	for _, c := range []coding{codingIdentity, codingGzip, codingBrotli, codingZstd} {
		rec := httptest.NewRecorder()
		a := testAnswer(t, rec, "GET", "/")
		a.Header().Set("Content-Type", "text/html")
		a.Header().Set("Content-Encoding", map[coding]string{codingIdentity: "", codingGzip: "gzip", codingBrotli: "br", codingZstd: "zstd"}[c])
		var w io.Writer = a
		flush := func() error { return nil }
		switch c {
		case codingGzip:
			g := gzip.NewWriter(a)
			w, flush = g, g.Flush
		case codingBrotli:
			g := brotli.NewWriter(a)
			w, flush = g, g.Flush
		case codingZstd:
			g, _ := zstd.NewWriter(a, zstd.WithEncoderConcurrency(1))
			w, flush = g, g.Flush
		}
		want := ""
		for range 100 {
			io.WriteString(w, sitePage)
			want += publicPage
			if err := errors.Join(flush(), a.FlushError()); err != nil {
				t.Fatal(err)
			}
			if rec.Body.String() != want {
				t.Fatalf("coding %d: have %d bytes, want %d", c, rec.Body.Len(), len(want))
			}
		}
		a.Close(errors.New("done"))
	}
}

func TestAnswerHead(t *testing.T) {
	rec := httptest.NewRecorder()
	a := testAnswer(t, rec, "HEAD", "/")
	h := a.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", "1000")
	h.Set("Content-Encoding", "gzip")
	h.Set("Etag", `W/"abc"`)
	a.WriteHeader(200)
	if err := a.Close(nil); err != nil {
		t.Fatal(err)
	}
	got := rec.Result().Header
	if got.Get("Content-Length") != "" || got.Get("Etag") != `W/"abc-w6r"` || got.Get("Content-Encoding") != "" {
		t.Errorf("%v", got)
	}
}

func TestAnswerNotModified(t *testing.T) {
	req := http.Header{"If-None-Match": {`W/"abc-m6r", "img"`, `W/"old-mzz"`}}
	tags := UnmapValidators(req, 0xf3, time.Time{})
	if got := req.Get("If-None-Match"); got != `"abc", "img"` {
		t.Fatalf("If-None-Match %s", got)
	}
	for tag, want := range map[string]string{`"abc"`: `W/"abc-m6r"`, `W/"abc"`: `W/"abc-m6r"`, `"img"`: `"img"`} {
		rec := httptest.NewRecorder()
		a := testAnswer(t, rec, "GET", "/")
		a.Tags = tags
		a.Header().Set("Etag", tag)
		a.WriteHeader(304)
		a.Close(nil)
		if got := rec.Result().Header.Get("Etag"); got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
	}
}

func TestAnswerInform(t *testing.T) {
	rec := &informRecorder{h: http.Header{"X-Main": {"1"}}}
	a := testAnswer(t, rec, "GET", "/")
	a.Header().Set("Link", "</a.css>; rel=preload")
	a.WriteHeader(103)
	a.Header().Set("Content-Type", "image/png")
	a.WriteHeader(200)
	a.WriteHeader(500)
	a.Close(nil)
	want := "103 map[Link:[</blog/a.css>; rel=preload]]\n200 map[Content-Type:[image/png] Link:[</blog/a.css>; rel=preload] X-Main:[1]]\n"
	if rec.log.String() != want {
		t.Errorf("got\n%swant\n%s", &rec.log, want)
	}
}

// A flood of informational answers ends, and the answer comes.
func TestAnswerInformBounded(t *testing.T) {
	rec := &informRecorder{h: make(http.Header)}
	a := testAnswer(t, rec, "GET", "/")
	for range 100 * maxHints {
		a.WriteHeader(103)
	}
	a.WriteHeader(200)
	if want := strings.Repeat("103 map[]\n", maxHints) + "200 map[Content-Type:[]]\n"; rec.log.String() != want {
		t.Errorf("got\n%swant\n%s", &rec.log, want)
	}
}

type informRecorder struct {
	h   http.Header
	log strings.Builder
}

func (r *informRecorder) Header() http.Header         { return r.h }
func (r *informRecorder) Write(p []byte) (int, error) { return len(p), nil }
func (r *informRecorder) WriteHeader(status int) {
	r.log.WriteString(strconv.Itoa(status) + " map" + strings.TrimPrefix(httpHeader(r.h), "map") + "\n")
}

func TestAnswerShortBody(t *testing.T) {
	rec := httptest.NewRecorder()
	a := testAnswer(t, rec, "GET", "/")
	a.Header().Set("Content-Type", "text/html")
	a.Header().Set("Content-Length", "100")
	io.WriteString(a, sitePage)
	if err := a.Close(nil); !errors.Is(err, errShortBody) {
		t.Errorf("error %v", err)
	}
	cause := errors.New("origin is gone")
	a = testAnswer(t, httptest.NewRecorder(), "GET", "/")
	a.Header().Set("Content-Type", "text/html")
	io.WriteString(a, sitePage)
	if err := a.Close(cause); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
	if _, err := io.WriteString(a, "x"); err == nil {
		t.Error("a closed answer takes bytes")
	}
}

// TestAnswerWhole: a body that the site declares to be short is written at once, with its
// new length, unless it is flushed before, longer after all, or trailers follow.
func TestAnswerWhole(t *testing.T) {
	long := strings.Repeat(`<a href="/x">`, wholeBytes/len(`<a href="/x">`))
	for name, c := range map[string]struct {
		site, want, length, coding string
		piece                      func(a *ResponseWriter)
	}{
		"whole":        {site: sitePage, want: publicPage, length: strconv.Itoa(len(publicPage))},
		"empty":        {length: "0"},
		"coded":        {site: encoded(t, codingGzip, sitePage), want: publicPage, length: strconv.Itoa(len(publicPage)), coding: "gzip"},
		"not coded":    {site: sitePage, want: sitePage, length: strconv.Itoa(len(sitePage)), coding: "gzip"},
		"flushed":      {site: sitePage, want: publicPage, piece: (*ResponseWriter).Flush},
		"grows":        {site: long, want: strings.ReplaceAll(long, "/x", "/blog/x")},
		"announced":    {site: sitePage, want: publicPage, piece: func(a *ResponseWriter) { a.Header().Set("Trailer", "X-Time") }},
		"late trailer": {site: sitePage, want: publicPage, piece: func(a *ResponseWriter) { a.Header().Set(http.TrailerPrefix+"X-Time", "1") }},
	} {
		t.Run(name, func(t *testing.T) {
			rec := &writeRecorder{ResponseRecorder: httptest.NewRecorder()}
			a := testAnswer(t, rec, "GET", "/")
			a.Header().Set("Content-Type", "text/html")
			a.Header().Set("Content-Length", strconv.Itoa(len(c.site)))
			if c.coding != "" {
				a.Header().Set("Content-Encoding", c.coding)
			}
			a.WriteHeader(200)
			for piece := range slices.Chunk([]byte(c.site), 11) {
				if _, err := a.Write(piece); err != nil {
					t.Fatal(err)
				}
				if c.piece != nil {
					c.piece(a)
				}
			}
			if c.length != "" && c.want != c.site && (a.Sent() || rec.writes > 0) {
				t.Error("something is sent before the whole")
			}
			if err := a.Close(nil); err != nil {
				t.Fatal(err)
			}
			if got := rec.Result().Header.Get("Content-Length"); got != c.length {
				t.Errorf("Content-Length %q, want %q", got, c.length)
			}
			if rec.Body.String() != c.want {
				t.Errorf("%d bytes, want %d", rec.Body.Len(), len(c.want))
			}
			if c.length != "" && c.want != c.site && rec.writes > 1 {
				t.Errorf("%d writes", rec.writes)
			}
		})
	}
}

// writeRecorder counts what is written.
type writeRecorder struct {
	*httptest.ResponseRecorder
	writes int
}

func (r *writeRecorder) Write(p []byte) (int, error) {
	r.writes++
	return r.ResponseRecorder.Write(p)
}

// TestAnswerWholeNot: nothing is sent of a short body that is broken.
func TestAnswerWholeNot(t *testing.T) {
	coded := encoded(t, codingGzip, sitePage)
	for name, c := range map[string]struct{ site, coding string }{
		"short":  {sitePage[:20], ""},
		"cut":    {coded[:len(coded)-9], "gzip"},
		"broken": {coded[:15] + strings.Repeat("\xff", 50), "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			a := testAnswer(t, rec, "GET", "/")
			a.Header().Set("Content-Type", "text/html")
			a.Header().Set("Content-Length", strconv.Itoa(len(sitePage)))
			if c.coding != "" {
				a.Header().Set("Content-Encoding", c.coding)
				a.Header().Set("Content-Length", strconv.Itoa(len(c.site)))
			}
			io.WriteString(a, c.site)
			if err := a.Close(nil); err == nil {
				t.Error("no error")
			}
			if a.Sent() || len(rec.Header()) > 0 || rec.Body.Len() > 0 {
				t.Errorf("sent %v %q", rec.Header(), rec.Body)
			}
		})
	}
}

func TestAnswerTrailers(t *testing.T) {
	rec := httptest.NewRecorder()
	a := testAnswer(t, rec, "GET", "/")
	a.Header().Set("Content-Type", "text/html")
	a.Header().Set("Trailer", "Digest, X-Time")
	io.WriteString(a, sitePage)
	a.Header().Set("Digest", "x")
	a.Header().Set("X-Time", "1")
	a.Header().Set(http.TrailerPrefix+"X-Late", "2")
	if err := a.Close(nil); err != nil {
		t.Fatal(err)
	}
	res := rec.Result()
	if got := httpHeader(res.Trailer); got != "map[X-Late:[2] X-Time:[1]]" {
		t.Errorf("trailers %s", got)
	}
}

// TestAnswerTrailersWait: trailers are none of the fields of a header that waits.
func TestAnswerTrailersWait(t *testing.T) {
	for name, c := range map[string]struct{ site, coding string }{
		"whole":          {site: sitePage},
		"coded":          {site: encoded(t, codingGzip, sitePage), coding: "gzip"},
		"coded, no body": {coding: "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			a := testAnswer(t, rec, "GET", "/")
			a.Header().Set("Content-Type", "text/html")
			a.Header().Set("Content-Length", strconv.Itoa(len(c.site)))
			if c.coding != "" {
				a.Header().Set("Content-Encoding", c.coding)
			}
			a.Header().Set("Trailer", "Set-Cookie, X-Time")
			a.WriteHeader(200)
			io.WriteString(a, c.site)
			a.Header().Set("Set-Cookie", "a=1")
			a.Header().Set("X-Time", "1")
			if err := a.Close(nil); err != nil {
				t.Fatal(err)
			}
			res := rec.Result()
			if h := res.Header; h.Get("Set-Cookie")+h.Get("X-Time") != "" {
				t.Errorf("header %v", h)
			}
			if got := httpHeader(res.Trailer); got != "map[X-Time:[1]]" {
				t.Errorf("trailers %s", got)
			}
		})
	}
}

func httpHeader(h http.Header) string { return fmt.Sprint(h) }
