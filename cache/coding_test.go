package cache

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestCodable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		length int64
		fields []string
		want   bool
	}{
		{"page", 200, 5000, []string{"Content-Type", "text/html; charset=UTF-8"}, true},
		{"page of unknown length", 200, -1, []string{"Content-Type", "text/html"}, true},
		{"letter case", 200, -1, []string{"Content-Type", "Application/JSON"}, true},
		{"suffix", 200, -1, []string{"Content-Type", "application/activity+json"}, true},
		{"svg", 200, -1, []string{"Content-Type", "image/svg+xml"}, true},
		{"error page", 404, 5000, []string{"Content-Type", "text/html"}, true},
		{"shortest", 200, minCodedBytes, []string{"Content-Type", "text/css"}, true},
		{"too short", 200, minCodedBytes - 1, []string{"Content-Type", "text/css"}, false},
		{"too long", 200, maxCodedBytes + 1, []string{"Content-Type", "text/css"}, false},
		{"image", 200, 5000, []string{"Content-Type", "image/png"}, false},
		{"web font", 200, 5000, []string{"Content-Type", "font/woff2"}, false},
		{"untyped", 200, 5000, nil, false},
		{"two types", 200, 5000, []string{"Content-Type", "text/html", "Content-Type", "image/png"}, false},
		{"event stream", 200, -1, []string{"Content-Type", "text/event-stream"}, false},
		{"coded", 200, 5000, []string{"Content-Type", "text/html", "Content-Encoding", "gzip"}, false},
		{"digest", 200, 5000, []string{"Content-Type", "text/html", "Repr-Digest", "sha-256=:AA==:"}, false},
		{"part", 206, 5000, []string{"Content-Type", "text/html"}, false},
		{"no content", 204, -1, []string{"Content-Type", "text/html"}, false},
		{"not modified", 304, -1, []string{"Content-Type", "text/html"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := codable(test.status, header(test.fields...), false, test.length); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
			if codable(test.status, header(test.fields...), true, test.length) {
				t.Error("coded in spite of no-transform")
			}
		})
	}
}

// codedRig is a rig whose cache offers all codings, made by a Coder of its own. The
// origin answers with body's text.
type codedRig struct {
	*rig
	coder  *Coder
	body   atomic.Pointer[string]
	fields []string
}

func newCodedRig(t *testing.T, set func(*Options), fields ...string) *codedRig {
	t.Helper()
	if len(fields) == 0 {
		fields = []string{"Cache-Control", "max-age=60", "Content-Type", "text/html", "Etag", `"v"`}
	}
	g := &codedRig{coder: NewCoder(1, 0), fields: fields}
	g.say(prose(60_000, 1))
	g.rig = newRig(t, func(o *Options) {
		o.Codings, o.Coder = DefaultCodings(), g.coder
		if set != nil {
			set(o)
		}
	}, func(w http.ResponseWriter, r *http.Request) error {
		for i := 0; i+1 < len(g.fields); i += 2 {
			w.Header().Add(g.fields[i], g.fields[i+1])
		}
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			w.Write([]byte(*g.body.Load()))
		}
		return nil
	})
	t.Cleanup(g.coder.wait)
	return g
}

func (g *codedRig) say(body string) { g.body.Store(&body) }

// ask sends a request and waits until what it set off is done.
func (g *codedRig) ask(method, target, accept string, fields ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	if accept != "" {
		fields = append(fields, "Accept-Encoding", accept)
	}
	w := g.do(method, target, fields...)
	g.coder.wait()
	return w
}

// means fails unless the answer says body in this coding.
func means(t *testing.T, w *httptest.ResponseRecorder, word, body string) {
	t.Helper()
	coding := w.Header().Get("Content-Encoding")
	if coding != strings.TrimPrefix(word, "identity") {
		t.Fatalf("coded as %q, want %s (%d %v)", coding, word, w.Code, w.Header())
	}
	got, err := decoded(coding, w.Body.Bytes())
	if err != nil || got != body {
		t.Fatalf("%s says %.40q (%d bytes, %v), want %.40q (%d bytes)", word, got, len(got), err, body, len(body))
	}
	if length := w.Header().Get("Content-Length"); length != "" && length != fmt.Sprint(w.Body.Len()) {
		t.Fatalf("Content-Length %s of %d bytes", length, w.Body.Len())
	}
}

func varies(w *httptest.ResponseRecorder) bool {
	return slices.Contains(slices.Collect(listElements(w.Header()["Vary"])), "Accept-Encoding")
}

func TestFormsOfAStoredPage(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	page := *g.body.Load()

	// The miss is coded on its way, and what was made is kept.
	miss := g.ask("GET", "/a", "gzip, br, zstd")
	means(t, miss, "zstd", page)
	if miss.Header().Get("Etag") != `W/"v~zstd"` || !varies(miss) {
		t.Fatalf("%v", miss.Header())
	}
	plain := g.cache.Store.Stats().Bytes
	first := g.ask("GET", "/a", "gzip, br, zstd")
	means(t, first, "zstd", page)
	if !bytes.Equal(first.Body.Bytes(), miss.Body.Bytes()) {
		t.Error("the form of the miss was made again")
	}

	// What the client likes best was made meanwhile.
	br := g.ask("GET", "/a", "gzip, br, zstd")
	means(t, br, "br", page)
	if br.Header().Get("Etag") != `W/"v~br"` || br.Header().Get("Content-Length") == "" || !varies(br) {
		t.Fatalf("%v", br.Header())
	}
	if grown := g.cache.Store.Stats().Bytes - plain; grown < int64(br.Body.Len()) {
		t.Errorf("the store counts %d bytes more for a form of %d", grown, br.Body.Len())
	}

	identity := g.ask("GET", "/a", "")
	means(t, identity, "identity", page)
	if identity.Header().Get("Etag") != `"v"` || !varies(identity) {
		t.Fatalf("%v", identity.Header())
	}
	head := g.ask("HEAD", "/a", "br")
	if head.Body.Len() != 0 || head.Header().Get("Content-Length") != br.Header().Get("Content-Length") ||
		head.Header().Get("Content-Encoding") != "br" || !varies(head) {
		t.Fatalf("HEAD: %v", head.Header())
	}
	g.wantAsked(1)
}

func TestConditionsOnForms(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	g.ask("GET", "/a", "")
	for _, test := range []struct {
		name, sent string
		status     int
		tag        string
	}{
		{"identity", `"v"`, 304, `"v"`},
		{"br", `W/"v~br"`, 304, `W/"v~br"`},
		{"gzip in a list", `"x", W/"v~gzip"`, 304, `W/"v~gzip"`},
		{"zstd, made strong on its way", `"v~zstd"`, 304, `W/"v~zstd"`},
		{"any", `*`, 304, `"v"`},
		{"unknown coding", `W/"v~dcb"`, 200, `W/"v~br"`},
		{"another", `W/"w~br"`, 200, `W/"v~br"`},
	} {
		got := g.ask("GET", "/a", "br", "If-None-Match", test.sent)
		if got.Code != test.status || got.Header().Get("Etag") != test.tag || !varies(got) {
			t.Errorf("%s: %d %v", test.name, got.Code, got.Header())
		}
		if got.Code == 304 && (got.Body.Len() > 0 || got.Header().Get("Content-Encoding") != "" || got.Header().Get("Content-Length") != "") {
			t.Errorf("%s: a 304 that describes a body: %v", test.name, got.Header())
		}
	}
}

func TestRangesAreOfTheIdentityForm(t *testing.T) {
	t.Parallel()
	modified := "Sun, 01 Mar 2026 10:00:00 GMT"
	g := newCodedRig(t, nil, "Cache-Control", "max-age=60", "Content-Type", "text/html", "Etag", `"v"`, "Last-Modified", modified)
	page := *g.body.Load()
	g.ask("GET", "/a", "br")
	for _, test := range []struct {
		name, accept, condition string
		status                  int
		coding                  string
	}{
		{"plain", "br", "", 206, ""},
		{"its tag", "br", `"v"`, 206, ""},
		{"tag of a coded form", "br", `W/"v~br"`, 200, ""},
		// Which form the client has a part of is not known.
		{"date", "br", modified, 200, ""},
		{"identity refused", "br, identity;q=0", "", 200, "br"},
	} {
		fields := []string{"Range", "bytes=10-19"}
		if test.condition != "" {
			fields = append(fields, "If-Range", test.condition)
		}
		got := g.ask("GET", "/a", test.accept, fields...)
		if got.Code != test.status || got.Header().Get("Content-Encoding") != test.coding {
			t.Errorf("%s: %d %v", test.name, got.Code, got.Header())
		}
		if got.Code == 206 && got.Body.String() != page[10:20] {
			t.Errorf("%s: %q", test.name, got.Body)
		}
	}
}

