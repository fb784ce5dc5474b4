package handler

import (
	"crypto/rand"
	"iter"
	"net/http"
	"strings"
)

// loopPrefix begins the token of every mount of this process.
var loopPrefix = "mount-" + rand.Text() + "-"

// Looping reports whether this Mount has already sent the request on: CDN-Loop
// holds its token (RFC 8586 section 2). Each Mount has a token of its own, made
// when it is made, so that mounts may be chained.
func (m *Mount) Looping(h http.Header) bool {
	for token := range loopTokens(h) {
		if token == m.loopToken {
			return true
		}
	}
	return false
}

// LoopTokens returns the members of CDN-Loop that mounts of this process have written.
// A fetch that is shared sends them on, and is keyed by them: two mounts that send to
// each other would wait for each other. Those of others it leaves out, for a CDN or a
// Caddy in front writes one on every request.
func LoopTokens(h http.Header) (ours []string) {
	for token := range loopTokens(h) {
		if strings.HasPrefix(token, loopPrefix) {
			ours = append(ours, token)
		}
	}
	return ours
}

// loopTokens are the members of CDN-Loop without their parameters.
func loopTokens(h http.Header) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range h["Cdn-Loop"] {
			for member := range strings.SplitSeq(line, ",") {
				id, _, _ := strings.Cut(member, ";")
				if !yield(strings.TrimSpace(id)) {
					return
				}
			}
		}
	}
}

// markLoop adds the mount's token to CDN-Loop. What others wrote stays.
func (m *Mount) markLoop(h http.Header) {
	lines := h["Cdn-Loop"]
	h["Cdn-Loop"] = append(lines[:len(lines):len(lines)], m.loopToken)
}
