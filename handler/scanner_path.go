package handler

const (
	maxSpaces   = 64 // white space that is skipped between the parts of a form
	maxNameByte = 32 // longest attribute name that is read
)

// leadsToPath are, for each kind, the bytes that may stand before the slash that
// begins a root-relative URL, in one of its spellings, or before an upper-case
// host. They tell nearly all slashes off at a glance.
var leadsToPath = func() (t [kindCount]asciiSet) {
	for kind := range t {
		on := kindRules[kind]
		lead := "/\\\"';27"
		if on.has(ruleSrcset) || on.has(ruleCSSURL) {
			lead += " \t\r\n,("
		}
		if on.has(ruleUnquoted) {
			lead += "="
		}
		if on.has(ruleTemplate) {
			lead += "`"
		}
		t[kind] = newASCIISet([]byte(lead)...)
	}
	return t
}()

// pathMatch is a root-relative URL: in[start:slash] is its first slash as it is
// spelled, and in[start:end] is what the target's path replaces. needle is -1
// unless the match is an upper-case host.
type pathMatch struct {
	hostMatch
	slash int
}

// pathForm decides on the slash at in[i:]. Bytes to the left say whether a URL
// may begin here, bytes to the right whether it is ours; only then is the place
// in the document looked up.
func (s *scanner) pathForm(w window, i int) (m pathMatch, v verdict) {
	b := w.b
	m.needle, m.slash = -1, i+1
	switch prev := b[i-1]; prev {
	case '/':
		return s.upperCaseHost(w, i)
	case ' ':
		if i+1 < len(b) && b[i+1] == '>' {
			return m, left // <br />
		}
	case '\\':
		if m, v := s.upperCaseHost(w, i); v != left {
			return m, v
		}
	}
	if !s.t.rootRelative {
		return m, left
	}
	k := backslashesBefore(b, i)
	if k > maxBackslashes {
		return m, left
	}
	m.start = i - k
	form, ok := s.leftOf(b, m.start)
	if !ok || m.start < s.done {
		return m, left
	}
	if s.rules.has(guardNetworkPath) {
		switch slash, _, more := slashAhead(w, i+1); {
		case more:
			return m, undecidedYet
		case slash:
			return m, left
		}
	}
	if m.end, v = matchPath(w, m.start, s.t.rootFrom, s.rules); v != mapped {
		return m, v
	}
	if s.rules.has(guardNetworkPath) && len(s.t.to.segs[0]) == 0 {
		// "/blog//host" must not become "//host".
		if v := rootedAt(w, m.end); v != mapped {
			return m, v
		}
	}
	if form == ruleWordPressPath {
		if v := wordPressPath(w, m.end, s.t.to.segs[0]); v != mapped {
			return m, v
		}
	}
	if s.kind == kindHTML && s.rules.has(guardPlace) && !holdsForm(form, s.placeAt(m.start), b, m.start) {
		return m, left
	}
	if s.rules.has(guardSerialized) && s.serialized(b, m.start) {
		return m, left
	}
	return m, mapped
}

// rootedAt reports whether the rest of a URL at w.b[i:] is a path below the
// root: it does not begin with two slashes.
func rootedAt(w window, i int) verdict {
	for range 2 {
		slash, n, more := slashAhead(w, i)
		switch {
		case more:
			return undecidedYet
		case !slash:
			return mapped
		}
		i += n
	}
	return left
}

// slashAhead reports whether w.b[i:] begins with what browsers take for a slash in a
// URL. A backslash that escapes a quotation mark is none: it is behind the URL "/" in
// a string in a string.
func slashAhead(w window, i int) (slash bool, n int, more bool) {
	c, n, more := w.unit(i)
	if more || c != '\\' {
		return c == '/', n, more
	}
	for end := i + maxBackslashes; i < len(w.b) && i < end && w.b[i] == '\\'; {
		i++
	}
	if i == len(w.b) {
		return true, n, false
	}
	c = w.b[i]
	if c == '&' {
		c, _, more = w.entity(i)
	}
	return c != '"' && c != '\'', n, more
}

// leftOf names the form that may begin at b[i], by what precedes it.
func (s *scanner) leftOf(b []byte, i int) (form rule, ok bool) {
	if i == 0 {
		return 0, false
	}
	switch c := b[i-1]; c {
	case '=':
		return s.leftOfValue(b, i-1)
	case '`':
		if s.rules.has(ruleTemplate) {
			form, ok = s.leftOfQuote(b, i-1, false)
		}
		return form, ok && (form == ruleAttribute || form == ruleWordPressPath)
	case '(':
		return ruleCSSURL, s.rules.has(ruleCSSURL) && endsURLFunction(b, i-1)
	case ' ', '\t', '\r', '\n', ',':
		return s.leftOfSpace(b, i)
	}
	if q, encoded, quoted := quoteBefore(b, i); quoted {
		return s.leftOfQuote(b, q, encoded)
	}
	return 0, false
}

// leftOfValue handles the equals sign at b[i] before a value without quotes.
func (s *scanner) leftOfValue(b []byte, i int) (form rule, ok bool) {
	name, at := nameBefore(b, skipSpacesBefore(b, i))
	switch {
	case s.rules.has(ruleRefresh) && equalFold(name, "url") && refreshes(b, at):
		return ruleRefresh, true
	case s.rules.has(ruleUnquoted) && attributeClass(name) == urlAttribute && at > 0 && startsAttribute(b[at-1]):
		return ruleUnquoted, s.kind == kindHTML || insideTagText(b, at)
	}
	return 0, false
}

