package handler

import (
	"net/http"
	"strconv"
	"strings"
)

// addVary adds a field name to Vary, unless it is there.
func addVary(h http.Header, name string) {
	if !hasToken(h["Vary"], name) && !hasToken(h["Vary"], "*") {
		h["Vary"] = append(h["Vary"][:len(h["Vary"]):len(h["Vary"])], name)
	}
}

// integrityFields speak of bytes that a mapped body no longer has (RFC 9530,
// RFC 9421).
var integrityFields = []string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Signature", "Signature-Input"}

// transformFields makes the fields true of a mapped body.
func (a *ResponseWriter) transformFields(h http.Header, length int) {
	h.Del("Content-Length")
	if length != unknownLength {
		h.Set("Content-Length", strconv.Itoa(length))
	}
	h.Del("Content-Encoding")
	// RFC 9110 section 14.3: offsets in the mapped text are not known.
	h.Set("Accept-Ranges", "none")
	if tag := mapETag(h.Get("Etag"), a.v.m.fingerprint); tag != "" {
		h.Set("Etag", tag)
	} else {
		h.Del("Etag")
	}
	for _, f := range integrityFields {
		h.Del(f)
	}
}

// tagNotModified gives a 304 the tag that the client knows the mapped body by.
func (a *ResponseWriter) tagNotModified(h http.Header) {
	tag := h.Get("Etag")
	for _, t := range a.Tags {
		if tag == t || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(t, "W/") {
			h.Set("Etag", mapETag(t, a.v.m.fingerprint))
			return
		}
	}
}

// trails reports whether a field may follow the body: not one that sets a cookie,
// speaks for the host or to a proxy, nor one of bytes that the body no longer has.
func (a *ResponseWriter) trails(name string) bool {
	switch responseClass(name) {
	case setCookieField, internalField:
		return false
	case hostWideField:
		return a.v.m.prefix == ""
	}
	return a.reason != BodyMapped && !a.decodes || !isIntegrity(name)
}

// dropTrailers takes the fields that may not follow the body out of the announced
// trailers.
func (a *ResponseWriter) dropTrailers(h http.Header) {
	var keep []string
	for _, line := range h.Values("Trailer") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" && a.trails(name) {
				keep = append(keep, name)
			}
		}
	}
	h.Del("Trailer")
	if len(keep) > 0 {
		h.Set("Trailer", strings.Join(keep, ", "))
	}
}

func isIntegrity(name string) bool {
	for _, f := range integrityFields {
		if strings.EqualFold(name, f) {
			return true
		}
	}
	return false
}

// keepTold keeps a header that waits apart from the trailers that it announces: they
// are set in the same map, and are no part of it (RFC 9110 section 6.5.1).
func (a *ResponseWriter) keepTold() {
	if a.told == nil && len(a.header["Trailer"]) > 0 {
		a.told = a.header.Clone()
	}
}

// trailing reports whether the inner chain has set trailers, once it is done.
func (a *ResponseWriter) trailing() bool {
	for key := range a.header {
		if key == "Trailer" || strings.HasPrefix(key, http.TrailerPrefix) {
			return true
		}
	}
	return false
}

// copyTrailers passes on the trailers that the inner chain set behind the body.
func (a *ResponseWriter) copyTrailers() {
	outer := a.w.Header()
	pass := func(key, name string) {
		if v, ok := a.header[key]; ok && a.trails(name) {
			outer[key] = v
		}
	}
	for _, line := range a.header.Values("Trailer") {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			pass(name, name)
		}
	}
	for key := range a.header {
		if name, ok := strings.CutPrefix(key, http.TrailerPrefix); ok {
			pass(key, name)
		}
	}
}

// copyFields adds the site's fields to those that the main site has set. Lists
// are joined, any other field is the site's.
func copyFields(outer, h http.Header) {
	for k, v := range h {
		if strings.HasPrefix(k, http.TrailerPrefix) {
			continue
		}
		switch k {
		case "Set-Cookie", "Link", "Vary":
			outer[k] = append(outer[k][:len(outer[k]):len(outer[k])], v...)
		default:
			outer[k] = v
		}
	}
}

// contentLength is the declared length, or -1.
func contentLength(h http.Header) int64 {
	s := h.Get("Content-Length")
	if s == "" || len(s) > 18 {
		return -1
	}
	var n int64
	for _, c := range []byte(s) {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
