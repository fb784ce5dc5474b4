package cache

import (
	"net/http"
	"slices"
)

const (
	// maxGroups and maxGroupBytes bound the cache groups of one response. RFC 9875
	// section 2 asks for at least 32 groups of 32 characters.
	maxGroups     = 256
	maxGroupBytes = 1024
)

// CacheGroups returns the groups that a response belongs to by Cache-Groups (RFC
// 9875 section 2), in their order. It returns nil and false if the field is not
// a List of Strings or past the bounds: such a field is ignored as a whole. An
// absent field is an empty list.
func CacheGroups(response http.Header) ([]string, bool) {
	return parseGroups(response["Cache-Groups"])
}

// InvalidatedGroups returns the groups that a response invalidates by
// Cache-Group-Invalidation. The field means nothing on answers to safe methods
// (RFC 9875 section 3) nor on errors, for the same reason as in section 4.4 of
// RFC 9111.
func InvalidatedGroups(method string, status int, response http.Header) ([]string, bool) {
	if !Invalidates(method, status) {
		return nil, true
	}
	return parseGroups(response["Cache-Group-Invalidation"])
}

// surplusGroups says whether Cache-Groups, for all that is read of it, names more or
// longer groups than are kept.
func surplusGroups(response http.Header) bool {
	lines := response["Cache-Groups"]
	if _, ok := newStructuredParser(lines); !ok {
		return true
	}
	list, ok := parseList(lines)
	return ok && (len(list) > maxGroups || slices.ContainsFunc(list, func(m structuredMember) bool { return len(m.text) > maxGroupBytes }))
}

func parseGroups(lines []string) ([]string, bool) {
	if len(lines) == 0 {
		return nil, true
	}
	list, ok := parseList(lines)
	if !ok || len(list) > maxGroups {
		return nil, false
	}
	groups := make([]string, 0, len(list))
	for _, m := range list {
		if m.kind != kindString || len(m.text) > maxGroupBytes {
			return nil, false
		}
		groups = append(groups, m.text)
	}
	return groups, true
}
