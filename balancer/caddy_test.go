package balancer

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"
	_ "github.com/caddyserver/caddy/v2/modules/filestorage"
)

// adapt turns the body of a site into a configuration that listens on a free
// loopback port and touches nothing else.
func adapt(tb testing.TB, site string) ([]byte, error) {
	tb.Helper()
	input := "{\n\tadmin off\n\tpersist_config off\n\tauto_https off\n\tskip_install_trust\n\tlog {\n\t\tlevel PANIC\n\t}\n}\n" +
		"http://:2 {\nbind 127.0.0.1\n" + site + "\n}\n"
	adapter := caddyconfig.GetAdapter("caddyfile")
	config, _, err := adapter.Adapt([]byte(input), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return nil, err
	}
	return []byte(strings.Replace(string(config), `"127.0.0.1:2"`, `"127.0.0.1:0"`, 1)), nil
}

// serve runs a real Caddy in this process with the given body of a site and
// returns its base URL. A later call in the same test reloads it.
func serve(tb testing.TB, site string) string {
	tb.Helper()
	config, err := adapt(tb, site)
	if err != nil {
		tb.Fatal(err)
	}
	return load(tb, config)
}

func load(tb testing.TB, config []byte) string {
	tb.Helper()
	if err := caddy.Load(config, true); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := caddy.Stop(); err != nil {
			tb.Error(err)
		}
	})
	app, err := caddy.ActiveContext().App("http")
	if err != nil {
		tb.Fatal(err)
	}
	for _, server := range app.(*caddyhttp.App).Servers {
		return "http://" + server.Listeners()[0].Addr().String()
	}
	tb.Fatal("no server")
	return ""
}

// origin is an upstream under the control of a test.
func origin(tb testing.TB, handler http.HandlerFunc) (server *httptest.Server, address string) {
	tb.Helper()
	server = httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return server, server.Listener.Addr().String()
}

