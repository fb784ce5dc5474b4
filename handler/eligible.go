package handler

import (
	"mime"
	"net/http"
	"path"
	"strings"
)

// BodyReason says whether a body is mapped, and if not, why.
type BodyReason uint8

const (
	// BodyUndecided: the answer has not begun.
	BodyUndecided BodyReason = iota
	// BodyMapped: the body is read and its URLs are mapped.
	BodyMapped
	// BodyOff: transform is off.
	BodyOff
	// BodySkipped: the path is one that transform skips.
	BodySkipped
	// BodyStatus: the status has no body of its own (1xx, 204, 205, 304).
	BodyStatus
	// BodyPartial: offsets in the mapped text are unknown (206).
	BodyPartial
	// BodyUntyped: there is no usable Content-Type.
	BodyUntyped
	// BodyType: the media type holds no URLs that a mount maps.
	BodyType
	// BodyPlainText: text/plain is mapped at robots.txt, llms.txt and ads.txt, in
	// manifests, and where WordPress's uploader gets its answers.
	BodyPlainText
	// BodyStream: an event stream is passed as it comes.
	BodyStream
	// BodyCharset: the text is in no superset of ASCII.
	BodyCharset
	// BodyCoding: the content coding cannot be decoded, or the body is not in it.
	BodyCoding
	// BodyHijacked: the handler took over the connection.
	BodyHijacked
)

var bodyReasons = [...]string{
	BodyUndecided: "undecided", BodyMapped: "mapped", BodyOff: "off", BodySkipped: "skipped", BodyStatus: "status",
	BodyPartial: "partial", BodyUntyped: "untyped", BodyType: "type", BodyPlainText: "plain_text",
	BodyStream: "stream", BodyCharset: "charset", BodyCoding: "coding", BodyHijacked: "hijacked",
}

// String is the word for r in logs and in `explain`.
func (r BodyReason) String() string {
	if int(r) < len(bodyReasons) {
		return bodyReasons[r]
	}
	return "unknown"
}

// mediaKinds are the types that are mapped, by how they are read. What ends in
// +json or +xml is mapped as well.
var mediaKinds = map[string]mediaKind{
	"text/html":                 kindHTML,
	"application/xhtml+xml":     kindHTML,
	"text/css":                  kindCSS,
	"text/javascript":           kindScript,
	"application/javascript":    kindScript,
	"application/x-javascript":  kindScript,
	"text/ecmascript":           kindScript,
	"application/ecmascript":    kindScript,
	"application/json":          kindJSON,
	"text/json":                 kindJSON,
	"application/manifest+json": kindManifest,
	"text/xml":                  kindXML,
	"application/xml":           kindXML,
	"text/xsl":                  kindXML,
	"text/x-opml":               kindXML,
	"text/xml+oembed":           kindXML,
	"application/json+oembed":   kindJSON,

	"application/importmap+json":        kindManifest,
	"application/speculationrules+json": kindManifest,
}

// eligibility decides which bodies are mapped. It is immutable and safe for
// concurrent use.
type eligibility struct {
	off   bool
	types []string // further media types; "application/*" is a range
	skip  pathPatterns
}

func newEligibility(t Transform) *eligibility {
	e := &eligibility{off: t.Off, skip: newPathPatterns(t.Skip)}
	for _, s := range t.Types {
		e.types = append(e.types, strings.ToLower(strings.TrimSpace(s)))
	}
	return e
}

// decide says whether the body of an answer is mapped, and as what. rest is the
// request's path below the mount. It does not look at Cache-Control:
// no-transform (RFC 9110 section 7.7), because a mount acts for the owner of
// the site, as a part of the origin server: the text would name an address that
// its readers must not see.
func (e *eligibility) decide(status int, h http.Header, rest string) (mediaKind, BodyReason) {
	switch {
	case e.off:
		return kindText, BodyOff
	case e.skip.match(rest):
		return kindText, BodySkipped
	case status < 200, status == http.StatusNoContent, status == http.StatusResetContent, status == http.StatusNotModified:
		return kindText, BodyStatus
	case status == http.StatusPartialContent:
		return kindText, BodyPartial
	}
	kind, reason := e.kindOf(h.Get("Content-Type"), rest)
	if reason == BodyMapped && codingOf(h) == codingUnknown {
		return kindText, BodyCoding
	}
	return kind, reason
}

