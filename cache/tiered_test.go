package cache_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/cache/storetest"
)

// openTiered opens a tiered store of storetest.MaxBytes in a folder.
func openTiered(t *testing.T, folder string) *cache.Tiered {
	t.Helper()
	memory, err := cache.NewMemory(storetest.MaxBytes / 4)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := cache.OpenDisk(cache.DiskOptions{Folder: folder, MaxBytes: storetest.MaxBytes / 4 * 3})
	if err != nil {
		t.Fatal(err)
	}
	return cache.NewTiered(memory, disk)
}

func TestTieredKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) cache.Store { return openTiered(t, t.TempDir()) }, nil)
}

// stored returns the Meta of version n of a response under key, and its body.
func stored(key string, n int, selecting ...string) (*cache.Meta, []byte) {
	m := &cache.Meta{
		Key: key, Status: 200, Mount: "m", Host: "example.com", Path: "/" + key,
		Header: http.Header{"Version": {fmt.Sprint(n)}}, StoredTime: time.Unix(int64(n), 0),
	}
	h := http.Header{}
	for i := 0; i+1 < len(selecting); i += 2 {
		m.Vary = append(m.Vary, selecting[i])
		h.Set(selecting[i], selecting[i+1])
	}
	m.Variant = cache.VariantKey(m.Vary, h)
	body := fmt.Appendf(nil, "body of version %d", n)
	m.Length = int64(len(body))
	return m, body
}

// restart closes a tiered store and opens what it kept.
func restart(t *testing.T, s *cache.Tiered, folder string) *cache.Tiered {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTiered(t, folder)
	t.Cleanup(func() { s.Close() })
	return s
}

// wantVersion fails unless version n of key is found; zero is none.
func wantVersion(t *testing.T, s cache.Store, key string, n int) {
	t.Helper()
	got := 0
	if f := s.Lookup(key, nil); f.Stored != nil {
		fmt.Sscan(f.Stored.Header.Get("Version"), &got)
		if want := fmt.Sprintf("body of version %d", got); f.Stored.Bytes != nil && string(f.Stored.Bytes) != want {
			t.Fatalf("%s: version %d has the body %q", key, got, f.Stored.Bytes)
		}
	}
	if got != n {
		t.Fatalf("%s: version %d, want %d", key, got, n)
	}
}

// TestTieredAdmission keeps over a restart what was asked for twice.
func TestTieredAdmission(t *testing.T) {
	folder := t.TempDir()
	s := openTiered(t, folder)
	for i, key := range []string{"once", "twice"} {
		if _, err := s.Put(stored(key, i+1)); err != nil {
			t.Fatal(err)
		}
	}
	wantVersion(t, s, "twice", 2)
	s = restart(t, s, folder)
	wantVersion(t, s, "once", 0)
	wantVersion(t, s, "twice", 2)
	// Now it is in both tiers, and one entry.
	if n := s.Memory().Stats().Entries; n != 1 {
		t.Errorf("%d entries in memory", n)
	}
	if n := s.Stats().Entries; n != 1 {
		t.Errorf("%d entries", n)
	}
	seen := 0
	s.Each(func(*cache.Meta) bool { seen++; return true })
	if seen != 1 {
		t.Errorf("Each saw %d", seen)
	}
}

