package handler

import (
	"net/http"
	"strings"
)

// Peer says what is known of who sent a request.
type Peer struct {
	// ClientIP is the visitor's address, after trusted proxies were looked through.
	ClientIP string
	// RemoteIP is the address of the connection's other end.
	RemoteIP string
	// Trusted says that RemoteIP is one of the trusted proxies.
	Trusted bool
	// UserAuthenticated says that the main site itself authenticated the request,
	// so that its Authorization is the main site's.
	UserAuthenticated bool
	// Port is the public port. Empty: the default of the public scheme.
	Port string
	// ForwardedFor is the chain of X-Forwarded-For as received, its lines joined
	// with commas. It counts only from a trusted peer.
	ForwardedFor string
	// Identity names the identity fields that a handler before the mount set
	// itself (forward_auth's copied headers). All others are dropped unless the
	// peer is trusted.
	Identity []string
}

// setForwarded tells the site who asks and under which address. clean has
// removed what the client sent of these fields.
func (v *View) setForwarded(h http.Header, p Peer) {
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	set("X-Real-Ip", p.ClientIP)
	set("X-Forwarded-For", p.chain())
	if v.m.mode == Transparent {
		// The site must not hear of the public address: applications copy
		// X-Forwarded-Host into their own, and take port 443 for HTTPS.
		set("X-Forwarded-Proto", v.m.sites[0].scheme)
		set("X-Forwarded-Port", v.m.sites[0].effectivePort())
		return
	}
	set("X-Forwarded-Proto", v.public.Scheme)
	set("X-Forwarded-Host", v.public.Host)
	set("X-Forwarded-Prefix", v.m.prefix)
	port := p.Port
	if port == "" {
		port = v.home.effectivePort()
	}
	set("X-Forwarded-Port", port)
}

// chain returns the value of X-Forwarded-For: the client alone, or, from a
// trusted peer, the proxies from the client on. What stands before the client's
// address was said by the client and is not repeated.
func (p Peer) chain() string {
	if !p.Trusted || p.ForwardedFor == "" || p.ClientIP == p.RemoteIP {
		return p.ClientIP
	}
	chain := strings.Split(p.ForwardedFor, ",")
	from := len(chain)
	for i, member := range chain {
		chain[i] = strings.TrimSpace(member)
		if chain[i] == p.ClientIP {
			from = i
		}
	}
	if from == len(chain) {
		// The client's address came by another field.
		return p.ClientIP + ", " + p.RemoteIP
	}
	return strings.Join(append(chain[from:], p.RemoteIP), ", ")
}

// clean removes what a client may not tell the site. It runs before the mount
// sets any field of its own.
func clean(h http.Header, method string, p Peer) {
	for name := range h {
		switch requestClass(name) {
		case spoofable:
			delete(h, name)
		case identity:
			if !p.Trusted && !contains(p.Identity, name) {
				delete(h, name)
			}
		case override:
			// Safe methods are looked up and stored by what they say they are.
			switch method {
			case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
				delete(h, name)
			}
		}
	}
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

type fieldClass uint8

const (
	plainField fieldClass = iota
	spoofable             // forwarded and routing fields: only the mount speaks here
	identity              // who the user is: only an authenticating proxy speaks here
	override              // another method than the request's
)

// requestClass classes a request field. Names count as CGI sees them: "_" is "-".
func requestClass(name string) fieldClass {
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

// requestFields are the fields that clients use to speak for a proxy. Frameworks
// and applications read each of them somewhere.
var requestFields = map[string]fieldClass{
	"forwarded":                spoofable,
	"x-real-ip":                spoofable,
	"x-client-ip":              spoofable,
	"client-ip":                spoofable,
	"x-cluster-client-ip":      spoofable,
	"x-original-forwarded-for": spoofable,
	"x-remote-ip":              spoofable,
	"x-remote-addr":            spoofable,
	"x-originating-ip":         spoofable,
	"x-proxyuser-ip":           spoofable,
	"true-client-ip":           spoofable,
	"cf-connecting-ip":         spoofable,
	"cf-connecting-ipv6":       spoofable,
	"cf-visitor":               spoofable,
	"cf-ipcountry":             spoofable,
	"fastly-client-ip":         spoofable,
	"fastly-ssl":               spoofable,
	"fly-client-ip":            spoofable,
	"wl-proxy-client-ip":       spoofable,
	"proxy-client-ip":          spoofable,
	"x-azure-clientip":         spoofable,
	"x-azure-socketip":         spoofable,
	"x-envoy-external-address": spoofable,
	"x-sucuri-clientip":        spoofable,
	"incap-client-ip":          spoofable,
	"ali-cdn-real-ip":          spoofable,
	"x-host":                   spoofable,
	"x-http-host-override":     spoofable,
	"x-original-host":          spoofable,
	"x-original-url":           spoofable,
	"x-original-uri":           spoofable,
	"x-original-method":        spoofable,
	"x-rewrite-url":            spoofable,
	"x-override-url":           spoofable,
	"x-base-url":               spoofable,
	"x-script-name":            spoofable,
	"x-scheme":                 spoofable,
	"x-url-scheme":             spoofable,
	"x-https":                  spoofable,
	"front-end-https":          spoofable,
	"x-proto":                  spoofable,
	"x-arr-ssl":                spoofable,
	"x-arr-log-id":             spoofable,
	"proxy":                    spoofable, // httpoxy: HTTP_PROXY
	"surrogate-capability":     spoofable,
	"x-litemage":               spoofable,
	"available-dictionary":     spoofable, // the main site's dictionaries
	"dictionary-id":            spoofable,

	"remote-user":          identity,
	"remote-name":          identity,
	"remote-email":         identity,
	"remote-groups":        identity,
	"auth-user":            identity,
	"x-remote-user":        identity,
	"x-remote-group":       identity,
	"x-remote-groups":      identity,
	"x-remote-name":        identity,
	"x-remote-email":       identity,
	"x-authenticated-user": identity,
	"client-cert":          identity, // RFC 9440
	"client-cert-chain":    identity,
	"x-client-cert":        identity,
	"x-client-dn":          identity,
	"x-client-verify":      identity,
	"x-arr-clientcert":     identity,
	"x-verified-user":      identity,

	"x-forwarded-user":               identity,
	"x-forwarded-email":              identity,
	"x-forwarded-groups":             identity,
	"x-forwarded-preferred-username": identity,
	"x-forwarded-access-token":       identity,
	"x-forwarded-client-cert":        identity,
	"x-forwarded-tls-client-cert":    identity,

	"x-http-method-override": override,
	"x-http-method":          override,
	"x-method-override":      override,
}

// requestPrefixes class fields that come in families. The first match holds.
var requestPrefixes = []struct {
	prefix string
	class  fieldClass
}{
	{"x-forwarded", spoofable},
	{"x-lscache", spoofable},
	{"x-accel-", spoofable},
	{"x-sendfile", spoofable},
	{"x-auth-request-", identity},
	{"x-webauth-", identity},
	{"x-authentik-", identity},
	{"x-token-", identity},
	{"x-ssl-", identity},
	{"ssl-client-", identity},
	{"ssl-", identity},
	{"x-ms-client-principal", identity},
	{"x-goog-authenticated-user-", identity},
	{"x-goog-iap-", identity},
	{"x-amzn-oidc-", identity},
	{"cf-access-", identity},
}
