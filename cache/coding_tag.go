package cache

import (
	"net/http"
	"strings"
)

// A coded form has an entity tag of its own: that of the identity form with a mark
// before the closing quote, and always weak, because the same page is coded again
// at a better level later. So "abc" becomes W/"abc~br".
//
// All forms of a response are one page, so a client that holds any of them is told
// by a 304 that it is current. The mark does not begin with a hyphen: encode, which
// may stand before the mount, removes such endings from what clients send.
var codingMarks = [codingCount]string{Gzip: "~gzip", Zstd: "~zstd", Brotli: "~br"}

// markTag returns the tag of the form in c of what has this tag, or "" if that is
// no entity tag.
func markTag(tag string, c Coding) string {
	if c == Identity {
		return tag
	}
	opaque := opaqueTag(tag)
	if opaque == "" {
		return ""
	}
	return "W/" + opaque[:len(opaque)-1] + codingMarks[c] + `"`
}

// unmarkTag returns a tag without the mark of a coding, and the coding.
func unmarkTag(tag string) (string, Coding) {
	opaque := opaqueTag(tag)
	for c := Gzip; c < codingCount && opaque != ""; c++ {
		if end := codingMarks[c] + `"`; strings.HasSuffix(opaque, end) {
			return tag[:len(tag)-len(end)] + `"`, c
		}
	}
	return tag, Identity
}

// matchForm compares a tag that a client sent with the tag of an identity form, by
// weak comparison (RFC 9110 section 8.8.3.2), and says which form the client holds.
// It takes no memory.
func matchForm(sent, tag string) (Coding, bool) {
	sent, tag = opaqueTag(sent), opaqueTag(tag)
	if sent == "" || tag == "" {
		return Identity, false
	}
	if sent == tag {
		return Identity, true
	}
	rest, ok := strings.CutPrefix(sent, tag[:len(tag)-1])
	if !ok {
		return Identity, false
	}
	rest = rest[:len(rest)-1]
	for c := Gzip; c < codingCount; c++ {
		if rest == codingMarks[c] {
			return c, true
		}
	}
	return Identity, false
}

// heldForm returns which form of what has this tag a conditional request names
// first.
func heldForm(lines []string, tag string) Coding {
	for _, line := range lines {
		for rest := trimOWS(line); rest != ""; {
			var member string
			member, rest = cutEntityTag(rest)
			if c, ok := matchForm(member, tag); ok {
				return c
			}
		}
	}
	return Identity
}

// unmarkCondition takes the marks of codings out of If-None-Match, so that the
// origin knows the tags again. It returns what h had; the values are not changed.
func unmarkCondition(h http.Header) (before []string) {
	before = h["If-None-Match"]
	marked := false
	for _, line := range before {
		marked = marked || strings.Contains(line, "~")
	}
	if !marked {
		return before
	}
	var tags []string
	for _, line := range before {
		for rest := trimOWS(line); rest != ""; {
			var member string
			member, rest = cutEntityTag(rest)
			if member == "" {
				continue
			}
			tag, _ := unmarkTag(member)
			tags = append(tags, tag)
		}
	}
	h["If-None-Match"] = []string{strings.Join(tags, ", ")}
	return before
}
