package handler

import (
	"bytes"
	"unicode"
)

// verdict is the outcome of a decision at one hit.
type verdict uint8

const (
	left         verdict = iota // stays as it is
	undecidedYet                // needs more text
	mapped
)

// hostMatch is a URL of ours: in[start:end] is what the base of the target
// replaces.
type hostMatch struct {
	start, end int
	colon      int // end of the scheme; start if there is none
	sep, host  int // in[sep:host] is the second slash as it is spelled, host the host's start
	level      int // of percent-encoding
	needle     int
	source     bool // a source of a policy that is a whole host
}

// hostForm decides on the host at in[h:], a hit of needle k. An undecided match
// has its start set.
func (s *scanner) hostForm(w window, k, h int) (m hostMatch, v verdict) {
	b := w.b
	m = hostMatch{host: h, needle: k}
	sep, spell, level := slashBefore(b, h)
	if spell == notSpelled || !s.rules.has(spellingRule[spell]) {
		return s.bareHost(w, k, h)
	}
	first, fs, _ := slashBefore(b, sep)
	if fs == notSpelled || !bytes.EqualFold(b[first:sep], b[sep:h]) {
		return s.leave(unmappedNested), left // "https://i0.wp.com/host/..."
	}
	m.sep, m.level, m.start, m.colon = sep, level, first, first
	if colon, cs := colonBefore(b, first); cs != notSpelled {
		scheme := schemeBefore(b, colon)
		switch {
		case scheme == colon && s.rules.has(guardScheme):
			return s.leave(unmappedScheme), left
		case s.rules.has(guardNestedURL) && insideURL(b, scheme):
			return s.leave(unmappedNested), left
		}
		m.start, m.colon = scheme, colon
	} else if !s.rules.has(ruleSchemeless) || !s.mayBeSchemeless(b, first, k) {
		return s.leave(unmappedScheme), left
	}
	end, u, v := s.t.after(w, k, h+len(s.t.needles[k].host), b[m.start:m.colon], s.rules)
	switch {
	case v == undecidedYet:
		return m, v
	case v == left:
		return s.leave(u), left
	case m.start < s.done:
		return s.leave(unmappedNested), left
	case s.rules.has(guardSerialized) && s.serialized(b, m.start):
		return s.leave(unmappedSerialized), left
	}
	m.end = end
	var more bool
	if m.source, more = s.isSource(w, m); more {
		return m, undecidedYet
	}
	return m, mapped
}

var spellingRule = [...]rule{
	plainSpelling:     rulePlain,
	backslashSpelling: ruleBackslash,
	percentSpelling:   rulePercent,
	nestedSpelling:    ruleNested,
	unicodeSpelling:   ruleUnicode,
	entitySpelling:    ruleEntity,
}

// bareHost counts a host that no slashes introduce.
func (s *scanner) bareHost(w window, k, h int) (hostMatch, verdict) {
	u := unmappedBare
	switch c := charBefore(w.b, h); {
	case c == '@':
		u = unmappedMailbox
	case isHostChar(c) || c == '.':
		return hostMatch{}, left // another host
	}
	e := h + len(s.t.needles[k].host)
	switch _, r, v := s.t.after(w, k, e, nil, s.rules); {
	case v == undecidedYet:
		return hostMatch{start: e}, v
	case v == left && r == unmappedCount:
		return hostMatch{}, left // another host
	}
	return s.leave(u), left
}

// leave counts a host that stays. unmappedCount is no host of ours.
func (s *scanner) leave(u unmapped) hostMatch {
	if u < unmappedCount {
		s.count.Unmapped[u]++
	}
	return hostMatch{}
}

// schemeBefore returns the start of "http" or "https" right before b[i], or i.
func schemeBefore(b []byte, i int) int {
	for _, scheme := range [...]string{"https", "http"} {
		if j := i - len(scheme); j >= 0 && equalFold(b[j:i], scheme) {
			return j
		}
	}
	return i
}

// insideURL reports whether the scheme at b[i:] goes on a word or a path, as
// in "https://web.archive.org/web/2020/http://host". A comment, "//http:", does not.
func insideURL(b []byte, i int) bool {
	c := charBefore(b, i)
	return isAlnum(c) || c == '/' && (i < 2 || b[i-1] != '/' || b[i-2] != '/')
}

// mayBeSchemeless reports whether "//host" with its first slash at b[i] is the
// beginning of a URL. A name of one label is also a word, so that "//blog" must
// stand where a URL would.
func (s *scanner) mayBeSchemeless(b []byte, i, k int) bool {
	c := charBefore(b, i)
	if isHostChar(c) || c == '.' || c == ':' || c == '/' || c == '\\' {
		return false
	}
	if s.t.needles[k].label && s.rules.has(guardLabel) {
		return c == '"' || c == '\'' || c == '(' || c == '=' || c == ','
	}
	return true
}

