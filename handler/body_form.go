package handler

import (
	"bytes"
	"net/url"
	"strings"
)

// pathParameters hold a URL that may be just a path. WordPress writes its own
// path into the first three and redirects to what comes back.
var pathParameters = map[string]bool{
	"_wp_http_referer": true, "wp_http_referer": true, "_wp_original_http_referer": true,
	"redirect_to": true, "redirect": true, "return": true, "return_to": true, "return_url": true,
	"success_url": true, "cancel_url": true, "referer": true,
}

// mapForm maps an urlencoded form. The values are decoded to be read, at any
// depth of escapes inside; a field that holds nothing of ours keeps its bytes. Of
// a form with an invalid escape nothing is mapped.
func (t *forms) mapForm(b []byte) ([]byte, bool) {
	var out bytes.Buffer
	out.Grow(len(b))
	for i := 0; len(b) > 0 || i == 0; i++ {
		field, rest, more := bytes.Cut(b, []byte("&"))
		if !t.mapField(&out, field) {
			return nil, false
		}
		if more {
			out.WriteByte('&')
		} else {
			break
		}
		b = rest
	}
	return out.Bytes(), true
}

// mapField writes one field of a form. It reports false for an invalid escape.
func (t *forms) mapField(out *bytes.Buffer, field []byte) bool {
	key, value, found := bytes.Cut(field, []byte("="))
	name, err := url.QueryUnescape(string(key))
	if err != nil {
		return false
	}
	out.Write(key)
	if !found {
		return true
	}
	out.WriteByte('=')
	text, err := url.QueryUnescape(string(value))
	if err != nil {
		return false
	}
	if pathParameters[name] {
		if s, ok := t.mapPath(text); ok {
			out.WriteString(url.QueryEscape(s))
			return true
		}
	}
	if strings.ContainsAny(text, "/%;F") {
		if s := string(t.mapText([]byte(text), kindJSON)); s != text {
			out.WriteString(url.QueryEscape(s))
			return true
		}
	}
	out.Write(value)
	return true
}

// mapPath maps a value that is a root-relative URL.
func (t *forms) mapPath(s string) (string, bool) {
	if !t.rootRelative || s == "" || s[0] != '/' {
		return s, false
	}
	w := window{[]byte(s), true}
	end, v := matchPath(w, 0, t.rootFrom, everyHost)
	if v != mapped || rootedAt(w, end) != mapped || t.rootFrom == "" && rootedAt(w, 0) != mapped {
		return s, false
	}
	var b strings.Builder
	for _, seg := range t.to.segs[0] {
		b.WriteByte('/')
		b.Write(seg)
	}
	if rest := s[end:]; b.Len() == 0 && !strings.HasPrefix(rest, "/") {
		b.WriteByte('/')
	}
	b.WriteString(s[end:])
	return b.String(), true
}

// mapPathParameters maps the parameters of a query that hold a path. All others
// keep their bytes, and so does one with an invalid escape.
func (t *forms) mapPathParameters(query string) string {
	if !strings.Contains(query, "re") { // as every name has it
		return query
	}
	var b strings.Builder
	changed := false
	for i, field := range strings.Split(query, "&") {
		if i > 0 {
			b.WriteByte('&')
		}
		key, value, found := strings.Cut(field, "=")
		if found && pathParameters[key] {
			if text, err := url.QueryUnescape(value); err == nil {
				if s, ok := t.mapPath(text); ok {
					field, changed = key+"="+url.QueryEscape(s), true
				}
			}
		}
		b.WriteString(field)
	}
	if !changed {
		return query
	}
	return b.String()
}
