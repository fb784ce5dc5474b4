package handler

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// oracle maps a text as the scanner does, in another way: it looks at every
// byte, with regular expressions on the whole text before and behind it, and
// reads the markup from its beginning. It is slow and for short texts.
type oracle struct {
	from []formBase
	to   formBase
	opts formOptions
	kind mediaKind

	in       string
	serialTo int
	mapped   [][2]int     // stretches that were mapped
	renamed  map[int]bool // where an attribute gets another name
}

const (
	reSpace = `[ \n\t\r\f]`
	rePct   = `(?:%5[Cc]){0,3}%2[Ff]|(?:%255[Cc]){0,3}%252[Ff]|(?:%25255[Cc]){0,3}%25252[Ff]`
	reSep   = `\\{0,16}/|` + rePct + `|\\{1,16}u002[Ff]|&#[xX]0{0,4}2[fF];|&#0{0,5}47;|&sol;`
	reColon = `:|%(?:25){0,2}3[Aa]|\\{1,16}u003[Aa]|&#[xX]0{0,4}3[aA];|&#0{0,5}58;|&colon;`
	reQuote = `(?:\\{0,16}(?:["']|&quot;|&apos;|&#0{0,5}3[49];|&#[xX]0{0,4}2[27];|&amp;quot;|&amp;#039;)|\\{1,16}u002[27])`
	reName  = `[A-Za-z0-9:_-]`
)