// after reads what follows a host: port, base path and the boundary behind
// them. end is the end of what is replaced.
func (t *forms) after(w window, k, i int, scheme []byte, rules ruleSet) (end int, u unmapped, v verdict) {
	c, n, more := w.unit(i)
	if more {
		return 0, 0, undecidedYet
	}
	if n > 1 && !rules.has(guardEscapedHost) && c != '/' && c != ':' {
		c = 0
	}
	var port []byte
	hostEnd := i
	switch {
	case isHostChar(c) && rules.has(guardLongerHost):
		return 0, unmappedCount, left
	case c == '@' && rules.has(guardUserinfo):
		return 0, unmappedUserinfo, left
	case c == '.' && rules.has(guardLongerHost):
		d, dn, more := w.unit(i + n)
		if more {
			return 0, 0, undecidedYet
		}
		if dn > 0 && (isHostChar(d) || d == '/' || d == ':') {
			return 0, unmappedCount, left
		}
	case c == ':':
		j := i + n
		for j < len(w.b) && isDigit(w.b[j]) && j-i-n <= 5 {
			j++
		}
		if j == len(w.b) && !w.final {
			return 0, 0, undecidedYet
		}
		if j > i+n {
			port, hostEnd = w.b[i+n:j], j
			d, _, more := w.unit(j)
			switch {
			case more:
				return 0, 0, undecidedYet
			case d == '@' && rules.has(guardUserinfo):
				return 0, unmappedUserinfo, left
			case isHostChar(d) && rules.has(guardForeignPort):
				return 0, unmappedPort, left
			}
			break
		}
		// A port may be empty (RFC 3986 section 3.2.3); before anything but a path the
		// colon is one of the sentence.
		switch d, _, more := w.unit(j); {
		case more:
			return 0, 0, undecidedYet
		case d == '@' && rules.has(guardUserinfo):
			return 0, unmappedUserinfo, left
		case d == '/' && rules.has(ruleDefaultPort):
			hostEnd = j
		}
	}
	u = unmappedPort
	bases := t.needles[k].bases
	for i := range bases {
		fb := &bases[i]
		if !fb.takesPort(port, scheme, rules) {
			continue
		}
		u = unmappedOutside
		end, v := matchPath(w, hostEnd, fb.path, rules)
		if v != left {
			return end, u, v
		}
	}
	return 0, u, left
}

// takesPort reports whether a URL with this port and scheme ("" for none) is
// below the base as far as its host goes.
func (fb *fromBase) takesPort(port, scheme []byte, rules ruleSet) bool {
	switch {
	case !rules.has(guardForeignPort):
		return true
	case string(port) == fb.port:
		return true
	case len(port) == 0:
		return fb.portless && rules.has(rulePortless)
	case fb.port == "" && rules.has(ruleDefaultPort):
		return string(port) == "80" && len(scheme) != len("https") || string(port) == "443" && len(scheme) != len("http")
	}
	return false
}

// matchPath reads the decoded path at w.b[i:] in any spelling and the boundary
// behind it. An empty path always matches.
func matchPath(w window, i int, path string, rules ruleSet) (end int, v verdict) {
	if path == "" {
		return i, mapped
	}
	for j := range len(path) {
		c, n, more := w.unit(i)
		if more {
			return 0, undecidedYet
		}
		if n == 0 || c != path[j] {
			// Above ASCII a percent-encoded byte decodes to itself.
			return 0, left
		}
		i += n
	}
	if !rules.has(guardBasePath) {
		return i, mapped
	}
	end = i
	c, n, more := w.unit(i)
	switch {
	case more:
		return 0, undecidedYet
	case n == 0 || endsSegment(c):
		return end, mapped
	case c >= 0x80:
		switch r, more := w.wide(i, n); {
		case more:
			return 0, undecidedYet
		case unicode.IsPunct(r) || unicode.IsSpace(r):
			return end, mapped
		}
		return 0, left
	case c != '.' && c != ':' && c != '!' && c != '*':
		return 0, left
	}
	// Punctuation ends the segment where it ends the sentence.
	c, n, more = w.unit(i + n)
	switch {
	case more:
		return 0, undecidedYet
	case n == 0 || isSpace(c) || c == '"' || c == '\'' || c == '<':
		return end, mapped
	}
	return 0, left
}

// endsSegment reports whether c cannot continue a path segment in running text.
// Quotation marks, commas and semicolons could by RFC 3986, but separate URLs
// wherever they stand.
func endsSegment(c byte) bool {
	switch c {
	case '/', '?', '#', '"', '\'', ',', ';', '<', '>', '(', ')', '[', ']', '{', '}', '|', '\\', '^', '`', '&':
		return true
	}
	return c <= ' '
}

// replaceHost writes the target's base in place of the match, with the
// spellings that were found.
func (s *scanner) replaceHost(m hostMatch) {
	in, to := &s.mem.in, &s.t.to
	s.emit(in[s.done:m.start])
	if m.colon > m.start {
		s.emit(to.scheme)
	}
	s.emit(in[m.colon:m.host])
	s.emit(to.host[m.level])
	anyPort := m.source && m.end < s.n && in[m.end] == ':' // "http://host:*"
	if len(to.port) > 0 && !anyPort {
		s.emit(m.portColon(in[:]))
		s.emit(to.port)
	}
	if !m.source {
		for _, seg := range to.segs[m.level] {
			s.emit(in[m.sep:m.host])
			s.emit(seg)
		}
	}
	s.count.Mapped++
	s.consume(m.end)
}

// portColon returns the colon in front of a port: as the URL spells the one
// behind its scheme, else like its slashes.
func (m hostMatch) portColon(in []byte) []byte {
	slash := in[m.sep:m.host]
	if first := m.sep - len(slash); first > m.colon {
		return in[m.colon:first]
	}
	if m.level == 0 {
		return []byte{':'}
	}
	return []byte(colonLike(string(slash)))
}

func isHostChar(c byte) bool { return isAlnum(c) || c == '-' || c == '_' }

// equalFold reports whether b is lower, which is in lower case, without regard to ASCII case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
