package cache

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// readBody reads a body from off to its end.
func readBody(b *body, off int64) ([]byte, error) {
	r := b.newReader(off)
	if r == nil {
		return nil, errBehind
	}
	defer r.close()
	var all []byte
	for {
		p, err := r.next(context.Background())
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, p...)
	}
}

// failingWriter is a Writer whose medium is full after some bytes.
type failingWriter struct {
	*spool
	left int
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, errors.New("disk full")
	}
	w.left -= len(p)
	return w.spool.Write(p)
}
func (w *failingWriter) Commit(*Meta) (*Stored, error) { return nil, ErrClosed }
func (w *failingWriter) Abort()                        {}

func spillTo(t testing.TB, space int) func() (Writer, error) {
	return func() (Writer, error) {
		s, err := newSpool()
		if err != nil {
			t.Fatal(err)
		}
		return &failingWriter{spool: s, left: space}, nil
	}
}

// FuzzBodySplits: however a body is split, spilled or declared, each reader from
// each offset gets the whole, and the memory comes back.
func FuzzBodySplits(f *testing.F) {
	f.Add(uint64(1), 100, int64(-1), int64(1<<20))
	f.Add(uint64(2), 70_000, int64(70_000), int64(1<<20))
	f.Add(uint64(3), 200_000, int64(-1), int64(10_000))
	f.Add(uint64(4), 5_000, int64(10), int64(4_096))
	f.Add(uint64(5), 0, int64(0), int64(0))
	f.Fuzz(func(t *testing.T, seed uint64, size int, length, spill int64) {
		size = min(max(size, 0), 1<<20)
		length, spill = min(length, 1<<22), min(max(spill, 0), 1<<22)
		rnd := rand.New(rand.NewPCG(seed, 0))
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(rnd.Uint32())
		}
		memory := &budget{max: 1 << 19}
		b := newBody(length, spill, 1<<20, memory, spillTo(t, 1<<30))
		var early []*bodyReader
		got := map[*bodyReader][]byte{}
		for rest := want; len(rest) > 0; {
			n := min(len(rest), 1+rnd.IntN(40_000))
			piece := bytes.Clone(rest[:n])
			if err := b.append(t.Context(), piece); err != nil {
				t.Fatal(err)
			}
			clear(piece) // append copies
			rest = rest[n:]
			if rnd.IntN(3) == 0 {
				early = append(early, b.newReader(0))
			}
			for _, r := range early {
				if r.ready() && rnd.IntN(2) == 0 {
					p, err := r.next(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					got[r] = append(got[r], p...)
				}
			}
		}
		b.finish(nil)
		if whole, ok := b.bytes(); ok && !bytes.Equal(whole, want) {
			t.Fatalf("bytes returned %d other bytes", len(whole))
		}
		off := rnd.IntN(size + 1)
		if all, err := readBody(b, int64(off)); err != nil || !bytes.Equal(all, want[off:]) {
			t.Fatalf("from %d: %d bytes, %v", off, len(all), err)
		}
		b.seal()
		for _, r := range early {
			for {
				p, err := r.next(t.Context())
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got[r] = append(got[r], p...)
			}
			if !bytes.Equal(got[r], want) {
				t.Fatalf("a reader got %d bytes, want %d", len(got[r]), len(want))
			}
			r.close()
		}
		if memory.used.Load() != 0 {
			t.Fatalf("%d bytes not given back", memory.used.Load())
		}
	})
}

func TestBodyWhoseSpillFails(t *testing.T) {
	for _, c := range []struct {
		name  string
		spill func() (Writer, error)
	}{
		{"cannot be made", func() (Writer, error) { return nil, errors.New("read-only") }},
		{"is full at once", spillTo(t, 0)},
		{"is full later", spillTo(t, 300_000)},
		{"is not there", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			memory := &budget{max: 64 << 10}
			b := newBody(-1, 100_000, 200_000, memory, c.spill)
			r := b.newReader(0)
			var got, want []byte
			for i := range 100 {
				piece := bytes.Repeat([]byte{byte(i)}, 10_000)
				if err := b.append(t.Context(), piece); err != nil {
					t.Fatal(err)
				}
				want = append(want, piece...)
				for r.ready() {
					p, err := r.next(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, p...)
				}
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("the reader got %d bytes", len(got))
			}
			if b.newReader(0) != nil {
				t.Error("a reader was let in to what is gone")
			}
			if _, ok := b.bytes(); ok || b.spillWriter() != nil {
				t.Error("a body that was not held is offered for storing")
			}
			if used := memory.used.Load(); used > 400_000 {
				t.Errorf("a window of 200000 bytes takes %d", used)
			}
			b.finish(nil)
			r.close()
			b.seal()
			if memory.used.Load() != 0 {
				t.Fatalf("%d bytes not given back", memory.used.Load())
			}
		})
	}
}

// TestWindowLeavesBytesInUse: pieces that have left a window become parts of other
// bodies, but none that a reader was handed last.
func TestWindowLeavesBytesInUse(t *testing.T) {
	memory := &budget{max: 1 << 30}
	piece := func(c byte) []byte { return bytes.Repeat([]byte{c}, maxChunkBytes) }
	ctx := t.Context()
	next := func(r *bodyReader, want byte) []byte {
		t.Helper()
		p, err := r.next(ctx)
		if err != nil || !bytes.Equal(p, piece(want)) {
			t.Fatalf("%d bytes of %.1q, %v; want those of %q", len(p), p, err, want)
		}
		return p
	}
	for _, leaves := range []bool{false, true} {
		b := newBody(-1, 0, 2*maxChunkBytes, memory, nil)
		b.window()
		fast, slow := b.newReader(0), b.newReader(0)
		var held []byte
		for c := byte('a'); c < 'k'; c++ {
			if err := b.append(ctx, piece(c)); err != nil {
				t.Fatal(err)
			}
			next(fast, c)
			if c == 'a' {
				held = next(slow, c)
				if leaves {
					slow.close() // it failed to write them
				}
			}
		}
		// Whatever was given back is overwritten.
		for range 20 {
			other := newBody(-1, 1<<20, 1<<20, memory, nil)
			if err := other.append(ctx, piece('z')); err != nil {
				t.Fatal(err)
			}
			other.finish(nil)
			other.seal()
		}
		if !bytes.Equal(held, piece('a')) {
			t.Errorf("a slow reader's bytes became another body's (has left: %v)", leaves)
		}
		fast.close()
		if !leaves {
			slow.close()
		}
		b.finish(nil)
		b.seal()
	}
}
