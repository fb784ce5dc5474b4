package balancer

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// benchPool returns n upstreams that have answered, and the table of their
// meters.
func benchPool(tb testing.TB, n int) (reverseproxy.UpstreamPool, *meterTable) {
	var pool reverseproxy.UpstreamPool
	for i := range n {
		pool = append(pool, upstream("bench"+strconv.Itoa(i)+".test:80"))
	}
	table := newTestTable(tb, FirstByte, pool...)
	for i, u := range pool {
		table.meter(i, u).record(answered, ms, sinceEpoch(), testDecay)
	}
	return pool, table
}

func benchPolicy(table *meterTable) *LeastTime {
	p := &LeastTime{table: table}
	p.chooser.decay, p.chooser.explore = defaultDecay, defaultExplore
	return p
}

func benchRequest(tb testing.TB, u *reverseproxy.Upstream) *http.Request {
	req, err := http.NewRequestWithContext(attemptContext(tb.Context(), u), http.MethodGet, "http://bench.test/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.URL.Host = "" // as a server receives it
	return req
}

// TestAllocations holds what a request pays: nothing for the choice, and for
// being measured the attempt and the new estimate.
func TestAllocations(t *testing.T) {
	pool, table := benchPool(t, 10)
	policy, req := benchPolicy(table), benchRequest(t, pool[0])
	if got := testing.AllocsPerRun(100, func() { policy.Select(pool, req, nil) }); got != 0 {
		t.Errorf("Select: %v allocations, want 0", got)
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
	rt := &measuredTransport{
		base:    roundTrip(func(*http.Request) (*http.Response, error) { return resp, nil }),
		table:   table,
		measure: FirstByte,
		decay:   defaultDecay,
	}
	if got := testing.AllocsPerRun(100, func() { _, _ = rt.RoundTrip(req) }); got > 2 {
		t.Errorf("RoundTrip: %v allocations, want at most 2", got)
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, n := range []int{10, 100} {
		pool, table := benchPool(b, n)
		req := benchRequest(b, pool[0])
		for _, policy := range []struct {
			name     string
			selector reverseproxy.Selector
		}{
			{"least_time", benchPolicy(table)},
			{"least_conn", reverseproxy.LeastConnSelection{}},
			{"random_choose", reverseproxy.RandomChoiceSelection{Choose: 2}},
			{"round_robin", new(reverseproxy.RoundRobinSelection)},
			{"ip_hash", reverseproxy.IPHashSelection{}},
		} {
			b.Run(fmt.Sprintf("policy=%s/upstreams=%d", policy.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					policy.selector.Select(pool, req, nil)
				}
			})
		}
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	pool, table := benchPool(b, 10)
	req := benchRequest(b, pool[0])
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
	rt := &measuredTransport{
		base:    roundTrip(func(*http.Request) (*http.Response, error) { return resp, nil }),
		table:   table,
		measure: FirstByte,
		decay:   defaultDecay,
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = rt.RoundTrip(req)
	}
}
