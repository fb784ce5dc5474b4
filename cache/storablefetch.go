package cache

import (
	"net/http"
	"slices"
	"strings"
)

// class says how a request field takes part in a storable fetch. Together the
// classes hold the invariant that a key is what is forwarded: no field reaches
// the origin that is not keyed, configured or selected by Vary.
type class uint8

const (
	// classSelected goes as the client sent it and is selected by Vary only;
	// Authorization is of this class but goes only by FetchOptions.
	classSelected class = iota
	// classNever is never sent: it makes the answer one client's own, or
	// overrides what the request is.
	classNever
	// classConfigured comes from the configuration, never from the client.
	classConfigured
	// classClientAddress tells the visitor's address: the starter's is sent by
	// configuration and never keyed, so no response may vary on it.
	classClientAddress
	// classKeyed is sent and part of the key.
	classKeyed
)

// fieldClasses holds every field, by canonical name, that is not classSelected.
var fieldClasses = map[string]class{
	"Origin": classKeyed,

	// Set from configuration: the caller writes them after FetchHeader.
	"Host":              classConfigured,
	"Accept-Encoding":   classConfigured,
	"Cdn-Loop":          classConfigured,
	"X-Forwarded-Host":  classConfigured,
	"X-Forwarded-Port":  classConfigured,
	"X-Forwarded-Proto": classConfigured,
	"X-Mount-Split":     classConfigured, // KeyParts.Split holds what it says
	"Via":               classConfigured,

	"X-Forwarded-For": classClientAddress,
	"X-Real-Ip":       classClientAddress,

	// Make the answer one client's own, or a part of one.
	"Cookie":         classNever,
	"Cookie2":        classNever,
	"Referer":        classNever,
	"Range":          classNever,
	"Cache-Control":  classNever,
	"Pragma":         classNever,
	"Expect":         classNever,
	"Max-Forwards":   classNever,
	"Proxy":          classNever, // httpoxy
	"X-Wp-Nonce":     classNever,
	"Http2-Settings": classNever,

	// Change what the request is.
	"X-Http-Method-Override": classNever,
	"X-Http-Method":          classNever,
	"X-Method-Override":      classNever,
	"X-Original-Url":         classNever,
	"X-Rewrite-Url":          classNever,
	"X-Original-Uri":         classNever,
	"X-Original-Host":        classNever,
	"X-Host":                 classNever,
	"X-Http-Host-Override":   classNever,
	"Forwarded":              classNever,
	"X-Scheme":               classNever,
	"X-Url-Scheme":           classNever,
	"Front-End-Https":        classNever,
	"X-Nextjs-Data":          classNever,

	// Claim another address.
	"Client-Ip":                classNever,
	"X-Client-Ip":              classNever,
	"X-Cluster-Client-Ip":      classNever,
	"X-Remote-Ip":              classNever,
	"X-Remote-Addr":            classNever,
	"X-Originating-Ip":         classNever,
	"True-Client-Ip":           classNever,
	"Cf-Connecting-Ip":         classNever,
	"Cf-Connecting-Ipv6":       classNever,
	"Cf-Pseudo-Ipv4":           classNever,
	"Cf-Ipcountry":             classNever,
	"Cf-Ray":                   classNever,
	"Cf-Visitor":               classNever,
	"Fastly-Client-Ip":         classNever,
	"Fly-Client-Ip":            classNever,
	"X-Appengine-User-Ip":      classNever,
	"X-Azure-Clientip":         classNever,
	"X-Envoy-External-Address": classNever,

	// Claim an identity.
	"Remote-User":              classNever,
	"X-Remote-User":            classNever,
	"X-Authenticated-User":     classNever,
	"X-Webauth-User":           classNever,
	"X-User":                   classNever,
	"X-Ssl-Client-Cert":        classNever,
	"X-Ssl-Client-Dn":          classNever,
	"X-Ssl-Client-S-Dn":        classNever,
	"X-Ssl-Client-Verify":      classNever,
	"X-Client-Cert":            classNever,
	"Ssl-Client-Cert":          classNever,
	"Client-Cert":              classNever, // RFC 9440
	"Client-Cert-Chain":        classNever,
	"X-Arr-Clientcert":         classNever,
	"X-Csrf-Token":             classNever,
	"X-Xsrf-Token":             classNever,
	"Nonce":                    classNever, // WooCommerce Store API
	"Cart-Token":               classNever,
	"Early-Data":               classNever,
	"Sec-Websocket-Key":        classNever,
	"Sec-Websocket-Version":    classNever,
	"Sec-Websocket-Protocol":   classNever,
	"Sec-Websocket-Extensions": classNever,
}

