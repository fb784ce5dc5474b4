package cache

import (
	"bytes"
	"context"
	"errors"
	"sync"
)

// errBehind is what a reader gets that fell out of the window of a body.
var errBehind = errors.New("reader fell behind the window of the body")

// A body is an append-only sequence of bytes that one goroutine, the producer,
// appends to and that any number of readers tail, each at its own speed.
//
// It holds its bytes in memory up to spillBytes, and as long as memory grants
// them, then in the Writer that spill makes. A body that may not be held any
// longer (window, or spilling failed) keeps the last windowBytes only: append then
// waits for the fastest reader, and a reader that has fallen behind what is kept
// is cut. The slower ones never hold up the fastest.
//
// Bytes that a reader was handed are neither changed nor reused before it closes.
type body struct {
	spillBytes  int64
	windowBytes int64
	memory      *budget
	spill       func() (Writer, error) // nil: cannot spill

	mu       sync.Mutex
	chunks   []chunk // [base, size) in order; only the last is appended to
	base     int64
	size     int64  // bytes appended
	writer   Writer // holds [0, spilled); nil until spilled
	spilled  int64
	taken    int64 // bytes taken from memory
	windowed bool
	done     bool  // no byte follows
	err      error // why it ended; nil: complete
	sealed   bool  // no reader follows
	freed    bool
	lent     bool // a reader left bytes in use: they are not reused
	readers  map[*bodyReader]struct{}
	cut      int64         // readers that fell behind
	more     chan struct{} // closed when bytes or the end arrive; nil: nobody waits
	room     chan struct{} // closed when a reader advances or comes; nil: nobody waits
}

// newBody returns an empty body. length is the declared length, or -1 if there is
// none. A short declared length makes the body one piece from the start, so that
// storing it copies nothing.
func newBody(length, spillBytes, windowBytes int64, memory *budget, spill func() (Writer, error)) *body {
	b := &body{
		spillBytes: spillBytes, windowBytes: windowBytes, memory: memory, spill: spill,
		readers: make(map[*bodyReader]struct{}),
	}
	if length > 0 && length <= spillBytes && memory.take(length) {
		b.taken = length
		b.chunks = []chunk{{p: make([]byte, 0, length)}}
	}
	return b
}

// append adds p, which it copies, and wakes the readers. It waits only while the
// body is a window whose fastest reader is a whole window behind. It fails only
// when ctx ends. Producer only.
func (b *body) append(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		b.mu.Lock()
		if b.windowed {
			n := min(len(p), maxChunkBytes)
			if room := b.makeRoom(int64(n)); room != nil {
				b.mu.Unlock()
				select {
				case <-room:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				continue
			}
			b.keep(p[:n], true)
			b.mu.Unlock()
			p = p[n:]
			continue
		}
		w := b.writer
		if w == nil && b.size+int64(len(p)) <= b.spillBytes && b.keep(p, false) {
			b.mu.Unlock()
			return nil
		}
		b.mu.Unlock()
		if w == nil {
			if !b.moveToWriter() {
				b.window()
			}
			continue
		}
		// Only the producer writes: no lock is held over the medium.
		if _, err := w.Write(p); err != nil {
			w.Abort()
			b.window()
			continue
		}
		b.mu.Lock()
		b.spilled += int64(len(p))
		b.size += int64(len(p))
		b.base = b.size
		b.signal(&b.more)
		b.mu.Unlock()
		return nil
	}
	return nil
}

// keep adds p to the part in memory: all of it, or nothing if memory may not grow
// and force is false. The caller holds mu.
func (b *body) keep(p []byte, force bool) bool {
	free := 0
	if n := len(b.chunks); n > 0 {
		last := b.chunks[n-1].p
		free = cap(last) - len(last)
	}
	head := p[:min(free, len(p))]
	tail := p[len(head):]
	next := chunkBytes(b.size, len(tail))
	if len(tail) > 0 {
		if force {
			b.memory.force(int64(next))
		} else if !b.memory.take(int64(next)) {
			return false
		}
		b.taken += int64(next)
	}
	if len(head) > 0 {
		last := &b.chunks[len(b.chunks)-1].p
		*last = append(*last, head...)
	}
	if len(tail) > 0 {
		c := newChunk(next)
		c.p = append(c.p, tail...)
		b.chunks = append(b.chunks, c)
	}
	b.size += int64(len(p))
	b.signal(&b.more)
	return true
}

