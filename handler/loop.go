package handler

import (
	"net/http"
	"strings"
)

// Looping reports whether this Mount has already sent the request on: CDN-Loop
// holds its token (RFC 8586 section 2). Each Mount has a token of its own, made
// when it is made, so that mounts may be chained.
func (m *Mount) Looping(h http.Header) bool {
	for _, line := range h["Cdn-Loop"] {
		for member := range strings.SplitSeq(line, ",") {
			id, _, _ := strings.Cut(member, ";")
			if strings.TrimSpace(id) == m.loopToken {
				return true
			}
		}
	}
	return false
}

// markLoop adds the mount's token to CDN-Loop. What others wrote stays.
func (m *Mount) markLoop(h http.Header) {
	lines := h["Cdn-Loop"]
	h["Cdn-Loop"] = append(lines[:len(lines):len(lines)], m.loopToken)
}
