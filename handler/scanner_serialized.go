package handler

import "bytes"

// serialReach is how far back the beginning of a serialised string is looked for.
// Farther would be surer for long ones, and slows down every page by a tenth.
const serialReach = 256

// serialMark stands before the colon that begins the length of a string.
var serialMark = newASCIISet('s')

// serialized reports whether in[i:] lies inside a PHP-serialised string, which
// states its length: s:21:"http://host/...". Such a string must not be edited.
// Marks are looked for up to serialReach bytes back, each byte once.
func (s *scanner) serialized(b []byte, i int) bool {
	from := max(1, i-serialReach, int(s.serialAt-s.base))
	s.serialAt = s.base + int64(i)
	s.looked += int64(max(0, i-from))
	for from < i {
		j := indexPair(b[from-1:i], ':', -1, &serialMark)
		if j < 0 {
			break
		}
		from += j
		n, d := 0, from
		for ; d < i && isDigit(b[d]) && n < 1<<20; d++ {
			n = n*10 + int(b[d]-'0')
		}
		if d == from || d == i || b[d] != ':' {
			continue
		}
		q := d + 1
		for q < i && b[q] == '\\' {
			q++
		}
		if q < i && (b[q] == '"' || bytes.HasPrefix(b[q:i], []byte("&quot;"))) {
			s.serialTo = max(s.serialTo, s.base+int64(q+1+n))
		}
	}
	return s.base+int64(i) < s.serialTo
}
