package handler

import "bytes"

// Subresource integrity: a script or style sheet of the site may name the site, so
// that it is mapped too and its bytes are not those that the tag promises. A browser
// would refuse it. The attribute of a tag whose URL is mapped is therefore renamed;
// that of a tag which loads from elsewhere stays.

// maxResourceTag is the longest tag whose integrity is looked for. An unfinished one
// waits for its end.
const maxResourceTag = 1 << 10

// renamed stands before the name of an attribute that browsers are not to see.
var renamed = []byte("data-")

// tagMemo remembers what tagBefore found last, so that no byte is looked at twice.
type tagMemo struct {
	at int64 // offset that was asked about
	lt int64 // offset of the "<" of the tag that it is in, or -1
}

// tagBefore returns the "<" of the tag that b[i] is in, or -1. Only the next of the
// brackets before it counts, up to maxResourceTag away.
func (s *scanner) tagBefore(b []byte, i int) int {
	from := max(0, i-maxResourceTag)
	known, lt := int(s.tag.at-s.base), int(s.tag.lt-s.base)
	if s.tag.at > 0 && known > from {
		from = known
	}
	j := i
	for j > from && b[j-1] != '<' && b[j-1] != '>' {
		j--
	}
	s.looked += int64(i - j)
	switch {
	case j > from && b[j-1] == '<':
		lt = j - 1
	case j > from, s.tag.lt < 0 || from != known:
		lt = -1
	}
	s.tag = tagMemo{at: s.base + int64(i), lt: -1}
	if lt >= 0 {
		s.tag.lt = s.base + int64(lt)
	}
	if i-lt > maxResourceTag {
		return -1
	}
	return lt
}

// releaseIntegrity is called before in[start:end] is mapped. If that is in the tag
// of a script or link it sees to it that the tag's integrity is renamed. If the end
// of the tag is not there yet it returns the tag's beginning and false.
func (s *scanner) releaseIntegrity(w window, start, end int) (at int, ok bool) {
	if !s.rules.has(ruleIntegrity) {
		return 0, true
	}
	b := w.b
	lt := s.tagBefore(b, start)
	if lt < 0 || s.base+int64(lt) == s.released || !beginsResource(b[lt+1:]) {
		return 0, true
	}
	limit := min(len(b), lt+maxResourceTag)
	gt := -1
	if end < limit {
		gt = bytes.IndexByte(b[end:limit], '>')
	}
	if gt < 0 && limit < lt+maxResourceTag && !w.final {
		return lt, false
	}
	s.released = s.base + int64(lt)
	if gt < 0 {
		return 0, true
	}
	p := integrityIn(b[:end+gt], lt)
	switch {
	case p > start:
		s.rename = p
	case p >= s.done:
		s.emitTo(p)
		s.emit(renamed)
	}
	return 0, true
}

// renameIntegrity writes everything up to the attribute that waits for it, under its
// new name.
func (s *scanner) renameIntegrity() {
	s.emitTo(s.rename)
	s.emit(renamed)
	s.next = max(s.next, s.rename)
	s.rename = none
}

// integrityIn returns where the name of the attribute begins in the tag b[lt:], or -1.
func integrityIn(b []byte, lt int) int {
	for i := lt; ; i++ {
		j := bytes.IndexByte(b[i:], '=')
		if j < 0 {
			return -1
		}
		i += j
		if name, at := nameBefore(b, skipSpacesBefore(b, i)); equalFold(name, "integrity") && startsAttribute(b[at-1]) {
			return at
		}
	}
}

// beginsResource reports whether the tag that goes on with b is, or may become, that
// of a script or link.
func beginsResource(b []byte) bool {
	for _, name := range [...]string{"script", "link"} {
		n := min(len(b), len(name))
		if equalFold(b[:n], name[:n]) && (len(b) <= len(name) || !isNameByte(b[n])) {
			return true
		}
	}
	return false
}

// openTag returns where the unfinished tag of a script or link at the end of in
// begins, which must wait for its end; else the end of in.
func (s *scanner) openTag() int {
	if !s.rules.has(ruleIntegrity) {
		return s.n
	}
	b := s.mem.in[:s.n]
	for i := s.n - 1; i >= max(s.done, s.n-maxResourceTag+1); i-- {
		switch b[i] {
		case '>':
			return s.n
		case '<':
			if beginsResource(b[i+1:]) {
				return i
			}
			return s.n
		}
	}
	return s.n
}
