package handler

import (
	"net/http"
	"strings"
)

// settle makes a reference that is relative to the path of req root-relative, in the
// site's form, where visitors would resolve it (RFC 3986 section 5.2) to another place
// than the site means: from the bare prefix "/blog", which the site is asked for as
// "/", and above the site's root, where ".." ends for it but not for them. What is
// stored for "/blog/" is stored for "/blog" too, so both get the same. Any other
// reference is returned as it is.
func (v *View) settle(s string, req *http.Request) string {
	if v.m.prefix == "" && v.m.site.path == "" || req == nil || req.URL == nil || !isRelativePath(s) {
		return s
	}
	place, canonical, rest := v.m.Locate(req.URL.EscapedPath())
	if place != Inside && place != Bare {
		return s
	}
	path, suffix := s, ""
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		path, suffix = s[:i], s[i:]
	}
	path = browserPath.Replace(path)
	meant := clampDots(folderOf(v.SitePath(rest)) + path)
	if leavesHost(meant) {
		if v.m.mode == Aware {
			return s
		}
		meant = v.m.site.origin() + meant
	}
	if rest != "/" {
		public, _ := v.publicURL(meant, v.inbound)
		if public == clampDots(folderOf(canonical)+path) {
			return s
		}
	}
	return meant + suffix
}

// isRelativePath reports whether a reference is a path that does not begin with a
// slash (RFC 3986 section 4.2).
func isRelativePath(s string) bool {
	switch end := strings.IndexAny(s, `:/?#\`); {
	case s == "":
		return false
	case end < 0:
		return true
	case end == 0:
		return false
	default:
		return s[end] != ':'
	}
}

// folderOf cuts a path behind its last slash.
func folderOf(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }
