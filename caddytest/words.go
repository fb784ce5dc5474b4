package caddytest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// splitWords cuts a line of an origin script into words as testscript cuts its
// own lines: blanks separate, # starts a comment at the start of a word, single
// quotes keep blanks, and a doubled quote within quotes is one quote.
func splitWords(line string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quoted bool
	)
	end := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quoted && c == '\'' && i+1 < len(line) && line[i+1] == '\'':
			word.WriteByte('\'')
			i++
		case c == '\'':
			quoted = !quoted
			inWord = true
		case quoted:
			word.WriteByte(c)
		case c == ' ' || c == '\t' || c == '\r':
			end()
		case c == '#' && !inWord && (i+1 == len(line) || line[i+1] == ' '):
			return words, nil
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quoted {
		return nil, errors.New("unterminated quote")
	}
	end()
	return words, nil
}

// unescape returns s with \n, \r, \t, \\ and \xHH replaced by the bytes that
// they name. Every other backslash stays as it is, so that the \/ of JSON can be
// written as it stands on a page.
func unescape(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		switch s[i+1] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case '\\':
			out = append(out, '\\')
		case 'x':
			if i+3 < len(s) {
				if b, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
					out = append(out, byte(b))
					i += 3
					continue
				}
			}
			out = append(out, '\\')
			continue
		default:
			out = append(out, '\\')
			continue
		}
		i++
	}
	return out
}

// expand replaces every {$NAME} in text by the value of getenv, the form that
// Caddyfiles use for their environment. A name without a value is left for
// Caddy, which knows the defaults that may follow the name.
func expand(text string, getenv func(string) string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if value := getenv(name); closed && value != "" {
			out.WriteString(value)
			text = after
			continue
		}
		out.WriteString("{$")
		text = rest
	}
}

// quote shows at most 300 bytes of b on one line, for failure messages.
func quote(b []byte) string {
	const most = 300
	if len(b) <= most {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("%q... (%d bytes)", b[:most], len(b))
}
