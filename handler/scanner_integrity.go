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
	text := b[from:i]
	j := len(text) - 1
	for j >= 0 && text[j]&^2 != '<' { // '>' is '<' and that bit
		j--
	}
	s.looked += int64(len(text) - j)
	switch {
	case j >= 0 && text[j] == '<':
		lt = from + j
	case j >= 0, s.tag.lt < 0 || from != known:
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

// releaseIntegrity is called before in[start:end] is mapped. If that is the address in
// the tag of a script or link it sees to it that the tag's integrity is renamed. If
// the end of the tag is not there yet it returns the tag's beginning and false.
func (s *scanner) releaseIntegrity(w window, start, end int) (at int, ok bool) {
	if !s.rules.has(ruleIntegrity) {
		return 0, true
	}
	b := w.b
	if !beginsValue(b, start) {
		return 0, true
	}
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

var integrityName = newFinder([]byte("integrity"))

// integrityIn returns where the name of the attribute begins in the tag b[lt:], or -1.
func integrityIn(b []byte, lt int) int {
	for from := lt; ; {
		i := integrityName.index(b[from:])
		if i < 0 {
			return -1
		}
		i += from
		from = i + len(integrityName.name)
		eq := from
		for eq < len(b) && eq-from < maxSpaces && isSpace(b[eq]) {
			eq++
		}
		if startsAttribute(b[i-1]) && eq < len(b) && b[eq] == '=' {
			return i
		}
	}
}

// beginsValue reports whether b[i] is the first byte of the value of src or href, or
// of an attribute whose name ends so; but for most of the links to pages.
func beginsValue(b []byte, i int) bool {
	const link = "<a href="
	if from := i - len(link) - 1; from >= 0 && string(b[from:i-1]) == link {
		return false
	}
	if i > 0 && (b[i-1] == '"' || b[i-1] == '\'') {
		i--
	}
	if i = skipSpacesBefore(b, i); i == 0 || b[i-1] != '=' {
		return false
	}
	i = skipSpacesBefore(b, i-1)
	return i >= len("href") && (equalFold(b[i-len("src"):i], "src") || equalFold(b[i-len("href"):i], "href"))
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
	b := s.mem.in[max(s.done, s.n-maxResourceTag+1):max(s.done, s.n)]
	i := len(b) - 1
	for i >= 0 && b[i] != '<' && b[i] != '>' {
		i--
	}
	if i >= 0 && b[i] == '<' && beginsResource(b[i+1:]) {
		return s.n - len(b) + i
	}
	return s.n
}
