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
	// ForwardedFor is the chain of X-Forwarded-For as received, its lines joined
	// with commas. It counts only from a trusted peer.
	ForwardedFor string
	// OmitHost leaves an X-Forwarded-Host without a value for a site that must not
	// hear of it, which keeps a proxy on the way from adding its own.
	OmitHost bool
	// FieldsSet names the fields that a handler before the mount set itself, identity
	// fields (forward_auth's copied headers) or others: a visitor cannot have them left
	// out. What else a visitor claims of who or where he is, is dropped unless the peer
	// is trusted.
	FieldsSet []string
}

// setForwarded tells the site who asks and under which address. dropClaims
// has removed what the client sent of these fields.
func (v *View) setForwarded(h http.Header, p Peer) {
	values := make([]string, 0, 6) // one array for all of them
	set := func(name, value string) {
		if value != "" {
			values = append(values, value)
			h[name] = values[len(values)-1 : len(values) : len(values)]
		}
	}
	set("X-Real-Ip", p.ClientIP)
	set("X-Forwarded-For", p.chain())
	if v.m.mode == Transparent {
		// The site must not hear of the public address: applications copy
		// X-Forwarded-Host into their own, and take port 443 for HTTPS.
		if p.OmitHost {
			h["X-Forwarded-Host"] = nil
		}
		set("X-Forwarded-Proto", v.m.site.scheme)
		set("X-Forwarded-Port", v.m.site.effectivePort())
		return
	}
	set("X-Forwarded-Proto", v.public.Scheme)
	set("X-Forwarded-Host", v.public.Host)
	set("X-Forwarded-Prefix", v.m.prefix)
	set("X-Forwarded-Port", v.home.effectivePort())
}

// chain returns the value of X-Forwarded-For before the last hop, RemoteIP, which
// the proxy that sends the request adds: nothing, or, from a trusted peer, the
// proxies from the client on. What stands before the client's address was said by
// the client and is not repeated.
func (p Peer) chain() string {
	if !p.Trusted || p.ForwardedFor == "" || p.ClientIP == p.RemoteIP {
		return ""
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
		return p.ClientIP // it came by another field
	}
	return strings.Join(chain[from:], ", ")
}