// makeRoom drops pieces until n more bytes fit into the window. While the fastest
// reader still needs the oldest piece it returns a channel to wait on instead.
// The caller holds mu.
func (b *body) makeRoom(n int64) <-chan struct{} {
	for len(b.chunks) > 0 && b.size-b.base+n > b.windowBytes {
		end := b.base + int64(len(b.chunks[0].p))
		if b.fastest() < end {
			if b.room == nil {
				b.room = make(chan struct{})
			}
			return b.room
		}
		// Else a slower reader may still be writing it: it is left to the garbage
		// collector.
		if b.passed(end) {
			b.chunks[0].release()
		}
		b.taken -= int64(cap(b.chunks[0].p))
		b.memory.give(int64(cap(b.chunks[0].p)))
		b.chunks[0] = chunk{}
		b.chunks = b.chunks[1:]
		b.base = end
	}
	return nil
}

// fastest returns the offset of the reader that is furthest, 0 if there is none.
// The caller holds mu.
func (b *body) fastest() int64 {
	var off int64
	for r := range b.readers {
		off = max(off, r.off)
	}
	return off
}

// passed reports whether nobody has bytes before end in use: every reader was handed
// later ones. The caller holds mu.
func (b *body) passed(end int64) bool {
	for r := range b.readers {
		if r.off <= end {
			return false
		}
	}
	return !b.lent
}

// moveToWriter moves the part in memory to a Writer. Producer only.
func (b *body) moveToWriter() bool {
	if b.spill == nil {
		return false
	}
	w, err := b.spill()
	if err != nil {
		return false
	}
	// chunks is changed by the producer only; readers go on reading it.
	for _, c := range b.chunks {
		if _, err := w.Write(c.p); err != nil {
			w.Abort()
			w.Close()
			return false
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writer, b.spilled = w, b.size
	b.chunks, b.base = nil, b.size
	b.memory.give(b.taken)
	b.taken = 0
	return true
}

// window makes the body a window from here on: it is not held, hence neither
// stored nor given to new readers. Producer only.
func (b *body) window() {
	b.mu.Lock()
	b.windowed = true
	b.mu.Unlock()
}

// finish ends the body. A nil error says that it is complete. Producer only.
func (b *body) finish(err error) {
	b.mu.Lock()
	b.done, b.err = true, err
	b.signal(&b.more)
	b.mu.Unlock()
}

// seal says that the body was stored or given up and gets no new readers. What it
// holds is freed when its last reader has gone.
func (b *body) seal() {
	b.mu.Lock()
	b.sealed = true
	b.free()
	b.mu.Unlock()
}

// free gives back what the body holds once nobody needs it. The caller holds mu.
func (b *body) free() {
	if !b.sealed || len(b.readers) > 0 || b.freed {
		return
	}
	b.freed = true
	if !b.lent {
		for _, c := range b.chunks {
			c.release()
		}
	}
	b.chunks = nil
	b.memory.give(b.taken)
	b.taken = 0
	if b.writer != nil {
		b.writer.Abort()
		b.writer.Close()
	}
}

// signal wakes those who wait on *c. The caller holds mu.
func (b *body) signal(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}

// slackBytes is how much more than itself a body that is kept may occupy.
const slackBytes = 512

// bytes returns the whole body as one piece, or false if it is not in memory.
// Producer only, after the last append.
func (b *body) bytes() ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.windowed || b.writer != nil:
		return nil, false
	case len(b.chunks) == 0:
		return nil, true
	case len(b.chunks) == 1 && !b.chunks[0].pooled && cap(b.chunks[0].p)-len(b.chunks[0].p) < slackBytes:
		return b.chunks[0].p, true
	}
	pieces := make([][]byte, len(b.chunks))
	for i, c := range b.chunks {
		pieces[i] = c.p
	}
	return bytes.Join(pieces, nil), true
}

// spillWriter returns the Writer that holds the whole body, or nil.
func (b *body) spillWriter() Writer {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.windowed {
		return nil
	}
	return b.writer
}

// progress returns how many bytes were appended and whether the body is held.
func (b *body) progress() (size int64, held bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.size, !b.windowed
}

// whole says whether the body has ended as it should.
func (b *body) whole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done && b.err == nil
}
