package handler

import "unicode/utf8"

// The text of the web spells one slash in many ways: "/" in a page, "\/" in
// JSON, "%2F" in a query, "%5C%2F" for JSON in a query, "&#x2F;" behind a security
// filter. The functions here read one character in any of these spellings, forwards
// and backwards. All are total, look at a bounded number of bytes, and never
// allocate.

const (
	maxBackslashes = 16 // longest run of backslashes that is read as one escape
	maxPercent     = 3  // deepest nesting of percent-encoding: "%25252F"
	maxPercentRun  = 3  // longest run of percent-encoded backslashes: JSON in JSON, "%5C%5C%5C%2F"
	maxEntityBytes = 10 // longest character reference that is read: "&#x00002F;"
)

// window is a stretch of text that more may follow.
type window struct {
	b     []byte
	final bool // nothing follows b
}

// unit decodes the character that w.b[i:] begins with. n is the length of its
// spelling. At the end of the final text both are zero. more is true where the
// decision needs bytes that are not there yet. A spelling that is not an escape
// is the byte itself.
func (w window) unit(i int) (c byte, n int, more bool) {
	if i >= len(w.b) {
		return 0, 0, !w.final
	}
	switch c = w.b[i]; c {
	case '%':
		return w.percent(i)
	case '\\':
		return w.backslash(i)
	case '&':
		return w.entity(i)
	}
	return c, 1, false
}

func (w window) percent(i int) (c byte, n int, more bool) {
	c, n, more = w.percentByte(i)
	if c != '\\' || more {
		return c, n, more
	}
	// JSON's "\/", both bytes encoded equally deep, is a slash.
	for end := i + n; end <= i+maxPercentRun*n; end += n {
		if end < len(w.b) && w.b[end] != '%' {
			break
		}
		d, dn, more := w.percentByte(end)
		switch {
		case more:
			return 0, 0, true
		case dn == n && d == '/':
			return '/', end + n - i, false
		case dn != n || d != '\\':
			return c, n, false
		}
	}
	return c, n, false
}

// percentByte decodes one percent-encoded byte at w.b[i:], at any depth.
func (w window) percentByte(i int) (c byte, n int, more bool) {
	j := i + 1
	for level := 1; ; level++ {
		if len(w.b) < j+2 {
			if w.final || (j < len(w.b) && !isHex(w.b[j])) {
				break
			}
			return 0, 0, true
		}
		hi, lo := w.b[j], w.b[j+1]
		if !isHex(hi) || !isHex(lo) {
			break
		}
		if hi != '2' || lo != '5' || level == maxPercent {
			return unhex(hi)<<4 | unhex(lo), j + 2 - i, false
		}
		j += 2
	}
	if j > i+1 {
		return '%', j - i, false
	}
	return '%', 1, false
}

func (w window) backslash(i int) (c byte, n int, more bool) {
	j := i
	for j < len(w.b) && w.b[j] == '\\' {
		if j-i == maxBackslashes {
			return '\\', 1, false
		}
		j++
	}
	if j == len(w.b) {
		if w.final {
			return '\\', 1, false
		}
		return 0, 0, true
	}
	switch w.b[j] {
	case '/':
		return '/', j + 1 - i, false
	case 'u':
		for k := j + 1; k < j+5; k++ {
			if k == len(w.b) && !w.final {
				return 0, 0, true
			}
			if k >= len(w.b) || !isHex(w.b[k]) {
				return '\\', 1, false
			}
		}
		if w.b[j+1] != '0' || w.b[j+2] != '0' {
			return 0xff, j + 5 - i, false
		}
		return unhex(w.b[j+3])<<4 | unhex(w.b[j+4]), j + 5 - i, false
	}
	return '\\', 1, false
}

// namedReferences are the names that matter next to a URL.
var namedReferences = []struct {
	name string
	c    byte
}{
	{"quot;", '"'},
	{"apos;", '\''},
	{"amp;", '&'},
	{"lt;", '<'},
	{"gt;", '>'},
	{"sol;", '/'},
	{"colon;", ':'},
	{"period;", '.'},
	{"lowbar;", '_'},
	{"commat;", '@'},
	{"equals;", '='},
}

