package cache

import (
	"iter"
	"net/http"
	"strings"
)

// The lexical elements that the rules share (RFC 9110 section 5.6).

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlpha(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// isTokenByte reports whether c is a tchar (RFC 9110 section 5.6.2).
func isTokenByte(c byte) bool {
	return isAlpha(c) || isDigit(c) || c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// trimOWS removes optional white space at both ends (RFC 9110 section 5.6.3).
func trimOWS(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// listElements yields the trimmed, non-empty elements of all lines taken as one
// list (RFC 9110 section 5.6.1). A comma inside a quoted string does not
// separate; a quote that is never closed does not begin a string, so that it
// cannot hide what stands after it. The time is linear in the input.
func listElements(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range lines {
			start, closed := 0, true
			for i := 0; i < len(line); i++ {
				switch line[i] {
				case ',':
					if e := trimOWS(line[start:i]); e != "" && !yield(e) {
						return
					}
					start = i + 1
				case '"':
					if !closed {
						continue
					}
					end := closingQuote(line, i)
					if end < 0 {
						closed = false
						continue
					}
					i = end
				}
			}
			if e := trimOWS(line[start:]); e != "" && !yield(e) {
				return
			}
		}
	}
}

// closingQuote returns the index of the quote that closes the one at s[open],
// or -1 (RFC 9110 section 5.6.4).
func closingQuote(s string, open int) int {
	for i := open + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// unquote returns the content of a quoted-string that is the whole of s, and
// whether s is one.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' || closingQuote(s, 0) != len(s)-1 {
		return "", false
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// connectionNamed yields the canonical names of the fields that the Connection
// lines of h name (RFC 9110 section 7.6.1).
func connectionNamed(h http.Header) iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range listElements(h["Connection"]) {
			if isToken(name) && !yield(http.CanonicalHeaderKey(name)) {
				return
			}
		}
	}
}

// isHopByHop reports whether a field, by its canonical name, ends at the next
// hop whether Connection names it or not (RFC 9110 section 7.6.1, RFC 9111 section 3.1).
func isHopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authentication-Info",
		"Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}