var (
	oracleForm   = regexp.MustCompile(`^(?:((?i:https?))(` + reColon + `))?(` + reSep + `)(` + reSep + `)`)
	oracleSerial = regexp.MustCompile(`s:([0-9]+):\\*(?:"|&quot;)`)
	oracleURL    = regexp.MustCompile(`(?i)^(href|src|action|formaction|poster|cite|data|background|longdesc|manifest|ping|icon|srcset|imagesrcset|xlink:href|location|codebase|(data-)?hx-(get|post|put|patch|delete|push-url|replace-url)|data-(.*[-_])?(src|srcset|href|url|bg|background|image|img|link|action|poster|original|lazy|lazyload|thumb|thumbnail))$`)
	oracleAssign = regexp.MustCompile(`(` + reName + `*)` + reSpace + `{0,64}=` + reSpace + `{0,64}(` + reQuote + `)$`)
	oracleLead   = regexp.MustCompile(reSpace + `{0,63}[ \n\t\r]$`)
	oracleSelect = regexp.MustCompile(`\[(` + reName + `{1,32})` + reSpace + `{0,64}\^?=` + reSpace + `{0,64}` + reQuote + `$`)
	oraclePlain  = regexp.MustCompile(`(` + reName + `*)` + reSpace + `{0,64}=(?:|` + reSpace + `{0,63}[ \n\t\r])$`)
	oracleSets   = regexp.MustCompile(`[^ \n\t\r\f]=$`)
	oracleRefr   = regexp.MustCompile(`[0-9.]` + reSpace + `{0,64}[;,]` + reSpace + `{0,64}(?i:url)` + reSpace + `{0,64}=` + reSpace + `{0,64}` + reQuote + `?$`)
	oracleCSS    = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])(?:(?i:url)\(` + reSpace + `{0,64}(?:` + reQuote + `)?|(?i:image-set|-webkit-image-set)\(` + reSpace + `{0,64}` + reQuote + `)$`)
	oracleImages = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])(?i:image-set|-webkit-image-set)\([^{}<>;]*,` + reSpace + `{0,64}` + reQuote + `$`)
	oracleCSS2   = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])(?i:url)\($`)
	oracleImport = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])(?i:@import)` + reSpace + `{0,64}` + reQuote + `$`)
	oracleModule = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])(?i:import|from|import\()` + reSpace + `{0,64}` + reQuote + `$`)
	oracleOpen   = regexp.MustCompile(`([:,\[{(=])` + reSpace + `{0,64}` + reQuote + `$`)
	oracleConcat = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])(?i:concat)\(` + reSpace + `{0,64}` + reQuote + `$`)
	oracleKey    = regexp.MustCompile(`wp_http_referer(?:` + reQuote + `)?` + reSpace + `{0,64}:` + reSpace + `{0,64}` + reQuote + `$`)
	oracleUser   = regexp.MustCompile(`url(?:` + reQuote + `)?` + reSpace + `{0,64}:` + reSpace + `{0,64}` + reQuote + `$`)
	oracleSetKey = regexp.MustCompile(`srcset(?:` + reQuote + `)?` + reSpace + `{0,64}:` + reSpace + `{0,64}` + reQuote + `$`)
	oracleComma  = regexp.MustCompile(`(` + reSpace + `[0-9.]{1,63}[wx])?,(` + reSpace + `{0,64})$`)
	oracleSrcset = regexp.MustCompile(`(?:(?i:` + reName + `*srcset)` + reSpace + `{0,64}=|srcset(?:` + reQuote + `)?` + reSpace + `{0,64}:)` + reSpace + `{0,64}$`)
	oracleWP     = regexp.MustCompile(`^(?:wp-admin|wp-content|wp-includes|wp-json|xmlrpc\.php|wp-[A-Za-z0-9._-]*\.php)$`)
	oracleQuoted = regexp.MustCompile(`^\\{1,16}(?:["']|&quot;|&apos;|&#0{0,5}3[49];|&#[xX]0{0,4}2[27];)`)
	oracleQuery  = regexp.MustCompile(`^\?(?:wc-ajax|rest_route)=`)
	oracleInTag  = regexp.MustCompile(`(?s)^.*(<|\\u003[Cc]|&lt;|&#0{0,5}60;|&#[xX]0{0,4}3[cC];|(>|\\u003[Ee]|&gt;|&#0{0,5}62;|&#[xX]0{0,4}3[eE];))(.)`)
	oracleSource = regexp.MustCompile(`(?i)(?:-src|-src-elem|-src-attr|base-uri|form-action|frame-ancestors)$`)
	oracleEnds   = regexp.MustCompile(reQuote + `$`)
)

func (o *oracle) run(in string) string {
	out := o.once(in)
	if o.kind != kindHTML {
		return out
	}
	// Once more, with the attributes of mapped tags renamed.
	o.renamed = make(map[int]bool)
	for _, m := range o.mapped {
		if p := o.integrity(m[0], m[1]); p >= 0 {
			o.renamed[p] = true
		}
	}
	o.serialTo = 0
	return o.once(in)
}

var (
	oracleResource  = regexp.MustCompile(`(?is)<(?:script|link)(?:[^A-Za-z0-9:_<>-][^<>]*)?$`)
	oracleValue     = regexp.MustCompile(`(?s:.)(?i:src|href)` + reSpace + `{0,64}=` + reSpace + `{0,64}["']?$`)
	oracleIntegrity = regexp.MustCompile(`[ \n\t\r\f"'](integrity)` + reSpace + `{0,64}=`)
)

// integrity is where the attribute of the tag around a URL begins, or -1.
func (o *oracle) integrity(start, end int) int {
	at := oracleResource.FindStringIndex(o.in[:start])
	if at == nil || !oracleValue.MatchString(o.in[:start]) || start-at[0] > maxResourceTag {
		return -1
	}
	rest, _, _ := strings.Cut(o.in[end:max(end, min(len(o.in), at[0]+maxResourceTag))], ">")
	m := oracleIntegrity.FindStringSubmatchIndex(o.in[at[0] : end+len(rest)])
	if m == nil {
		return -1
	}
	return at[0] + m[2]
}

func (o *oracle) once(in string) string {
	o.in = in
	var out strings.Builder
	for i := 0; i < len(in); {
		if o.renamed[i] {
			out.WriteString("data-")
		}
		if text, end, ok := o.host(i); ok {
			o.mapped = append(o.mapped, [2]int{i, end})
			out.WriteString(text)
			i = end
			continue
		}
		if text, end, next, ok := o.path(i); ok {
			o.mapped = append(o.mapped, [2]int{i, end})
			out.WriteString(text)
			out.WriteString(in[end:next])
			i = next
			continue
		}
		out.WriteByte(in[i])
		i++
	}
	return out.String()
}

// decode is the character at in[i:].
func (o *oracle) decode(i int) (c byte, n int) {
	s := o.in[i:]
	if s == "" {
		return 0, 0
	}
	value := func(v int64, base string) byte {
		if v > 0x7f && base != "%" {
			return 0xff
		}
		return byte(v)
	}
	if m := regexp.MustCompile(`^(?:` + rePct + `)`).FindString(s); m != "" {
		return '/', len(m)
	}
	if m := regexp.MustCompile(`^%(?:25){0,2}([0-9a-fA-F]{2})`).FindStringSubmatch(s); m != nil {
		v, _ := strconv.ParseInt(m[1], 16, 64)
		return value(v, "%"), len(m[0])
	}
	if m := regexp.MustCompile(`^\\{1,16}/`).FindString(s); m != "" {
		return '/', len(m)
	}
	if m := regexp.MustCompile(`^\\{1,16}u([0-9a-fA-F]{4})`).FindStringSubmatch(s); m != nil {
		v, _ := strconv.ParseInt(m[1], 16, 64)
		if v > 0xff {
			return 0xff, len(m[0])
		}
		return byte(v), len(m[0])
	}
	if m := regexp.MustCompile(`^&#(?:([0-9]+)|[xX]([0-9a-fA-F]+));`).FindStringSubmatch(s); m != nil && len(m[0]) <= maxEntityBytes {
		v, err := strconv.ParseInt(m[1]+m[2], map[bool]int{true: 10, false: 16}[m[1] != ""], 64)
		if err != nil {
			v = 1 << 20
		}
		return value(v, "&"), len(m[0])
	}
	for name, c := range map[string]byte{"quot": '"', "apos": '\'', "amp": '&', "lt": '<', "gt": '>', "sol": '/', "colon": ':', "period": '.', "lowbar": '_', "commat": '@', "equals": '='} {
		if strings.HasPrefix(s, "&"+name+";") {
			return c, len(name) + 2
		}
	}
	return s[0], 1
}

// before is the character that ends at in[:i].
func (o *oracle) before(i int) byte {
	if i == 0 {
		return 0
	}
	s := o.in[:i]
	if s[i-1] == ';' {
		if a := strings.LastIndexByte(s, '&'); a >= 0 && i-a <= maxEntityBytes {
			p := &oracle{in: s}
			if c, n := p.decode(a); a+n == i && n > 1 && c != 0 {
				return c
			}
		}
		return ';'
	}
	if m := regexp.MustCompile(`%([0-9a-fA-F]{2})$`).FindStringSubmatch(s); m != nil {
		v, _ := strconv.ParseInt(m[1], 16, 64)
		return byte(v)
	}
	if m := regexp.MustCompile(`\\u([0-9a-fA-F]{4})$`).FindStringSubmatch(s); m != nil {
		v, _ := strconv.ParseInt(m[1], 16, 64)
		if v > 0xff {
			return 0xff
		}
		return byte(v)
	}
	if regexp.MustCompile(`\\[nrt]$`).MatchString(s) {
		return ' '
	}
	return s[i-1]
}

func oracleHostChar(c byte) bool {
	return regexp.MustCompile(`^[A-Za-z0-9_-]$`).MatchString(string([]byte{c}))
}

func (o *oracle) host(i int) (text string, end int, ok bool) {
	m := oracleForm.FindStringSubmatch(o.in[i:])
	if m == nil || !strings.EqualFold(m[3], m[4]) {
		return "", 0, false
	}
	scheme, sep := m[1], m[4]
	h := i + len(m[0])
	b := o.before(i)
	alnum := oracleHostChar(b) && b != '_' && b != '-'
	if scheme != "" && (alnum || b == '/' && !strings.HasSuffix(o.in[:i], "//")) {
		return "", 0, false
	}
	if scheme == "" && (oracleHostChar(b) || strings.IndexByte(".:/\\", b) >= 0) {
		return "", 0, false
	}
	if scheme == "" && regexp.MustCompile(`(?:`+reColon+`)$`).MatchString(o.in[:i]) {
		return "", 0, false // a scheme that is not ours
	}
	toName, toPort := splitPort(o.to.Scheme, o.to.Host)
	for _, f := range o.from {
		name, port := splitPort(f.Scheme, f.Host)
		for _, spelled := range hostSpellings(name) {
			if h+len(spelled) > len(o.in) || !strings.EqualFold(o.in[h:h+len(spelled)], spelled) {
				continue
			}
			if o.in[h:h+len(spelled)] != spelled && !strings.HasSuffix(sep, "/") {
				continue
			}
			if scheme == "" && !strings.ContainsAny(spelled, ".:") && strings.IndexByte("\"'(=,", b) < 0 {
				continue
			}
			end, ok := o.port(h+len(spelled), scheme, port, name != toName)
			if ok {
				end, ok = o.base(end, f.Path)
			}
			if !ok || o.serialized(i) {
				continue
			}
			level := 0
			slash := sep[max(0, strings.LastIndexByte(sep, '%')):]
			if sep[0] == '%' {
				level = strings.Count(slash[:len(slash)-2], "25") + 1
			}
			target := toName
			if toPort != "" {
				colon := m[2]
				if colon == "" && level > 0 {
					colon = slash[:len(slash)-2] + map[byte]string{'F': "3A", 'f': "3a"}[slash[len(slash)-1]]
				} else if colon == "" {
					colon = ":"
				}
				target += colon + toPort
			}
			if scheme != "" {
				scheme = o.to.Scheme
			}
			path := strings.ReplaceAll(o.to.Path, "/", sep)
			if c, _ := o.decode(end); scheme != "" && level == 0 && c != '/' && !strings.Contains(o.in[h:end], "/") && o.sources(i) {
				path = ""
				if end < len(o.in) && o.in[end] == ':' {
					target = toName
				}
			}
			return scheme + o.in[i+len(m[1]):h] + target + path, end, true
		}
	}
	return "", 0, false
}

// sources reports whether a directive of a policy goes on at i.
func (o *oracle) sources(i int) bool {
	if i == 0 || !strings.ContainsAny(o.in[i-1:i], " \n\t\r\f") {
		return false
	}
	list := o.in[strings.LastIndexAny(o.in[:i], ";,\"<>")+1 : i]
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(" \n\t\r\f", r) }) {
		if oracleSource.MatchString(strings.TrimPrefix(word, "'")) {
			return true
		}
	}
	return false
}

