package cache

import (
	"bytes"
	"io"
	"runtime"
	"sync"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// TestDiskTailedLongBody has twenty readers follow 100 MB while they are written:
// all get every byte, and none of it is kept in memory.
func TestDiskTailedLongBody(t *testing.T) {
	const length, piece, readers = 100 << 20, 1 << 20, 20
	d, err := OpenDisk(DiskOptions{Folder: t.TempDir(), MaxBytes: 1 << 30, ScrubBytesPerSecond: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	m := testMeta("film", 1, length)
	w, err := d.Create(m, length)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	used := func() uint64 {
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	var (
		mu      sync.Mutex
		more    = sync.NewCond(&mu)
		written int64
		wg      sync.WaitGroup
		sums    [readers]uint64
	)
	before := used()
	for i := range readers {
		wg.Go(func() {
			var sum xxhash.Digest
			sum.Reset()
			buffer := make([]byte, 32<<10)
			for off := int64(0); off < length; {
				mu.Lock()
				for written <= off {
					more.Wait()
				}
				n := min(written-off, int64(len(buffer)))
				mu.Unlock()
				if k, err := w.ReadAt(buffer[:n], off); int64(k) != n {
					t.Errorf("ReadAt %d: %d of %d bytes, %v", off, k, n, err)
					return
				}
				sum.Write(buffer[:n])
				off += n
			}
			sums[i] = sum.Sum64()
		})
	}
	block := make([]byte, piece)
	var want xxhash.Digest
	want.Reset()
	for i := range length / piece {
		copy(block, bytes.Repeat([]byte{byte(i), byte(i >> 8), 7}, piece/3+1))
		want.Write(block)
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		written += piece
		more.Broadcast()
		mu.Unlock()
		if i == length/piece/2 {
			if grown := int64(used()) - int64(before); grown > 20<<20 {
				t.Errorf("%d bytes of memory for a body on disk", grown)
			}
		}
	}
	wg.Wait()
	for i, sum := range sums {
		if sum != want.Sum64() {
			t.Errorf("reader %d got other bytes", i)
		}
	}
	s, err := w.Commit(m)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Opener.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var sum xxhash.Digest
	sum.Reset()
	if n, err := io.Copy(&sum, io.NewSectionReader(c, 0, length)); n != length || err != nil || sum.Sum64() != want.Sum64() {
		t.Errorf("stored %d bytes, %v", n, err)
	}
	if grown := int64(used()) - int64(before); grown > 20<<20 {
		t.Errorf("%d bytes of memory for a body on disk", grown)
	}
}
