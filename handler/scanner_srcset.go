package handler

// listMemo remembers what a search for the beginning of a list has found last, so that
// a list of many items is looked through once.
type listMemo struct {
	at int64 // offset of the comma that was asked about; zero: none
	in bool
}

// since returns from where on a list that b[i] may be an item of can begin, at most
// reach before it, and whether one goes on there, as far as m knows.
func (s *scanner) since(m listMemo, i, reach int) (from int, in bool) {
	from = max(0, i-reach)
	if known := int(m.at - s.base); m.at > 0 && known >= from && known <= i {
		return known, m.in
	}
	return from, false
}

// srcsetReach is how far back the beginning of the first srcset is looked for.
const srcsetReach = 4 << 10

// inSrcset reports whether the comma at b[i] separates candidates of a srcset:
// whether the quotation mark before it opens one.
func (s *scanner) inSrcset(b []byte, i int) bool {
	from, in := s.since(s.srcset, i, srcsetReach)
	j := i
	for ; j > from; j-- {
		c := b[j-1]
		if c == '<' || c == '>' {
			in = false
			break
		}
		if c != '"' && c != '\'' && c != ';' && c != '2' && c != '7' {
			continue
		}
		if q, _, ok := quoteBefore(b, j); ok {
			in = opensSrcset(b, q)
			break
		}
	}
	s.looked += int64(i - j)
	s.srcset = listMemo{at: s.base + int64(i), in: in}
	return in
}

// opensSrcset reports whether the quotation mark at b[q] follows srcset= or,
// in JSON, "srcset":.
func opensSrcset(b []byte, q int) bool {
	j := skipSpacesBefore(b, q)
	if j == 0 {
		return false
	}
	const word = "srcset"
	switch b[j-1] {
	case '=':
		name, _ := nameBefore(b, skipSpacesBefore(b, j-1))
		return len(name) >= len(word) && equalFold(name[len(name)-len(word):], word)
	case ':':
		return keyBefore(b, j-1, word)
	}
	return false
}

// endsDescriptor reports whether "640w" or "1.5x" ends right before b[i]: only
// then does a comma without white space separate two candidates.
func endsDescriptor(b []byte, i int) bool {
	if i == 0 || b[i-1] != 'w' && b[i-1] != 'x' {
		return false
	}
	j := i - 1
	for j > 0 && i-j < maxSpaces && (isDigit(b[j-1]) || b[j-1] == '.') {
		j--
	}
	return j < i-1 && j > 0 && isSpace(b[j-1])
}
