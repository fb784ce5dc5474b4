package handler

import (
	"net/http"
	"strings"
)

// mapURL maps the value of a field that is one URL reference.
func (v *View) mapURL(s string) string {
	mapped, _ := v.publicURL(strings.Trim(s, " \t"), v.inbound)
	return mapped
}

// mapLocation is mapURL for redirects, which also follow the rules for servers
// that lost track of their public address.
func (v *View) mapLocation(s string) string {
	mapped, _ := v.publicURL(strings.Trim(s, " \t"), v.locations)
	return mapped
}

// mapReference maps a field that is one URL reference, which may be relative to what
// req asked for.
func (v *View) mapReference(s string, rules []urlRule, req *http.Request) string {
	mapped, _ := v.publicURL(v.settle(strings.Trim(s, " \t"), req), rules)
	return mapped
}

// mapRefresh maps the URL of a Refresh field: "5; url=/x". The words before it
// and its quotes stay (HTML section 4.2.5.3, shared declarative refresh steps).
func (v *View) mapRefresh(s string, req *http.Request) string {
	end := strings.IndexAny(s, ";,")
	if end < 0 {
		return s
	}
	at := end + 1
	skip := func(set string) {
		for at < len(s) && strings.IndexByte(set, s[at]) >= 0 {
			at++
		}
	}
	skip(" \t")
	if hasPrefixFold(s[at:], "url") {
		word := at
		at += len("url")
		skip(" \t")
		if at < len(s) && s[at] == '=' {
			at++
			skip(" \t")
		} else {
			at = word
		}
	}
	stop := len(s)
	if at < len(s) && (s[at] == '"' || s[at] == '\'') {
		quote := s[at]
		at++
		if i := strings.IndexByte(s[at:], quote); i >= 0 {
			stop = at + i
		}
	}
	mapped, _ := v.publicURL(v.settle(s[at:stop], req), v.locations)
	return s[:at] + mapped + s[stop:]
}

// mapLink maps the targets of a Link field, each "<...>", and the URLs in its
// parameters (RFC 8288 section 3). Parameters keep their bytes otherwise; a "<"
// inside a quoted string begins no target.
func (v *View) mapLink(s string, req *http.Request) string {
	out := edits{s: s}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '<':
			n := strings.IndexByte(s[i:], '>')
			if n < 0 {
				i = len(s)
				break
			}
			target := s[i+1 : i+n]
			if mapped, _ := v.publicURL(v.settle(target, req), v.inbound); mapped != target {
				out.replace(i+1, i+n, mapped)
			}
			i += n
		case '"':
			n := quotedLen(s[i:])
			value := s[i+1 : i+n]
			var mapped string
			switch parameter := s[:i]; {
			case hasSuffixFold(parameter, "imagesrcset="):
				mapped = v.mapSrcset(value)
			case hasSuffixFold(parameter, "anchor="):
				mapped, _ = v.publicURL(value, v.inbound)
			default:
				mapped = mapEmbedded(value, v.inbound)
			}
			if mapped != value {
				out.replace(i+1, i+n, mapped)
			}
			i += n
		}
	}
	return out.String()
}

// quotedLen returns the index of the quote that ends the quoted string that s
// begins with, or len(s) (RFC 9110 section 5.6.4).
func quotedLen(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(s)
}

// mapSrcset maps each candidate of a srcset: a URL up to white space, then what
// describes it up to a comma.
func (v *View) mapSrcset(s string) string {
	var out strings.Builder
	for s != "" {
		n := len(s) - len(strings.TrimLeft(s, " \t,"))
		out.WriteString(s[:n])
		s = s[n:]
		n = strings.IndexAny(s, " \t")
		if n < 0 {
			n = len(s)
		}
		mapped, _ := v.publicURL(s[:n], v.inbound)
		out.WriteString(mapped)
		described := n > 0 && s[n-1] != ','
		s = s[n:]
		if !described {
			continue
		}
		if n = strings.IndexByte(s, ','); n < 0 {
			n = len(s)
		}
		out.WriteString(s[:n])
		s = s[n:]
	}
	return out.String()
}

// mapQuoted maps every quoted URL of a structured list (Speculation-Rules).
func (v *View) mapQuoted(s string) string {
	out := edits{s: s}
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		n := quotedLen(s[i:])
		if mapped, ok := v.publicURL(s[i+1:i+n], v.inbound); ok {
			out.replace(i+1, i+n, mapped)
		}
		i += n
	}
	return out.String()
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
