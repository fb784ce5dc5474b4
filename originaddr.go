package mount

import (
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/caddy-mount/mount/handler"
)

// origins is what the inner chain's JSON says of where it asks.
type origins struct {
	dials   []string // host:port, unix//path and the like
	https   bool
	dynamic bool
	fastCGI bool
}

// readOrigins reads the handlers of an inner chain, nested routes included.
func readOrigins(chain []json.RawMessage) origins {
	var o origins
	for _, raw := range chain {
		var h struct {
			Upstreams []struct {
				Dial string `json:"dial"`
			} `json:"upstreams"`
			Dynamic   json.RawMessage `json:"dynamic_upstreams"`
			Transport struct {
				Protocol string          `json:"protocol"`
				TLS      json.RawMessage `json:"tls"`
			} `json:"transport"`
			Routes []struct {
				Handle []json.RawMessage `json:"handle"`
			} `json:"routes"`
		}
		if json.Unmarshal(raw, &h) != nil {
			o.dynamic = true // of a form that is not known here: assume the farthest
			continue
		}
		o.dynamic = o.dynamic || len(h.Dynamic) > 0
		o.https = o.https || len(h.Transport.TLS) > 0
		o.fastCGI = o.fastCGI || h.Transport.Protocol == "fastcgi"
		for _, u := range h.Upstreams {
			o.dials = append(o.dials, u.Dial)
		}
		for _, route := range h.Routes {
			inner := readOrigins(route.Handle)
			o.dials = append(o.dials, inner.dials...)
			o.https, o.dynamic, o.fastCGI = o.https || inner.https, o.dynamic || inner.dynamic, o.fastCGI || inner.fastCGI
		}
	}
	return o
}

// acceptEncoding is what the origins are asked to send: plain bytes if all of
// them are near or answer in this process, else gzip, which is decoded for
// mapping.
func (o origins) acceptEncoding() string {
	if o.dynamic {
		return "gzip"
	}
	for _, dial := range o.dials {
		if coding := handler.AcceptEncoding(dial); coding != "identity" {
			return coding
		}
	}
	return "identity"
}

// aliases are further bases under which the site's web server may name itself:
// the address that is dialled, and the site's host with the port that is dialled.
// A redirect that it makes by itself, for a directory say, names its own port.
func (o origins) aliases(site string) []string {
	if o.fastCGI {
		return nil
	}
	u, err := url.Parse(site)
	if err != nil {
		return nil
	}
	scheme := "http"
	if o.https {
		scheme = "https"
	}
	var aliases []string
	for _, dial := range o.dials {
		host, port, err := net.SplitHostPort(dial)
		if err != nil || strings.Contains(dial, "{") || strings.Contains(dial, "/") || strings.Contains(port, "-") {
			continue
		}
		for _, name := range []string{host, u.Hostname()} {
			alias := scheme + "://" + net.JoinHostPort(name, port) + u.EscapedPath()
			if alias != site && !slices.Contains(aliases, alias) {
				aliases = append(aliases, alias)
			}
		}
	}
	return aliases
}
