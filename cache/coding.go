package cache

import (
	"net/http"
	"strings"
)

// Coding is a content coding (RFC 9110 section 8.4.1) in which a body is sent. The
// zero value is the body as it was fetched and mapped, from which the others are
// made.
type Coding uint8

const (
	Identity Coding = iota
	Gzip
	Zstd
	Brotli

	codingCount
)

// codingWords are the names in Accept-Encoding and Content-Encoding.
var codingWords = [codingCount]string{Identity: "identity", Gzip: "gzip", Zstd: "zstd", Brotli: "br"}

// codingFields are the values of Content-Encoding as they are sent; only read.
var codingFields = func() (fields [codingCount][]string) {
	for c, word := range codingWords {
		fields[c] = []string{word}
	}
	return fields
}()

// DefaultCodings are the codings that a mount offers unless it says otherwise, by
// preference: the one that makes a page shortest first.
func DefaultCodings() []Coding { return []Coding{Brotli, Zstd, Gzip} }

// ParseCoding returns the coding with this name. Identity is none that could be
// offered.
func ParseCoding(word string) (Coding, bool) {
	for c := Gzip; c < codingCount; c++ {
		if word == codingWords[c] {
			return c, true
		}
	}
	return Identity, false
}

// String returns the name of c.
func (c Coding) String() string { return codingWords[c] }

const (
	// minCodedBytes is from what length on a body is coded. Shorter ones travel
	// in one packet with their header anyway.
	minCodedBytes = 512
	// maxCodedBytes is the longest body that is coded for the store. One that is
	// known to be longer is sent as it is.
	maxCodedBytes = 16 << 20
)

// codable says whether a response is sent in a coding to who accepts one: then it
// also varies on Accept-Encoding. length is that of its body, or -1 if it is not
// known yet. What is coded already stays so; what forbids to be transformed is left
// as it is (RFC 9110 section 7.7); parts are parts of the identity form.
func codable(status int, h http.Header, noTransform bool, length int64) bool {
	switch {
	case status < 200, status == http.StatusNoContent, status == http.StatusResetContent,
		status == http.StatusPartialContent, status == http.StatusNotModified:
		return false
	case noTransform, len(h["Content-Encoding"]) > 0, len(h["Content-Range"]) > 0:
		return false
	case speaksOfBytes(h):
		return false
	case length >= 0 && (length < minCodedBytes || length > maxCodedBytes):
		return false
	}
	lines := h["Content-Type"]
	return len(lines) == 1 && compressible(lines[0])
}

// speaksOfBytes says whether fields of h, or trailers that it announces, are true of
// the body as it is only (RFC 9530, RFC 9421).
func speaksOfBytes(h http.Header) bool {
	for _, name := range [...]string{"Content-Digest", "Repr-Digest", "Digest", "Content-Md5", "Signature-Input", "Trailer"} {
		if len(h[name]) > 0 {
			return true
		}
	}
	return false
}

// compressible says whether bodies of a media type become shorter by coding. Media
// and archives are coded by themselves.
func compressible(contentType string) bool {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(trimOWS(mediaType))
	if strings.HasPrefix(mediaType, "text/") {
		// An event stream is a sequence of short messages that must not wait.
		return mediaType != "text/event-stream"
	}
	return strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml") || compressibleTypes[mediaType]
}

// compressibleTypes are those outside of text/ and without a telling suffix.
var compressibleTypes = map[string]bool{
	"application/json":              true,
	"application/javascript":        true,
	"application/x-javascript":      true,
	"application/ecmascript":        true,
	"application/xml":               true,
	"application/xml-dtd":           true,
	"application/wasm":              true,
	"application/rtf":               true,
	"application/x-ndjson":          true,
	"application/yaml":              true,
	"application/toml":              true,
	"application/sql":               true,
	"application/x-sh":              true,
	"application/postscript":        true,
	"application/vnd.ms-fontobject": true,
	"application/x-font-ttf":        true,
	"application/x-font-opentype":   true,
	"font/ttf":                      true,
	"font/otf":                      true,
	"font/sfnt":                     true,
	"font/collection":               true,
	"image/bmp":                     true,
	"image/x-icon":                  true,
	"image/vnd.microsoft.icon":      true,
}

// withVary returns the Vary lines of a response of this mount: with Accept-Encoding
// if it is coded for who accepts that, and without otherwise, since the origin is
// asked for one configured coding whatever the client accepts.
func withVary(lines []string, codable bool) []string {
	var kept []string
	found := false
	for name := range listElements(lines) {
		if strings.EqualFold(name, "Accept-Encoding") {
			found = true
			continue
		}
		kept = append(kept, name)
	}
	switch {
	case codable && found, !codable && !found:
		return lines
	case codable:
		return append(lines[:len(lines):len(lines)], "Accept-Encoding")
	case len(kept) == 0:
		return nil
	}
	return []string{strings.Join(kept, ", ")}
}

// setVary sets the Vary of h by withVary.
func setVary(h http.Header, codable bool) {
	lines := withVary(h["Vary"], codable)
	if len(lines) == 0 {
		delete(h, "Vary")
		return
	}
	h["Vary"] = lines[:len(lines):len(lines)]
}
