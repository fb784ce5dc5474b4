package handler

import (
	"fmt"
	"mime"
	"net/http"
	"testing"
)

func TestEligible(t *testing.T) {
	e := newEligibility(Transform{Types: []string{"text/x-component", "application/vnd.shop+*", "model/*"}, Skip: []string{"/raw/*", "*.min.css", "/one", "/a/*/b"}})
	for _, c := range []struct {
		contentType, rest string
		status            int
		kind              mediaKind
		reason            BodyReason
	}{
		{"text/html", "/", 200, kindHTML, BodyMapped},
		{"TEXT/HTML; Charset=UTF-8", "/", 404, kindHTML, BodyMapped},
		{"text/html; charset=iso-8859-1", "/", 403, kindHTML, BodyMapped},
		{"text/html; charset=Shift_JIS", "/", 500, kindHTML, BodyMapped},
		{"application/xhtml+xml", "/", 200, kindHTML, BodyMapped},
		{"text/css", "/a.css", 200, kindCSS, BodyMapped},
		{"text/javascript", "/a.js", 200, kindScript, BodyMapped},
		{"application/javascript", "/a.js", 200, kindScript, BodyMapped},
		{"application/json", "/wp-json/", 201, kindJSON, BodyMapped},
		{"application/ld+json", "/", 200, kindJSON, BodyMapped},
		{"application/activity+json", "/", 200, kindJSON, BodyMapped},
		{"application/json+oembed", "/", 200, kindJSON, BodyMapped},
		{"application/manifest+json", "/", 200, kindManifest, BodyMapped},
		{"application/json", "/manifest.json", 200, kindManifest, BodyMapped},
		{"application/json; charset=utf-8", "/icons/site.webmanifest", 200, kindManifest, BodyMapped},
		{"text/plain", "/site.webmanifest", 200, kindManifest, BodyMapped},
		{"text/html", "/manifest.json", 404, kindHTML, BodyMapped},
		{"text/plain", "/manifest.json", 200, kindText, BodyPlainText},
		{"application/json", "/asset-manifest.json", 200, kindJSON, BodyMapped},
		{"application/importmap+json", "/", 200, kindManifest, BodyMapped},
		{"application/speculationrules+json", "/", 200, kindManifest, BodyMapped},
		{"text/html; charset=UTF-8; charset=utf-8", "/", 200, kindHTML, BodyMapped},
		{"text/html; charset=utf-16; charset=utf-8", "/", 200, kindText, BodyCharset},
		{"text/html; charset", "/", 200, kindHTML, BodyMapped},
		{"text/html, text/html", "/", 200, kindText, BodyUntyped},
		{"text/xml", "/", 200, kindXML, BodyMapped},
		{"application/xml", "/wp-sitemap.xml", 200, kindXML, BodyMapped},
		{"application/rss+xml", "/feed/", 200, kindXML, BodyMapped},
		{"application/atom+xml", "/feed/atom/", 200, kindXML, BodyMapped},
		{"application/rdf+xml", "/feed/rdf/", 200, kindXML, BodyMapped},
		{"application/xslt+xml", "/", 200, kindXML, BodyMapped},
		{"image/svg+xml", "/a.svg", 200, kindXML, BodyMapped},
		{"application/opensearchdescription+xml", "/", 200, kindXML, BodyMapped},
		{"text/xml+oembed", "/", 200, kindXML, BodyMapped},
		{"text/x-opml", "/", 200, kindXML, BodyMapped},
		{"text/plain", "/robots.txt", 200, kindText, BodyMapped},
		{"text/plain", "/llms.txt", 200, kindText, BodyMapped},
		{"text/plain", "/ads.txt", 200, kindText, BodyMapped},
		{"text/plain", "/readme.txt", 200, kindText, BodyPlainText},
		{"text/x-component", "/", 200, kindText, BodyMapped},
		{"model/obj", "/", 200, kindText, BodyMapped},
		{"text/vcard", "/", 200, kindText, BodyType},
		{"image/png", "/", 200, kindText, BodyType},
		{"font/woff2", "/", 200, kindText, BodyType},
		{"video/mp4", "/", 200, kindText, BodyType},
		{"application/pdf", "/", 200, kindText, BodyType},
		{"application/octet-stream", "/", 200, kindText, BodyType},
		{"multipart/byteranges; boundary=x", "/", 200, kindText, BodyType},
		{"text/event-stream", "/", 200, kindText, BodyStream},
		{"", "/", 200, kindText, BodyUntyped},
		{"text/html; charset=utf-16", "/", 200, kindText, BodyCharset},
		{"text/html; charset=UTF-32LE", "/", 200, kindText, BodyCharset},
		{"text/html", "/", 206, kindText, BodyPartial},
		{"text/html", "/", 204, kindText, BodyStatus},
		{"text/html", "/", 205, kindText, BodyStatus},
		{"text/html", "/", 304, kindText, BodyStatus},
		{"text/html", "/", 101, kindText, BodyStatus},
		{"text/html", "/raw/x", 200, kindText, BodySkipped},
		{"text/css", "/x/A.MIN.css", 200, kindText, BodySkipped},
		{"text/html", "/one", 200, kindText, BodySkipped},
		{"text/html", "/one/two", 200, kindHTML, BodyMapped},
		{"text/html", "/a/x/b", 200, kindText, BodySkipped},
	} {
		kind, reason := e.decide(c.status, http.Header{"Content-Type": {c.contentType}, "Cache-Control": {"no-transform"}}, c.rest)
		if kind != c.kind || reason != c.reason {
			t.Errorf("%q at %s, %d: kind %d, %v; want %d, %v", c.contentType, c.rest, c.status, kind, reason, c.kind, c.reason)
		}
	}
	for coding, want := range map[string]BodyReason{"": BodyMapped, "identity": BodyMapped, "GZIP": BodyMapped, "x-gzip": BodyMapped, "deflate": BodyMapped, "br": BodyMapped, "zstd": BodyMapped, "compress": BodyCoding, "gzip, gzip": BodyCoding} {
		if _, reason := e.decide(200, http.Header{"Content-Type": {"text/html"}, "Content-Encoding": {coding}}, "/"); reason != want {
			t.Errorf("coding %q: %v", coding, reason)
		}
	}
	off := newEligibility(Transform{Off: true})
	if _, reason := off.decide(200, http.Header{"Content-Type": {"text/html"}}, "/"); reason != BodyOff {
		t.Errorf("off: %v", reason)
	}
}

