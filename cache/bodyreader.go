package cache

import (
	"context"
	"errors"
	"io"
	"sync"
)

// A bodyReader tails a body from an offset. It is used by one goroutine. Close
// must be called.
type bodyReader struct {
	b    *body
	off  int64
	buf  *[]byte
	lent bool // what next returned may be in use
}

// tailBuffers are the buffers into which spilled bytes are read. A buffer goes
// back when its reader closes or asks for the next bytes, never while its holder
// may use it.
var tailBuffers = sync.Pool{New: func() any { p := make([]byte, 32<<10); return &p }}

// newReader returns a reader at off, or nil if bytes from there on are gone.
func (b *body) newReader(off int64) *bodyReader {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.freed || off < b.base && b.base > b.spilled {
		return nil
	}
	r := &bodyReader{b: b, off: off}
	b.readers[r] = struct{}{}
	b.signal(&b.room)
	return r
}

// ready says whether next would return at once.
func (r *bodyReader) ready() bool {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	return r.off < r.b.size || r.b.done
}

// next returns the bytes that follow, waiting for them until ctx ends. They are
// valid until the next call of next or close. At the end of a complete body it
// returns io.EOF, at that of a cut one the cause, errBehind if the reader was cut.
func (r *bodyReader) next(ctx context.Context) ([]byte, error) {
	b := r.b
	r.lent = false
	for {
		b.mu.Lock()
		switch {
		case r.off < b.spilled:
			n, w, off := b.spilled-r.off, b.writer, r.off
			b.mu.Unlock()
			return r.readSpilled(w, off, n)
		case r.off < b.base:
			b.cut++
			b.mu.Unlock()
			return nil, errBehind
		case r.off < b.size:
			p := b.at(r.off)
			r.off += int64(len(p))
			r.lent = true
			if b.windowed {
				b.signal(&b.room)
			}
			b.mu.Unlock()
			return p, nil
		case b.done:
			err := b.err
			b.mu.Unlock()
			if err == nil {
				err = io.EOF
			}
			return nil, err
		}
		if b.more == nil {
			b.more = make(chan struct{})
		}
		more := b.more
		b.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// at returns the rest of the piece that holds off. Pieces but for the last grow
// no more, and the last grows only past what is returned here. The caller holds mu.
func (b *body) at(off int64) []byte {
	start := b.base
	for _, c := range b.chunks {
		if end := start + int64(len(c.p)); off < end {
			i := off - start
			return c.p[i:len(c.p):len(c.p)]
		} else {
			start = end
		}
	}
	return nil
}

// readSpilled reads up to n bytes at off from w.
func (r *bodyReader) readSpilled(w Writer, off, n int64) ([]byte, error) {
	if r.buf == nil {
		r.buf = tailBuffers.Get().(*[]byte)
	}
	p := (*r.buf)[:min(n, int64(len(*r.buf)))]
	k, err := w.ReadAt(p, off)
	if k < len(p) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	r.lent = true
	r.b.mu.Lock()
	r.off += int64(k)
	if r.b.windowed {
		r.b.signal(&r.b.room)
	}
	r.b.mu.Unlock()
	return p, nil
}

// close ends the reader. One that has not asked for what follows its last bytes
// may have failed to write them, and then net/http may go on reading them: a frame
// of HTTP/2 is written by another goroutine, which Write does not wait for once the
// client has reset the stream. They must not become those of another response.
func (r *bodyReader) close() {
	if r.buf != nil && !r.lent {
		tailBuffers.Put(r.buf)
	}
	r.buf = nil
	b := r.b
	b.mu.Lock()
	b.lent = b.lent || r.lent
	delete(b.readers, r)
	b.signal(&b.room)
	b.free()
	b.mu.Unlock()
}
