package cache

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
)

// maxVaryFields bounds the selecting fields of one response. A response that
// names more is not stored.
const maxVaryFields = 16

// Vary is a parsed Vary field (RFC 9110 section 12.5.5). The zero value varies
// on nothing. It is immutable after ParseVary and safe for concurrent use.
type Vary struct {
	// Fields are the canonical names of the fields that select a variant, sorted,
	// each once. Fields that a storable fetch never sends or that come from
	// configuration and key cannot differ between two fetches of one key and are
	// left out; so is Accept-Encoding, because one configured coding is asked for.
	Fields []string
	// Star means that any member is "*".
	Star bool
	// Cookie means that Cookie is named. It selects nothing, since a storable
	// fetch carries none, but then the response is not for requests with one of
	// the site's cookies.
	Cookie bool
	// ClientAddress means that a field with the visitor's address is named.
	ClientAddress bool
	// Overflow means that there were more than maxVaryFields fields.
	Overflow bool
}

// ParseVary parses all lines of Vary as one list. A member that is no field
// name counts as "*": what it selects by is not known.
func ParseVary(lines []string) Vary {
	var v Vary
	for name := range listElements(lines) {
		if name == "*" || !isToken(name) {
			v.Star = true
			return v
		}
		switch name = http.CanonicalHeaderKey(name); fieldClass(name) {
		case classClientAddress:
			v.ClientAddress = true
		case classSelected:
			if slices.Contains(v.Fields, name) {
				continue
			}
			if len(v.Fields) == maxVaryFields {
				v.Overflow = true
				return v
			}
			v.Fields = append(v.Fields, name)
		default:
			v.Cookie = v.Cookie || name == "Cookie"
		}
	}
	slices.Sort(v.Fields)
	return v
}

// Reason returns ReasonStored if responses with this Vary may be stored, else why not.
func (v Vary) Reason() Reason {
	switch {
	case v.Star:
		return ReasonVaryStar
	case v.ClientAddress:
		return ReasonVaryClientAddress
	case v.Overflow:
		return ReasonVaryOverflow
	}
	return ReasonStored
}

// The first byte of each field in a variant.
const (
	variantAbsent   = '-' // the request has no such field
	variantValue    = '=' // its normalised value follows
	variantDigest   = '#' // the SHA-256 of the value follows
	variantLanguage = '~' // the language that the response is in follows
)

// AppendVariant appends the variant that the request header h selects: each
// selecting field with its normalised value, length-prefixed, so that two
// variants are equal only if every field is. It works on the client's header
// and on the header of the storable fetch alike.
func (v Vary) AppendVariant(dst []byte, h http.Header) []byte {
	return v.appendVariant(dst, h, "")
}

// AppendLanguageVariant is AppendVariant with a language in the place of
// Accept-Language: the name under which a response in that language can also be
// found by whoever prefers it (RFC 9111 section 4.1). It appends nothing and
// returns false if Accept-Language selects nothing here or language is empty.
func (v Vary) AppendLanguageVariant(dst []byte, h http.Header, language string) ([]byte, bool) {
	if language == "" || !slices.Contains(v.Fields, "Accept-Language") {
		return dst, false
	}
	return v.appendVariant(dst, h, strings.ToLower(language)), true
}

func (v Vary) appendVariant(dst []byte, h http.Header, language string) []byte {
	for _, name := range v.Fields {
		dst = appendLengthPrefixed(dst, name)
		lines, ok := h[name]
		switch {
		case language != "" && name == "Accept-Language":
			dst = append(dst, variantLanguage)
			dst = appendLengthPrefixed(dst, language)
		case !ok:
			dst = append(dst, variantAbsent)
		case name == "Authorization":
			// A variant may be written to disk or shown; credentials may not.
			sum := sha256.Sum256([]byte(normaliseList(lines)))
			dst = append(dst, variantDigest)
			dst = append(dst, sum[:]...)
		case name == "Accept-Language":
			dst = append(dst, variantValue)
			dst = appendLengthPrefixed(dst, normaliseLanguages(lines))
		default:
			dst = append(dst, variantValue)
			dst = appendLengthPrefixed(dst, normaliseList(lines))
		}
	}
	return dst
}

