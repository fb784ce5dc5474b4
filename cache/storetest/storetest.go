// Package storetest proves that a cache.Store keeps its contract.
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/caddy-mount/mount/cache"
)

// MaxBytes is the bound of the stores that are tested.
const MaxBytes = 4 << 20

// Run runs the suite. open returns an empty store of MaxBytes bytes, which the
// suite closes. reopen closes a store and opens what it kept; nil for a store that
// keeps nothing.
func Run(t *testing.T, open func(t *testing.T) cache.Store, reopen func(t *testing.T, s cache.Store) cache.Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, cache.Store)
	}{
		{"PutThenLookup", putThenLookup},
		{"VariantsSideBySide", variantsSideBySide},
		{"VariantsBounded", variantsBounded},
		{"LanguageVariant", languageVariant},
		{"WrongLengthIsNotStored", wrongLength},
		{"ReplaceKeepsBody", replaceKeepsBody},
		{"DeleteAndDrop", deleteAndDrop},
		{"WriterIsTailed", writerIsTailed},
		{"CommitOrNothing", commitOrNothing},
		{"TooLarge", tooLarge},
		{"ReadableAfterDrop", readableAfterDrop},
		{"BytesBounded", bytesBounded},
		{"Each", each},
		{"ConcurrentEverything", concurrentEverything},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			defer s.Close()
			c.run(t, s)
		})
	}
	if reopen != nil {
		t.Run("Reopen", func(t *testing.T) {
			s := open(t)
			put(t, s, meta("k"), "kept")
			s = reopen(t, s)
			defer s.Close()
			wantBody(t, find(t, s, "k", nil), "kept")
		})
	}
}

// meta returns the Meta of a response under key that varies on the named fields
// with the given values.
func meta(key string, selecting ...string) *cache.Meta {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := &cache.Meta{
		Key: key, Status: 200, Mount: "m", Host: "example.com", Path: "/" + key, Query: "q=1",
		Header:      http.Header{"Content-Type": {"text/plain"}, "X-Many": {"a", "b", ""}},
		RequestTime: now, ResponseTime: now.Add(time.Second), StoredTime: now.Add(time.Second),
		Tags: []string{"t1", "t2"}, Number: 7, MaxLifetime: time.Minute,
	}
	h := http.Header{}
	for i := 0; i+1 < len(selecting); i += 2 {
		m.Vary = append(m.Vary, selecting[i])
		h.Set(selecting[i], selecting[i+1])
	}
	m.Variant = cache.VariantKey(m.Vary, h)
	return m
}

func put(t *testing.T, s cache.Store, m *cache.Meta, body string) *cache.Stored {
	t.Helper()
	m.Length = int64(len(body))
	stored, err := s.Put(m, []byte(body))
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	return stored
}

func find(t *testing.T, s cache.Store, key string, h http.Header) *cache.Stored {
	t.Helper()
	f := s.Lookup(key, h)
	if f.Stored == nil {
		t.Fatalf("nothing found under %q for %v", key, h)
	}
	return f.Stored
}

func read(s *cache.Stored) ([]byte, error) {
	if s.Bytes != nil || s.Length == 0 {
		return s.Bytes, nil
	}
	c, err := s.Opener.Open()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return io.ReadAll(io.NewSectionReader(c, 0, s.Length))
}

func wantBody(t *testing.T, s *cache.Stored, want string) {
	t.Helper()
	got, err := read(s)
	if err != nil || string(got) != want {
		t.Fatalf("body is %.60q (%d bytes), error %v; want %.60q", got, len(got), err, want)
	}
}

func wantNone(t *testing.T, s cache.Store, key string, h http.Header) {
	t.Helper()
	if f := s.Lookup(key, h); f.Stored != nil {
		t.Fatalf("found a response under %q for %v", key, h)
	}
}

func putThenLookup(t *testing.T, s cache.Store) {
	if f := s.Lookup("k", nil); f.Stored != nil || f.Known {
		t.Fatal("an empty store found something")
	}
	want := meta("k")
	put(t, s, meta("k"), "body")
	got := find(t, s, "k", http.Header{"Accept": {"x"}})
	wantBody(t, got, "body")
	m := got.Meta
	if m.Status != want.Status || m.Host != want.Host || m.Path != want.Path || m.Query != want.Query || m.Mount != want.Mount ||
		!m.RequestTime.Equal(want.RequestTime) || !m.ResponseTime.Equal(want.ResponseTime) || !m.StoredTime.Equal(want.StoredTime) ||
		m.Number != want.Number || m.MaxLifetime != want.MaxLifetime || m.Length != 4 || fmt.Sprint(m.Tags) != fmt.Sprint(want.Tags) ||
		fmt.Sprintf("%q", m.Header) != fmt.Sprintf("%q", want.Header) {
		t.Fatalf("stored %+v\nwant   %+v", m, want)
	}
	put(t, s, meta("k"), "newer")
	wantBody(t, find(t, s, "k", nil), "newer")
	put(t, s, meta("empty"), "")
	wantBody(t, find(t, s, "empty", nil), "")
	if n := s.Stats().Entries; n != 2 {
		t.Fatalf("%d entries, want 2", n)
	}
}