// kindOf decides by the media type alone.
func (e *eligibility) kindOf(contentType, rest string) (mediaKind, BodyReason) {
	mt, charset := mediaType(contentType)
	if mt == "" {
		return kindText, BodyUntyped
	}
	if !asciiSuperset(charset) {
		return kindText, BodyCharset
	}
	if kind, ok := mediaKinds[mt]; ok {
		if kind == kindJSON && (path.Base(rest) == "manifest.json" || namesManifest(rest)) {
			kind = kindManifest
		}
		return kind, BodyMapped
	}
	switch {
	case mt == "text/event-stream":
		return kindText, BodyStream
	case strings.HasSuffix(mt, "+json"):
		return kindJSON, BodyMapped
	case strings.HasSuffix(mt, "+xml"):
		return kindXML, BodyMapped
	case mt == "text/plain" && namesManifest(rest):
		return kindManifest, BodyMapped
	case mt == "text/plain" && namesTextFile(rest):
		return kindText, BodyMapped
	case mt == "text/plain" && answersUpload(rest):
		return kindHTML, BodyMapped
	}
	for _, t := range e.types {
		if family, isRange := strings.CutSuffix(t, "/*"); t == mt || isRange && strings.HasPrefix(mt, family+"/") {
			return kindText, BodyMapped
		}
	}
	if mt == "text/plain" {
		return kindText, BodyPlainText
	}
	return kindText, BodyType
}

// mediaType reads a Content-Type. Where a parameter is there twice, with different
// values, it reads the first parameter only, and none that cannot be parsed. mt is
// empty if there is no type.
func mediaType(contentType string) (mt, charset string) {
	if mt, charset, ok := plainMediaType(contentType); ok {
		return mt, charset
	}
	mt, params, _ := mime.ParseMediaType(contentType)
	if mt == "" {
		essence, rest, _ := strings.Cut(contentType, ";")
		first, _, _ := strings.Cut(rest, ";")
		mt, params, _ = mime.ParseMediaType(essence + ";" + first)
	}
	return mt, params["charset"]
}

// plainMediaType reads a Content-Type that is written as nearly all are, "text/html" or
// "text/html; charset=UTF-8", without allocating.
func plainMediaType(contentType string) (mt, charset string, ok bool) {
	mt, rest, more := strings.Cut(contentType, ";")
	family, name, _ := strings.Cut(mt, "/")
	if !plainToken(family) || !plainToken(name) || strings.ToLower(mt) != mt {
		return "", "", false
	}
	if more {
		if charset, more = strings.CutPrefix(strings.TrimPrefix(rest, " "), "charset="); !more || !plainToken(charset) {
			return "", "", false
		}
	}
	return mt, charset, true
}

func plainToken(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte("-+._", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// namesManifest reports whether the path is that of an application's manifest, of
// which many servers do not know the type, and browsers do not ask for it.
func namesManifest(rest string) bool { return path.Ext(rest) == ".webmanifest" }

// namesTextFile reports whether the path is one of the plain text files that
// name URLs for machines.
func namesTextFile(rest string) bool {
	switch path.Base(rest) {
	case "robots.txt", "llms.txt", "llms-full.txt", "ads.txt":
		return true
	}
	return false
}

// answersUpload reports whether the path is one of the scripts by which
// WordPress's administration answers its own uploader and its plugins' calls:
// HTML or JSON, told as plain text for browsers of old.
func answersUpload(rest string) bool {
	switch rest {
	case "/wp-admin/async-upload.php", "/wp-admin/admin-ajax.php":
		return true
	}
	return false
}

// asciiSuperset reports whether ASCII text in the charset is that text in
// bytes. An unknown charset is taken to be.
func asciiSuperset(charset string) bool {
	charset = strings.ToLower(strings.TrimSpace(charset))
	for _, p := range [...]string{"utf-16", "utf16", "utf-32", "utf32", "utf-7", "ucs-2", "ucs-4", "iso-10646-ucs", "unicode", "csunicode", "hz-gb", "iso-2022", "ibm037", "cp037", "ebcdic"} {
		if strings.HasPrefix(charset, p) {
			return false
		}
	}
	return true
}

// mediaExtensions are the file names whose bodies are never mapped, so that
// ranges of them may be asked for.
var mediaExtensions = map[string]bool{}

func init() {
	for _, e := range strings.Fields(`.avif .gif .ico .jpeg .jpg .png .webp .bmp .heic .tif .tiff
		.mp3 .m4a .ogg .oga .opus .wav .flac .aac .mp4 .m4v .mov .webm .ogv .avi .mkv .ts .m4s
		.woff .woff2 .ttf .otf .eot .pdf .zip .gz .tgz .bz2 .xz .zst .7z .rar .tar .dmg .iso .exe .msi .deb .rpm .apk
		.doc .docx .xls .xlsx .ppt .pptx .odt .ods .odp .epub .bin .wasm .psd`) {
		mediaExtensions[e] = true
	}
}

// mayRange reports whether a request for a range of rest can be passed on: the
// body is surely not mapped. The type is known only with the answer, hence the
// test by name (RFC 9110 section 14.2 lets a server ignore Range).
func (e *eligibility) mayRange(rest string) bool {
	return e.off || e.skip.match(rest) || mediaExtensions[strings.ToLower(path.Ext(rest))]
}
