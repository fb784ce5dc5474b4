package handler

import "bytes"

// finder searches text for one word, mostly a host name. bytes.Index looks for the first byte of
// what it is to find; a finder looks for the one that text holds least often, so
// that it stops less.
type finder struct {
	name []byte
	at   int // of the rarest byte in name
}

// byFrequency are the bytes of host names as web pages hold them, from the
// rarest on. What is missing is rarer still.
const byFrequency = "qz789j6543_1kx2yvf0whbg.:umdcplrsin-aote"

func newFinder(name []byte) finder {
	f := finder{name: name}
	least := len(byFrequency)
	for i, c := range name {
		if r := bytes.IndexByte([]byte(byFrequency), c); r < least {
			f.at, least = i, r
		}
	}
	return f
}

// stopsPerByte bounds how often index stops before it gives way to bytes.Index,
// whose time no text makes worse: once in so many bytes.
const stopsPerByte = 16

// index returns the first place of the name in b, or -1.
func (f *finder) index(b []byte) int {
	rare, last := f.name[f.at], len(b)-len(f.name)
	stops := 0
	for i := 0; i <= last; i++ {
		j := bytes.IndexByte(b[i+f.at:last+f.at+1], rare)
		if j < 0 {
			return -1
		}
		i += j
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
