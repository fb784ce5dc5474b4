package handler

import (
	"bytes"
	"math/bits"
)

// asciiSet is a set of ASCII bytes: element c&15 holds the bit c>>4 of each member c.
// That is how a vector of bytes is looked up in it at once.
type asciiSet [16]byte

func newASCIISet(members ...byte) (s asciiSet) {
	for _, c := range members {
		s[c&15] |= 1 << (c >> 4)
	}
	return s
}

func (s *asciiSet) has(c byte) bool { return s[c&15]>>(c>>4)&1 != 0 }

// indexPairs finds the first pairs in b: bytes b[i] == c with b[i+gap] in near. Bit k
// of which is for the pair at i = at+k; the lowest is the first in b, and what lies
// between two is none. Without any, which is 0. A pair is so much rarer in text than
// either of its bytes that a search for it hardly stops where it need not.
func indexPairs(b []byte, c byte, gap int, near *asciiSet) (at int, which uint64) {
	from, to := max(0, -gap), len(b)-max(0, gap)
	if to-from >= pairBlock {
		at, which = indexPairsLong(&b[from], to-from, gap, c, near)
		return from + at, which
	}
	for from < to {
		i := bytes.IndexByte(b[from:to], c)
		if i < 0 {
			break
		}
		if i += from; near.has(b[i+gap]) {
			return i, 1
		}
		from = i + 1
	}
	return 0, 0
}

// indexPair returns the least i with b[i] == c and b[i+gap] in near, or -1.
func indexPair(b []byte, c byte, gap int, near *asciiSet) int {
	at, which := indexPairs(b, c, gap, near)
	if which == 0 {
		return -1
	}
	return at + bits.TrailingZeros64(which)
}
