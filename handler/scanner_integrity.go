package handler

import "bytes"

// Subresource integrity: a script or style sheet of the site may name the site, so
// that it is mapped too and its bytes are not those that the tag promises. A browser
// would refuse it. The attribute of a tag whose URL is mapped is therefore renamed;
// that of a tag which loads from elsewhere stays.

// maxResourceTag is how far into a tag its address and its integrity are looked for.
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

// integritySearch is the search for the attribute in a tag whose address is mapped.
type integritySearch struct {
	tag  int64 // offset of the tag's "<", or -1 before the first
	from int64 // text is looked at from here on, once it has come
	over bool  // it is found, or the tag has ended without it
}

// releaseIntegrity is called before in[start:end] is mapped. If that is the address in
// the tag of a script or link it sees to it that the tag's integrity is renamed, on
// whichever side of the address it stands.
func (s *scanner) releaseIntegrity(b []byte, start, end int) {
	if !s.rules.has(ruleIntegrity) || !beginsValue(b, start) {
		return
	}
	lt := s.tagBefore(b, start)
	if lt < 0 || s.base+int64(lt) == s.seek.tag || !beginsResource(b[lt+1:]) {
		return
	}
	s.seek = integritySearch{tag: s.base + int64(lt), from: s.base + int64(end)}
	if p := integrityIn(b[:start], lt); p < 0 {
		s.seekIntegrity(b)
	} else {
		s.seek.over = true
		s.renameIntegrity(p)
	}
}

// seekIntegrity looks for the attribute behind the address, as far as the tag has come.
func (s *scanner) seekIntegrity(b []byte) {
	lt, from := int(s.seek.tag-s.base), int(s.seek.from-s.base)
	stop := min(len(b), lt+maxResourceTag)
	if s.seek.over || from >= stop {
		s.seek.over = s.seek.over || from >= lt+maxResourceTag
		return
	}
	s.looked += int64(stop - from)
	gt := bytes.IndexByte(b[from:stop], '>')
	if gt >= 0 {
		stop = from + gt
	}
	p := integrityIn(b[:stop], max(lt, from-maxIntegrityName))
	if p >= s.done {
		s.rename = p
	}
	s.seek.over = p >= 0 || gt >= 0
	s.seek.from = s.base + int64(stop)
}

// renameIntegrity writes everything up to the attribute whose name is at in[p:], and
// the beginning of its new one.
func (s *scanner) renameIntegrity(p int) {
	if at := s.base + int64(p); p >= s.done && at != s.renamed {
		s.emitTo(p)
		s.emit(renamed)
		s.renamed = at
	}
}

var integrityName = newFinder([]byte("integrity"))

// maxIntegrityName is the longest that the name can be with the "=" behind it.
const maxIntegrityName = len("integrity") + maxSpaces + 1

// integrityIn returns where the name of the attribute begins in b[from:], or -1.
func integrityIn(b []byte, from int) int {
	for {
		i := integrityName.index(b[from:])
		if i < 0 {
			return -1
		}
		i += from
		from = i + len(integrityName.name)
		if eq := skipSpaces(b, from); i > 0 && startsAttribute(b[i-1]) && eq < len(b) && b[eq] == '=' {
			return i
		}
	}
}

// integrityBeginsIn returns where at the end of b the name may begin, of which the
// rest is still to come, or -1.
func integrityBeginsIn(b []byte) int {
	for i := max(1, len(b)-maxIntegrityName); i < len(b); i++ {
		rest := b[i:]
		name := min(len(rest), len(integrityName.name))
		if startsAttribute(b[i-1]) && string(rest[:name]) == string(integrityName.name[:name]) && skipSpaces(b, i+name) == len(b) {
			return i
		}
	}
	return -1
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

// heldIntegrity returns the first byte that must wait because it may have to be
// renamed: an integrity in the unfinished tag of a script or link at the end of in,
// whose address is still to come; else the end of in.
func (s *scanner) heldIntegrity() int {
	if !s.rules.has(ruleIntegrity) {
		return s.n
	}
	b := s.mem.in[:s.n]
	from := max(0, s.n-maxResourceTag-s.t.longest-maxHeld)
	lt := s.n - 1
	for lt >= from && b[lt] != '<' && b[lt] != '>' {
		lt--
	}
	if lt < from || b[lt] != '<' || !beginsResource(b[lt+1:]) || s.base+int64(lt) == s.seek.tag && s.seek.over {
		return s.n
	}
	p := integrityIn(b, lt)
	if p < 0 {
		p = integrityBeginsIn(b)
	}
	if p < s.done {
		return s.n
	}
	return p
}
