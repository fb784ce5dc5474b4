package balancer

import (
	"net/http"
	"net/netip"
	"strings"
	"time"
)

const (
	maxVisitorID = 256 // bytes of a header value that are looked at
	// maxSplitCookies bounds how many cookies of the same name are read.
	maxSplitCookies = 4
)

// Recognition says how a visitor was recognized.
type Recognition uint8

const (
	// RecognizedNot: a new visitor, who sent no cookie.
	RecognizedNot Recognition = iota
	// RecognizedInvalid: treated as new, since the cookie was none of ours.
	RecognizedInvalid
	// RecognizedCookie: by the cookie.
	RecognizedCookie
	// RecognizedIP: by the address.
	RecognizedIP
	// RecognizedHeader: by the request field.
	RecognizedHeader

	// RecognitionCount is the number of ways.
	RecognitionCount
)

// String returns the word for logs.
func (r Recognition) String() string {
	switch r {
	case RecognizedNot:
		return "new"
	case RecognizedInvalid:
		return "invalid"
	case RecognizedCookie:
		return "cookie"
	case RecognizedIP:
		return "ip"
	case RecognizedHeader:
		return "header"
	default:
		return "unknown"
	}
}

// Visitor is whom a request comes from, as far as a split is concerned.
type Visitor struct {
	// ID is the same for all requests of the visitor.
	ID string
	// By is how the visitor was recognized.
	By Recognition
	// Remember is set if the answer should carry the cookie of the split: the
	// visitor is new, or the cookie was signed with an old secret.
	Remember bool
}

// Visitor tells whom r comes from. clientIP is the address of the client as
// Caddy sees it, with or without port. The cookie of the split is the mount's
// own: the caller takes it out of what is forwarded.
func (s *Split) Visitor(r *http.Request, clientIP string) Visitor {
	switch s.config.By {
	case ByHeader:
		if v := strings.TrimSpace(r.Header.Get(s.config.Field)); v != "" {
			return Visitor{ID: "h" + v[:min(len(v), maxVisitorID)], By: RecognizedHeader}
		}
	case ByCookie:
		return s.byCookie(r)
	case ByIP:
	}
	return Visitor{ID: "i" + networkOf(clientIP), By: RecognizedIP}
}

func (s *Split) byCookie(r *http.Request) Visitor {
	by := RecognizedNot
	for i, c := range r.CookiesNamed(s.config.CookieName) {
		if i == maxSplitCookies {
			break
		}
		switch id, is := s.signer.decode(c.Value); is {
		case genuine, outdated:
			return Visitor{ID: id, By: RecognizedCookie, Remember: is == outdated}
		case forged:
			by = RecognizedInvalid
		}
	}
	return Visitor{ID: newID(), By: by, Remember: true}
}

// networkOf returns what of an address is likely to stay the same.
func networkOf(clientIP string) string {
	addr, err := netip.ParseAddr(clientIP)
	if err != nil {
		withPort, err := netip.ParseAddrPort(clientIP)
		if err != nil {
			return clientIP // the name of a Unix socket, for example
		}
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		prefix, _ := addr.Prefix(64) // never fails for 64 bits of IPv6
		addr = prefix.Addr()
	}
	return addr.String()
}

// Cookie returns the cookie by which the visitor will be known again, for a
// mount at the given public path, over HTTPS if secure. It belongs into the
// answer to this visitor and never into a stored response. It is nil unless the
// split is by cookie.
func (s *Split) Cookie(v Visitor, path string, secure bool) *http.Cookie {
	if s.config.By != ByCookie {
		return nil
	}
	if path == "" {
		path = "/"
	}
	return &http.Cookie{
		Name:     s.config.CookieName,
		Value:    s.signer.encode(v.ID),
		Path:     path,
		MaxAge:   int(time.Duration(s.config.CookieAge) / time.Second),
		Secure:   secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// CookieName returns the name of the cookie, and "" unless the split is by
// cookie.
func (s *Split) CookieName() string { return s.config.CookieName }