// leftOfSpace handles white space and commas: a further candidate of a srcset,
// url( /x ), or an attribute whose value begins with white space or, without quotes,
// follows some, which browsers take off a URL.
func (s *scanner) leftOfSpace(b []byte, i int) (form rule, ok bool) {
	j := skipSpacesBefore(b, i)
	if j == 0 {
		return 0, false
	}
	switch b[j-1] {
	case '(':
		return ruleCSSURL, s.rules.has(ruleCSSURL) && endsURLFunction(b, j-1)
	case ',':
		return ruleSrcset, s.rules.has(ruleSrcset) && (j < i || endsDescriptor(b, j-1)) && s.inSrcset(b, j-1)
	case '=':
		return s.leftOfValue(b, j-1)
	}
	if q, encoded, quoted := quoteBefore(b, j); quoted {
		form, ok = s.leftOfQuote(b, q, encoded)
		return form, ok && (form == ruleAttribute || form == ruleEntityAttribute)
	}
	return 0, false
}

// leftOfQuote handles a quotation mark that begins at b[q].
func (s *scanner) leftOfQuote(b []byte, q int, encoded bool) (form rule, ok bool) {
	j := skipSpacesBefore(b, q)
	if j == 0 {
		return 0, false
	}
	switch c := b[j-1]; c {
	case '=':
		if selectsURL(b, j-1) {
			return ruleSelector, s.rules.has(ruleSelector)
		}
		name, at := nameBefore(b, skipSpacesBefore(b, j-1))
		switch attributeClass(name) {
		case urlAttribute:
			if encoded {
				return ruleEntityAttribute, s.rules.has(ruleEntityAttribute)
			}
			return ruleAttribute, s.rules.has(ruleAttribute) && (s.kind != kindScript || insideTagText(b, at))
		case valueAttribute:
			// A field of a form goes back to the site as it is.
			if s.rules.has(guardValue) {
				return 0, false
			}
		}
		if s.rules.has(ruleRefresh) && equalFold(name, "url") && refreshes(b, at) {
			return ruleRefresh, true
		}
		return s.wordPressForm()
	case '(':
		if s.rules.has(ruleCSSURL) && (endsURLFunction(b, j-1) || endsImageSet(b, j-1)) {
			return ruleCSSURL, true
		}
		if s.rules.has(ruleModule) && endsWord(b, j-1, "import") {
			return ruleModule, true
		}
		if s.rules.has(guardConcat) && endsWord(b, j-1, "concat") {
			return 0, false
		}
		return s.wordPressForm()
	case ':', ',', '[', '{':
		if c == ':' {
			if s.rules.has(ruleUserSettings) && (keyBefore(b, j-1, "url") && userSettings(b, j-1) || previewSettings(b, j-1)) {
				return ruleUserSettings, true
			}
			if s.rules.has(guardReferer) && keyBefore(b, j-1, "wp_http_referer") {
				return 0, false
			}
			if s.rules.has(ruleSrcset) && keyBefore(b, j-1, "srcset") {
				return ruleSrcset, true
			}
		}
		switch {
		case c == ',' && s.rules.has(ruleCSSURL) && s.inImageSet(b, j-1):
			return ruleCSSURL, true
		case s.rules.has(ruleManifest):
			return ruleManifest, true
		case s.rules.has(ruleScriptRules) && s.placeAt(q) == placeRules:
			return ruleScriptRules, true
		}
		return s.wordPressForm()
	case 't', 'T':
		if endsWord(b, j, "@import") {
			return ruleCSSImport, s.rules.has(ruleCSSImport)
		}
		return ruleModule, s.rules.has(ruleModule) && endsWord(b, j, "import")
	case 'm', 'M':
		return ruleModule, s.rules.has(ruleModule) && endsWord(b, j, "from")
	}
	return 0, false
}

func (s *scanner) wordPressForm() (rule, bool) {
	return ruleWordPressPath, s.rules.has(ruleWordPressPath)
}

// holdsForm reports whether a URL of this form can stand at b[i], which is in p.
// Elsewhere the same bytes are text that a person reads.
func holdsForm(form rule, p place, b []byte, i int) bool {
	if b[i-1] == '`' {
		return p == placeScript // a template literal
	}
	switch form {
	case ruleAttribute, ruleEntityAttribute, ruleSrcset, ruleWordPressPath:
		return p == placeTag || p == placeValue || p == placeScript || p == placeRules
	case ruleSelector:
		return p == placeTag || p == placeValue || p == placeStyle || p == placeScript || p == placeRules
	case ruleUnquoted:
		return p == placeTag || p == placeScript && insideWrittenTag(b, i)
	case ruleCSSURL:
		return p == placeTag || p == placeValue || p == placeStyle || p == placeScript
	case ruleCSSImport:
		return p == placeStyle
	case ruleRefresh:
		return p == placeTag || p == placeValue
	case ruleUserSettings, ruleModule:
		return p == placeScript
	case ruleScriptRules:
		return p == placeRules
	}
	return true
}

// replacePath writes the target's path in place of the match.
func (s *scanner) replacePath(m pathMatch) {
	in := &s.mem.in
	s.emit(in[s.done:m.start])
	segs := s.t.to.segs[0]
	for _, seg := range segs {
		s.emit(in[m.start:m.slash])
		s.emit(seg)
	}
	if c, _, _ := (window{in[:s.n], true}).unit(m.end); len(segs) == 0 && c != '/' {
		s.emit(in[m.start:m.slash]) // the mount itself becomes "/"
	}
	s.count.Mapped++
	s.consume(m.end)
	s.next = max(s.next, m.slash)
}
