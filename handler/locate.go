package handler

import (
	"bytes"
	"strings"
)

// Place says where a request path lies.
type Place uint8

const (
	// Outside is not below the mount: the main site's.
	Outside Place = iota
	// Bare is the mount's prefix without its slash.
	Bare
	// Inside is below the mount.
	Inside
	// Refused entered the mount and then tried to leave it, or hides something
	// in it that servers read in different ways.
	Refused
)

// String returns the place's name in lower case.
func (p Place) String() string {
	switch p {
	case Outside:
		return "outside"
	case Bare:
		return "bare"
	case Inside:
		return "inside"
	default:
		return "refused"
	}
}

// Locate decides on an escaped path as it was received (URL.EscapedPath).
//
// The prefix matches by whole segments, compared after percent-decoding and
// with case, so that "/%62log/x" is below "/blog" and "/blogger" is not. Dot
// segments, "%2e" spellings included, are resolved (RFC 3986 section 5.2.4);
// one that climbs out of the mount refuses the path. So do a ".." that hides
// behind "%2F", a backslash or ";", and NUL, CR and LF in any spelling. What
// lies outside is not judged: it is not ours.
//
// For Inside, canonical is the one public path that is keyed and forwarded, and
// rest is its part below the prefix, beginning with "/". Both are escaped and,
// but for resolved dot segments, have the bytes that were received. For Bare
// they are those of the mount's home, "/blog/" and "/". Otherwise both are empty.
func (m *Mount) Locate(escapedPath string) (p Place, canonical, rest string) {
	path := escapedPath
	if path == "" && m.prefix == "" {
		path = "/"
	}
	if !strings.HasPrefix(path, "/") {
		return Outside, "", ""
	}
	if plainPath(path) && strings.HasPrefix(path, m.prefix) {
		switch rest := path[len(m.prefix):]; {
		case rest == "":
			return Bare, path + "/", "/"
		case rest[0] == '/':
			return Inside, path, rest
		}
	}
	rest, bare, state := walkPath(path, m.segments)
	switch {
	case state == walkRefused:
		return Refused, "", ""
	case state == walkOutside:
		return Outside, "", ""
	case bare:
		return Bare, m.prefix + "/", "/"
	default:
		return Inside, m.prefix + rest, rest
	}
}

// Below returns a function that tells whether an escaped path is that of a mount with
// the given prefix (Options.Prefix), as the mount's own Locate decides. A prefix that
// no mount can have has none.
func Below(prefix string) func(escapedPath string) bool {
	escaped, segments, err := parsePrefix(prefix)
	m := &Mount{prefix: escaped, segments: segments}
	return func(escapedPath string) bool {
		if err != nil {
			return false
		}
		place, _, _ := m.Locate(escapedPath)
		return place != Outside
	}
}

// plainPath reports whether no byte of the path needs a second look.
func plainPath(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case c == '%' || c == '\\' || c < ' ':
			return false
		case c == '.' && path[i-1] == '/':
			return false
		}
	}
	return true
}

type walkState uint8

const (
	walkOutside walkState = iota
	walkInside
	walkRefused
)

// walkPath resolves the dot segments of an escaped path that begins with "/" and
// finds what lies below the decoded segments of a prefix. bare reports that the
// path ends with the prefix itself. It runs once over the path.
func walkPath(path string, prefix []string) (rest string, bare bool, state walkState) {
	var (
		out   = make([]byte, 0, len(path))
		above []string // decoded segments while outside; len(above) <= len(prefix)+1
		deep  int      // further segments outside, never matching
	)
	inside := func() bool {
		if deep > 0 || len(above) != len(prefix) {
			return false
		}
		for i := range prefix {
			if above[i] != prefix[i] {
				return false
			}
		}
		return true
	}
	in := inside()
	for path != "" {
		segment := path[1:]
		next := strings.IndexByte(segment, '/')
		last := next < 0
		if last {
			path = ""
		} else {
			path = segment[next:]
			segment = segment[:next]
		}
		decoded, valid := unescape(segment)
		switch {
		case in && (!valid || hides(decoded)):
			return "", false, walkRefused
		case decoded == "." || decoded == "..":
			if decoded == ".." {
				switch {
				case in && len(out) == 0:
					return "", false, walkRefused
				case in:
					out = out[:bytes.LastIndexByte(out, '/')]
				case deep > 0:
					deep--
				case len(above) > 0:
					above = above[:len(above)-1]
				}
			}
			if last && in {
				out = append(out, '/')
			}
		case in:
			out = append(out, '/')
			out = append(out, segment...)
		case len(above) == len(prefix):
			deep++
		default:
			above = append(above, decoded)
			in = inside()
		}
	}
	if !in {
		return "", false, walkOutside
	}
	if len(out) == 0 {
		return "", true, walkInside
	}
	return string(out), false, walkInside
}

// hides reports whether a decoded segment holds what some server reads as a
// climb or as the end of the path: a ".." between slashes or backslashes, path
// parameters behind it or not, and NUL, CR, LF.
func hides(decoded string) bool {
	if strings.ContainsAny(decoded, "\x00\r\n") {
		return true
	}
	if !strings.Contains(decoded, "..") || !strings.ContainsAny(decoded, `/\;`) {
		return false
	}
	for part := range strings.FieldsFuncSeq(decoded, func(c rune) bool { return c == '/' || c == '\\' }) {
		if name, _, _ := strings.Cut(part, ";"); name == ".." {
			return true
		}
	}
	return false
}

// unescape decodes percent escapes once. It reports false for a broken escape.
func unescape(s string) (string, bool) {
	first := strings.IndexByte(s, '%')
	if first < 0 {
		return s, true
	}
	out := make([]byte, first, len(s))
	copy(out, s)
	for i := first; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			v, ok := hexPair(s[i+1:])
			if !ok {
				return "", false
			}
			c = v
			i += 2
		}
		out = append(out, c)
	}
	return string(out), true
}

// hexPair reads the two hex digits that s begins with.
func hexPair(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	hi, lo := hexDigit(s[0]), hexDigit(s[1])
	return hi<<4 | lo, hi < 16 && lo < 16
}

// hexDigit returns a hex digit's value, or 255.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	default:
		return 255
	}
}

// clampDots resolves the dot segments of a path that an answer names, as
// browsers do: what climbs above the root stays there. Paths without dot
// segments keep every byte.
func clampDots(path string) string {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "/%2") {
		return path
	}
	out := make([]byte, 0, len(path))
	changed := false
	for rest := path; rest != ""; {
		segment := rest[1:]
		next := strings.IndexByte(segment, '/')
		last := next < 0
		if last {
			rest = ""
		} else {
			rest = segment[next:]
			segment = segment[:next]
		}
		switch decoded, _ := unescape(segment); decoded {
		case "..":
			out = out[:max(bytes.LastIndexByte(out, '/'), 0)]
			fallthrough
		case ".":
			changed = true
			if last {
				out = append(out, '/')
			}
		default:
			out = append(out, '/')
			out = append(out, segment...)
		}
	}
	if !changed {
		return path
	}
	return string(out)
}