// get returns status and body of a GET; a response that is cut is an error.
func get(url string) (int, string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func mustGet(tb testing.TB, url string) string {
	tb.Helper()
	status, body, err := get(url)
	if err != nil || status != http.StatusOK {
		tb.Fatalf("status %d, error %v", status, err)
	}
	return body
}

func TestCaddyfile(t *testing.T) {
	const prefix = `{"policy":"least_time"`
	tests := []struct {
		name, policy string
		want         string // the policy as JSON, or part of the error after "error: "
	}{
		{"bare", "least_time", prefix + `}`},
		{"first_byte", "least_time first_byte", prefix + `,"measure":"first_byte"}`},
		{"all", "least_time last_byte {\n decay 1m\n explore 1%\n}", prefix + `,"measure":"last_byte","decay":60000000000,"explore":0.01}`},
		{"explore never", "least_time {\n explore 0\n}", prefix + `,"explore":0}`},
		{"unknown measure", "least_time header", "error: least_time measures first_byte or last_byte, not 'header'"},
		{"two measures", "least_time first_byte last_byte", "error: wrong argument count"},
		{"unknown option", "least_time {\n window 3\n}", "error: unrecognized option 'window' of least_time: expected decay or explore"},
		{"decay without value", "least_time {\n decay\n}", "error: wrong argument count"},
		{"decay with two values", "least_time {\n decay 1s 2s\n}", "error: wrong argument count"},
		{"decay of nothing", "least_time {\n decay 0s\n}", "error: decay must be a duration above zero such as 10s, not '0s'"},
		{"negative decay", "least_time {\n decay -1s\n}", "error: decay must be a duration above zero such as 10s, not '-1s'"},
		{"decay without unit", "least_time {\n decay ten\n}", "error: decay must be a duration above zero such as 10s, not 'ten'"},
		{"decay twice", "least_time {\n decay 1s\n decay 1s\n}", "error: decay is given twice"},
		{"explore twice", "least_time {\n explore 0\n explore 0\n}", "error: explore is given twice"},
		{"explore too much", "least_time {\n explore 51%\n}", "error: explore must be a share from 0 to 0.5 or a percentage such as 0.5%, not '51%'"},
		{"explore negative", "least_time {\n explore -1\n}", "error: explore must be a share"},
		{"explore no number", "least_time {\n explore NaN\n}", "error: explore must be a share"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, err := adapt(t, "reverse_proxy a.test {\n lb_policy "+tt.policy+"\n}")
			if want, isError := strings.CutPrefix(tt.want, "error: "); isError {
				if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "Caddyfile:") {
					t.Fatalf("error %v, want %q with its line", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			// The order of keys is that of the adapter: compare as values.
			got := find(config, "selection_policy")
			if !jsonEqual(got, []byte(tt.want)) {
				t.Errorf("adapted to %s, want %s", got, tt.want)
			}
		})
	}
}

// find returns the first value of key anywhere in a JSON document.
func find(document []byte, key string) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(document, &fields) == nil {
		if v, ok := fields[key]; ok {
			return v
		}
		for _, v := range fields {
			if found := find(v, key); found != nil {
				return found
			}
		}
	}
	var list []json.RawMessage
	if json.Unmarshal(document, &list) == nil {
		for _, v := range list {
			if found := find(v, key); found != nil {
				return found
			}
		}
	}
	return nil
}

func jsonEqual(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

// proxyJSON is a configuration with one reverse_proxy; extra are fields of the
// handler beside its upstreams.
func proxyJSON(extra string, dials ...string) []byte {
	var pool []string
	for _, dial := range dials {
		pool = append(pool, fmt.Sprintf(`{"dial":%q}`, dial))
	}
	return fmt.Appendf(nil, `{"admin":{"disabled":true,"config":{"persist":false}},
		"logging":{"logs":{"default":{"level":"PANIC"}}},
		"apps":{"http":{"servers":{"s":{"listen":["127.0.0.1:0"],"automatic_https":{"disable":true},
		"routes":[{"handle":[{"handler":"reverse_proxy","upstreams":[%s]%s}]}]}}}}}`, strings.Join(pool, ","), extra)
}

func TestInvalidJSON(t *testing.T) {
	tests := []struct{ name, policy, want string }{
		{"measure", `"measure":"middle_byte"`, "measures first_byte or last_byte"},
		{"decay", `"decay":-1`, "must be above zero"},
		{"explore above", `"explore":0.6`, "from 0 to 0.5"},
		{"explore below", `"explore":-0.1`, "from 0 to 0.5"},
		{"unknown field", `"window":1`, "unknown field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := proxyJSON(`,"load_balancing":{"selection_policy":{"policy":"least_time",`+tt.policy+`}}`, "invalid.test:80")
			var parsed caddy.Config
			if err := json.Unmarshal(config, &parsed); err != nil {
				t.Fatal(err)
			}
			if err := caddy.Validate(&parsed); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if _, kept := meters.References(meterKey{"invalid.test:80", FirstByte}); kept {
				t.Error("a rejected configuration keeps a meter")
			}
		})
	}
}

func TestNotInProxy(t *testing.T) {
	ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
	defer cancel()
	_, err := ctx.LoadModuleByID("http.reverse_proxy.selection_policies.least_time", nil)
	if err == nil || !strings.Contains(err.Error(), "must stand in the configuration of a reverse_proxy") {
		t.Errorf("error %v", err)
	}
}

// FuzzShare reads any share: what is accepted lies from 0 to 1.
func FuzzShare(f *testing.F) {
	for _, s := range []string{"", "0", "0.5", "50%", "%", "-0", "NaN", "Inf%", "1e-400", "0x1p-2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if share, ok := parseShare(s); ok && !(share >= 0 && share <= 1) {
			t.Errorf("%q is read as %v", s, share)
		}
	})
}

// TestTransportLoadedLater stands for a Caddy that loads transports later: the
// policy refuses to run without measuring.
func TestTransportLoadedLater(t *testing.T) {
	p := &LeastTime{Measure: FirstByte}
	proxy := &reverseproxy.Handler{TransportRaw: json.RawMessage(`{"protocol":"http"}`)}
	if err := p.measure(caddy.Context{}, proxy); err == nil || proxy.Transport != nil {
		t.Errorf("error %v, transport %v", err, proxy.Transport)
	}
}

// TestTwoMeasures nests policies in one reverse_proxy: each attempt is measured
// once for each measure.
func TestTwoMeasures(t *testing.T) {
	u := upstream("nested.test:80")
	proxy := &reverseproxy.Handler{Transport: respond(200, "", ""), Upstreams: reverseproxy.UpstreamPool{u}}
	for _, m := range []Measure{FirstByte, LastByte, FirstByte} {
		p := &LeastTime{Measure: m, Decay: caddy.Duration(testDecay), table: newTestTable(t, m, u)}
		if err := p.measure(caddy.Context{}, proxy); err != nil {
			t.Fatal(err)
		}
	}
	req, _ := http.NewRequestWithContext(attemptContext(t.Context(), u), http.MethodGet, "http://nested.test", nil)
	resp, err := proxy.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(resp.Body)
	resp.Body.Close()
	for _, m := range []Measure{FirstByte, LastByte} {
		if got := acquireMeter(meterKey{u.Dial, m}).estimate.Load(); got == nil || got.answers != 1 {
			t.Errorf("%s: estimate %+v, want one answer", m, got)
		}
		releaseMeter(meterKey{u.Dial, m})
	}
}

// deadAddress returns a loopback address where nothing listens.
func deadAddress(tb testing.TB) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
