package mount

import (
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// stallFlush is how long what has come of an answer with a Content-Length waits for
// more. reverse_proxy passes all others on at once, and these when its buffers are
// full, so that a site which stops in the middle would leave its visitor without
// bytes that are there.
const stallFlush = time.Millisecond

// adaptProxies fits every reverse_proxy in the routes to a mount.
func adaptProxies(handlers []caddyhttp.MiddlewareHandler) {
	for _, h := range handlers {
		switch h := h.(type) {
		case *caddyhttp.Subroute:
			for _, route := range h.Routes {
				adaptProxies(route.Handlers)
			}
		case *reverseproxy.Handler:
			watchConnections(h.Transport)
			if h.FlushInterval == 0 {
				h.FlushInterval = caddy.Duration(stallFlush)
			}
		}
	}
}