// TestTieredNeverGoesBack changes what is on disk in all ways and restarts: the
// old version is not found.
func TestTieredNeverGoesBack(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, s *cache.Tiered)
		want   int
	}{
		"Put": {func(t *testing.T, s *cache.Tiered) { s.Put(stored("k", 2)) }, 2},
		"Commit": {func(t *testing.T, s *cache.Tiered) {
			m, body := stored("k", 2)
			w, err := s.Create(m, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			w.Write(body)
			if _, err := w.Commit(m); err != nil {
				t.Fatal(err)
			}
		}, 2},
		"Replace": {func(t *testing.T, s *cache.Tiered) {
			m, _ := stored("k", 1)
			m.Header.Set("Etag", "new")
			if n, err := s.Replace(s.Lookup("k", nil).Stored, m); n == nil || err != nil {
				t.Fatal(n, err)
			}
			if s.Lookup("k", nil).Stored.Header.Get("Etag") != "new" {
				t.Error("not replaced")
			}
		}, 1},
		"Drop": {func(t *testing.T, s *cache.Tiered) { s.Drop(s.Lookup("k", nil).Stored) }, 0},
		"Drop of what is only on disk": {func(t *testing.T, s *cache.Tiered) {
			old := s.Lookup("k", nil).Stored
			s.Memory().Delete("k")
			s.Drop(old)
		}, 0},
		"Delete": {func(t *testing.T, s *cache.Tiered) {
			if n := s.Delete("k"); n != 1 {
				t.Errorf("deleted %d", n)
			}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			s := openTiered(t, folder)
			s.Put(stored("k", 1))
			wantVersion(t, s, "k", 1)
			s = restart(t, s, folder)
			wantVersion(t, s, "k", 1)
			c.change(t, s)
			wantVersion(t, s, "k", c.want)
			s.Memory().Delete("k") // evicted
			if f := s.Lookup("k", nil); f.Stored != nil && c.want != 1 && f.Stored.Header.Get("Version") == "1" {
				t.Error("the old version came back from disk")
			}
			s = restart(t, s, folder)
			if f := s.Lookup("k", nil); f.Stored != nil && f.Stored.Header.Get("Version") != fmt.Sprint(c.want) {
				t.Errorf("found version %s after a restart", f.Stored.Header.Get("Version"))
			}
		})
	}
}

// TestTieredDropsOnlyWhatItIsGiven drops a response in whose place there is a
// newer one.
func TestTieredDropsOnlyWhatItIsGiven(t *testing.T) {
	folder := t.TempDir()
	s := openTiered(t, folder)
	s.Put(stored("k", 1))
	old := s.Lookup("k", nil).Stored
	s.Put(stored("k", 2))
	wantVersion(t, s, "k", 2)
	s = restart(t, s, folder)
	s.Drop(old)
	wantVersion(t, s, "k", 2)
}

// TestTieredVariantsInBothTiers deletes and counts variants once.
func TestTieredVariantsInBothTiers(t *testing.T) {
	folder := t.TempDir()
	s := openTiered(t, folder)
	for i, v := range []string{"a", "b", "c"} {
		s.Put(stored("k", i+1, "Accept", v))
		s.Lookup("k", http.Header{"Accept": {v}})
	}
	s = restart(t, s, folder)
	s.Lookup("k", http.Header{"Accept": {"a"}})
	s.Put(stored("k", 4, "Accept", "d"))
	if n := s.Stats().Entries; n != 4 {
		t.Errorf("%d entries", n)
	}
	for v, want := range map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"} {
		if f := s.Lookup("k", http.Header{"Accept": {v}}); f.Stored == nil || f.Stored.Header.Get("Version") != want {
			t.Errorf("Accept %s: %+v", v, f)
		}
	}
	if f := s.Lookup("k", http.Header{"Accept": {"e"}}); f.Stored != nil || !f.Known || len(f.Vary) != 1 {
		t.Errorf("%+v", f)
	}
	if n := s.Delete("k"); n != 4 {
		t.Errorf("deleted %d", n)
	}
}

// TestTieredWithoutDisk goes on in memory when the disk fails.
func TestTieredWithoutDisk(t *testing.T) {
	folder := t.TempDir()
	s := openTiered(t, folder)
	defer s.Close()
	if err := s.Disk().Close(); err != nil {
		t.Fatal(err)
	}
	s.Put(stored("k", 1))
	wantVersion(t, s, "k", 1)
	m, body := stored("w", 2)
	w, err := s.Create(m, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	w.Write(body)
	if _, err := w.Commit(m); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, s, "w", 2)
	if n := s.Delete("k"); n != 1 {
		t.Errorf("deleted %d", n)
	}
}
