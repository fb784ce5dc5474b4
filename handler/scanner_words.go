package handler

import "bytes"

// The words next to a root-relative URL: attribute names, WordPress paths,
// functions. Each test looks at a bounded number of bytes.

type attributeKind uint8

const (
	otherAttribute attributeKind = iota
	urlAttribute
	valueAttribute
)

// urlAttributes hold a URL. "location" is no attribute, but what scripts assign to.
var urlAttributes = map[string]bool{
	"href": true, "src": true, "action": true, "formaction": true, "poster": true, "cite": true,
	"data": true, "background": true, "longdesc": true, "manifest": true, "ping": true, "icon": true,
	"srcset": true, "imagesrcset": true, "xlink:href": true, "location": true, "codebase": true,
	"hx-get": true, "hx-post": true, "hx-put": true, "hx-patch": true, "hx-delete": true, "hx-push-url": true, "hx-replace-url": true,
}

// attributeClass says what the attribute name holds. A data attribute holds a
// URL if the last word of its name says so, or if htmx takes it for one of its own.
func attributeClass(name []byte) attributeKind {
	var low [maxNameByte]byte
	if len(name) == 0 || len(name) > len(low) {
		return otherAttribute
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		low[i] = c
	}
	n := low[:len(name)]
	switch {
	case urlAttributes[string(n)]:
		return urlAttribute
	case string(n) == "value":
		return valueAttribute
	case !bytes.HasPrefix(n, []byte("data-")):
		return otherAttribute
	}
	switch string(n[bytes.LastIndexAny(n, "-_")+1:]) {
	case "src", "srcset", "href", "url", "bg", "background", "image", "img", "link", "action", "poster", "original",
		"lazy", "lazyload", "thumb", "thumbnail":
		return urlAttribute
	}
	if own := n[len("data-"):]; bytes.HasPrefix(own, []byte("hx-")) && urlAttributes[string(own)] {
		return urlAttribute
	}
	return otherAttribute
}

// nameBefore returns the name that ends right before b[i], and where it starts.
// A name that is too long is none.
func nameBefore(b []byte, i int) (name []byte, at int) {
	at = i
	for at > 0 && isNameByte(b[at-1]) {
		if at--; i-at > maxNameByte {
			return nil, at
		}
	}
	return b[at:i], at
}

func skipSpacesBefore(b []byte, i int) int {
	j := i
	for j > 0 && i-j < maxSpaces && isSpace(b[j-1]) {
		j--
	}
	return j
}

func skipSpaces(b []byte, i int) int {
	j := i
	for j < len(b) && j-i < maxSpaces && isSpace(b[j]) {
		j++
	}
	return j
}

// startsAttribute reports whether a new attribute may begin behind c.
func startsAttribute(c byte) bool { return isSpace(c) || c == '"' || c == '\'' }

// refreshes reports whether "url" at b[at:] follows the seconds of a refresh:
// content="5; url=/x".
func refreshes(b []byte, at int) bool {
	j := skipSpacesBefore(b, at)
	if j == 0 || b[j-1] != ';' && b[j-1] != ',' {
		return false
	}
	j = skipSpacesBefore(b, j-1)
	return j > 0 && (isDigit(b[j-1]) || b[j-1] == '.')
}

// endsURLFunction reports whether the parenthesis at b[i] opens url(.
func endsURLFunction(b []byte, i int) bool { return endsWord(b, i, "url") }

// endsImageSet reports whether the parenthesis at b[i] opens image-set(.
func endsImageSet(b []byte, i int) bool {
	return endsWord(b, i, "image-set") || endsWord(b, i, "-webkit-image-set")
}

// selectsURL reports whether the equals sign at b[i] is in a selector by a URL, as the
// page writes it: a[href="/x"], a[href^="/x"]. What selects by another part of it
// holds for the mapped URL as well.
func selectsURL(b []byte, i int) bool {
	if i > 0 && b[i-1] == '^' {
		i--
	}
	name, at := nameBefore(b, skipSpacesBefore(b, i))
	return at > 0 && b[at-1] == '[' && attributeClass(name) == urlAttribute
}

// endsWord reports whether b[:i] ends in the lower-case word, as a word of its own.
func endsWord(b []byte, i int, word string) bool {
	j := i - len(word)
	return j >= 0 && equalFold(b[j:i], word) && (j == 0 || !isHostChar(b[j-1]))
}

// keyBefore reports whether the colon at b[i] follows a key that ends in name.
func keyBefore(b []byte, i int, name string) bool {
	i = skipSpacesBefore(b, i)
	if q, _, ok := quoteBefore(b, i); ok {
		i = q
	}
	return i >= len(name) && string(b[i-len(name):i]) == name
}

// userSettings reports whether the colon at b[i] is in `userSettings = {"url":`.
func userSettings(b []byte, i int) bool {
	from := max(0, i-48)
	j := bytes.LastIndex(b[from:i], []byte("userSettings"))
	if j < 0 {
		return false
	}
	rest := b[from+j+len("userSettings") : i]
	return bytes.IndexByte(rest, '{') >= 0 && bytes.IndexByte(rest, ',') < 0 && bytes.IndexByte(rest, ';') < 0
}

