//go:build unix

package cache

import (
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// entriesEnv lists the numbers of responses with which BenchmarkDisk runs,
// separated by commas. A million take 8 GB of disk and some minutes.
const entriesEnv = "MOUNT_BENCH_ENTRIES"

// BenchmarkDisk measures a store of responses of 2 KB.
func BenchmarkDisk(b *testing.B) {
	list := os.Getenv(entriesEnv)
	if list == "" {
		list = "1000"
	}
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			b.Fatalf("%s=%q: want numbers separated by commas", entriesEnv, list)
		}
		b.Run("entries="+word, func(b *testing.B) { benchmarkDisk(b, n) })
	}
}

func benchKey(i int) string {
	return "https://example.com/blog/2026/some-post-number-" + strconv.Itoa(i)
}

func benchMeta(i int) *Meta {
	now := time.Unix(1_800_000_000, 0)
	return &Meta{
		Key: benchKey(i), Status: 200, Length: 2048, Mount: "example.com/blog", Host: "example.com",
		Path: "/blog/2026/some-post-number-" + strconv.Itoa(i), RequestTime: now, ResponseTime: now, StoredTime: now,
		Header: http.Header{
			"Content-Type": {"text/html; charset=UTF-8"}, "Cache-Control": {"max-age=600"}, "Etag": {`"abc"`},
			"Link": {`<https://example.com/blog/wp-json/>; rel="https://api.w.org/"`}, "Date": {"Fri, 15 Jan 2027 08:00:00 GMT"},
		},
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func benchmarkDisk(b *testing.B, n int) {
	folder := b.TempDir()
	open := func() *Disk {
		d, err := OpenDisk(DiskOptions{Folder: folder, MaxBytes: 1 << 40, ScrubBytesPerSecond: -1})
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	before := heap()
	d := open()
	body := testBody("body", "1", 2048)
	start := time.Now()
	for i := range n {
		if _, err := d.Put(benchMeta(i), body); err != nil {
			b.Fatal(err)
		}
	}
	put := time.Since(start)
	perEntry := func() float64 { return float64(heap()-before) / float64(n) }
	stored := perEntry()
	b.Run("op=put", func(b *testing.B) {
		b.ReportMetric(float64(put.Nanoseconds())/float64(n), "ns/response")
		b.ReportMetric(stored, "heap-B/entry")
		b.ReportMetric(float64(blocks(b, folder))/float64(n), "disk-B/response")
		b.ReportMetric(float64(d.Stats().Bytes)/float64(n), "counted-B/response")
	})
	lookups := func(b *testing.B, key func(i int) string, found bool) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			i = (i + 7919) % n
			if s := d.Lookup(key(i), nil).Stored; (s != nil) != found {
				b.Fatalf("%s: %v", key(i), s)
			}
		}
	}
	b.Run("op=hit", func(b *testing.B) { lookups(b, benchKey, true) })
	b.Run("op=miss", func(b *testing.B) { lookups(b, func(i int) string { return benchKey(-i - 1) }, false) })
	b.Run("op=purge-all", func(b *testing.B) {
		l, err := NewLedger(d.Journal(), 0)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := l.Purge(Purge{Mount: "example.com/blog", Scope: ScopeAll}, time.Unix(1, 0)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("op=fsync", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "f"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for b.Loop() {
			f.Write(body[:200])
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	d = nil
	before = heap()
	b.Run("op=restart", func(b *testing.B) {
		var opened, hit, scanned time.Duration
		var entries float64
		runs := 0
		for b.Loop() {
			start := time.Now()
			d := open()
			opened += time.Since(start)
			if d.Lookup(benchKey(n-1), nil).Stored == nil {
				b.Fatal("no hit after a restart")
			}
			hit += time.Since(start)
			<-d.Scanned()
			scanned += time.Since(start)
			entries = perEntry()
			if err := d.Close(); err != nil {
				b.Fatal(err)
			}
			runs++
		}
		b.ReportMetric(opened.Seconds()*1e3/float64(runs), "open-ms")
		b.ReportMetric(hit.Seconds()*1e3/float64(runs), "first-hit-ms")
		b.ReportMetric(float64(n*runs)/scanned.Seconds(), "scanned/s")
		b.ReportMetric(entries, "heap-B/entry")
	})
}

// blocks returns the bytes that a folder takes on disk.
func blocks(b *testing.B, folder string) (bytes int64) {
	b.Helper()
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			bytes += s.Blocks * 512
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

// BenchmarkDiskFile reads a long stored body from beginning to end.
func BenchmarkDiskFile(b *testing.B) {
	const length = 100 << 20
	d, err := OpenDisk(DiskOptions{Folder: b.TempDir(), MaxBytes: 1 << 30, ScrubBytesPerSecond: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	m := benchMeta(0)
	m.Length = length
	w, err := d.Create(m, length)
	if err != nil {
		b.Fatal(err)
	}
	piece := make([]byte, 1<<20)
	for range length / len(piece) {
		if _, err := w.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := w.Commit(m); err != nil {
		b.Fatal(err)
	}
	w.Close()
	b.SetBytes(length)
	b.ReportAllocs()
	buffer := make([]byte, 64<<10)
	for b.Loop() {
		c, err := d.Lookup(benchKey(0), nil).Stored.Opener.Open()
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.NewSectionReader(c, 0, length), buffer); n != length {
			b.Fatal(n, err)
		}
		c.Close()
	}
}
