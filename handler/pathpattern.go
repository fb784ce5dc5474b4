package handler

import (
	"path"
	"strings"
)

// pathPatterns are path patterns in Caddy's syntax, relative to the mount: "/x"
// is that path alone, "/x/*" what begins so, "*.x" what ends so, "*x*" what
// holds x, and anything else a glob that path.Match understands. Case does not
// matter. The zero value matches nothing.
type pathPatterns []string

func newPathPatterns(list []string) pathPatterns {
	var p pathPatterns
	for _, s := range list {
		s = strings.ToLower(s)
		if s != "" && s[0] != '/' && s[0] != '*' {
			s = "/" + s
		}
		p = append(p, s)
	}
	return p
}

// match matches the escaped part of a path below the mount.
func (p pathPatterns) match(rest string) bool {
	if len(p) == 0 {
		return false
	}
	if decoded, ok := unescape(rest); ok {
		rest = decoded
	}
	rest = strings.ToLower(rest)
	for _, s := range p {
		if matchPattern(s, rest) {
			return true
		}
	}
	return false
}

func matchPattern(pattern, s string) bool {
	switch strings.Count(pattern, "*") {
	case 1:
		if after, ok := strings.CutPrefix(pattern, "*"); ok {
			return strings.HasSuffix(s, after)
		}
		if before, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(s, before)
		}
	case 2:
		if strings.HasPrefix(pattern, "*") && strings.HasSuffix(pattern, "*") && len(pattern) > 1 {
			return strings.Contains(s, pattern[1:len(pattern)-1])
		}
	}
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}