func TestNotCoded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		body   string
		fields []string
		set    func(*Options)
	}{
		{"image", prose(5000, 1), []string{"Content-Type", "image/png", "Vary", "Accept-Encoding, Accept"}, nil},
		{"short", "short", []string{"Content-Type", "text/html", "Content-Length", "5", "Vary", "accept-encoding"}, nil},
		{"no-transform", prose(5000, 1), []string{"Content-Type", "text/html", "Cache-Control", "no-transform"}, nil},
		{"off", prose(5000, 1), []string{"Content-Type", "text/html"}, func(o *Options) { o.Codings = nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := newCodedRig(t, test.set, append(test.fields, "Cache-Control", "max-age=60")...)
			g.say(test.body)
			for range 3 {
				got := g.ask("GET", "/a", "br, gzip, zstd")
				means(t, got, "identity", test.body)
				if varies(got) {
					t.Fatalf("varies: %v", got.Header())
				}
			}
			g.wantAsked(1)
		})
	}
}

// A short body of unknown length is only known to be short once it is stored.
func TestShortBodyOfUnknownLength(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	g.say("short")
	means(t, g.ask("GET", "/a", "gzip"), "gzip", "short")
	got := g.ask("GET", "/a", "gzip")
	means(t, got, "identity", "short")
	if varies(got) {
		t.Errorf("%v", got.Header())
	}
}

// Noise does not become shorter: it is sent as it is, and not tried again.
func TestFormThatIsNoShorter(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	var made atomic.Int64
	g.coder.encode = func(k Coding, e effort, body []byte) ([]byte, error) {
		made.Add(1)
		return bytes.Clone(body), nil
	}
	g.ask("GET", "/a", "")
	g.ask("GET", "/a", "br")
	for range 2 * popularHits {
		means(t, g.ask("GET", "/a", "br"), "identity", *g.body.Load())
	}
	if made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
}

func TestEffortFollowsPopularity(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil, "Cache-Control", "max-age=600", "Content-Type", "text/html")
	var efforts []effort
	g.coder.encode = func(k Coding, e effort, body []byte) ([]byte, error) {
		efforts = append(efforts, e)
		return encodeWhole(k, min(e, effortFirst), body)
	}
	hit := func(n int) {
		for range n {
			g.ask("GET", "/a", "br")
		}
	}
	g.ask("GET", "/a", "")
	hit(popularHits)
	g.clock.advance(settleAge)
	hit(3)
	if !slices.Equal(efforts, []effort{effortFirst, effortBest}) {
		t.Fatalf("efforts %v", efforts)
	}
	// The same bytes once more need nothing, and are known to be popular.
	g.clock.advance(time.Hour)
	if got := g.ask("GET", "/a", ""); got.Code != 200 {
		t.Fatal(got.Code)
	}
	g.wantAsked(2)
	means(t, g.ask("GET", "/a", "br"), "br", *g.body.Load())
	if len(efforts) != 2 {
		t.Fatalf("efforts %v after the same page came again", efforts)
	}
}

func TestPageThatChangesIsNeverWorthTheBest(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	var best atomic.Bool
	g.coder.encode = func(k Coding, e effort, body []byte) ([]byte, error) {
		if e == effortBest {
			best.Store(true)
		}
		return encodeWhole(k, effortLive, body)
	}
	for i := range 3 {
		g.say(prose(5000, uint64(i)))
		for range 2 * popularHits {
			g.ask("GET", "/a", "br")
		}
		g.clock.advance(time.Hour)
	}
	if g.wantAsked(3); best.Load() {
		t.Error("coded at the best")
	}
}

func TestEncoderFails(t *testing.T) {
	t.Parallel()
	for name, encode := range map[string]func(Coding, effort, []byte) ([]byte, error){
		"error": func(Coding, effort, []byte) ([]byte, error) { return nil, errors.New("no") },
		"panic": func(Coding, effort, []byte) ([]byte, error) { panic("no") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged atomic.Int64
			g := newCodedRig(t, func(o *Options) {
				o.Hooks.Log = func(string, Reason, error) { logged.Add(1) }
			})
			g.coder.encode = encode
			g.ask("GET", "/a", "")
			for range 3 {
				// Coded on its way instead.
				means(t, g.ask("GET", "/a", "br, gzip"), "gzip", *g.body.Load())
			}
			if logged.Load() != 1 {
				t.Errorf("logged %d times", logged.Load())
			}
		})
	}
}

// What is dropped while it is being coded stays dropped.
func TestDroppedWhileBeingCoded(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	begun, goOn := make(chan struct{}), make(chan struct{})
	g.coder.encode = func(k Coding, e effort, body []byte) ([]byte, error) {
		close(begun)
		<-goOn
		return encodeWhole(k, e, body)
	}
	g.ask("GET", "/a", "")
	means(t, g.get("/a", "Accept-Encoding", "br"), "br", *g.body.Load())
	<-begun
	var key string
	g.cache.Store.Each(func(m *Meta) bool { key = m.Key; return false })
	if g.cache.Store.Delete(key) != 1 {
		t.Fatal("not stored")
	}
	close(goOn)
	g.coder.wait()
	if s := g.cache.Store.Stats(); s.Entries != 0 || s.Bytes != 0 {
		t.Errorf("%+v", s)
	}
}

