package handler

import (
	"net/http"
	"strings"
)

// MapHeader maps the header of one of the site's answers in place: URLs become
// public, cookies are confined to the mount, and fields by which a site speaks
// for its whole host are dropped, unless the mount is the whole host. It serves
// interim answers (103) too. Every field is mapped on every status.
//
// req is the visitor's request, whose path decides where a cookie without Path
// would go and what a relative reference means; it may be nil. learn, which may be nil, is told the name of each
// cookie that was kept.
//
// MapHeader leaves the fields alone that an origin speaks to proxies in.
func (v *View) MapHeader(h http.Header, status int, req *http.Request, learn func(name string)) {
	for name, values := range h {
		switch responseClass(name) {
		case hostWideField:
			if v.m.prefix != "" {
				delete(h, name)
			} else {
				eachValue(values, v.mapText)
			}
		case setCookieField:
			// Where none may pass, the field stays without a line: the answer is for
			// one visitor all the same, and a cache must know.
			h[name] = v.mapSetCookies(values, req, learn)
		case locationField:
			rules := v.inbound
			if status >= 300 && status < 400 {
				rules = v.locations
			}
			eachValue(values, func(s string) string { return v.mapReference(s, rules, req) })
		case referenceField:
			eachValue(values, func(s string) string { return v.mapReference(s, v.inbound, req) })
		case urlField:
			eachValue(values, v.mapURL)
		case refreshField:
			eachValue(values, func(s string) string { return v.mapRefresh(s, req) })
		case linkField:
			eachValue(values, func(s string) string { return v.mapLink(s, req) })
		case quotedField:
			eachValue(values, v.mapQuoted)
		case originField:
			eachValue(values, v.mapOrigin)
		case policyField:
			eachValue(values, v.mapPolicy)
		case textField:
			eachValue(values, v.mapText)
		}
	}
}

// mendNames takes the blanks from the ends of field names, as a proxy must (RFC 9112
// section 5.1): a "Set-Cookie " or "Cache-Control " would be read by others as what
// it looks like. One that would frame the message goes, since the body was read
// without it.
func mendNames(h http.Header) {
	for name, values := range h {
		mended := strings.TrimRight(name, " \t")
		if mended == name {
			continue
		}
		delete(h, name)
		switch mended = http.CanonicalHeaderKey(mended); mended {
		case "", "Content-Length", "Transfer-Encoding":
		default:
			h[mended] = append(h[mended], values...)
		}
	}
}

func eachValue(values []string, f func(string) string) {
	for i, s := range values {
		values[i] = f(s)
	}
}

// mapText maps the absolute URLs in a field of which nothing is known.
func (v *View) mapText(s string) string { return mapEmbedded(s, v.inbound) }

// stripInternal drops the fields by which an origin talks to the proxy in front
// of it, and not to visitors: tags, surrogate control, internal redirects. None
// of them is obeyed because it is there. Those that a cache reads are kept for it.
func stripInternal(h http.Header, forCache bool) {
	for name := range h {
		if responseClass(name) == internalField && (!forCache || !cacheFields[name]) {
			delete(h, name)
		}
	}
}

// cacheFields are the internal fields that are spoken to a shared cache.
var cacheFields = map[string]bool{
	"Surrogate-Control": true, "Surrogate-Key": true, "Cache-Tag": true, "X-Cache-Tags": true, "X-Litespeed-Tag": true,
	"X-Litespeed-Cache-Control": true, "X-Accel-Expires": true, "X-Accel-Buffering": true,
}

type responseField uint8

const (
	textField responseField = iota
	opaqueField
	locationField
	referenceField
	urlField
	refreshField
	linkField
	quotedField
	originField
	policyField
	setCookieField
	hostWideField
	internalField
)

func responseClass(name string) responseField {
	name = http.CanonicalHeaderKey(name)
	if c, ok := responseFields[name]; ok {
		return c
	}
	for _, prefix := range internalPrefixes {
		if strings.HasPrefix(name, prefix) {
			return internalField
		}
	}
	return textField
}

