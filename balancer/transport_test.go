package balancer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// attemptContext is what reverse_proxy gives an attempt at u.
func attemptContext(ctx context.Context, u *reverseproxy.Upstream) context.Context {
	ctx = context.WithValue(ctx, caddyhttp.ServerCtxKey, new(caddyhttp.Server))
	ctx = context.WithValue(ctx, caddy.ReplacerCtxKey, caddy.NewReplacer())
	return context.WithValue(ctx, caddy.CtxKey("reverse_proxy.dial_info"), reverseproxy.DialInfo{Upstream: u})
}

func upstream(dial string) *reverseproxy.Upstream {
	return &reverseproxy.Upstream{Host: new(reverseproxy.Host), Dial: dial}
}

func newTestTable(t testing.TB, m Measure, pool ...*reverseproxy.Upstream) *meterTable {
	table := newMeterTable(m, pool)
	t.Cleanup(table.close)
	return table
}

func respond(status int, contentType, body string) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status,
			Header:     http.Header{"Content-Type": {contentType}},
			Body:       io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

// cutBody fails after its first byte.
type cutBody struct{ sent bool }

func (b *cutBody) Read(p []byte) (int, error) {
	if b.sent {
		return 0, io.ErrUnexpectedEOF
	}
	b.sent = true
	return copy(p, "x"), nil
}

func (*cutBody) Close() error { return nil }

func TestRoundTripOutcomes(t *testing.T) {
	fail := func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }
	cut := func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: new(cutBody)}, nil
	}
	readAll := func(r *http.Response) { _, _ = io.ReadAll(r.Body); r.Body.Close() }
	closeOnly := func(r *http.Response) { r.Body.Close() }
	hold := func(*http.Response) {}
	tests := []struct {
		name       string
		measure    Measure
		base       roundTrip
		canceled   bool
		upload     io.Reader
		consume    func(*http.Response)
		answers    int
		failing    bool
		stillWaits bool
		tried      bool
	}{
		{name: "answer", measure: FirstByte, base: respond(200, "", "x"), consume: hold, answers: 1},
		{name: "not found is an answer", measure: FirstByte, base: respond(404, "", "x"), consume: hold, answers: 1},
		{name: "server error", measure: FirstByte, base: respond(500, "", "x"), consume: hold, failing: true, tried: true},
		{name: "refused", measure: FirstByte, base: fail, failing: true, tried: true},
		{name: "the client left", measure: FirstByte, base: fail, canceled: true},
		{name: "the client broke its upload off", measure: FirstByte, upload: new(cutBody), base: func(r *http.Request) (*http.Response, error) {
			_, err := io.ReadAll(r.Body)
			return nil, err
		}},
		{name: "last byte: read to its end", measure: LastByte, base: respond(200, "", "x"), consume: readAll, answers: 1},
		{name: "last byte: still being read", measure: LastByte, base: respond(200, "", "x"), consume: hold, stillWaits: true},
		{name: "last byte: cut", measure: LastByte, base: cut, consume: readAll, failing: true},
		{name: "last byte: cut since the client left", measure: LastByte, base: cut, canceled: true, consume: readAll},
		{name: "last byte: closed early", measure: LastByte, base: respond(200, "", "x"), consume: closeOnly},
		{name: "last byte: server error", measure: LastByte, base: respond(503, "", "x"), consume: readAll, failing: true, tried: true},
		{name: "last byte: a stream counts with its first", measure: LastByte, base: respond(200, "text/event-stream; charset=utf-8", "x"), consume: hold, answers: 1},
		{name: "last byte: so does an upgrade", measure: LastByte, base: respond(101, "", ""), consume: hold, answers: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := upstream("outcome.test:80")
			table := newTestTable(t, tt.measure, u)
			rt := &measuredTransport{base: tt.base, table: table, measure: tt.measure, decay: testDecay}
			ctx, cancel := context.WithCancel(attemptContext(t.Context(), u))
			defer cancel()
			if tt.canceled {
				cancel()
			}
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://outcome.test", tt.upload)
			resp, err := rt.RoundTrip(req)
			if err == nil {
				tt.consume(resp)
			}
			m := table.meter(0, u)
			var e estimate
			if learnt := m.estimate.Load(); learnt != nil {
				e = *learnt
			}
			// Whatever an abandoned attempt has waited may count as an answer.
			if e.answers < tt.answers || (e.failing > 0) != tt.failing {
				t.Errorf("estimate = %+v, want %d answers, failing %v", e, tt.answers, tt.failing)
			}
			if waits := m.waiting.word.Load() != 0; waits != tt.stillWaits {
				t.Errorf("waits = %v, want %v", waits, tt.stillWaits)
			}
			if tried := len(triedBy(req)) == 1; tried != tt.tried {
				t.Errorf("tried = %v, want %v", tried, tt.tried)
			}
		})
	}
}

