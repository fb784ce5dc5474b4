package cache

import (
	"strings"
)

// maxStructuredBytes bounds how much of one Structured Field is parsed. A
// longer field is invalid.
const maxStructuredBytes = 32 << 10

// bareKind is the type of a bare item of RFC 9651 section 3.3.
type bareKind uint8

const (
	kindNone bareKind = iota
	kindInteger
	kindDecimal
	kindString
	kindToken
	kindBytes
	kindBoolean
	kindDate
	kindDisplayString
	kindInnerList
)

// bareItem is one value of a Structured Field. Text holds a String, Token,
// Byte Sequence or Display String without its quoting, and the spelling of a Decimal.
type bareItem struct {
	kind    bareKind
	integer int64
	boolean bool
	text    string
}

// structuredParam is one parameter, or one member of a Dictionary.
type structuredParam struct {
	key   string
	value structuredMember
}

// structuredMember is an item or an inner list with its parameters.
type structuredMember struct {
	bareItem
	inner  []structuredMember
	params []structuredParam
}

// structuredDictionary is a Dictionary in order of first appearance; a key that
// is repeated has its last value (RFC 9651 section 4.2.2).
type structuredDictionary []structuredParam

// parseDictionary parses the lines of one field as a Dictionary (RFC 9651
// section 4.2.2). It fails as a whole at the first error and on an empty field
// is an empty Dictionary.
func parseDictionary(lines []string) (structuredDictionary, bool) {
	p, ok := newStructuredParser(lines)
	if !ok {
		return nil, false
	}
	var d structuredDictionary
	index := make(map[string]int)
	for p.rest != "" {
		key, ok := p.key()
		if !ok {
			return nil, false
		}
		var m structuredMember
		if p.take('=') {
			m, ok = p.member()
		} else {
			m.kind, m.boolean = kindBoolean, true
			m.params, ok = p.params()
		}
		if !ok {
			return nil, false
		}
		if i, seen := index[key]; seen {
			d[i].value = m
		} else {
			index[key] = len(d)
			d = append(d, structuredParam{key: key, value: m})
		}
		if !p.nextMember() {
			return nil, false
		}
	}
	return d, true
}

// parseList parses the lines of one field as a List (RFC 9651 section 4.2.1).
func parseList(lines []string) ([]structuredMember, bool) {
	p, ok := newStructuredParser(lines)
	if !ok {
		return nil, false
	}
	var list []structuredMember
	for p.rest != "" {
		m, ok := p.member()
		if !ok {
			return nil, false
		}
		list = append(list, m)
		if !p.nextMember() {
			return nil, false
		}
	}
	return list, true
}

// parseItem parses the lines of one field as an Item (RFC 9651 section 4.2.3).
func parseItem(lines []string) (structuredMember, bool) {
	p, ok := newStructuredParser(lines)
	if !ok {
		return structuredMember{}, false
	}
	m, ok := p.item()
	return m, ok && p.rest == ""
}

// structuredParser consumes rest from the left; each byte is looked at a
// constant number of times.
type structuredParser struct{ rest string }

func newStructuredParser(lines []string) (*structuredParser, bool) {
	s := strings.Join(lines, ", ")
	if len(s) > maxStructuredBytes {
		return nil, false
	}
	return &structuredParser{rest: strings.Trim(s, " ")}, true
}

func (p *structuredParser) take(c byte) bool {
	if p.rest != "" && p.rest[0] == c {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

func (p *structuredParser) skip(cutset string) { p.rest = strings.TrimLeft(p.rest, cutset) }

// nextMember moves past the comma to the next member. A trailing comma is an error.
func (p *structuredParser) nextMember() bool {
	p.skip(" \t")
	if p.rest == "" {
		return true
	}
	if !p.take(',') {
		return false
	}
	p.skip(" \t")
	return p.rest != ""
}

func (p *structuredParser) key() (string, bool) {
	i := 0
	for i < len(p.rest) {
		c := p.rest[i]
		lower := c >= 'a' && c <= 'z' || c == '*'
		if !lower && (i == 0 || (!isDigit(c) && c != '_' && c != '-' && c != '.')) {
			break
		}
		i++
	}
	key := p.rest[:i]
	p.rest = p.rest[i:]
	return key, i > 0
}

func (p *structuredParser) params() ([]structuredParam, bool) {
	var params []structuredParam
	for p.take(';') {
		p.skip(" ")
		key, ok := p.key()
		if !ok {
			return nil, false
		}
		m := structuredMember{bareItem: bareItem{kind: kindBoolean, boolean: true}}
		if p.take('=') {
			if m.bareItem, ok = p.bare(); !ok {
				return nil, false
			}
		}
		params = append(params, structuredParam{key: key, value: m})
	}
	return params, true
}

func (p *structuredParser) item() (m structuredMember, ok bool) {
	if m.bareItem, ok = p.bare(); !ok {
		return m, false
	}
	m.params, ok = p.params()
	return m, ok
}

func (p *structuredParser) member() (m structuredMember, ok bool) {
	if !p.take('(') {
		return p.item()
	}
	m.kind = kindInnerList
	for {
		p.skip(" ")
		if p.take(')') {
			m.params, ok = p.params()
			return m, ok
		}
		item, ok := p.item()
		if !ok {
			return m, false
		}
		m.inner = append(m.inner, item)
		if p.rest == "" || p.rest[0] != ' ' && p.rest[0] != ')' {
			return m, false
		}
	}
}
