//go:build unix

package handler

import (
	"math/rand/v2"
	"syscall"
	"testing"
)

// pairsOf is what indexPairs has to find, said plainly.
func pairsOf(b []byte, c byte, gap int, near map[byte]bool) (at []int) {
	for i := range b {
		if j := i + gap; b[i] == c && j >= 0 && j < len(b) && near[b[j]] {
			at = append(at, i)
		}
	}
	return at
}

func checkPairs(t *testing.T, b []byte, c byte, gap int, members string) {
	t.Helper()
	near := make(map[byte]bool)
	for _, m := range []byte(members) {
		near[m] = true
	}
	set := newASCIISet([]byte(members)...)
	want := pairsOf(b, c, gap, near)
	first, from := indexPair(b, c, gap, &set), 0
	if len(want) == 0 && first >= 0 || len(want) > 0 && first != want[0] {
		t.Fatalf("%q, %q with one of %q at %d: the first is at %d, want %v", b, c, members, gap, first, want)
	}
	// All of them, as a caller goes on behind the last.
	var have []int
	for {
		// What lies before is searched too, so that a gap may reach into it.
		at, which := indexPairs(b[from:], c, gap, &set)
		if which == 0 {
			break
		}
		last := -1
		for k := range 64 {
			if i := from + at + k; which>>k&1 != 0 {
				last = i
				if len(have) == 0 || i > have[len(have)-1] {
					have = append(have, i)
				}
			}
		}
		from = max(last+min(0, gap)+1, from+1)
	}
	if len(have) != len(want) {
		t.Fatalf("%q, %q with one of %q at %d: got %v, want %v", b, c, members, gap, have, want)
	}
	for i := range have {
		if have[i] != want[i] {
			t.Fatalf("%q, %q with one of %q at %d: got %v, want %v", b, c, members, gap, have, want)
		}
	}
}

// TestPairs searches texts of every length up to a few blocks, with few kinds of bytes,
// so that all there is to find is found, and some above ASCII, which no set has.
func TestPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := []byte("/\\\"'27 =(,;xyz\t\xaf\xdc\xa2\x80\xff\x00")
	for n := range 300 {
		for _, gap := range []int{-1, 0, 1, 2, -7, 15, 63, -64, 100} {
			for _, members := range []string{"\"'27/\\", "x", "", "\x00\x7f"} {
				b := make([]byte, n)
				for i := range b {
					b[i] = kinds[r.IntN(len(kinds))]
				}
				checkPairs(t, b, kinds[r.IntN(len(kinds))], gap, members)
			}
		}
	}
}

// TestPairsReadNothingElse searches text with pages around it that may not be read.
func TestPairsReadNothingElse(t *testing.T) {
	page := syscall.Getpagesize()
	mem, err := syscall.Mmap(-1, 0, 3*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(mem)
	for _, guard := range [][]byte{mem[:page], mem[2*page:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	text := mem[page : 2*page]
	for i := range text {
		text[i] = "/ab"[i%3]
	}
	for n := range 200 {
		for _, gap := range []int{-1, 0, 1, -20, 20} {
			for _, members := range []string{"/ab", "x"} {
				checkPairs(t, text[:n], '/', gap, members)
				checkPairs(t, text[page-n:], '/', gap, members)
			}
		}
	}
}

func FuzzPairs(f *testing.F) {
	f.Add([]byte(`<a href="/blog/">`), byte('/'), int8(-1), "\"'")
	f.Fuzz(func(t *testing.T, b []byte, c byte, gap int8, members string) {
		for _, m := range []byte(members) {
			if m > 127 {
				return
			}
		}
		checkPairs(t, b, c, int(gap), members)
	})
}
