package handler

import "strings"

// edits replaces stretches of a string, from left to right. A string that nothing
// is replaced in is returned as it is.
type edits struct {
	s    string
	out  strings.Builder
	done int // s[:done] is in out, edited
}

// replace puts with in the place of s[from:to], which lies behind earlier ones.
func (e *edits) replace(from, to int, with string) {
	e.out.WriteString(e.s[e.done:from])
	e.out.WriteString(with)
	e.done = to
}

// String returns the edited string.
func (e *edits) String() string {
	if e.done == 0 {
		return e.s
	}
	return e.out.String() + e.s[e.done:]
}