// responseFields says how each field of an answer is mapped. A field that is not
// listed is text.
var responseFields = map[string]responseField{
	"Location":         locationField,
	"Content-Location": referenceField,

	"Sourcemap":           urlField,
	"X-Sourcemap":         urlField,
	"X-Pingback":          urlField,
	"X-Pjax-Url":          urlField,
	"Turbolinks-Location": urlField,
	"X-Inertia-Location":  urlField,
	"Hx-Redirect":         urlField,
	"Hx-Push-Url":         urlField,
	"Hx-Replace-Url":      urlField,
	"Refresh":             refreshField,
	"Link":                linkField,
	"Speculation-Rules":   quotedField,
	"Set-Cookie":          setCookieField,

	"Access-Control-Allow-Origin":         originField,
	"Timing-Allow-Origin":                 originField,
	"Permissions-Policy":                  originField,
	"Permissions-Policy-Report-Only":      originField,
	"Feature-Policy":                      originField,
	"Content-Security-Policy":             policyField,
	"Content-Security-Policy-Report-Only": policyField,

	// These speak for the host, or for the connection to it, and the host is the
	// main site's.
	"Alt-Svc":                     hostWideField, // RFC 7838 section 2
	"Clear-Site-Data":             hostWideField,
	"Strict-Transport-Security":   hostWideField, // RFC 6797
	"Public-Key-Pins":             hostWideField,
	"Public-Key-Pins-Report-Only": hostWideField,
	"Expect-Ct":                   hostWideField,
	"Nel":                         hostWideField,
	"Report-To":                   hostWideField,
	"Reporting-Endpoints":         hostWideField,
	"Set-Login":                   hostWideField,
	"Origin-Agent-Cluster":        hostWideField,
	"Supports-Loading-Mode":       hostWideField,
	"Service-Worker-Allowed":      hostWideField,
	"Accept-Ch":                   hostWideField, // RFC 8942 section 3.1
	"Accept-Ch-Lifetime":          hostWideField,
	"Critical-Ch":                 hostWideField,
	"Use-As-Dictionary":           hostWideField,
	"Sec-Session-Registration":    hostWideField,
	"Sec-Session-Challenge":       hostWideField,
	"Secure-Session-Registration": hostWideField,
	"Secure-Session-Challenge":    hostWideField,

	"Cache-Tag":                internalField,
	"Cache-Tags":               internalField,
	"X-Cache-Tag":              internalField,
	"X-Cache-Tags":             internalField,
	"Edge-Cache-Tag":           internalField,
	"Edge-Control":             internalField,
	"Xkey":                     internalField,
	"X-Drupal-Cache-Tags":      internalField,
	"X-Magento-Tags":           internalField,
	"Cache-Groups":             internalField, // RFC 9875
	"Cache-Group-Invalidation": internalField,
	"Lsc-Cookie":               internalField,
	"X-Lighttpd-Send-File":     internalField,

	// A script tells the server its status so (RFC 3875 section 6.3.3); stored, it
	// would be that of another answer.
	"Status": internalField,

	// These are between neighbours (RFC 9110 section 11.7).
	"Proxy-Authenticate":        internalField,
	"Proxy-Authentication-Info": internalField,

	// Validators, digests and times hold no URLs, and must keep their bytes.
	"Age":                  opaqueField,
	"Cache-Control":        opaqueField,
	"Content-Digest":       opaqueField,
	"Content-Encoding":     opaqueField,
	"Content-Length":       opaqueField,
	"Content-Type":         opaqueField,
	"Date":                 opaqueField,
	"Digest":               opaqueField,
	"Etag":                 opaqueField,
	"Expires":              opaqueField,
	"Last-Modified":        opaqueField,
	"Repr-Digest":          opaqueField,
	"Signature":            opaqueField,
	"Signature-Input":      opaqueField,
	"Vary":                 opaqueField,
	"Sec-Websocket-Accept": opaqueField,
}

// internalPrefixes are families of fields between an origin and its proxy.
var internalPrefixes = []string{"Surrogate-", "X-Accel-", "X-Litespeed-", "X-Lscache", "X-Lsadc-", "X-Reproxy-", "X-Sendfile"}
