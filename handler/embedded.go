package handler

import "strings"

// mapEmbedded maps the absolute and network-path URLs inside s by the first rule
// that matches each: plain ones, those in JSON ("http:\/\/blog.example.net\/"), and
// either of these percent-encoded once or twice, as in
// "redirect_to=http%3A%2F%2Fblog.example.net%2F". Each keeps its
// spelling of ":" and "/". Everything else keeps its bytes, and so does a URL
// that is part of another's path. It runs once over s.
func mapEmbedded(s string, rules []urlRule) string {
	if len(rules) == 0 || !strings.Contains(s, "//") && !strings.Contains(s, `\/`) && !strings.Contains(s, "2F") && !strings.Contains(s, "2f") {
		return s
	}
	var out strings.Builder
	done := 0
	for i := 0; i < len(s); {
		slash := slashAt(s, i)
		if slash == 0 {
			i++
			continue
		}
		pair := i
		if i += slash; slashAt(s, i) != slash {
			continue
		}
		i += slash
		e := embedded{slashes: s[pair:i]}
		start, ok := e.readScheme(s, pair)
		if !ok || start < done {
			continue
		}
		end, ok := e.readHost(s, i)
		if !ok {
			continue
		}
		for r := range rules {
			rest, ok := e.match(s, end, &rules[r])
			if !ok {
				continue
			}
			out.WriteString(s[done:start])
			e.write(&out, rules[r].to)
			done, i = rest, rest
			break
		}
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

// embedded is one URL found in a longer string.
type embedded struct {
	scheme     string // as found; "" for a network-path reference
	colon      string // as found: ":", "%3A", "%253a"
	slashes    string // as found, two of one spelling
	name, port string // canonical
}

// slashAt returns the length of the slash that stands at i, or 0.
func slashAt(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '/':
		return len("/")
	case s[i] == '\\' && i+1 < len(s) && s[i+1] == '/':
		return len(`\/`)
	case s[i] == '%':
		for _, escape := range [...]struct{ slash, backslash string }{{"%2f", "%5c"}, {"%252f", "%255c"}} {
			n := 0
			for n < maxPercentRun*len(escape.backslash) && hasPrefixFold(s[i+n:], escape.backslash) {
				n += len(escape.backslash)
			}
			if hasPrefixFold(s[i+n:], escape.slash) {
				return n + len(escape.slash)
			}
		}
		return 0
	default:
		return 0
	}
}

// readScheme reads what stands before the slashes at pair and returns where the
// URL begins. It reports false where the slashes begin none.
func (e *embedded) readScheme(s string, pair int) (start int, ok bool) {
	start = pair
	for _, colon := range [...]string{":", "%3a", "%253a"} {
		if at := pair - len(colon); at >= 0 && strings.EqualFold(s[at:pair], colon) {
			e.colon, start = s[at:pair], at
			break
		}
	}
	if e.colon != "" {
		for _, scheme := range [...]string{"https", "http"} {
			if at := start - len(scheme); at >= 0 && strings.EqualFold(s[at:start], scheme) {
				e.scheme, start = s[at:start], at
				break
			}
		}
		if e.scheme == "" {
			return 0, false
		}
	}
	if start == 0 {
		return start, true
	}
	before := s[start-1]
	for _, escape := range [...]int{len("%2F"), len("%252F")} {
		if at := start - escape; at >= 0 && s[at] == '%' && (escape == 3 || s[at+1:at+3] == "25") {
			if c, ok := hexPair(s[start-2:]); ok {
				before = c
				break
			}
		}
	}
	// After a slash it is part of another URL's path, after a letter it is a
	// longer scheme, or a path with a doubled slash.
	return start, before != '/' && before != ':' && before != '@' && !isHostByte(before)
}

// readHost reads host and port at i and returns where they end.
func (e *embedded) readHost(s string, i int) (end int, ok bool) {
	end = i
	if end < len(s) && s[end] == '[' {
		n := strings.IndexByte(s[end:min(len(s), end+64)], ']')
		if n < 0 {
			return 0, false
		}
		end += n + 1
	} else {
		for end < len(s) && isHostByte(s[end]) {
			end++
		}
		// A sentence may end behind a host.
		for end > i && s[end-1] == '.' {
			end--
		}
	}
	name, ok := canonicalName(s[i:end])
	if !ok {
		return 0, false
	}
	e.name = name
	for _, colon := range [...]string{":", "%3a", "%253a"} {
		if !hasPrefixFold(s[end:], colon) {
			continue
		}
		from := end + len(colon)
		to := from
		for to < len(s) && to-from < 6 && '0' <= s[to] && s[to] <= '9' {
			to++
		}
		if to == from {
			return 0, false
		}
		if _, e.port, ok = splitAuthority("h:" + s[from:to]); !ok {
			return 0, false
		}
		end = to
		break
	}
	return end, endsName(s, end)
}

// endsName reports whether a host or a path segment may end before i: neither a
// byte of a longer name nor the "@" behind a user name follows, escaped or not.
func endsName(s string, i int) bool {
	if i >= len(s) {
		return true
	}
	c := s[i]
	if c == '%' {
		if hasPrefixFold(s[i:], "%25") {
			i += 2
		}
		v, ok := hexPair(s[i+1:])
		if !ok {
			return true
		}
		c = v
	}
	if c == '.' {
		// A dot ends a sentence unless a name goes on behind it.
		return i+1 >= len(s) || !isHostByte(s[i+1])
	}
	return c < 0x80 && !isHostByte(c) && c != '@' && c != ':' && c != '~' && c != '+' && c != '%'
}

// match reports whether the rule is for the URL whose host ends at end, and
// where the rule's own path ends.
func (e *embedded) match(s string, end int, r *urlRule) (rest int, ok bool) {
	if !r.at(e.name, e.port) {
		return 0, false
	}
	if r.from.path == "" {
		return end, true
	}
	path := pathLike(r.from.path, e.slash())
	if rest = end + len(path); rest > len(s) || s[end:rest] != path {
		return 0, false
	}
	return rest, endsName(s, rest)
}

// slash returns the URL's spelling of "/".
func (e *embedded) slash() string { return e.slashes[:len(e.slashes)/2] }

// write writes an address in the spelling of the URL that it replaces.
func (e *embedded) write(out *strings.Builder, to address) {
	if e.scheme != "" {
		out.WriteString(to.scheme)
		out.WriteString(e.colon)
	}
	out.WriteString(e.slashes)
	out.WriteString(to.name)
	if to.port != "" {
		if e.colon != "" {
			out.WriteString(e.colon)
		} else {
			out.WriteString(colonLike(e.slash()))
		}
		out.WriteString(to.port)
	}
	out.WriteString(pathLike(to.path, e.slash()))
}

// colonLike returns ":" at the level and in the case of a slash as found:
// "%253a" for "%252f".
func colonLike(slash string) string {
	at := strings.LastIndexByte(slash, '%')
	switch {
	case at < 0:
		return ":"
	case slash[len(slash)-1] == 'f':
		return slash[at:len(slash)-2] + "3a"
	default:
		return slash[at:len(slash)-2] + "3A"
	}
}

// pathLike spells an escaped path's slashes as given, and escapes its percent
// signs as often as that spelling does.
func pathLike(path, slash string) string {
	switch at := strings.LastIndexByte(slash, '%'); {
	case at < 0:
	case len(slash)-at == len("%2F"):
		path = strings.ReplaceAll(path, "%", "%25")
	default:
		path = strings.ReplaceAll(path, "%", "%2525")
	}
	return strings.ReplaceAll(path, "/", slash)
}