func variantsSideBySide(t *testing.T, s cache.Store) {
	put(t, s, meta("k", "Accept", "a"), "in a")
	put(t, s, meta("k", "Accept", "b"), "in b")
	put(t, s, meta("k", "X-Other", "z"), "in z")
	for accept, want := range map[string]string{"a": "in a", "b": "in b"} {
		wantBody(t, find(t, s, "k", http.Header{"Accept": {accept}}), want)
	}
	// The newest list of fields decides first.
	wantBody(t, find(t, s, "k", http.Header{"Accept": {"a"}, "X-Other": {"z"}}), "in z")
	f := s.Lookup("k", http.Header{"Accept": {"c"}})
	if f.Stored != nil || !f.Known || fmt.Sprint(f.Vary) != "[X-Other]" {
		t.Fatalf("miss by Vary: %+v", f)
	}
}

func variantsBounded(t *testing.T, s cache.Store) {
	for i := range 2 * cache.MaxVariants {
		put(t, s, meta("k", "Accept", fmt.Sprint(i)), "x")
	}
	if n := s.Stats().Entries; n > cache.MaxVariants {
		t.Fatalf("%d variants of one key", n)
	}
	find(t, s, "k", http.Header{"Accept": {fmt.Sprint(2*cache.MaxVariants - 1)}})
	wantNone(t, s, "k", http.Header{"Accept": {"0"}})
}

func languageVariant(t *testing.T, s cache.Store) {
	m := meta("k", "Accept-Language", "de, en;q=0.5")
	name, _ := cache.Vary{Fields: m.Vary}.AppendLanguageVariant(nil, nil, "de")
	m.LanguageVariant = string(name)
	put(t, s, m, "deutsch")
	wantBody(t, find(t, s, "k", http.Header{"Accept-Language": {"DE"}}), "deutsch")
	wantNone(t, s, "k", http.Header{"Accept-Language": {"en"}})
}

