package handler

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Base is a public base: what visitors put in front of the mount's path. The
// zero value is no base. CanonicalBase makes one of what a request says.
type Base struct {
	// Scheme is "http" or "https".
	Scheme string
	// Host is in lower case and punycode, an IPv6 address in brackets, without a
	// trailing dot, and with its port only where that is not the scheme's default.
	Host string
}

// String returns the base as a URL without a path: "https://example.com".
func (b Base) String() string { return b.Scheme + "://" + b.Host }

// CanonicalBase returns the one spelling of a scheme and a Host field by which
// a base is keyed, forwarded and compared. It reports false for anything that
// is not http or https and a host with an optional port: user names, spaces,
// empty labels, ports above 65535.
func CanonicalBase(scheme, host string) (Base, bool) {
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return Base{}, false
	}
	name, port, ok := splitAuthority(host)
	if !ok {
		return Base{}, false
	}
	a := address{scheme: scheme, name: name, port: dropDefaultPort(scheme, port)}
	return Base{Scheme: scheme, Host: a.host()}, true
}

// address is what the URLs of one site begin with: a Base taken apart, and a
// path. It is immutable.
type address struct {
	scheme string // "http" or "https"
	name   string // host without port, canonical
	port   string // "" for the scheme's default
	path   string // escaped, "" or "/wp", never with a trailing slash
}

// host returns the address's host with its port, as a Host field says it.
func (a address) host() string {
	if a.port == "" {
		return a.name
	}
	return a.name + ":" + a.port
}

// origin returns scheme and host, without the path.
func (a address) origin() string { return a.scheme + "://" + a.host() }

// effectivePort returns the port that a connection to the address uses.
func (a address) effectivePort() string {
	switch {
	case a.port != "":
		return a.port
	case a.scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// at reports whether the canonical name and port say the address's host. The
// scheme is no part of it, and ports 80 and 443 count as none: applications
// that sit behind proxies mix them up.
func (a address) at(name, port string) bool {
	return a.name == name && foldPort(a.port) == foldPort(port)
}

func foldPort(port string) string {
	if port == "80" || port == "443" {
		return ""
	}
	return port
}

func dropDefaultPort(scheme, port string) string {
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return ""
	}
	return port
}

// parseAddress reads the URL of a site or of a public base from configuration.
func parseAddress(s string) (a address, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") {
		return address{}, false
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return address{}, false
	}
	name, port, ok := splitAuthority(u.Host)
	if !ok {
		return address{}, false
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if path != "" {
		if clean, _, state := walkPath(path, nil); state != walkInside || clean != path {
			return address{}, false
		}
	}
	return address{scheme: scheme, name: name, port: dropDefaultPort(scheme, port), path: path}, true
}

// splitAuthority takes a host and an optional port apart and makes both
// canonical. It reports false for user information, bad ports and bad names.
func splitAuthority(s string) (name, port string, ok bool) {
	name = s
	if end := strings.LastIndexByte(s, ':'); end >= 0 && end > strings.LastIndexByte(s, ']') {
		name, port = s[:end], s[end+1:]
		if port != "" {
			if strings.Trim(port, "0123456789") != "" {
				return "", "", false
			}
			n, err := strconv.ParseUint(port, 10, 16)
			if err != nil || n == 0 {
				return "", "", false
			}
			port = strconv.FormatUint(n, 10)
		}
	}
	name, ok = canonicalName(name)
	return name, port, ok
}

// canonicalName returns the one spelling of a host name or address.
func canonicalName(s string) (string, bool) {
	if strings.HasPrefix(s, "[") {
		if !strings.HasSuffix(s, "]") {
			return "", false
		}
		ip, err := netip.ParseAddr(s[1 : len(s)-1])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", false
		}
		return "[" + ip.String() + "]", true
	}
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return "", false
	}
	ascii, upper := true, false
	label := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 0x80:
			ascii = false
			label++
		case 'A' <= c && c <= 'Z':
			upper = true
			label++
		case isHostByte(c) && c != '.':
			label++
		case c == '.' && label > 0:
			label = 0
		default:
			return "", false
		}
	}
	if label == 0 {
		return "", false
	}
	if !ascii {
		name, err := idna.Lookup.ToASCII(s)
		return name, err == nil && name != "" && len(name) <= 253
	}
	if upper {
		s = strings.ToLower(s)
	}
	return s, true
}

// isHostByte reports whether c may stand in a host name.
func isHostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_'
}