func (w window) entity(i int) (c byte, n int, more bool) {
	s := w.b[i+1:]
	if len(s) > maxEntityBytes-1 {
		s = s[:maxEntityBytes-1]
	}
	cut := !w.final && i+1+len(s) == len(w.b) // s may go on
	if len(s) == 0 {
		return '&', 1, cut
	}
	if s[0] != '#' {
		for _, r := range namedReferences {
			if len(s) >= len(r.name) {
				if string(s[:len(r.name)]) == r.name {
					return r.c, 1 + len(r.name), false
				}
			} else if cut && len(s) < maxEntityBytes-1 && r.name[:len(s)] == string(s) {
				return 0, 0, true
			}
		}
		return '&', 1, false
	}
	v, j, base := 0, 1, 10
	if j < len(s) && (s[j] == 'x' || s[j] == 'X') {
		j, base = 2, 16
	}
	digits := j
	for ; j < len(s) && (base == 16 && isHex(s[j]) || isDigit(s[j])); j++ {
		if v = v*base + int(unhex(s[j])); v > 0x10ffff {
			v = 0x10ffff
		}
	}
	switch {
	case j == len(s) && cut && len(s) < maxEntityBytes-1:
		return 0, 0, true
	case j == digits || j == len(s) || s[j] != ';':
		return '&', 1, false
	case v > 0x7f:
		return 0xff, j + 2, false
	}
	return byte(v), j + 2, false
}

// wide decodes the character above ASCII that w.b[i:] begins with, of which unit
// gave a byte, spelled in n bytes. Percent-encoding is not decoded.
func (w window) wide(i, n int) (r rune, more bool) {
	s, digits, base := w.b[i:], []byte(nil), rune(16)
	switch {
	case s[0] == '%':
		return utf8.RuneError, false
	case s[0] == '\\':
		digits = s[n-4 : n]
	case s[0] == '&' && s[2]|0x20 == 'x':
		digits = s[3 : n-1]
	case s[0] == '&':
		digits, base = s[2:n-1], 10
	case !w.final && !utf8.FullRune(s):
		return 0, true
	default:
		r, _ = utf8.DecodeRune(s)
		return r, false
	}
	for _, d := range digits {
		r = r*base + rune(unhex(d))
	}
	return r, false
}

// spelling says in which way a character was written.
type spelling uint8

const (
	notSpelled spelling = iota
	plainSpelling
	backslashSpelling // "\/"
	percentSpelling   // "%2F", "%5C%2F"
	nestedSpelling    // "%252F", "%255C%252F"
	unicodeSpelling   // "\u002F"
	entitySpelling    // "&#x2F;"
)

// spelledBefore reports where the character c starts that ends right before
// b[i], how it is spelled and how deep its percent-encoding is nested.
// hex are the two hexadecimal digits of c, in upper case.
func spelledBefore(b []byte, i int, c byte, hex string) (start int, s spelling, level int) {
	if i == 0 {
		return 0, notSpelled, 0
	}
	switch last := b[i-1]; {
	case last == c:
		k := backslashesBefore(b, i-1)
		switch {
		case k == 0:
			return i - 1, plainSpelling, 0
		case k > maxBackslashes || c != '/':
			return 0, notSpelled, 0
		}
		return i - 1 - k, backslashSpelling, 0
	case last == ';':
		if d, at := referenceBefore(b, i); d == c {
			return at, entitySpelling, 0
		}
	case upper(last) == hex[1] && i >= 3 && b[i-2] == hex[0]:
		p := i - 2
		for level = 1; level < maxPercent && p >= 3 && b[p-1] == '5' && b[p-2] == '2'; level++ {
			p -= 2
		}
		if b[p-1] == '%' {
			if start = p - 1; c == '/' {
				run, ok := percentRunBefore(b, start, level)
				if !ok {
					return 0, notSpelled, 0
				}
				start -= run
			}
			if level > 1 {
				return start, nestedSpelling, level
			}
			return start, percentSpelling, level
		}
		if i >= 6 && b[i-3] == '0' && b[i-4] == '0' && b[i-5] == 'u' {
			if k := backslashesBefore(b, i-5); k > 0 && k <= maxBackslashes {
				return i - 5 - k, unicodeSpelling, 0
			}
		}
	}
	return 0, notSpelled, 0
}