func wrongLength(t *testing.T, s cache.Store) {
	m := meta("k")
	m.Length = 5
	if _, err := s.Put(m, []byte("four")); !errors.Is(err, cache.ErrIncomplete) {
		t.Fatalf("Put of a short body: %v", err)
	}
	w, err := s.Create(meta("k"), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	io.WriteString(w, "four")
	if _, err := w.Commit(m); !errors.Is(err, cache.ErrIncomplete) {
		t.Fatalf("Commit of a short body: %v", err)
	}
	wantNone(t, s, "k", nil)
}

func replaceKeepsBody(t *testing.T, s cache.Store) {
	old := put(t, s, meta("k"), "body")
	m := meta("k")
	m.Length, m.Number, m.Header = 4, 9, http.Header{"Etag": {`"new"`}}
	n, err := s.Replace(old, m)
	if err != nil || n == nil {
		t.Fatalf("Replace: %v %v", n, err)
	}
	got := find(t, s, "k", nil)
	wantBody(t, got, "body")
	if got.Number != 9 || got.Header.Get("Etag") != `"new"` {
		t.Fatalf("after Replace: %+v", got.Meta)
	}
	if n, err := s.Replace(old, m); n != nil || err != nil {
		t.Fatalf("Replace of what is no longer stored: %v %v", n, err)
	}
	if n := s.Stats().Entries; n != 1 {
		t.Fatalf("%d entries", n)
	}
}

func deleteAndDrop(t *testing.T, s cache.Store) {
	a := put(t, s, meta("k", "Accept", "a"), "in a")
	put(t, s, meta("k", "Accept", "b"), "in b")
	put(t, s, meta("other"), "other")
	s.Drop(a)
	s.Drop(a)
	wantNone(t, s, "k", http.Header{"Accept": {"a"}})
	find(t, s, "k", http.Header{"Accept": {"b"}})
	put(t, s, meta("k", "Accept", "a"), "again")
	s.Drop(a) // is not the stored one any more
	find(t, s, "k", http.Header{"Accept": {"a"}})
	if n := s.Delete("k"); n != 2 {
		t.Fatalf("Delete dropped %d", n)
	}
	if n := s.Delete("k"); n != 0 {
		t.Fatalf("second Delete dropped %d", n)
	}
	if f := s.Lookup("k", nil); f.Known {
		t.Fatal("a deleted key is known")
	}
	wantBody(t, find(t, s, "other", nil), "other")
}

func writerIsTailed(t *testing.T, s cache.Store) {
	w, err := s.Create(meta("k"), -1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var whole []byte
	for i := range 20 {
		piece := bytes.Repeat([]byte{byte('a' + i)}, 1000+i)
		if n, err := w.Write(piece); n != len(piece) || err != nil {
			t.Fatalf("Write: %d %v", n, err)
		}
		whole = append(whole, piece...)
		got := make([]byte, len(whole))
		if n, err := w.ReadAt(got, 0); n != len(whole) || err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(got, whole) {
			t.Fatalf("ReadAt after piece %d: %d %v", i, n, err)
		}
		wantNone(t, s, "k", nil)
	}
	m := meta("k")
	m.Length = int64(len(whole))
	if _, err := w.Commit(m); err != nil {
		t.Fatal(err)
	}
	wantBody(t, find(t, s, "k", nil), string(whole))
	got := make([]byte, len(whole))
	if n, _ := w.ReadAt(got, 0); n != len(whole) || !bytes.Equal(got, whole) {
		t.Fatal("a committed writer is not readable before Close")
	}
	w.Abort() // does nothing any more
	wantBody(t, find(t, s, "k", nil), string(whole))
	if _, err := w.Commit(m); !errors.Is(err, cache.ErrClosed) {
		t.Fatalf("second Commit: %v", err)
	}
}

func commitOrNothing(t *testing.T, s cache.Store) {
	put(t, s, meta("k"), "old")
	w, err := s.Create(meta("k"), 3)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "new")
	wantBody(t, find(t, s, "k", nil), "old")
	w.Abort()
	w.Abort()
	got := make([]byte, 3)
	if n, _ := w.ReadAt(got, 0); n != 3 || string(got) != "new" {
		t.Fatal("an aborted writer is not readable before Close")
	}
	m := meta("k")
	m.Length = 3
	if _, err := w.Commit(m); !errors.Is(err, cache.ErrClosed) {
		t.Fatalf("Commit after Abort: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantBody(t, find(t, s, "k", nil), "old")
}

func tooLarge(t *testing.T, s cache.Store) {
	if w, err := s.Create(meta("k"), 1<<50); !errors.Is(err, cache.ErrTooLarge) {
		t.Fatalf("Create of a petabyte: %v %v", w, err)
	}
	m := meta("k")
	m.Length = MaxBytes + 1
	if _, err := s.Put(m, make([]byte, MaxBytes+1)); !errors.Is(err, cache.ErrTooLarge) {
		t.Fatalf("Put of more than the bound: %v", err)
	}
	wantNone(t, s, "k", nil)
}

func readableAfterDrop(t *testing.T, s cache.Store) {
	put(t, s, meta("k"), "body")
	got := find(t, s, "k", nil)
	var c cache.Content
	if got.Bytes == nil {
		var err error
		if c, err = got.Opener.Open(); err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	s.Delete("k")
	if c == nil {
		wantBody(t, got, "body")
		return
	}
	p := make([]byte, 4)
	if n, _ := c.ReadAt(p, 0); n != 4 || string(p) != "body" {
		t.Fatalf("read %q after Delete", p[:n])
	}
}

func bytesBounded(t *testing.T, s cache.Store) {
	body := string(bytes.Repeat([]byte("x"), 8<<10))
	for i := range 4 * MaxBytes / len(body) {
		put(t, s, meta(fmt.Sprint("k", i)), body)
	}
	st := s.Stats()
	if st.MaxBytes != MaxBytes || st.Bytes > MaxBytes || st.Evictions == 0 || st.Entries == 0 {
		t.Fatalf("%+v", st)
	}
	if min := st.Entries * int64(len(body)); st.Bytes < min {
		t.Fatalf("%d entries of %d bytes are counted as %d bytes", st.Entries, len(body), st.Bytes)
	}
}

func each(t *testing.T, s cache.Store) {
	for i := range 10 {
		put(t, s, meta(fmt.Sprint("k", i)), "x")
	}
	seen := map[string]int{}
	s.Each(func(m *cache.Meta) bool { seen[m.Key]++; return true })
	if len(seen) != 10 {
		t.Fatalf("saw %v", seen)
	}
	n := 0
	s.Each(func(*cache.Meta) bool { n++; return n < 3 })
	if n != 3 {
		t.Fatalf("called %d times after false", n)
	}
}

func concurrentEverything(t *testing.T, s cache.Store) {
	const workers, steps, keys = 8, 300, 10
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(worker)))
			for range steps {
				key := fmt.Sprint("k", rnd.IntN(keys))
				// A body that says which key it belongs to, and is uniform.
				body := bytes.Repeat([]byte(key+"|"), 1+rnd.IntN(2000))
				m := meta(key)
				m.Length = int64(len(body))
				switch rnd.IntN(6) {
				case 0:
					s.Put(m, body)
				case 1:
					if w, err := s.Create(m, -1); err == nil {
						w.Write(body[:len(body)/2])
						w.Write(body[len(body)/2:])
						if rnd.IntN(2) == 0 {
							w.Commit(m)
						}
						w.Abort()
						w.Close()
					}
				case 2:
					s.Delete(key)
				case 3:
					if f := s.Lookup(key, nil); f.Stored != nil {
						n := *f.Stored.Meta
						s.Replace(f.Stored, &n)
					}
				default:
					f := s.Lookup(key, nil)
					if f.Stored == nil {
						continue
					}
					got, err := read(f.Stored)
					if err != nil {
						continue // dropped between look-up and opening
					}
					unit := key + "|"
					if int64(len(got)) != f.Stored.Length || len(got)%len(unit) != 0 ||
						!bytes.Equal(got, bytes.Repeat([]byte(unit), len(got)/len(unit))) {
						t.Errorf("%s holds %d bytes that are not its own", key, len(got))
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
