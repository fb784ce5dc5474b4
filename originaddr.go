package mount

import (
	"encoding/json"

	"github.com/caddy-mount/mount/handler"
)

// acceptedCoding is what the inner chain's origins are asked to send: plain
// bytes if all of them are near or answer in this process, else gzip, which is
// decoded for mapping.
func acceptedCoding(chain []json.RawMessage) string {
	for _, raw := range chain {
		var h struct {
			Upstreams []struct {
				Dial string `json:"dial"`
			} `json:"upstreams"`
			Dynamic json.RawMessage `json:"dynamic_upstreams"`
			Routes  []struct {
				Handle []json.RawMessage `json:"handle"`
			} `json:"routes"`
		}
		if json.Unmarshal(raw, &h) != nil || len(h.Dynamic) > 0 {
			return "gzip"
		}
		for _, u := range h.Upstreams {
			if coding := handler.AcceptEncoding(u.Dial); coding != "identity" {
				return coding
			}
		}
		for _, route := range h.Routes {
			if coding := acceptedCoding(route.Handle); coding != "identity" {
				return coding
			}
		}
	}
	return "identity"
}
