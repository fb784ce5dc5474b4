package cache

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// bare parses a bare item (RFC 9651 section 4.2.3.1).
func (p *structuredParser) bare() (bareItem, bool) {
	if p.rest == "" {
		return bareItem{}, false
	}
	switch c := p.rest[0]; {
	case c == '-' || isDigit(c):
		return p.number()
	case c == '"':
		p.rest = p.rest[1:]
		s, ok := p.quoted()
		return bareItem{kind: kindString, text: s}, ok
	case c == '*' || isAlpha(c):
		i := 1
		for i < len(p.rest) && (isTokenByte(p.rest[i]) || p.rest[i] == ':' || p.rest[i] == '/') {
			i++
		}
		s := p.rest[:i]
		p.rest = p.rest[i:]
		return bareItem{kind: kindToken, text: s}, true
	case c == ':':
		end := strings.IndexByte(p.rest[1:], ':')
		if end < 0 {
			return bareItem{}, false
		}
		raw := p.rest[1 : 1+end]
		p.rest = p.rest[end+2:]
		if strings.ContainsAny(raw, "\r\n") {
			return bareItem{}, false
		}
		b, err := base64.StdEncoding.DecodeString(raw)
		return bareItem{kind: kindBytes, text: string(b)}, err == nil
	case c == '?':
		if len(p.rest) < 2 || p.rest[1] != '0' && p.rest[1] != '1' {
			return bareItem{}, false
		}
		b := p.rest[1] == '1'
		p.rest = p.rest[2:]
		return bareItem{kind: kindBoolean, boolean: b}, true
	case c == '@':
		p.rest = p.rest[1:]
		n, ok := p.number()
		if !ok || n.kind != kindInteger {
			return bareItem{}, false
		}
		n.kind = kindDate
		return n, true
	case strings.HasPrefix(p.rest, `%"`):
		p.rest = p.rest[2:]
		return p.display()
	}
	return bareItem{}, false
}

// number parses an Integer of at most 15 digits or a Decimal of at most 12
// digits before and 3 after the point (RFC 9651 section 4.2.4).
func (p *structuredParser) number() (bareItem, bool) {
	s := p.rest
	i := 0
	if s != "" && s[0] == '-' {
		i = 1
	}
	first := i
	for i < len(s) && isDigit(s[i]) && i-first < 16 {
		i++
	}
	digits := i - first
	if digits == 0 || digits > 15 {
		return bareItem{}, false
	}
	if i == len(s) || s[i] != '.' {
		n, err := strconv.ParseInt(s[:i], 10, 64)
		p.rest = s[i:]
		return bareItem{kind: kindInteger, integer: n}, err == nil
	}
	point := i
	for i++; i < len(s) && isDigit(s[i]) && i-point < 5; i++ {
	}
	fraction := i - point - 1
	if digits > 12 || fraction == 0 || fraction > 3 {
		return bareItem{}, false
	}
	p.rest = s[i:]
	return bareItem{kind: kindDecimal, text: s[:i]}, true
}

// quoted parses a String after its opening quote (RFC 9651 section 4.2.5).
func (p *structuredParser) quoted() (string, bool) {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), true
		case c == '\\':
			if i++; i == len(p.rest) || p.rest[i] != '"' && p.rest[i] != '\\' {
				return "", false
			}
			b.WriteByte(p.rest[i])
		case c < 0x20 || c > 0x7e:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// display parses a Display String after its opening %" (RFC 9651 section 4.2.10).
func (p *structuredParser) display() (bareItem, bool) {
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			s := b.String()
			return bareItem{kind: kindDisplayString, text: s}, strings.ToValidUTF8(s, "") == s
		case c == '%':
			if i+2 >= len(p.rest) {
				return bareItem{}, false
			}
			hi, lo := lowerHex(p.rest[i+1]), lowerHex(p.rest[i+2])
			if hi < 0 || lo < 0 {
				return bareItem{}, false
			}
			b.WriteByte(byte(hi<<4 | lo))
			i += 2
		case c < 0x20 || c > 0x7e:
			return bareItem{}, false
		default:
			b.WriteByte(c)
		}
	}
	return bareItem{}, false
}

func lowerHex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
