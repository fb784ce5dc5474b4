package handler

import "sync"

const (
	// historyBytes is how far back a decision may look, at least placeReach and
	// maxScriptTag, srcsetReach, imageSetReach or policyReach. It is kept in front of
	// the bytes that are not decided yet.
	historyBytes = 6 << 10
	// outBytes collects pieces into one write: a copy costs much less than a
	// chunk of its own on the wire. It takes what becomes of the 32 KiB that
	// proxies read at once.
	outBytes = 36 << 10
	inBytes  = 64<<10 - outBytes
	// wholeBytes is the longest body that is mapped before any of it is written.
	wholeBytes = 64 << 10
	// growth is by how much a body may grow by that.
	growth = 8 << 10
)

// scanMemory is what a scanner needs of memory, pooled: 64 KiB for a body that streams.
type scanMemory struct {
	in    [inBytes]byte
	out   []byte
	hosts []hostCursor // one for each group of needles
	pool  *sync.Pool
}

var (
	streamMemories = newScanMemories(outBytes)
	wholeMemories  = newScanMemories(wholeBytes + growth)
)

// newScanMemories returns a pool of memories that take so many bytes before they are
// written.
func newScanMemories(out int) *sync.Pool {
	pool := new(sync.Pool)
	pool.New = func() any { return &scanMemory{out: make([]byte, out), pool: pool} }
	return pool
}
