package handler

import (
	"net/http"
	"slices"
	"strings"
)

// dropClaims removes what a client may not tell the site. It runs before the
// mount sets any field of its own.
func dropClaims(h http.Header, method string, p Peer) {
	for name := range h {
		switch requestClass(name) {
		case proxyField:
			delete(h, name)
		case claimField:
			same := func(set string) bool { return strings.EqualFold(set, name) }
			if !p.Trusted && !slices.ContainsFunc(p.FieldsSet, same) {
				delete(h, name)
			}
		case overrideField:
			// Safe methods are looked up and stored as what they say they are.
			switch method {
			case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
				delete(h, name)
			}
		}
	}
}

type requestField uint8

const (
	plainField    requestField = iota
	proxyField                 // under which address the site is asked: only the mount says that
	claimField                 // who the visitor is: only a trusted proxy says that
	overrideField              // another method than the request's
)

// IsIdentity reports whether a request field says who the user is.
func IsIdentity(name string) bool { return requestClass(name) == claimField }

// requestClass classes a request field by its name, read as CGI reads it: "_" is
// "-".
func requestClass(name string) requestField {
	if strings.IndexByte(name, '_') >= 0 {
		name = strings.ReplaceAll(name, "_", "-")
	}
	name = http.CanonicalHeaderKey(name)
	if c, ok := requestFields[name]; ok {
		return c
	}
	for _, p := range requestPrefixes {
		if strings.HasPrefix(name, p.prefix) {
			return p.class
		}
	}
	return plainField
}

// requestFields are the fields by which clients speak for a proxy. Each is
// obeyed by some framework, server or plugin.
var requestFields = map[string]requestField{
	"Forwarded":                proxyField, // RFC 7239
	"X-Real-Ip":                proxyField,
	"X-Original-Forwarded-For": proxyField,
	"X-Host":                   proxyField,
	"X-Http-Host-Override":     proxyField,
	"X-Original-Host":          proxyField,
	"X-Original-Url":           proxyField,
	"X-Original-Uri":           proxyField,
	"X-Original-Method":        proxyField,
	"X-Rewrite-Url":            proxyField,
	"X-Override-Url":           proxyField,
	"X-Base-Url":               proxyField,
	"X-Script-Name":            proxyField,
	"X-Scheme":                 proxyField,
	"X-Url-Scheme":             proxyField,
	"X-Https":                  proxyField,
	"X-Proto":                  proxyField,
	"Front-End-Https":          proxyField,
	"X-Arr-Ssl":                proxyField,
	"Fastly-Ssl":               proxyField,
	"Cf-Visitor":               proxyField,
	"Proxy":                    proxyField, // httpoxy: CGI makes HTTP_PROXY of it
	"Surrogate-Capability":     proxyField,
	"X-Litemage":               proxyField,
	"X-Mount-Split":            proxyField, // which variant of the site is asked for
	"Available-Dictionary":     proxyField, // of the main site
	"Dictionary-Id":            proxyField,

	"X-Client-Ip":                      claimField,
	"Client-Ip":                        claimField,
	"X-Cluster-Client-Ip":              claimField,
	"X-Remote-Ip":                      claimField,
	"X-Remote-Addr":                    claimField,
	"X-Originating-Ip":                 claimField,
	"X-Proxyuser-Ip":                   claimField,
	"True-Client-Ip":                   claimField,
	"Cf-Connecting-Ip":                 claimField,
	"Cf-Connecting-Ipv6":               claimField,
	"Cf-Pseudo-Ipv4":                   claimField,
	"Cf-Ipcountry":                     claimField,
	"Fastly-Client-Ip":                 claimField,
	"Fly-Client-Ip":                    claimField,
	"Wl-Proxy-Client-Ip":               claimField,
	"Proxy-Client-Ip":                  claimField,
	"X-Azure-Clientip":                 claimField,
	"X-Azure-Socketip":                 claimField,
	"X-Envoy-External-Address":         claimField,
	"X-Sucuri-Clientip":                claimField,
	"Incap-Client-Ip":                  claimField,
	"Ali-Cdn-Real-Ip":                  claimField,
	"X-Appengine-User-Ip":              claimField,
	"Remote-User":                      claimField,
	"Remote-Name":                      claimField,
	"Remote-Email":                     claimField,
	"Remote-Groups":                    claimField,
	"Auth-User":                        claimField,
	"X-Remote-User":                    claimField,
	"X-Remote-Group":                   claimField,
	"X-Remote-Groups":                  claimField,
	"X-Remote-Name":                    claimField,
	"X-Remote-Email":                   claimField,
	"X-Authenticated-User":             claimField,
	"X-Verified-User":                  claimField,
	"Client-Cert":                      claimField, // RFC 9440
	"Client-Cert-Chain":                claimField,
	"X-Client-Cert":                    claimField,
	"X-Client-Dn":                      claimField,
	"X-Client-Verify":                  claimField,
	"X-Arr-Clientcert":                 claimField,
	"X-Forwarded-User":                 claimField,
	"X-Forwarded-Email":                claimField,
	"X-Forwarded-Groups":               claimField,
	"X-Forwarded-Preferred-Username":   claimField,
	"X-Forwarded-Access-Token":         claimField,
	"X-Forwarded-Client-Cert":          claimField,
	"X-Forwarded-Tls-Client-Cert":      claimField,
	"X-Forwarded-Tls-Client-Cert-Info": claimField,

	"X-Http-Method-Override": overrideField,
	"X-Http-Method":          overrideField,
	"X-Method-Override":      overrideField,
}

// requestPrefixes class fields that come in families, where requestFields does
// not name them.
var requestPrefixes = []struct {
	prefix string
	class  requestField
}{
	{"X-Forward", proxyField},
	{"X-Lscache", proxyField},
	{"X-Accel-", proxyField},
	{"X-Sendfile", proxyField},
	{"X-Auth-Request-", claimField},
	{"X-Webauth-", claimField},
	{"X-Authentik-", claimField},
	{"X-Ssl-", claimField},
	{"Ssl-Client-", claimField},
	{"X-Ms-Client-Principal", claimField},
	{"X-Goog-Authenticated-User-", claimField},
	{"X-Goog-Iap-", claimField},
	{"X-Amzn-Oidc-", claimField},
	{"Cf-Access-", claimField},
}