func (o *oracle) port(i int, scheme, port string, mayMiss bool) (end int, ok bool) {
	c, n := o.decode(i)
	switch {
	case oracleHostChar(c), c == '@':
		return 0, false
	case c == '.':
		d, dn := o.decode(i + n)
		longer := dn > 0 && (oracleHostChar(d) || d == '/' || d == ':')
		return i, !longer && (port == "" || mayMiss)
	}
	digits := ""
	if c == ':' {
		digits = regexp.MustCompile(`^[0-9]{0,6}`).FindString(o.in[i+n:])
	}
	if digits == "" {
		switch d, _ := o.decode(i + n); {
		case c == ':' && d == '@':
			return 0, false
		case c == ':' && d == '/':
			i += n
		}
		return i, port == "" || mayMiss
	}
	end = i + n + len(digits)
	d, _ := o.decode(end)
	if oracleHostChar(d) || d == '@' {
		return 0, false
	}
	if port != "" {
		return end, digits == port
	}
	scheme = strings.ToLower(scheme)
	return end, digits == "80" && scheme != "https" || digits == "443" && scheme != "http"
}

func (o *oracle) base(i int, path string) (end int, ok bool) {
	for _, c := range []byte(path) {
		d, n := o.decode(i)
		if n == 0 || c != d {
			return 0, false
		}
		i += n
	}
	c, n := o.decode(i)
	if path == "" || n == 0 || c <= ' ' || strings.IndexByte("/?#\"',;<>()[]{}|\\^`&", c) >= 0 {
		return i, true
	}
	if c >= 0x80 {
		r, _ := utf8.DecodeRuneInString(o.in[i:])
		if m := regexp.MustCompile(`^\\+u([0-9a-fA-F]{4})|^&#([0-9]+);|^&#[xX]([0-9a-fA-F]+);`).FindStringSubmatch(o.in[i:]); m != nil {
			v, _ := strconv.ParseInt(m[1]+m[3], 16, 64)
			if m[2] != "" {
				v, _ = strconv.ParseInt(m[2], 10, 64)
			}
			r = rune(v)
		}
		return i, o.in[i] != '%' && (unicode.IsPunct(r) || unicode.IsSpace(r))
	}
	if strings.IndexByte(".:!*", c) < 0 {
		return 0, false
	}
	d, n := o.decode(i + n)
	return i, n == 0 || strings.IndexByte(" \n\t\r\f\"'<", d) >= 0
}

