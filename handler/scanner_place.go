package handler

import "bytes"

const (
	// maxScriptTag is the longest script tag whose type is read.
	maxScriptTag = 1 << 10
	// placeReach is how far back markup is read; what a tag needs before that is
	// still in the history. Farther is surer, nearer is faster.
	placeReach = 4 << 10
)

// place is where in an HTML document a byte stands.
type place uint8

const (
	placeText    place = iota // between tags
	placeTag                  // in a tag, outside attribute values
	placeValue                // in a quoted attribute value
	placeScript               // in a script element
	placeRules                // in speculation rules or an import map
	placeStyle                // in a style element
	placeRaw                  // in an element whose content is text: textarea, title
	placeComment              // in a comment
)

// placeTracker knows the place at one offset of the body. It is brought up to
// date only where a decision asks, by reading the markup from the last such
// offset or from the beginning of the history, whichever is later: a page with
// few root-relative URLs is hardly read.
//
// The zero value stands at the beginning of a document.
type placeTracker struct {
	pos   int64 // everything before it is accounted for
	at    place
	quote byte   // delimiter of the value, in placeValue
	tag   int64  // offset of the "<" of the tag, in placeTag and placeValue
	elem  place  // place that the content of the tag's element will be
	name  string // of the element, in a place of its content; empty: not known
}

// rawElements are the elements whose content is not markup.
var rawElements = []struct {
	name string
	at   place
}{
	{"script", placeScript}, {"style", placeStyle}, {"textarea", placeRaw}, {"title", placeRaw}, {"xmp", placeRaw},
}

// placeAt returns the place of in[i].
func (s *scanner) placeAt(i int) place {
	p := &s.place
	b := s.mem.in[:i]
	at := int(p.pos - s.base)
	if at < i-placeReach {
		at = i - placeReach
		s.looked += placeReach
		at += p.resync(b[at:])
		p.tag = s.base + int64(at)
	}
	s.looked += int64(max(0, i-at))
	for at < i {
		switch p.at {
		case placeText:
			at = p.text(b, at, int(s.base))
		case placeTag:
			at = p.inTag(b, at, int(s.base))
		case placeValue:
			if j := bytes.IndexByte(b[at:], p.quote); j >= 0 {
				p.at, at = placeTag, at+j+1
			} else {
				at = i
			}
		case placeComment:
			if j := bytes.Index(b[at:], []byte("-->")); j >= 0 {
				p.at, at = placeText, at+j+len("-->")
			} else {
				p.pos = s.base + int64(max(at, i-len("--")))
				return p.at
			}
		default:
			end, ok := p.rawEnd(b, at)
			if !ok {
				p.pos = s.base + int64(end)
				return p.at
			}
			p.at, at = placeText, end
		}
	}
	p.pos = s.base + int64(at)
	return p.at
}

// text goes on in text: to the next tag or comment, or to the end.
func (p *placeTracker) text(b []byte, at int, base int) int {
	j := bytes.IndexByte(b[at:], '<')
	if j < 0 {
		return len(b)
	}
	at += j
	rest := b[at+1:]
	switch {
	case bytes.HasPrefix(rest, []byte("!--")):
		p.at = placeComment
		return at + len("<!--")
	case len(rest) > 0 && (isAlpha(rest[0]) || rest[0] == '!' || rest[0] == '?'):
		p.at, p.tag, p.elem = placeTag, int64(base+at), placeText
		switch rest[0] | 0x20 {
		case 's', 't', 'x':
			p.elem, p.name = rawElement(rest)
		}
	}
	return at + 1
}

// rawElement returns the name of the element whose tag goes on with b and the
// place that its content is, if it is not markup.
func rawElement(b []byte) (place, string) {
	for _, e := range rawElements {
		if n := len(e.name); len(b) > n && equalFold(b[:n], e.name) && !isNameByte(b[n]) {
			return e.at, e.name
		}
	}
	return placeText, ""
}

