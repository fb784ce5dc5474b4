package cache

import "sync"

// Sizes of the pieces in which a body is kept in memory while it arrives.
const (
	smallChunkBytes = 16 << 10
	maxChunkBytes   = 64 << 10
)

// A chunk is a piece of a body. It is only appended to.
type chunk struct {
	p      []byte
	pooled bool // goes back by release once nobody reads it
}

var (
	smallChunks = sync.Pool{New: func() any { return new([smallChunkBytes]byte) }}
	largeChunks = sync.Pool{New: func() any { return new([maxChunkBytes]byte) }}
)

// chunkBytes is the size of the chunk for n bytes more of a body of this size.
func chunkBytes(size int64, n int) int {
	switch {
	case n > maxChunkBytes:
		return n
	case size > 0 || n > smallChunkBytes:
		return maxChunkBytes
	}
	return smallChunkBytes
}

// newChunk returns an empty chunk of n bytes, as chunkBytes tells.
func newChunk(n int) chunk {
	switch n {
	case smallChunkBytes:
		return chunk{smallChunks.Get().(*[smallChunkBytes]byte)[:0], true}
	case maxChunkBytes:
		return chunk{largeChunks.Get().(*[maxChunkBytes]byte)[:0], true}
	}
	return chunk{make([]byte, 0, n), false}
}

// release takes back a chunk of which nobody holds a byte.
func (c chunk) release() {
	switch {
	case !c.pooled:
	case cap(c.p) == smallChunkBytes:
		smallChunks.Put((*[smallChunkBytes]byte)(c.p[:smallChunkBytes]))
	default:
		largeChunks.Put((*[maxChunkBytes]byte)(c.p[:maxChunkBytes]))
	}
}
