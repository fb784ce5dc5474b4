package cache

import (
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
	for _, f := range tagFields {
		lines, present := h[f.name]
		if !present {
			continue
		}
		delete(h, f.name)
		for _, line := range lines {
			for tag := range strings.FieldsFuncSeq(line, f.separator) {
				tag = strings.TrimSpace(tag)
				switch {
				case tag == "":
				case len(tag) > MaxTagBytes || len(tags) >= 4*MaxTags:
					return nil, false
				default:
					tags = append(tags, tag)
				}
			}
		}
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	return tags, len(tags) <= MaxTags
}

// addGroups adds the cache groups of a response (RFC 9875) to its tags.
func addGroups(tags []string, h http.Header) []string {
	groups, _ := CacheGroups(h)
	if len(groups) == 0 {
		return tags
	}
	tags = append(tags, groups...)
	slices.Sort(tags)
	return slices.Compact(tags)
}