func TestCoderQueueIsBounded(t *testing.T) {
	t.Parallel()
	c := NewCoder(1, 2)
	begun, goOn := make(chan struct{}, 10), make(chan struct{})
	c.encode = func(Coding, effort, []byte) ([]byte, error) {
		begun <- struct{}{}
		<-goOn
		return nil, nil
	}
	var done atomic.Int64
	job := coderJob{coding: Gzip, effort: effortFirst, done: func([]byte, error) { done.Add(1) }}
	if !c.submit(job) {
		t.Fatal("an idle Coder took no job")
	}
	<-begun
	for i, want := range []bool{true, true, false, false} {
		if c.submit(job) != want {
			t.Errorf("job %d: want %v", i, want)
		}
	}
	close(goOn)
	c.wait()
	if done.Load() != 3 {
		t.Errorf("%d jobs done", done.Load())
	}
}

func TestCoderDoesUrgentWorkFirst(t *testing.T) {
	t.Parallel()
	c := NewCoder(1, 0)
	goOn := make(chan struct{})
	var order []effort
	c.encode = func(_ Coding, e effort, _ []byte) ([]byte, error) {
		<-goOn
		order = append(order, e)
		return nil, nil
	}
	for _, e := range []effort{effortBest, effortBest, effortFirst} {
		c.submit(coderJob{coding: Gzip, effort: e, done: func([]byte, error) {}})
	}
	close(goOn)
	c.wait()
	// The first may have been taken before the others were there.
	if i := slices.Index(order, effortFirst); i > 1 {
		t.Errorf("%v", order)
	}
}

// A coding that is no longer offered: its tag still validates, its form is not sent.
func TestCodingThatWasOffered(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, func(o *Options) { o.Codings = []Coding{Gzip} })
	g.ask("GET", "/a", "br")
	if got := g.ask("GET", "/a", "br", "If-None-Match", `W/"v~br"`); got.Code != 304 {
		t.Errorf("%d", got.Code)
	}
	means(t, g.ask("GET", "/a", "br"), "identity", *g.body.Load())
	means(t, g.ask("GET", "/a", "br, gzip"), "gzip", *g.body.Load())
}

func TestIdentityRefused(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	g.ask("GET", "/a", "")
	g.coder.encode = func(Coding, effort, []byte) ([]byte, error) { return nil, errors.New("no") }
	means(t, g.ask("GET", "/a", "gzip, identity;q=0"), "gzip", *g.body.Load())
	// No form is acceptable: RFC 9110 section 12.5.3 lets the field be ignored.
	means(t, g.ask("GET", "/a", "*;q=0"), "identity", *g.body.Load())
}

// When too many bodies are being coded, further ones are sent as they are.
func TestTooManyLiveCodings(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	g.coder.live.Store(maxLiveCodings)
	g.coder.encode = func(Coding, effort, []byte) ([]byte, error) { return nil, errors.New("no") }
	for _, accept := range []string{"br", "br", "gzip"} {
		got := g.ask("GET", "/a", accept)
		means(t, got, "identity", *g.body.Load())
		if !varies(got) {
			t.Errorf("%v", got.Header())
		}
	}
	means(t, g.ask("GET", "/a", "gzip", "Cookie", "session=1"), "identity", *g.body.Load())
	if n := g.coder.live.Load(); n != maxLiveCodings {
		t.Errorf("%d are being coded", n)
	}
}

// A validation keeps the body, hence its forms.
func TestFormsOutliveAValidation(t *testing.T) {
	t.Parallel()
	g := newCodedRig(t, nil)
	answer := g.origin
	g.origin = func(w http.ResponseWriter, r *http.Request) error {
		if tag := r.Header.Get("If-None-Match"); tag != "" {
			if tag != `"v"` {
				t.Errorf("validated %s", tag)
			}
			w.Header().Set("Etag", tag)
			w.Header().Set("Cache-Control", "max-age=60")
			w.WriteHeader(304)
			return nil
		}
		return answer(w, r)
	}
	var made atomic.Int64
	g.coder.encode = func(k Coding, e effort, body []byte) ([]byte, error) {
		made.Add(1)
		return encodeWhole(k, e, body)
	}
	g.ask("GET", "/a", "")
	g.ask("GET", "/a", "br")
	g.clock.advance(time.Hour)
	for range 2 {
		means(t, g.ask("GET", "/a", "br"), "br", *g.body.Load())
	}
	if g.wantAsked(2); made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
}