func (o *oracle) serialized(i int) bool {
	for _, m := range oracleSerial.FindAllStringSubmatchIndex(o.in[:i], -1) {
		digits := o.in[m[2]:m[3]]
		n, err := strconv.Atoi(digits)
		before, _ := strconv.Atoi("0" + digits[:len(digits)-1])
		if m[0]+1 >= i-serialReach && err == nil && before < 1<<20 {
			q := m[1] - 1
			if o.in[q] == ';' {
				q = m[1] - len("&quot;")
			}
			o.serialTo = max(o.serialTo, q+1+n)
		}
	}
	return i < o.serialTo
}

// path maps the root-relative URL at in[i:]: text replaces in[i:end], and
// in[end:next] is done with too.
func (o *oracle) path(i int) (text string, end, next int, ok bool) {
	from, to := o.from[0].Path, o.to.Path
	sep := regexp.MustCompile(`^\\{0,16}/`).FindString(o.in[i:])
	if o.opts.KeepRootRelative || from == to || sep == "" || i == 0 || o.in[i-1] == '\\' {
		return "", 0, 0, false
	}
	form, ok := o.form(i)
	if !ok {
		return "", 0, 0, false
	}
	next = i + len(sep)
	c, _ := o.decode(next)
	quoted := oracleQuoted.MatchString(o.in[next:])
	if c == '/' || c == '\\' && !quoted {
		return "", 0, 0, false
	}
	if end, ok = i, true; from != "" {
		end, ok = o.base(i, from)
	}
	if !ok {
		return "", 0, 0, false
	}
	if to == "" {
		if c, n := o.decode(end); n > 0 && (c == '/' || c == '\\' && !oracleQuoted.MatchString(o.in[end:])) {
			d, dn := o.decode(end + n)
			if dn > 0 && (d == '/' || d == '\\' && !oracleQuoted.MatchString(o.in[end+n:])) {
				return "", 0, 0, false
			}
		}
	}
	if form == ruleWordPressPath && !o.wordPress(end) {
		return "", 0, 0, false
	}
	if o.kind == kindHTML && !oracleHolds(form, o.place(i), o.in[:i]) {
		return "", 0, 0, false
	}
	if o.serialized(i) {
		return "", 0, 0, false
	}
	text = strings.ReplaceAll(to, "/", sep)
	if c, _ := o.decode(end); to == "" && c != '/' {
		text = sep
	}
	return text, end, max(next, end), true
}