// previewSettings reports whether the colon at b[i] is the second one in
// `"url":{"self":`, by which the customizer's preview knows its own address.
func previewSettings(b []byte, i int) bool {
	return bytes.HasSuffix(b[:i], []byte(`"url":{"self"`))
}

// insideTagText reports whether b[i] follows the beginning of a tag, as in a
// script that writes HTML: '<a class="x" href="/y">', in JSON that a page may hold:
// "\u003Ca href=/y\u003E", or in a feed: "&lt;a href=/y&gt;".
func insideTagText(b []byte, i int) bool { return tagTextBefore(b, i) >= 0 }

// insideWrittenTag is insideTagText for a value in a script, where "<" behind an
// operand compares, as in "i<n", and a slash behind "=" may begin a regular
// expression, which people set off by white space.
func insideWrittenTag(b []byte, i int) bool {
	if b[i-1] != '=' || isSpace(b[i-2]) {
		return false
	}
	j := tagTextBefore(b, i)
	if j <= 0 || b[j] != '<' {
		return j >= 0
	}
	c := b[j-1]
	return !isAlnum(c) && c != '_' && c != '$' && c != ')' && c != ']'
}

// tagTextBefore returns where the tag begins that b[i] is in, or -1.
func tagTextBefore(b []byte, i int) int {
	from := max(0, i-256)
	for j := i - 1; j >= from; j-- {
		switch b[j] {
		case '>':
			return -1
		case '<':
			return tagNamed(b, j, j+1)
		case ';':
			switch c, at := referenceBefore(b[from:], j+1-from); c {
			case '>':
				return -1
			case '<':
				return tagNamed(b, from+at, j+1)
			}
		case '\\':
			if s := b[j:i]; bytes.HasPrefix(s, escapedLess[:5]) && len(s) > 5 {
				switch s[5] | 0x20 {
				case 'e':
					return -1
				case 'c':
					return tagNamed(b, j, j+len(escapedLess))
				}
			}
		}
	}
	return -1
}

// tagNamed returns less, where a "<" is, if a tag's name begins at b[name:], or -1.
func tagNamed(b []byte, less, name int) int {
	if isAlpha(b[name]) {
		return less
	}
	return -1
}

// escapedLess is "<" as JSON has it that a page may hold.
var escapedLess = []byte(`\u003c`)

// wordPressNames begin the paths that WordPress itself writes, below its base.
var wordPressNames = [...]string{"wp-admin", "wp-content", "wp-includes", "wp-json"}

// wordPressQueries are the parameters by which scripts call the home page itself:
// those of the shop, and the API where a site has no permalinks.
var wordPressQueries = [...]string{"?wc-ajax=", "?rest_route="}

// wordPressPath reports whether the slash at w.b[i:] begins a path of WordPress:
// one of its folders, a script such as wp-login.php, xmlrpc.php, or a call by query;
// at the base, or one folder below it, where a WordPress in a folder of its own, a
// site of a network or another language lies. A folder with the name of public, the
// segments of the public base, is none: the path is a public one already.
func wordPressPath(w window, i int, public [][]byte) verdict {
	if v := wordPressQuery(w, i); v != left {
		return v
	}
	name, end, v := segmentAt(w, i)
	if v != mapped {
		return v
	}
	if v := wordPressName(name); v != left {
		return v
	}
	if len(public) == 1 && string(name) == string(public[0]) {
		return left
	}
	if v := wordPressQuery(w, end); v != left {
		return v
	}
	if name, _, v = segmentAt(w, end); v != mapped {
		return v
	}
	return wordPressName(name)
}

// wordPressQuery reports whether the slash at w.b[i:] ends a path whose query calls
// WordPress.
func wordPressQuery(w window, i int) verdict {
	c, n, more := w.unit(i)
	switch {
	case more:
		return undecidedYet
	case n == 0 || c != '/':
		return left
	}
	rest := w.b[i+n:]
	for _, query := range wordPressQueries {
		n := min(len(rest), len(query))
		switch {
		case string(rest[:n]) != query[:n]:
		case n == len(query):
			return mapped
		case !w.final:
			return undecidedYet
		}
	}
	return left
}

// segmentAt returns the path segment behind the slash at w.b[i:], and where it
// ends. The verdict is left where there is none, or one that is too long.
func segmentAt(w window, i int) (name []byte, end int, v verdict) {
	c, n, more := w.unit(i)
	if more {
		return nil, i, undecidedYet
	}
	if n == 0 || c != '/' {
		return nil, i, left
	}
	s := w.b[i+n:]
	j := 0
	for j < len(s) && j <= maxNameByte && (isAlnum(s[j]) || s[j] == '-' || s[j] == '.' || s[j] == '_') {
		j++
	}
	if j == 0 && (len(s) > 0 || w.final) || j > maxNameByte {
		return nil, i, left
	}
	if j == len(s) && !w.final {
		return nil, i, undecidedYet
	}
	return s[:j], i + n + j, mapped
}

// wordPressName reports whether WordPress gives the name to a folder or script.
func wordPressName(name []byte) verdict {
	for _, f := range wordPressNames {
		if string(name) == f {
			return mapped
		}
	}
	if string(name) == "xmlrpc.php" || bytes.HasPrefix(name, []byte("wp-")) && bytes.HasSuffix(name, []byte(".php")) {
		return mapped
	}
	return left
}