// inTag goes on outside the values of a tag: to the next quoted value, to the
// end of the tag, or to the end.
func (p *placeTracker) inTag(b []byte, at int, base int) int {
	for ; at < len(b); at++ {
		c := b[at]
		if c > '>' {
			continue
		}
		switch c {
		case '"', '\'':
			j := at
			for j > 0 && isSpace(b[j-1]) && at-j < maxSpaces {
				j--
			}
			if j == 0 || b[j-1] != '=' {
				continue // part of a name
			}
			end := bytes.IndexByte(b[at+1:], c)
			if end < 0 {
				p.at, p.quote = placeValue, c
				return len(b)
			}
			at += end + 1
		case '>':
			p.at = p.elem
			if tag := int(p.tag) - base; p.elem == placeScript && at-tag <= maxScriptTag && appliesRules(b[tag:at]) {
				p.at = placeRules
			}
			return at + 1
		}
	}
	return at
}

// appliesRules reports whether a script tag opens JSON whose strings are URLs.
func appliesRules(tag []byte) bool {
	return bytes.Contains(tag, []byte("speculationrules")) || bytes.Contains(tag, []byte("importmap"))
}

// rawEnd looks for the closing tag of the element. Without one it returns from
// where to look again.
func (p *placeTracker) rawEnd(b []byte, at int) (end int, ok bool) {
	for {
		j := bytes.Index(b[at:], []byte("</"))
		if j < 0 {
			return max(at, len(b)-1), false
		}
		at += j
		rest := b[at+len("</"):]
		if yes, cut := p.closes(rest); yes || cut {
			return at, yes
		}
		at += len("</")
	}
}

// closes reports whether the closing tag that goes on with b is that of the
// element, and whether b is too short to tell. Of an element that is not known,
// any closing tag is.
func (p *placeTracker) closes(b []byte) (yes, cut bool) {
	for _, e := range rawElements {
		n := min(len(b), len(e.name))
		if (p.name == "" || p.name == e.name) && equalFold(b[:n], e.name[:n]) {
			return n == len(e.name), n < len(e.name)
		}
	}
	return false, false
}

// resync finds a place to go on from in b, text of unknown place, and returns
// its offset.
func (p *placeTracker) resync(b []byte) int {
	at := p.at
	*p = placeTracker{}
	if i := lastScriptTag(b); i >= 0 {
		return i
	}
	if i := bytes.Index(b, []byte("</")); i >= 0 {
		return i
	}
	// No closing tag far and wide: the place is still the one that it was, or the
	// inside of something long, as which it reads.
	p.at = placeScript
	switch {
	case at == placeRules:
		p.at = placeRules
	case bytes.IndexByte(b, '"') >= 0:
	case !bytes.Contains(b, []byte("&quot;")) && !bytes.Contains(b, []byte("&lt;")):
		// A script or style sheet can do without double quotes; prose has no braces.
		if bytes.IndexByte(b, '}') < 0 {
			p.at = placeRaw
		}
	case bytes.IndexByte(b, '\n') < 0:
		// Data that a program put into an attribute, where it has its breaks escaped.
		p.at, p.quote = placeValue, '"'
	default:
		p.at = placeRaw
	}
	return 0
}

var scriptName = newFinder([]byte("script"))

// lastScriptTag returns where the last opening or closing tag of a script starts,
// or -1.
func lastScriptTag(b []byte) int {
	last := -1
	for from := 0; ; {
		i := scriptName.index(b[from:])
		if i < 0 {
			return last
		}
		i += from
		from = i + len(scriptName.name)
		switch {
		case i >= 1 && b[i-1] == '<':
			last = i - 1
		case i >= 2 && b[i-1] == '/' && b[i-2] == '<':
			last = i - 2
		}
	}
}

func isNameByte(c byte) bool { return isAlnum(c) || c == '-' || c == ':' || c == '_' }