// wordPress reports whether a path of WordPress begins at i, or behind one folder
// that is not that of the public base.
func (o *oracle) wordPress(i int) bool {
	word, end := o.segment(i)
	if oracleWP.MatchString(word) || o.query(i) {
		return true
	}
	if word == "" || "/"+word == o.to.Path {
		return false
	}
	next, _ := o.segment(end)
	return oracleWP.MatchString(next) || o.query(end)
}

// query reports whether the slash at i ends a path before a query of WordPress.
func (o *oracle) query(i int) bool {
	c, n := o.decode(i)
	return c == '/' && oracleQuery.MatchString(o.in[i+n:])
}

// segment returns the path segment at i, and where it ends. Long ones are none.
func (o *oracle) segment(i int) (word string, end int) {
	c, n := o.decode(i)
	if c != '/' {
		return "", i
	}
	word = regexp.MustCompile(`^[A-Za-z0-9._-]*`).FindString(o.in[i+n:])
	if len(word) > maxNameByte {
		return "", i
	}
	return word, i + n + len(word)
}

// oracleInTagText reports whether a tag began last, shortly before the end of left.
func oracleInTagText(left string) bool {
	m := oracleInTag.FindStringSubmatch(left[max(0, len(left)-256):] + "/")
	return m != nil && m[2] == "" && isAlpha(m[3][0])
}

