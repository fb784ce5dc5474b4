package cache

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Bounds of purge tags of one response. What is past them cannot be purged one by
// one, so the response is not stored.
const (
	MaxTags     = 256
	MaxTagBytes = 1024
)

// tagFields are the response fields that carry purge tags and how each separates
// them: Fastly and Pantheon, Cloudflare and Nginx Helper, CloudPanel, LiteSpeed.
var tagFields = [...]struct {
	name      string
	separator func(rune) bool
}{
	{"Surrogate-Key", func(r rune) bool { return r == ' ' || r == '\t' }},
	{"Cache-Tag", func(r rune) bool { return r == ',' }},
	{"X-Cache-Tags", func(r rune) bool { return r == ',' }},
	{"X-Litespeed-Tag", func(r rune) bool { return r == ',' }},
}

// takeTags removes the fields that carry purge tags from h and returns the tags,
// sorted, without duplicates. ok is false if there are more or longer ones than
// are kept.
func takeTags(h http.Header) (tags []string, ok bool) {
	ok = true
	for _, f := range tagFields {
		for _, line := range h[f.name] {
			tags, ok = appendTags(tags, line, f.separator, ok)
		}
		delete(h, f.name)
	}
	if !ok {
		return nil, false
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	return tags, len(tags) <= MaxTags
}

// appendTags appends the tags of a line. ok is false, and stays so, once there is
// one that is not kept.
func appendTags(tags []string, line string, separator func(rune) bool, ok bool) ([]string, bool) {
	if !ok {
		return nil, false
	}
	for tag := range strings.FieldsFuncSeq(line, separator) {
		tag = strings.TrimSpace(tag)
		switch {
		case tag == "":
		case len(tag) > MaxTagBytes || len(tags) >= 4*MaxTags:
			return nil, false
		default:
			tags = append(tags, tag)
		}
	}
	return tags, true
}

// tagsOfAnswer takes the purge tags of an answer out of h and adds its cache groups
// (RFC 9875), which stay. kept is false if these are not all of them.
func tagsOfAnswer(h http.Header) (tags []string, kept bool) {
	tags, kept = takeTags(h)
	groups, ok := CacheGroups(h)
	if !ok && surplusGroups(h) {
		kept = false
	}
	if len(groups) == 0 {
		return tags, kept
	}
	tags = append(tags, groups...)
	slices.Sort(tags)
	return slices.Compact(tags), kept
}

// maxSurrogateBytes bounds each field that tells a cache in front the purge tags:
// CDNs take no more.
const maxSurrogateBytes = 16 << 10

// surrogateFields returns the fields that tell a cache in front the purge tags, in
// the two vocabularies that CDNs know; a tag that one of them cannot spell is in the
// other. Tags that do not fit, or were not all kept, are not left out, since what
// bears them would outlive its purge: the cache in front is told not to store.
func surrogateFields(tags []string, kept bool) http.Header {
	var keys, list []string
	keyBytes, listBytes := 0, 0
	for _, tag := range tags {
		if !strings.ContainsAny(tag, " \t") {
			keys, keyBytes = append(keys, tag), keyBytes+len(tag)+1
		}
		if !strings.Contains(tag, ",") {
			list, listBytes = append(list, tag), listBytes+len(tag)+1
		}
	}
	if !kept || max(keyBytes, listBytes) > maxSurrogateBytes {
		return http.Header{"Cdn-Cache-Control": {"no-store"}}
	}
	h := make(http.Header)
	if len(keys) > 0 {
		h["Surrogate-Key"] = []string{strings.Join(keys, " ")}
	}
	if len(list) > 0 {
		h["Cache-Tag"] = []string{strings.Join(list, ",")}
	}
	return h
}

// tellTags sets the purge tags in an answer to a cache in front that may know them.
func (x *serving) tellTags(fields http.Header) {
	if x.q.Surrogate {
		maps.Copy(x.w.Header(), fields)
	}
}
