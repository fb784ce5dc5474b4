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
	if pathParameters[name] {
		value = []byte(t.mapPath(string(value)))
	}
	text, err := url.QueryUnescape(string(value))
	if err != nil {
		return false
	}
	if strings.ContainsAny(text, "/%;\\") {
		if s := string(t.mapText([]byte(text), kindJSON)); s != text {
			out.WriteString(url.QueryEscape(s))
			return true
		}
	}
	out.Write(value)
	return true
}

// mapPath maps an urlencoded value that is a root-relative URL, and keeps the
// spelling of its slashes.
func (t *forms) mapPath(s string) string {
	level := 0
	switch {
	case !t.rootRelative:
		return s
	case hasPrefixFold(s, "%2F"):
		level = 1
	case !strings.HasPrefix(s, "/"):
		return s
	}
	w := window{[]byte(s), true}
	end, v := matchPath(w, 0, t.rootFrom, everyHost)
	if v != mapped || rootedAt(w, end) != mapped || t.rootFrom == "" && rootedAt(w, 0) != mapped {
		return s
	}
	slash := s[:1+2*level]
	var b strings.Builder
	for _, seg := range t.to.segs[level] {
		b.WriteString(slash)
		b.Write(seg)
	}
	if c, _, _ := w.unit(end); b.Len() == 0 && c != '/' {
		b.WriteString(slash)
	}
	b.WriteString(s[end:])
	return b.String()
}

// mapPathParameters maps the parameters of a query that hold a path. All others
// keep their bytes.
func (t *forms) mapPathParameters(query string) string {
	if !strings.Contains(query, "re") { // as every name has it
		return query
	}
	fields := strings.Split(query, "&")
	for i, field := range fields {
		key, value, found := strings.Cut(field, "=")
		if found && pathParameters[key] {
			fields[i] = key + "=" + t.mapPath(value)
		}
	}
	return strings.Join(fields, "&")
}