// oracleCompares reports whether that beginning of a tag is "<" behind an operand.
func oracleCompares(left string) bool {
	from := max(0, len(left)-256)
	m := oracleInTag.FindStringSubmatchIndex(left[from:] + "/")
	if m == nil || left[from+m[2]] != '<' || from+m[2] == 0 {
		return false
	}
	c := left[from+m[2]-1]
	return oracleHostChar(c) && c != '-' || strings.IndexByte("$)]", c) >= 0
}

func oracleHolds(form rule, p place, left string) bool {
	in := func(list ...place) bool {
		for _, q := range list {
			if p == q {
				return true
			}
		}
		return false
	}
	if strings.HasSuffix(left, "`") {
		return in(placeScript)
	}
	switch form {
	case ruleUnquoted:
		return in(placeTag) || in(placeScript) && oracleSets.MatchString(left) && oracleInTagText(left) && !oracleCompares(left)
	case ruleCSSURL:
		return in(placeTag, placeValue, placeStyle, placeScript)
	case ruleCSSImport:
		return in(placeStyle)
	case ruleSelector:
		return !in(placeText, placeRaw, placeComment)
	case ruleRefresh:
		return in(placeTag, placeValue)
	case ruleUserSettings, ruleModule:
		return in(placeScript)
	case ruleScriptRules:
		return in(placeRules)
	}
	return in(placeTag, placeValue, placeScript, placeRules)
}

// form names the root-relative form that may begin at in[i:].
func (o *oracle) form(i int) (rule, bool) {
	left, on := o.in[:i], kindRules[o.kind]
	pick := func(r rule) (rule, bool) { return r, on.has(r) }
	if strings.HasSuffix(left, "`") {
		p := *o
		p.in = left[:i-1] + `"` + o.in[i:]
		form, ok := p.form(i)
		return form, ok && on.has(ruleTemplate) && !strings.HasSuffix(left, "\\`") && (form == ruleAttribute || form == ruleWordPressPath)
	}
	if oracleCSS.MatchString(left) && (left[i-1] != '(' || oracleCSS2.MatchString(left)) && on.has(ruleCSSURL) {
		return ruleCSSURL, true
	}
	if m := oraclePlain.FindStringSubmatch(left); m != nil && !strings.HasPrefix(o.in[i-1:], " />") {
		if on.has(ruleRefresh) && oracleRefr.MatchString(left) {
			return ruleRefresh, true
		}
		at := i - len(m[0])
		if len(m[1]) <= maxNameByte && oracleURL.MatchString(m[1]) && at > 0 && regexp.MustCompile(`[ \n\t\r\f"']$`).MatchString(left[:at]) {
			return ruleUnquoted, on.has(ruleUnquoted) && (o.kind == kindHTML || oracleInTagText(left[:at]))
		}
		return 0, false
	}
	if m := oracleComma.FindStringSubmatchIndex(left); m != nil {
		comma := m[4] - 1
		if m[4] == m[5] && m[2] < 0 {
			return 0, false
		}
		if !o.srcset(comma) {
			return 0, false
		}
		return pick(ruleSrcset)
	}
	opened := left
	if m := oracleLead.FindString(left); m != "" && on.has(ruleSrcset) && !strings.HasPrefix(o.in[i-1:], " />") {
		opened = strings.TrimSuffix(left, m)
	}
	if m := oracleSelect.FindStringSubmatch(opened); m != nil && oracleURL.MatchString(m[1]) {
		return ruleSelector, on.has(ruleSelector) && opened == left
	}
	if m := oracleAssign.FindStringSubmatch(opened); m != nil {
		name := m[1]
		if len(name) > maxNameByte {
			name = ""
		}
		encoded := strings.HasSuffix(m[2], ";")
		switch {
		case oracleURL.MatchString(name) && encoded:
			return pick(ruleEntityAttribute)
		case oracleURL.MatchString(name):
			at := len(opened) - len(m[0])
			return ruleAttribute, on.has(ruleAttribute) && (o.kind != kindScript || oracleInTagText(left[:at]))
		case opened != left:
			return 0, false
		case strings.EqualFold(name, "value"):
			return 0, false
		case on.has(ruleRefresh) && oracleRefr.MatchString(left):
			return ruleRefresh, true
		}
		return pick(ruleWordPressPath)
	}
	if opened != left {
		return 0, false
	}
	if oracleImport.MatchString(left) {
		return pick(ruleCSSImport)
	}
	if oracleModule.MatchString(left) && on.has(ruleModule) {
		return ruleModule, true
	}
	m := oracleOpen.FindStringSubmatch(left)
	if m == nil || oracleConcat.MatchString(left) {
		return 0, false
	}
	if loc := oracleUser.FindStringIndex(left); loc != nil && on.has(ruleUserSettings) {
		colon := loc[0] + strings.IndexByte(left[loc[0]:], ':')
		from := max(0, colon-48)
		if j := strings.LastIndex(left[from:colon], "userSettings"); j >= 0 {
			rest := left[from+j+len("userSettings") : colon]
			if strings.Contains(rest, "{") && !strings.ContainsAny(rest, ",;") {
				return ruleUserSettings, true
			}
		}
	}
	if colon := strings.LastIndexByte(left, ':'); m[1] == ":" && on.has(ruleUserSettings) && strings.HasSuffix(left[:colon], `"url":{"self"`) {
		return ruleUserSettings, true
	}
	if oracleKey.MatchString(left) {
		return 0, false
	}
	if m[1] == "," && on.has(ruleCSSURL) && oracleImages.MatchString(oracleNoReferences(left)) {
		return ruleCSSURL, true
	}
	if on.has(ruleSrcset) && oracleSetKey.MatchString(left) {
		return ruleSrcset, true
	}
	if on.has(ruleManifest) && m[1] != "(" {
		return ruleManifest, true
	}
	if on.has(ruleScriptRules) && m[1] != "(" && o.place(i) == placeRules {
		return ruleScriptRules, true
	}
	return pick(ruleWordPressPath)
}

