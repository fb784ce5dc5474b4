package handler

import (
	"net/http"
	"strconv"
	"strings"
)

// maxHints is how many 1xx answers of one request reach the visitor. A site may send
// any number, and each would look like progress.
const maxHints = 20

// inform sends a 1xx answer (RFC 9110 section 15.2). The fields of the final
// answer that are set already are not part of it.
func (a *ResponseWriter) inform(status int) {
	if a.hints++; a.hints > maxHints {
		return
	}
	h := a.header.Clone()
	a.v.MapHeader(h, status, a.r, nil)
	// A cookie is for the final answer to set, by which a cache knows whose it is.
	delete(h, "Set-Cookie")
	stripInternal(h, false)
	outer := a.w.Header()
	saved := outer.Clone()
	clear(outer)
	copyFields(outer, h)
	a.w.WriteHeader(status)
	clear(outer)
	for k, v := range saved {
		outer[k] = v
	}
}

const unknownLength = -1

// sendHeader maps the fields, copies them to the outer map and sends them. length is
// that of a mapped body.
func (a *ResponseWriter) sendHeader(length int) {
	a.sent = true
	h := a.header
	if a.told != nil {
		h = a.told
	}
	switch {
	case a.reason == BodyMapped || a.decodes:
		a.transformFields(h, length)
	case a.status == http.StatusNotModified:
		a.tagNotModified(h)
	}
	if a.coding != codingIdentity && a.reason != BodyStatus {
		// The mount chose what the site was asked for, and here what the visitor gets.
		addVary(h, "Accept-Encoding")
	}
	a.dropTrailers(h)
	a.v.MapHeader(h, a.status, a.r, a.Learn)
	stripInternal(h, a.KeepInternal)
	outer := a.w.Header()
	copyFields(outer, h)
	if len(outer["Content-Type"]) == 0 {
		// The server would guess a type by what the body begins with. What the site
		// sends without one was not mapped, and is not to be called a page.
		outer["Content-Type"] = nil
	}
	a.w.WriteHeader(a.status)
}

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
