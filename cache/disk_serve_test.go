package cache

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// tieredRig is a rig whose store is in a folder. stop closes it; the next rig
// with the folder goes on where it ended.
func tieredRig(t *testing.T, folder string, origin func(http.ResponseWriter, *http.Request) error) (g *rig, stop func()) {
	t.Helper()
	memory, err := NewMemory(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := OpenDisk(DiskOptions{Folder: folder, MaxBytes: 1 << 28})
	if err != nil {
		t.Fatal(err)
	}
	store := NewTiered(memory, disk)
	ledger, err := NewLedger(disk.Journal(), 0)
	if err != nil {
		t.Fatal(err)
	}
	disk.Reclaim(ledger)
	g = newRig(t, func(o *Options) { o.Store, o.Ledger = store, ledger }, origin)
	g.ledger = ledger
	return g, func() {
		g.settle()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestServeFromDiskAfterRestart(t *testing.T) {
	folder := t.TempDir()
	origin := page("Cache-Control", "max-age=600")
	g, stop := tieredRig(t, folder, origin)
	for range 2 {
		g.get("/kept")
		g.get("/purged")
	}
	g.wantAsked(2)
	stop()

	g, stop = tieredRig(t, folder, origin)
	if got := g.get("/kept"); got.Body.String() != "page 1" {
		t.Fatalf("after a restart: %q %v", got.Body, got.Header())
	}
	g.wantAsked(0)
	if _, err := g.ledger.Purge(Purge{Mount: "m", Scope: ScopeURL, Host: "example.com", Path: "/purged"}, g.clock.now()); err != nil {
		t.Fatal(err)
	}
	stop()

	g, stop = tieredRig(t, folder, origin)
	defer stop()
	if got := g.get("/purged"); got.Body.String() != "page 3" {
		t.Fatalf("a purged page came back: %q %v", got.Body, got.Header())
	}
	g.get("/kept")
	g.wantAsked(1)
}

// TestServeLongBodyFromDisk serves a long body to a real client, whole and in
// part, and fetches it again when its file is damaged.
func TestServeLongBodyFromDisk(t *testing.T) {
	folder := t.TempDir()
	want := testBody("film", "1", 8<<20)
	origin := func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Etag", `"film"`)
		w.Header().Set("Content-Type", "video/mp4")
		_, err := w.Write(want)
		return err
	}
	get := func(g *rig, ranges string) []byte {
		t.Helper()
		s := httptest.NewServer(g)
		defer s.Close()
		r, err := http.NewRequest(http.MethodGet, s.URL+"/film", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "example.com"
		if ranges != "" {
			r.Header.Set("Range", ranges)
		}
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		g.settle()
		return b
	}
	g, stop := tieredRig(t, folder, origin)
	for range 3 {
		if got := get(g, ""); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes", len(got))
		}
	}
	if got := get(g, "bytes=5000000-5000999"); !bytes.Equal(got, want[5_000_000:5_001_000]) {
		t.Fatalf("part of %d bytes", len(got))
	}
	g.wantAsked(1)
	disk := g.cache.Store.(*Tiered).Disk()
	stop()
	chain := make([]diskPlace, 0, 1)
	chain, _ = disk.index.after(0, chain)
	flipBit(t, folder+"/"+chain[0].path(), 4<<20)

	g, stop = tieredRig(t, folder, origin)
	defer stop()
	for range 2 {
		if got := get(g, ""); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes of a damaged file", len(got))
		}
	}
	g.wantAsked(1)
}

// slowClient takes the bytes of a body up to a limit, and waits there.
type slowClient struct {
	header http.Header
	sum    xxhash.Digest

	mu    sync.Mutex
	moved *sync.Cond
	limit int64 // guarded by mu
	taken int64
}

func newSlowClient() *slowClient {
	c := &slowClient{header: http.Header{}}
	c.moved = sync.NewCond(&c.mu)
	c.sum.Reset()
	return c
}

func (c *slowClient) Header() http.Header { return c.header }
func (c *slowClient) WriteHeader(int)     {}

func (c *slowClient) Write(p []byte) (int, error) {
	c.mu.Lock()
	for c.taken+int64(len(p)) > c.limit {
		c.moved.Wait()
	}
	c.taken += int64(len(p))
	c.mu.Unlock()
	return c.sum.Write(p)
}

// allow lets the client take bytes up to a limit.
func (c *slowClient) allow(limit int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = max(c.limit, limit)
	c.moved.Broadcast()
}

// TestLongFillTakesLittleMemory has 20 clients, each slower than the one before, read
// a file of 100 MB while it is being filled: it grows on disk, not in memory.
func TestLongFillTakesLittleMemory(t *testing.T) {
	const clients, pieces, pieceBytes, most = 20, 100, 1 << 20, 20 << 20
	piece := testBody("film", "1", pieceBytes)
	var want xxhash.Digest
	want.Reset()
	var all []*slowClient
	for range clients {
		all = append(all, newSlowClient())
	}
	begun := make(chan struct{})
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var before, grown int64
	g, stop := tieredRig(t, t.TempDir(), func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Content-Type", "video/mp4")
		w.Header().Set("Content-Length", strconv.Itoa(pieces*pieceBytes))
		w.WriteHeader(http.StatusOK)
		<-begun
		for n := range int64(pieces) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
			want.Write(piece)
			for i, c := range all {
				c.allow((n + 1) * pieceBytes * int64(clients-i) / clients)
			}
			if n%25 == 24 {
				grown = max(grown, heap()-before)
			}
		}
		return nil
	})
	defer stop()
	g.cache.MaxBodyBytes = 1 << 30
	before = heap()
	var ended sync.WaitGroup
	for _, c := range all {
		ended.Go(func() {
			r := httptest.NewRequest(http.MethodGet, "http://example.com/film", nil)
			g.ServeHTTP(c, r)
		})
	}
	close(begun)
	g.settle()
	for _, c := range all {
		c.allow(pieces * pieceBytes)
	}
	ended.Wait()
	g.settle()
	for i, c := range all {
		if c.taken != pieces*pieceBytes || c.sum.Sum64() != want.Sum64() {
			t.Errorf("client %d: %d bytes, or others than were sent", i, c.taken)
		}
	}
	if grown > most {
		t.Errorf("memory has grown by %d bytes", grown)
	}
	t.Logf("memory has grown by %d bytes, the site was asked %d times", grown, g.asked.Load())
	g.wantAsked(1)
}