// oracleNoReferences writes a quotation mark for each character reference but the
// last: the semicolons that are left end declarations.
func oracleNoReferences(left string) string {
	p := &oracle{in: left}
	var b strings.Builder
	for i := 0; i < len(left); i++ {
		if c, n := p.decode(i); left[i] == '&' && n > 1 && c != 0 && n <= maxEntityBytes && i+n < len(left) {
			i += n - 1
			b.WriteByte('"')
			continue
		}
		b.WriteByte(left[i])
	}
	return b.String()
}

func (o *oracle) srcset(comma int) bool {
	for j := comma; j > 0; j-- {
		if c := o.in[j-1]; c == '<' || c == '>' {
			return false
		}
		if loc := oracleEnds.FindStringIndex(o.in[:j]); loc != nil {
			return oracleSrcset.MatchString(o.in[:loc[0]])
		}
	}
	return false
}

// place reads the markup up to in[i:].
func (o *oracle) place(i int) place {
	s := o.in[:i]
	open := regexp.MustCompile(`<(?:(!--)|[A-Za-z!?])`)
	for pos := 0; ; {
		m := open.FindStringSubmatchIndex(s[pos:])
		if m == nil {
			return placeText
		}
		at := pos + m[0]
		if m[2] >= 0 {
			end := strings.Index(s[at+4:], "-->")
			if end < 0 {
				return placeComment
			}
			pos = at + 4 + end + 3
			continue
		}
		j := at + 1
		for j < len(s) && s[j] != '>' {
			if c := s[j]; (c == '"' || c == '\'') && regexp.MustCompile(`=`+reSpace+`{0,15}$`).MatchString(s[:j]) {
				end := strings.IndexByte(s[j+1:], c)
				if end < 0 {
					return placeValue
				}
				j += end + 1
			}
			j++
		}
		if j >= len(s) {
			return placeTag
		}
		pos = j + 1
		name := strings.ToLower(regexp.MustCompile(`^` + reName + `*`).FindString(s[at+1:]))
		content, raw := map[string]place{"script": placeScript, "style": placeStyle, "textarea": placeRaw, "title": placeRaw, "xmp": placeRaw}[name]
		if !raw {
			continue
		}
		if tag := s[at:j]; content == placeScript && len(tag) <= maxScriptTag && (strings.Contains(tag, "speculationrules") || strings.Contains(tag, "importmap")) {
			content = placeRules
		}
		end := regexp.MustCompile(`(?i)</` + name).FindStringIndex(s[pos:])
		if end == nil {
			return content
		}
		pos += end[0]
	}
}
