//go:build !purego

package handler

import (
	"math"

	"golang.org/x/sys/cpu"
)

// pairBlock is the shortest text that indexPairsLong takes.
var pairBlock = func() int {
	if cpu.X86.HasAVX2 {
		return 64
	}
	return math.MaxInt
}()

// indexPairsLong is indexPairs in p[:n], of which p[gap:][:n] can be read too. n is at
// least pairBlock. It needs AVX2.
//
//go:noescape
func indexPairsLong(p *byte, n, gap int, c byte, near *asciiSet) (at int, which uint64)