// ContentLanguage returns the one language of a response in lower case, or ""
// if it names none or several.
func ContentLanguage(h http.Header) string {
	lines := h["Content-Language"]
	if len(lines) != 1 {
		return ""
	}
	language := trimOWS(lines[0])
	if !isToken(language) || language == "*" {
		return ""
	}
	return strings.ToLower(language)
}

// PreferredLanguage returns the one language range that the client prefers to
// all others, in lower case, or "" if it has no single favourite. Only then does
// a stored response in just that language need no closer look at the rest.
func PreferredLanguage(h http.Header) string {
	ranges := parseLanguages(h["Accept-Language"])
	if len(ranges) == 0 || ranges[0].weight == 0 || ranges[0].tag == "*" ||
		len(ranges) > 1 && ranges[1].weight == ranges[0].weight {
		return ""
	}
	return ranges[0].tag
}

// normaliseList joins lines into one list and removes the white space around
// its commas, which no list-based field gives a meaning (RFC 9111 section 4.1).
// A single line without white space and comma is returned as it is.
func normaliseList(lines []string) string {
	if len(lines) == 1 && !strings.ContainsAny(lines[0], " \t,") {
		return lines[0]
	}
	var b strings.Builder
	for element := range listElements(lines) {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element)
	}
	return b.String()
}

// languageRange is one member of Accept-Language; weight is in thousandths.
type languageRange struct {
	tag    string
	weight int
}

// maxLanguages bounds how many members of Accept-Language are normalised; a
// longer list is compared as it was sent.
const maxLanguages = 64

// parseLanguages returns the ranges by falling weight, then by name; nil if
// Accept-Language is longer than maxLanguages or malformed.
func parseLanguages(lines []string) []languageRange {
	var ranges []languageRange
	for element := range listElements(lines) {
		tag, parameter, weighted := strings.Cut(element, ";")
		r := languageRange{tag: strings.ToLower(trimOWS(tag)), weight: 1000}
		if weighted {
			var ok bool
			if r.weight, ok = parseWeight(trimOWS(parameter)); !ok {
				return nil
			}
		}
		if !isToken(r.tag) || len(ranges) == maxLanguages {
			return nil
		}
		ranges = append(ranges, r)
	}
	slices.SortFunc(ranges, func(a, b languageRange) int {
		if a.weight != b.weight {
			return b.weight - a.weight
		}
		return strings.Compare(a.tag, b.tag)
	})
	return slices.Compact(ranges)
}

// normaliseLanguages writes what two equal wishes have in common: letter case,
// white space and the order of ranges of one weight mean nothing. What it writes
// is a valid field, so that no malformed one, compared as sent, can equal it.
func normaliseLanguages(lines []string) string {
	ranges := parseLanguages(lines)
	if ranges == nil {
		return normaliseList(lines)
	}
	b := make([]byte, 0, 64)
	for i, r := range ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.tag...)
		if r.weight != 1000 {
			b = append(b, ";q=0."...)
			b = append(b, byte('0'+r.weight/100), byte('0'+r.weight/10%10), byte('0'+r.weight%10))
		}
	}
	return string(b)
}

// parseWeight parses "q=" and a weight (RFC 9110 section 12.4.2) in thousandths.
func parseWeight(s string) (int, bool) {
	if len(s) < 3 || len(s) > 7 || s[0]|0x20 != 'q' || s[1] != '=' || s[2] != '0' && s[2] != '1' {
		return 0, false
	}
	weight := int(s[2]-'0') * 1000
	if len(s) > 3 {
		if s[3] != '.' {
			return 0, false
		}
		for i, unit := 4, 100; i < len(s); i, unit = i+1, unit/10 {
			if !isDigit(s[i]) {
				return 0, false
			}
			weight += int(s[i]-'0') * unit
		}
	}
	return weight, weight <= 1000
}
