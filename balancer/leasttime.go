package balancer

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

func init() {
	caddy.RegisterModule((*LeastTime)(nil))
}

// Measure says what least_time measures.
type Measure string

const (
	// FirstByte is the time until the header of the answer has come.
	FirstByte Measure = "first_byte"
	// LastByte is the time until the whole answer has come.
	LastByte Measure = "last_byte"
)

const (
	defaultDecay   = 10 * time.Second
	defaultExplore = 0.005
)

// LeastTime is a selection policy that sends each request to the upstream
// whose answer is expected soonest: the moving average of its response time,
// times the number of its requests in progress plus one. A far or slow upstream
// is used as soon as the near and fast ones are busy enough.
//
//   - What an upstream has kept requests waiting for counts before they end, so
//     one that hangs is left at once.
//   - Statuses of 500 and above, refused connections, resets and time-outs make
//     an upstream look slow however fast they come. A retry of the same request
//     goes to another upstream if there is one.
//   - A new upstream gets one request; what it gets then follows from its
//     answers. An upstream that was slow or failed is tried again when what is
//     known of it has become old.
//   - What has been learnt survives a reload of the configuration and is shared
//     by all reverse proxies that dial the same address and measure the same.
//
// It works with every transport of reverse_proxy. Time that the client takes to
// send its request body is not counted. Upgraded connections and streams
// (text/event-stream, Incremental) count with their first byte. Active health
// checks are not measured.
type LeastTime struct {
	// What is measured: `first_byte`, the time until the header of the answer
	// has come, or `last_byte`, the time until all of the answer has come.
	// The latter also holds slow clients against the upstream that serves them,
	// unless the proxy buffers. Default: `first_byte`
	Measure Measure `json:"measure,omitempty"`

	// How long what was learnt keeps its weight: after this time without a
	// request about a third of it is left. A shorter time follows changes more
	// closely and tries slow upstreams more often. At high rates the last 32
	// answers decide, whatever the decay. Default: `10s`
	Decay caddy.Duration `json:"decay,omitempty"`

	// The largest share of requests, from 0 to 0.5, that may be sent to an
	// upstream which is not the best but has not been tried for `decay`. Zero
	// means never: then a slow upstream is tried again only under load.
	// Default: `0.005`
	Explore *float64 `json:"explore,omitempty"`

	chooser chooser
	table   *meterTable
	release func() error // closes the transport that Provision made, if any
}

// CaddyModule returns the Caddy module information.
func (*LeastTime) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.reverse_proxy.selection_policies.least_time",
		New: func() caddy.Module { return new(LeastTime) },
	}
}

// Provision sets the defaults, takes references to the meters of the upstreams
// and starts to measure the transport of the reverse_proxy that p stands in.
func (p *LeastTime) Provision(ctx caddy.Context) error {
	if p.Measure == "" {
		p.Measure = FirstByte
	}
	if p.Decay == 0 {
		p.Decay = caddy.Duration(defaultDecay)
	}
	if p.Explore == nil {
		share := defaultExplore
		p.Explore = &share
	}
	if err := p.Validate(); err != nil {
		return err
	}
	proxy := enclosingProxy(ctx)
	if proxy == nil {
		return errors.New("least_time has nothing to measure: it must stand in the configuration of a reverse_proxy")
	}
	p.chooser.decay = time.Duration(p.Decay)
	p.chooser.explore = *p.Explore
	p.table = newMeterTable(p.Measure, proxy.Upstreams)
	return p.measure(ctx, proxy)
}

// Validate checks the values.
func (p *LeastTime) Validate() error {
	switch {
	case p.Measure != FirstByte && p.Measure != LastByte:
		return fmt.Errorf("least_time measures %s or %s, not %q", FirstByte, LastByte, p.Measure)
	case p.Decay <= 0:
		return fmt.Errorf("decay of least_time must be above zero, not %s", time.Duration(p.Decay))
	case p.Explore != nil && !(*p.Explore >= 0 && *p.Explore <= 0.5):
		return fmt.Errorf("explore of least_time must be from 0 to 0.5, not %v", *p.Explore)
	}
	return nil
}

// Cleanup gives the references back. Requests that are still in progress go on
// and may still be measured.
func (p *LeastTime) Cleanup() error {
	if p.table != nil {
		p.table.close()
	}
	if p.release != nil {
		return p.release()
	}
	return nil
}

// Select returns the available upstream that is expected to answer soonest, or
// nil if none is available. Those that have failed this request come last.
func (p *LeastTime) Select(pool reverseproxy.UpstreamPool, r *http.Request, _ http.ResponseWriter) *reverseproxy.Upstream {
	u, _ := choose(&p.chooser, []*reverseproxy.Upstream(pool), p.table, triedBy(r), sinceEpoch())
	return u
}

// measure wraps the transport of proxy, which loads its transport before its
// selection policy and uses whatever the field holds when a request comes.
func (p *LeastTime) measure(ctx caddy.Context, proxy *reverseproxy.Handler) error {
	if measures(proxy.Transport, p.Measure) {
		return nil // by another policy of the same reverse_proxy
	}
	if proxy.TransportRaw != nil {
		// It would replace ours unseen.
		return errors.New("least_time cannot measure in this version of Caddy: the transport is loaded after the selection policy")
	}
	if proxy.Transport == nil {
		// The default of reverse_proxy, made here because it would be made
		// too late.
		base := new(reverseproxy.HTTPTransport)
		if err := base.Provision(ctx); err != nil {
			return fmt.Errorf("provisioning the default transport: %w", err)
		}
		proxy.Transport, p.release = base, base.Cleanup
	}
	proxy.Transport = &measuredTransport{
		base:    proxy.Transport,
		table:   p.table,
		measure: p.Measure,
		decay:   time.Duration(p.Decay),
	}
	return nil
}

// enclosingProxy returns the reverse_proxy whose configuration is being
// provisioned, or nil.
func enclosingProxy(ctx caddy.Context) *reverseproxy.Handler {
	lineage := ctx.Modules()
	for i := len(lineage) - 1; i >= 0; i-- {
		if proxy, ok := lineage[i].(*reverseproxy.Handler); ok {
			return proxy
		}
	}
	return nil
}

// Interface guards.
var (
	_ caddy.Provisioner     = (*LeastTime)(nil)
	_ caddy.Validator       = (*LeastTime)(nil)
	_ caddy.CleanerUpper    = (*LeastTime)(nil)
	_ reverseproxy.Selector = (*LeastTime)(nil)
	_ Candidate             = (*reverseproxy.Upstream)(nil)
)
