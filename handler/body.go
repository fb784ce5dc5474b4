package handler

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// defaultRequestBody is the longest request body that is mapped, unless
// Transform.MaxRequestBody says otherwise.
const defaultRequestBody = 1 << 20

// requestPolicy says which requests are mapped. It is immutable and safe for
// concurrent use.
type requestPolicy struct {
	off      bool
	offPaths pathPatterns // off below these only; empty: everywhere
	skip     pathPatterns
	maxBody  int64
}

func newRequestPolicy(t Transform) *requestPolicy {
	p := &requestPolicy{off: t.RequestsOff, offPaths: newPathPatterns(t.RequestsOffPaths), skip: newPathPatterns(t.Skip), maxBody: t.MaxRequestBody}
	if p.maxBody <= 0 {
		p.maxBody = defaultRequestBody
	}
	return p
}

func (p *requestPolicy) maps(rest string) bool {
	off := p.off && (len(p.offPaths) == 0 || p.offPaths.match(rest))
	return !off && !p.skip.match(rest)
}

// MayRange reports whether a request for a range of rest, as Locate gives it,
// reaches the site as one. Offsets in mapped text mean nothing to the site.
func (m *Mount) MayRange(rest string) bool { return m.eligible.mayRange(rest) }

// Content maps what a request says besides its path and its fields, in place:
// validators, ranges, parameters that hold a path, and the body. It is called
// after Outbound, with the same rest. The tags are for ResponseWriter.Tags.
//
// Of the body only forms, JSON and XML are read, up to a bound; a file upload,
// a longer body, one that is cut, a part, malformed, coded, signed or in another
// charset passes byte for byte, and an error in reading it reaches whoever reads r.Body.
// What is stored at the site is thus in the site's own form, and its look-ups,
// redirects and checks see the addresses that they know.
func (v *View) Content(r *http.Request, rest string) (tags []string) {
	if v.m.MayRange(rest) {
		tags = UnmapValidators(r.Header, v.m.fingerprint, time.Time{})
	} else {
		r.Header.Del("Range")
		r.Header.Del("If-Range")
		tags = UnmapValidators(r.Header, v.m.fingerprint, v.m.loaded)
	}
	if v.sent == nil || !v.m.requests.maps(rest) {
		return tags
	}
	if q := v.sent.mapPathParameters(r.URL.RawQuery); q != r.URL.RawQuery {
		r.URL.RawQuery = q
		r.RequestURI = r.URL.RequestURI()
	}
	v.mapBody(r)
	return tags
}

// mapBody replaces the body by its mapped form, if it is one that is mapped.
func (v *View) mapBody(r *http.Request) {
	limit := v.m.requests.maxBody
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength > limit {
		return
	}
	read := bodyMapper(r.Header)
	if read == nil || isSigned(r) {
		return
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil || int64(len(raw)) > limit {
		r.Body = &rejoinedBody{Reader: io.MultiReader(bytes.NewReader(raw), failedReader{err}, r.Body), Closer: r.Body}
		return
	}
	out := raw
	if b, ok := read(v.sent, raw); ok {
		out = b
	}
	r.Body = &rejoinedBody{Reader: bytes.NewReader(out), Closer: r.Body}
	r.GetBody = nil
	// Programs behind FastCGI need a length even if the visitor sent none.
	r.ContentLength = int64(len(out))
	r.TransferEncoding = nil
	if r.Header.Get("Content-Length") != "" {
		r.Header.Set("Content-Length", strconv.Itoa(len(out)))
	}
}

// rejoinedBody reads what was buffered and closes what it was read from.
type rejoinedBody struct {
	io.Reader
	io.Closer
}

// failedReader repeats an error of the body to its next reader; without one it is empty.
type failedReader struct{ err error }

func (f failedReader) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// bodyMapper returns the function that maps a body with these fields, or nil. A part
// of a content (RFC 9110 section 14.5) is as long as its Content-Range says.
func bodyMapper(h http.Header) func(*forms, []byte) ([]byte, bool) {
	if len(h["Content-Range"]) > 0 {
		return nil
	}
	mt, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !asciiSuperset(params["charset"]) || codingOf(h) != codingIdentity {
		return nil
	}
	switch {
	case mt == "application/x-www-form-urlencoded":
		return (*forms).mapForm
	case mt == "application/json" || mt == "text/json" || strings.HasSuffix(mt, "+json"):
		return (*forms).mapJSON
	case mt == "text/xml" || mt == "application/xml" || strings.HasSuffix(mt, "+xml"):
		return (*forms).mapXML
	}
	return nil
}

// isSigned reports whether a field vouches for the bytes of the body, so that a
// changed one would be refused: Signature and Content-Digest (RFC 9421, RFC 9530),
// and the fields of their own that senders of webhooks use.
func isSigned(r *http.Request) bool {
	for _, h := range [...]http.Header{r.Header, r.Trailer} {
		for name := range h {
			name = strings.ToLower(name)
			if strings.Contains(name, "signature") || strings.Contains(name, "hmac") || strings.HasSuffix(name, "-sig") || strings.HasSuffix(name, "digest") || name == "content-md5" {
				return true
			}
		}
	}
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	scheme = strings.ToUpper(scheme)
	return strings.HasPrefix(scheme, "AWS4-") || strings.HasPrefix(scheme, "HMAC") || scheme == "SIGNATURE"
}

// mapJSON maps a JSON text. Of one that is not whole nothing is mapped.
func (t *forms) mapJSON(b []byte) ([]byte, bool) {
	if !json.Valid(b) {
		return nil, false
	}
	return t.mapText(b, kindJSON), true
}

// mapXML maps an XML document. Of one that is not well-formed nothing is mapped.
func (t *forms) mapXML(b []byte) ([]byte, bool) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if !asciiSuperset(charset) {
			return nil, io.ErrUnexpectedEOF
		}
		return in, nil
	}
	for {
		if _, err := d.RawToken(); errors.Is(err, io.EOF) {
			return t.mapText(b, kindXML), true
		} else if err != nil {
			return nil, false
		}
	}
}

// mapText maps a text that is whole.
func (t *forms) mapText(b []byte, kind mediaKind) []byte {
	var out bytes.Buffer
	out.Grow(len(b))
	s := newScanner(&out, t, kind)
	s.Write(b)
	s.Close()
	return out.Bytes()
}
