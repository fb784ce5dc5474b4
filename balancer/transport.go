package balancer

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// measuredTransport measures the attempts that a reverse_proxy makes. It passes
// on the optional abilities of the transport below, each with the answer that
// reverse_proxy would assume if the ability were missing.
type measuredTransport struct {
	base    http.RoundTripper
	table   *meterTable
	measure Measure
	decay   time.Duration
}

// measures reports whether rt already measures m.
func measures(rt http.RoundTripper, m Measure) bool {
	for {
		t, ok := rt.(*measuredTransport)
		if !ok {
			return false
		}
		if t.measure == m {
			return true
		}
		rt = t.base
	}
}

// Unwrap returns the transport that is measured.
func (t *measuredTransport) Unwrap() http.RoundTripper { return t.base }

// RoundTrip makes one attempt and notes what becomes of it.
func (t *measuredTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	info, ok := reverseproxy.GetDialInfo(ctx)
	if !ok || info.Upstream == nil || ctx.Value(caddyhttp.ServerCtxKey) == nil {
		return t.base.RoundTrip(req) // a health check: no server has taken it
	}
	a := &attempt{
		ctx:   ctx,
		meter: t.table.meter(0, info.Upstream),
		decay: t.decay,
		start: sinceEpoch(),
	}
	if req.Body != nil && req.Body != http.NoBody {
		a.upload = &uploadBody{ReadCloser: req.Body}
		req = req.WithContext(ctx) // a RoundTripper leaves its request as it is
		req.Body = a.upload
	} else {
		a.meter.waiting.begin(a.start)
		a.waits = true
	}
	// Covers a transport that panics; whatever ends the attempt first counts.
	pending := true
	defer func() {
		if pending {
			a.end(abandoned)
		}
	}()

	resp, err := t.base.RoundTrip(req)
	switch {
	case err != nil && (ctx.Err() != nil || a.upload.failed()):
		a.end(abandoned)
	case err != nil:
		a.end(broken)
		addTried(ctx, info.Upstream)
	case resp.StatusCode >= http.StatusInternalServerError:
		a.end(failed)
		addTried(ctx, info.Upstream)
	case t.measure == LastByte && isFinite(resp):
		resp.Body = &answerBody{ReadCloser: resp.Body, attempt: a}
	default:
		a.end(answered)
	}
	pending = false
	return resp, err
}

// isFinite reports whether the end of the body says something of the upstream's
// speed: a stream and an upgraded connection last as long as both sides like.
func isFinite(resp *http.Response) bool {
	if resp.StatusCode == http.StatusSwitchingProtocols || caddyhttp.IsIncremental(resp.Header) {
		return false
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return mediaType != "text/event-stream"
}

// attempt is one request at one upstream.
type attempt struct {
	ctx    context.Context
	meter  *meter
	decay  time.Duration
	start  time.Duration
	waits  bool        // counted among the waiting
	upload *uploadBody // nil without a request body
}

// end notes what became of the attempt. It must be called once.
func (a *attempt) end(o outcome) {
	now := sinceEpoch()
	if a.waits {
		a.meter.waiting.end(a.start)
	}
	a.meter.record(o, now-max(a.start, a.upload.lastRead()), now, a.decay)
}

// RequestHeaderOps implements reverseproxy.RequestHeaderOpsTransport.
func (t *measuredTransport) RequestHeaderOps() *headers.HeaderOps {
	if base, ok := t.base.(reverseproxy.RequestHeaderOpsTransport); ok {
		return base.RequestHeaderOps()
	}
	return nil
}

// ProxyProtocolEnabled implements reverseproxy.ProxyProtocolTransport.
func (t *measuredTransport) ProxyProtocolEnabled() bool {
	base, ok := t.base.(reverseproxy.ProxyProtocolTransport)
	return ok && base.ProxyProtocolEnabled()
}

// RequiresContentLength implements reverseproxy.ContentLengthRequiredTransport.
func (t *measuredTransport) RequiresContentLength() bool {
	base, ok := t.base.(reverseproxy.ContentLengthRequiredTransport)
	return ok && base.RequiresContentLength()
}

// OverrideHealthCheckScheme implements
// reverseproxy.HealthCheckSchemeOverriderTransport.
func (t *measuredTransport) OverrideHealthCheckScheme(base *url.URL, port string) {
	if below, ok := t.base.(reverseproxy.HealthCheckSchemeOverriderTransport); ok {
		below.OverrideHealthCheckScheme(base, port)
	}
}

// Interface guards.
var (
	_ http.RoundTripper                                = (*measuredTransport)(nil)
	_ reverseproxy.RequestHeaderOpsTransport           = (*measuredTransport)(nil)
	_ reverseproxy.ProxyProtocolTransport              = (*measuredTransport)(nil)
	_ reverseproxy.ContentLengthRequiredTransport      = (*measuredTransport)(nil)
	_ reverseproxy.HealthCheckSchemeOverriderTransport = (*measuredTransport)(nil)
)