func TestRoundTripPanic(t *testing.T) {
	u := upstream("panic.test:80")
	table := newTestTable(t, FirstByte, u)
	rt := &measuredTransport{base: roundTrip(func(*http.Request) (*http.Response, error) { panic("transport") }), table: table, decay: testDecay}
	req, _ := http.NewRequestWithContext(attemptContext(t.Context(), u), http.MethodGet, "http://panic.test", nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = rt.RoundTrip(req)
	}()
	if table.meter(0, u).waiting.word.Load() != 0 {
		t.Error("an attempt waits for ever")
	}
}

func TestRoundTripUnmeasured(t *testing.T) {
	u := upstream("health.test:80")
	tests := []struct {
		name string
		ctx  context.Context
	}{
		{"health check", context.WithValue(t.Context(), caddy.CtxKey("reverse_proxy.dial_info"), reverseproxy.DialInfo{Upstream: u})},
		{"no upstream", attemptContext(t.Context(), nil)},
		{"no dial information", t.Context()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := newTestTable(t, FirstByte, u)
			rt := &measuredTransport{base: respond(500, "", ""), table: table, decay: testDecay}
			req, _ := http.NewRequestWithContext(tt.ctx, http.MethodGet, "http://health.test", nil)
			if _, err := rt.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
			if e := table.meter(0, u).estimate.Load(); e != nil {
				t.Errorf("measured %+v", *e)
			}
		})
	}
}

// TestUploadNotCounted sends a request body that takes until a barrier: the time
// before the last read is the client's.
func TestUploadNotCounted(t *testing.T) {
	b := &uploadBody{ReadCloser: io.NopCloser(strings.NewReader("x"))}
	_, _ = io.ReadAll(b)
	read := b.lastRead()
	if read <= 0 || b.failed() {
		t.Fatalf("lastRead = %v, failed = %v", read, b.failed())
	}
	m := new(meter)
	a := &attempt{meter: m, decay: testDecay, start: read - testNow, upload: b}
	a.end(answered)
	if got := m.estimate.Load().seconds; got >= testNow.Seconds() {
		t.Errorf("an upload of an hour counts with %v s", got)
	}
}

// ableTransport has all optional abilities.
type ableTransport struct{ roundTrip }

func (ableTransport) RequestHeaderOps() *headers.HeaderOps { return new(headers.HeaderOps) }
func (ableTransport) ProxyProtocolEnabled() bool           { return true }
func (ableTransport) RequiresContentLength() bool          { return true }
func (ableTransport) OverrideHealthCheckScheme(base *url.URL, _ string) {
	base.Scheme = "https"
}

func TestTransportAbilities(t *testing.T) {
	for name, base := range map[string]http.RoundTripper{"able": ableTransport{}, "plain": roundTrip(nil)} {
		t.Run(name, func(t *testing.T) {
			able := name == "able"
			rt := &measuredTransport{base: base}
			u := &url.URL{Scheme: "http"}
			rt.OverrideHealthCheckScheme(u, "443")
			if got := rt.RequestHeaderOps() != nil; got != able {
				t.Errorf("RequestHeaderOps: %v", got)
			}
			if got := rt.ProxyProtocolEnabled(); got != able {
				t.Errorf("ProxyProtocolEnabled: %v", got)
			}
			if got := rt.RequiresContentLength(); got != able {
				t.Errorf("RequiresContentLength: %v", got)
			}
			if got := u.Scheme == "https"; got != able {
				t.Errorf("OverrideHealthCheckScheme: %s", u.Scheme)
			}
		})
	}
}
