package handler

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A mapped body differs from the origin's bytes, and changes when the
// configuration does. So its entity tag is weak and carries the fingerprint:
// "abc" becomes W/"abc-m<fingerprint>", and W/"abc" becomes
// W/"abc-w<fingerprint>". On the way in the tag gets back the exact form that
// the origin gave, because WordPress compares it as a string.
const (
	strongMark = "-m"
	weakMark   = "-w"
)

// mapETag returns the tag of a mapped body. What is no entity tag (RFC 9110
// section 8.8.3) is dropped: it promises nothing that could be kept.
func mapETag(tag string, fingerprint uint64) string {
	opaque, weak, ok := parseETag(tag)
	if !ok {
		return ""
	}
	mark := strongMark
	if weak {
		mark = weakMark
	}
	return `W/"` + opaque + mark + strconv.FormatUint(fingerprint, 36) + `"`
}

// unmapETag returns the origin's form of a tag. mine is true if it was made by
// mapETag, current if under this fingerprint.
func unmapETag(tag string, fingerprint uint64) (origin string, mine, current bool) {
	opaque, _, ok := parseETag(tag)
	if !ok {
		return tag, false, false
	}
	i := strings.LastIndexByte(opaque, '-')
	if i < 0 || len(opaque) < i+3 || opaque[i+1] != strongMark[1] && opaque[i+1] != weakMark[1] {
		return tag, false, false
	}
	n, err := strconv.ParseUint(opaque[i+2:], 36, 64)
	if err != nil || strconv.FormatUint(n, 36) != opaque[i+2:] {
		return tag, false, false
	}
	origin = `"` + opaque[:i] + `"`
	if opaque[i+1] == weakMark[1] {
		origin = "W/" + origin
	}
	return origin, true, n == fingerprint
}

func parseETag(tag string) (opaque string, weak, ok bool) {
	tag = strings.TrimSpace(tag)
	tag, weak = strings.CutPrefix(tag, "W/")
	if len(tag) < 2 || tag[0] != '"' || strings.IndexByte(tag[1:], '"') != len(tag)-2 {
		return "", false, false
	}
	return tag[1 : len(tag)-1], weak, true
}

// UnmapValidators turns If-None-Match of a request into what the origin knows:
// tags of ours get their original form, tags of an earlier configuration are
// left out, so that the answer is 200. If-Modified-Since from before loaded,
// the time at which this configuration came into force, is removed unless a tag
// decides: an unchanged file is mapped differently now. It returns the tags of ours,
// in the origin's form, which the writer of the answer needs for a 304.
//
// If-Match, which guards a change, gets the original form of every tag of ours:
// it asks for the state of the origin's resource, whatever was made of its text.
func UnmapValidators(h http.Header, fingerprint uint64, loaded time.Time) (mine []string) {
	if guards := splitETags(strings.Join(h["If-Match"], ",")); len(guards) > 0 {
		for i, tag := range guards {
			guards[i], _, _ = unmapETag(tag, fingerprint)
		}
		h.Set("If-Match", strings.Join(guards, ", "))
	}
	lines := h.Values("If-None-Match")
	var keep []string
	for _, tag := range splitETags(strings.Join(lines, ",")) {
		origin, ours, current := unmapETag(tag, fingerprint)
		switch {
		case ours && !current:
			continue
		case ours:
			mine = append(mine, origin)
		}
		keep = append(keep, origin)
	}
	switch {
	case len(lines) > 0 && len(keep) == 0:
		h.Del("If-None-Match")
		h.Del("If-Modified-Since")
	case len(lines) > 0:
		h.Set("If-None-Match", strings.Join(keep, ", "))
	case len(h["If-Modified-Since"]) > 0:
		since, err := http.ParseTime(h.Get("If-Modified-Since"))
		if err != nil || since.Before(loaded) {
			h.Del("If-Modified-Since")
		}
	}
	return mine
}

// splitETags splits a list of entity tags at the commas outside of quotes. At
// most 64 are read; nobody sends more in good faith.
func splitETags(s string) (tags []string) {
	for len(s) > 0 && len(tags) < 64 {
		i, quoted := 0, false
		for i < len(s) && (quoted || s[i] != ',') {
			if s[i] == '"' {
				quoted = !quoted
			}
			i++
		}
		if tag := strings.TrimSpace(s[:i]); tag != "" {
			tags = append(tags, tag)
		}
		s = s[min(i+1, len(s)):]
	}
	return tags
}
