package handler

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
)

// finder searches text for one word, mostly a host name. bytes.Index looks for the
// first byte of what it is to find; a finder looks for the two that text holds least
// often, so that it stops less.
type finder struct {
	name []byte
	at   int      // of the rarest byte in name
	gap  int      // from there to the rarest of the others
	near asciiSet // that byte; empty if there is none in ASCII
}

// byFrequency are the bytes of host names as web pages hold them, from the
// rarest on. What is missing is rarer still.
const byFrequency = "qz789j6543_1kx2yvf0whbg.:umdcplrsin-aote"

func newFinder(name []byte) finder {
	f := finder{name: name}
	next, first, second := 0, math.MaxInt, math.MaxInt
	for i, c := range name {
		if r := strings.IndexByte(byFrequency, c); r < first {
			f.at, first = i, r
		}
	}
	for i, c := range name {
		if r := strings.IndexByte(byFrequency, c); c < utf8.RuneSelf && r < second && (i != f.at || len(name) == 1) {
			next, second = i, r
		}
	}
	if second < math.MaxInt {
		f.gap, f.near = next-f.at, newASCIISet(name[next])
	}
	return f
}

// stopsPerByte bounds how often index stops before it gives way to bytes.Index,
// whose time no text makes worse: once in so many bytes.
const stopsPerByte = 16

// index returns the first place of the name in b, or -1.
func (f *finder) index(b []byte) int {
	if f.near == (asciiSet{}) {
		return bytes.Index(b, f.name)
	}
	rare, last := f.name[f.at], len(b)-len(f.name)
	from, to := f.at+min(0, f.gap), f.at+max(0, f.gap)
	stops := 0
	for i := 0; i <= last; i++ {
		j := indexPair(b[i+from:last+to+1], rare, f.gap, &f.near)
		if j < 0 {
			return -1
		}
		i += from + j - f.at
		if b[i] == f.name[0] && string(b[i:i+len(f.name)]) == string(f.name) {
			return i
		}
		if stops++; stops > 16+i/stopsPerByte {
			if j = bytes.Index(b[i+1:], f.name); j < 0 {
				return -1
			}
			return i + 1 + j
		}
	}
	return -1
}
