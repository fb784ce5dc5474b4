package handler

import "bytes"

// A Content-Security-Policy may stand in a page, in a meta element. A source there
// that is a whole host becomes the whole public host, as in the header field: with
// the mount's path it would allow that one path and no page below it.

// policyReach is how far back the directive of the first source is looked for.
const policyReach = 4 << 10

// isSource reports whether the URL is a source that is a whole host.
func (s *scanner) isSource(w window, m hostMatch) (yes, more bool) {
	if !s.rules.has(rulePolicy) || m.level > 0 || m.start == m.colon || m.start == 0 || !isSpace(w.b[m.start-1]) {
		return false, false
	}
	c, _, more := w.unit(m.end)
	if more || c == '/' || bytes.IndexByte(w.b[m.host:m.end], '/') >= 0 {
		return false, more
	}
	return s.inSourceList(w.b, m.start), false
}

// inSourceList reports whether the word at b[i:] is one of those behind the name of a
// directive: "img-src 'self' http://host".
func (s *scanner) inSourceList(b []byte, i int) bool {
	from, before := s.since(s.policy, i, policyReach)
	in, over := false, false
	end, j := i, i // b[j:end] is a word, or the end of one
	for ; j > from && !over; j-- {
		c := b[j-1]
		stops := c == ';' || c == ',' || c == '"' || c == '<' || c == '>'
		if stops || isSpace(c) {
			in = namesDirective(b[j:end])
			over = in || stops
			end = j - 1
		}
	}
	if !over {
		in = before || namesDirective(b[from:end])
	}
	s.looked += int64(i - j)
	s.policy = listMemo{at: s.base + int64(i), in: in}
	return in
}

// namesDirective reports whether the word is the name of a directive that takes
// sources, perhaps the first word in single quotes.
func namesDirective(word []byte) bool {
	word = bytes.TrimPrefix(word, []byte("'"))
	for _, name := range [...]string{"-src", "-src-elem", "-src-attr", "base-uri", "form-action", "frame-ancestors"} {
		if n := len(word) - len(name); n >= 0 && equalFold(word[n:], name) {
			return true
		}
	}
	return false
}