// neverPrefixes are families of which a client may send none.
var neverPrefixes = [...]string{
	"If-", "Content-", "X-Forward", "X-Auth-Request-", "X-Litespeed-", "X-Lscache", "X-Accel-", "Proxy-", "X-Middleware-", "X-Amzn-Oidc-", "X-Goog-Authenticated-User-",
}

// fieldClass returns the class of a request field by its canonical name.
func fieldClass(name string) class {
	if c, ok := fieldClasses[name]; ok {
		return c
	}
	// "X_Forwarded_Host" is the same CGI variable as X-Forwarded-Host.
	if strings.IndexByte(name, '_') >= 0 || isHopByHop(name) {
		return classNever
	}
	for _, prefix := range neverPrefixes {
		if strings.HasPrefix(name, prefix) {
			return classNever
		}
	}
	return classSelected
}

// FetchOptions says what a storable fetch carries besides the default. The zero
// value is the default.
type FetchOptions struct {
	// Authorization keeps the client's Authorization; such a fetch is never
	// collapsed and its answer stored by RFC 9111 section 3.5 only.
	Authorization bool
	// Strict reduces the fields that the client chooses to those of Allow, and
	// User-Agent to one fixed text for each DeviceClass, which belongs into
	// KeyParts.Extra (forward strict).
	Strict bool
	// Allow are canonical field names. It cannot allow a field that is never sent.
	Allow []string
	// Set are canonical names of fields that the operator's handlers before the cache
	// set on every request: a client cannot have them left out.
	Set []string
}

// FetchHeader builds the header of the GET that fills the cache from the
// client's header: a new header that shares its values, which the caller must
// not write to. Host, the forwarded fields, Accept-Encoding and CDN-Loop are for
// the caller to set afterwards, as are the cache's own validators.
//
// Fields that Connection names are removed first, so that a client cannot use
// it to remove what the caller sets (RFC 9110 section 7.6.1). Keyed ones stay: the
// answer is for who sends them. So do those that are set before: all get the answer.
func FetchHeader(client http.Header, o FetchOptions) http.Header {
	h := make(http.Header, len(client)+8)
	for name, values := range client {
		if len(values) > 0 && o.Sends(name) {
			h[name] = values[:len(values):len(values)]
		}
	}
	for name := range connectionNamed(client) {
		if fieldClass(name) != classKeyed && !slices.Contains(o.Set, name) {
			delete(h, name)
		}
	}
	if o.Strict {
		h["User-Agent"] = deviceAgents[DeviceClass(client)]
	}
	return h
}

// Selecting returns v without the fields that a fetch with these options does
// not send as the client chose them; they cannot tell two fetches apart. Use it
// wherever a variant is computed, on storing and on look-up.
func (o FetchOptions) Selecting(v Vary) Vary {
	if !o.Strict {
		return v
	}
	var fields []string
	for _, name := range v.Fields {
		if name == "Authorization" || o.Sends(name) && name != "User-Agent" {
			fields = append(fields, name)
		}
	}
	v.Fields = fields
	return v
}

// deviceAgents are the User-Agent values of strict fetches by DeviceClass.
var deviceAgents = map[string][]string{
	"":       {"Mozilla/5.0 (compatible)"},
	"mobile": {"Mozilla/5.0 (Linux; Android; Mobile; compatible)"},
}

// DeviceClass returns "mobile" for the clients that WordPress takes for mobile
// ones, else "".
func DeviceClass(client http.Header) string {
	if hint := client.Get("Sec-Ch-Ua-Mobile"); hint != "" {
		if hint == "?1" {
			return "mobile"
		}
		return ""
	}
	agent := client.Get("User-Agent")
	for _, mark := range [...]string{"Mobile", "Android", "Silk/", "Kindle", "BlackBerry", "Opera Mini", "Opera Mobi"} {
		if strings.Contains(agent, mark) {
			return "mobile"
		}
	}
	return ""
}

// Sends reports whether the client's field, by its canonical name, is copied into a
// storable fetch.
func (o *FetchOptions) Sends(name string) bool {
	if http.CanonicalHeaderKey(name) != name || !isToken(name) {
		return false
	}
	switch fieldClass(name) {
	case classKeyed:
		return true
	case classSelected:
		if name == "Authorization" {
			return o.Authorization
		}
		if !o.Strict {
			return true
		}
		for _, allowed := range o.Allow {
			if allowed == name {
				return true
			}
		}
		return false
	}
	return false
}