func TestMayRange(t *testing.T) {
	e := newEligibility(Transform{Skip: []string{"/raw/*"}})
	for rest, want := range map[string]bool{"/": false, "/post/": false, "/a.css": false, "/a.json": false, "/a.svg": false, "/a.jpg": true, "/A.MP4": true, "/x.zip": true, "/raw/a": true, "/a.png/": false} {
		if e.mayRange(rest) != want {
			t.Errorf("%s: %t", rest, !want)
		}
	}
}

func TestBodyReasonNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range BodyReason(len(bodyReasons)) {
		if s := r.String(); s == "" || seen[s] {
			t.Errorf("reason %d is called %q", r, s)
		}
		seen[r.String()] = true
	}
	if s := fmt.Sprint(BodyReason(200), unmapped(200)); s != "unknown unknown" {
		t.Errorf("reasons that are none are called %q", s)
	}
}

// TestPlainMediaType: what is read without mime.ParseMediaType is read alike.
func TestPlainMediaType(t *testing.T) {
	for s, plain := range map[string]bool{
		"text/html":                        true,
		"text/html; charset=UTF-8":         true,
		"text/html;charset=utf-16le":       true,
		"application/rss+xml; charset=x":   true,
		"application/vnd.ms-fontobject":    true,
		"Text/HTML; charset=utf-8":         false,
		"text/html ; charset=utf-8":        false,
		"text/html; Charset=utf-8":         false,
		`text/html; charset="utf-8"`:       false,
		"text/html; charset=utf-8; x=y":    false,
		"text/html; charset=":              false,
		"text/html;":                       false,
		"text/":                            false,
		"text":                             false,
		"":                                 false,
		"text/html, text/plain":            false,
		"text/html; charset=utf-8 ":        false,
		"text/html;  charset=utf-8":        false,
		"text/html/x; charset=utf-8":       false,
		"text/html; charset*=utf-8''utf-8": false,
	} {
		mt, charset, ok := plainMediaType(s)
		if ok != plain {
			t.Errorf("%q: plain %t", s, ok)
		}
		if want, params, err := mime.ParseMediaType(s); ok && (err != nil || mt != want || charset != params["charset"]) {
			t.Errorf("%q: %q %q, want %q %q, %v", s, mt, charset, want, params["charset"], err)
		}
	}
}
