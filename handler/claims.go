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
			if !p.Trusted && !slices.ContainsFunc(p.Identity, same) {
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

// requestClass classes a request field by its name, read as CGI reads it: "_" is
// "-".
func requestClass(name string) requestField {
	name = strings.ToLower(name)
	if strings.IndexByte(name, '_') >= 0 {
		name = strings.ReplaceAll(name, "_", "-")
	}
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
	"forwarded":                proxyField, // RFC 7239
	"x-real-ip":                proxyField,
	"x-original-forwarded-for": proxyField,
	"x-host":                   proxyField,
	"x-http-host-override":     proxyField,
	"x-original-host":          proxyField,
	"x-original-url":           proxyField,
	"x-original-uri":           proxyField,
	"x-original-method":        proxyField,
	"x-rewrite-url":            proxyField,
	"x-override-url":           proxyField,
	"x-base-url":               proxyField,
	"x-script-name":            proxyField,
	"x-scheme":                 proxyField,
	"x-url-scheme":             proxyField,
	"x-https":                  proxyField,
	"x-proto":                  proxyField,
	"front-end-https":          proxyField,
	"x-arr-ssl":                proxyField,
	"fastly-ssl":               proxyField,
	"cf-visitor":               proxyField,
	"proxy":                    proxyField, // httpoxy: CGI makes HTTP_PROXY of it
	"surrogate-capability":     proxyField,
	"x-litemage":               proxyField,
	"available-dictionary":     proxyField, // of the main site
	"dictionary-id":            proxyField,

	"x-client-ip":                      claimField,
	"client-ip":                        claimField,
	"x-cluster-client-ip":              claimField,
	"x-remote-ip":                      claimField,
	"x-remote-addr":                    claimField,
	"x-originating-ip":                 claimField,
	"x-proxyuser-ip":                   claimField,
	"true-client-ip":                   claimField,
	"cf-connecting-ip":                 claimField,
	"cf-connecting-ipv6":               claimField,
	"cf-pseudo-ipv4":                   claimField,
	"cf-ipcountry":                     claimField,
	"fastly-client-ip":                 claimField,
	"fly-client-ip":                    claimField,
	"wl-proxy-client-ip":               claimField,
	"proxy-client-ip":                  claimField,
	"x-azure-clientip":                 claimField,
	"x-azure-socketip":                 claimField,
	"x-envoy-external-address":         claimField,
	"x-sucuri-clientip":                claimField,
	"incap-client-ip":                  claimField,
	"ali-cdn-real-ip":                  claimField,
	"x-appengine-user-ip":              claimField,
	"remote-user":                      claimField,
	"remote-name":                      claimField,
	"remote-email":                     claimField,
	"remote-groups":                    claimField,
	"auth-user":                        claimField,
	"x-remote-user":                    claimField,
	"x-remote-group":                   claimField,
	"x-remote-groups":                  claimField,
	"x-remote-name":                    claimField,
	"x-remote-email":                   claimField,
	"x-authenticated-user":             claimField,
	"x-verified-user":                  claimField,
	"client-cert":                      claimField, // RFC 9440
	"client-cert-chain":                claimField,
	"x-client-cert":                    claimField,
	"x-client-dn":                      claimField,
	"x-client-verify":                  claimField,
	"x-arr-clientcert":                 claimField,
	"x-forwarded-user":                 claimField,
	"x-forwarded-email":                claimField,
	"x-forwarded-groups":               claimField,
	"x-forwarded-preferred-username":   claimField,
	"x-forwarded-access-token":         claimField,
	"x-forwarded-client-cert":          claimField,
	"x-forwarded-tls-client-cert":      claimField,
	"x-forwarded-tls-client-cert-info": claimField,

	"x-http-method-override": overrideField,
	"x-http-method":          overrideField,
	"x-method-override":      overrideField,
}

// requestPrefixes class fields that come in families, where requestFields does
// not name them.
var requestPrefixes = []struct {
	prefix string
	class  requestField
}{
	{"x-forwarded", proxyField},
	{"x-lscache", proxyField},
	{"x-accel-", proxyField},
	{"x-sendfile", proxyField},
	{"x-auth-request-", claimField},
	{"x-webauth-", claimField},
	{"x-authentik-", claimField},
	{"x-ssl-", claimField},
	{"ssl-client-", claimField},
	{"x-ms-client-principal", claimField},
	{"x-goog-authenticated-user-", claimField},
	{"x-goog-iap-", claimField},
	{"x-amzn-oidc-", claimField},
	{"cf-access-", claimField},
}