// percentRunBefore returns the bytes of the backslashes right before b[i] that are
// percent-encoded so deep. ok is false where there are more than an escape may have.
func percentRunBefore(b []byte, i, level int) (run int, ok bool) {
	n := len("%5C") + 2*(level-1)
	for i-run >= n && b[i-run-n] == '%' {
		if c, size, _ := (window{b[:i-run], true}).percentByte(i - run - n); c != '\\' || size != n {
			break
		}
		if run += n; run > maxPercentRun*n {
			return 0, false
		}
	}
	return run, true
}

func slashBefore(b []byte, i int) (start int, s spelling, level int) {
	return spelledBefore(b, i, '/', "2F")
}

func colonBefore(b []byte, i int) (start int, s spelling) {
	start, s, _ = spelledBefore(b, i, ':', "3A")
	return start, s
}

// quoteBefore reports where the quotation mark starts that ends right before
// b[i], in any spelling; encoded is true if it is written as a character
// reference. ok is false if there is none.
func quoteBefore(b []byte, i int) (start int, encoded, ok bool) {
	if i == 0 {
		return 0, false, false
	}
	switch c := b[i-1]; c {
	case '"', '\'':
		k := backslashesBefore(b, i-1)
		return i - 1 - k, false, k <= maxBackslashes
	case ';':
		d, at := referenceBefore(b, i)
		if d != '"' && d != '\'' {
			at = i
			for _, twice := range [...]string{"&amp;quot;", "&amp;#039;"} {
				if i >= len(twice) && string(b[i-len(twice):i]) == twice {
					at = i - len(twice)
				}
			}
		}
		// JSON in an attribute has its backslash in front: \&quot;
		k := backslashesBefore(b, at)
		return at - k, true, at < i && k <= maxBackslashes
	case '2', '7':
		if i >= 6 && string(b[i-5:i-1]) == "u002" {
			if k := backslashesBefore(b, i-5); k > 0 && k <= maxBackslashes {
				return i - 5 - k, false, true
			}
		}
	}
	return 0, false, false
}

// charBefore decodes the character that ends right before b[i], as far as a
// boundary test needs it: an escape of a space or a line break is a space.
// At the start of the text it is zero.
func charBefore(b []byte, i int) byte {
	if i == 0 {
		return 0
	}
	c := b[i-1]
	switch {
	case c == ';':
		if d, _ := referenceBefore(b, i); d != 0 {
			return d
		}
	case isHex(c) && i >= 3 && b[i-3] == '%' && isHex(b[i-2]):
		return unhex(b[i-2])<<4 | unhex(c)
	case isHex(c) && i >= 6 && b[i-6] == '\\' && b[i-5] == 'u' && isHex(b[i-4]) && isHex(b[i-3]) && isHex(b[i-2]):
		if b[i-4] != '0' || b[i-3] != '0' {
			return 0xff
		}
		return unhex(b[i-2])<<4 | unhex(c)
	}
	if i >= 2 && b[i-2] == '\\' && (c == 'n' || c == 'r' || c == 't') {
		return ' '
	}
	return c
}

// referenceBefore decodes the character reference that ends right before b[i],
// where b[i-1] is ';'. c is zero if there is none.
func referenceBefore(b []byte, i int) (c byte, start int) {
	for j := i - 2; j >= 0 && j >= i-maxEntityBytes; j-- {
		if b[j] != '&' {
			continue
		}
		if c, n, _ := (window{b[:i], true}).entity(j); j+n == i && n > 1 {
			return c, j
		}
		break
	}
	return 0, 0
}

// backslashesBefore counts the backslashes right before b[i], up to one more
// than an escape may have.
func backslashesBefore(b []byte, i int) int {
	k := 0
	for k <= maxBackslashes && i-k > 0 && b[i-k-1] == '\\' {
		k++
	}
	return k
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isAlnum(c byte) bool { return isAlpha(c) || isDigit(c) }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' }

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 0x20
	}
	return c
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
