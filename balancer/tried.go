package balancer

import (
	"context"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// triedKey holds the upstreams that have failed a request, among the values of
// the request's replacer. Its variables would not do: a transport that still
// dials for an earlier attempt reads them without a lock.
const triedKey = "mount.balancer.tried"

// maxTried bounds the list of failed upstreams of one request.
const maxTried = 16

// triedBy returns the upstreams that have failed the request which
// reverse_proxy hands to its policy. A first attempt costs nothing:
// reverse_proxy names a host in the URL only when it directs its request to an
// upstream, and clients seldom do.
func triedBy(r *http.Request) []*reverseproxy.Upstream {
	if r.URL.Host == "" {
		return nil
	}
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return nil
	}
	return triedIn(repl)
}

// addTried notes that u has failed the request with the given context.
func addTried(ctx context.Context, u *reverseproxy.Upstream) {
	repl, ok := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	if tried := triedIn(repl); len(tried) < maxTried && !contains(tried, u) {
		repl.Set(triedKey, append(tried, u))
	}
}

func triedIn(repl *caddy.Replacer) []*reverseproxy.Upstream {
	value, _ := repl.Get(triedKey)
	tried, _ := value.([]*reverseproxy.Upstream)
	return tried
}
