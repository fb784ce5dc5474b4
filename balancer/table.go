package balancer

import (
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

const (
	// maxDynamicMeters bounds the meters of upstreams that are found at run
	// time. What does not fit shares one meter.
	maxDynamicMeters = 1024
	// dynamicIdle is the time without an attempt after which a dynamic upstream
	// makes room for another.
	dynamicIdle = 10 * time.Minute
)

// meterTable finds the meters of the upstreams of one reverse_proxy. The
// configured ones cost no more than a comparison; those of dynamic upstreams are
// kept by address. It is safe for concurrent use and takes a lock only when an
// upstream is seen for the first time.
type meterTable struct {
	measure Measure

	// static and metered belong together by index; byUpstream holds the same
	// for pools in another order. None of them changes.
	static     []*reverseproxy.Upstream
	metered    []*meter
	byUpstream map[*reverseproxy.Upstream]*meter

	dynamic  sync.Map // address (string) to *meter
	overflow meter    // shared by dynamic upstreams that found no room

	mu       sync.Mutex
	dynamics int  // guarded by mu: number of entries in dynamic
	closed   bool // guarded by mu
}

// newMeterTable takes references to the meters of the given upstreams. The
// table must be closed.
func newMeterTable(measure Measure, static []*reverseproxy.Upstream) *meterTable {
	t := &meterTable{
		measure:    measure,
		static:     static,
		byUpstream: make(map[*reverseproxy.Upstream]*meter, len(static)),
	}
	for _, u := range static {
		m := acquireMeter(meterKey{u.Dial, measure})
		t.metered = append(t.metered, m)
		t.byUpstream[u] = m
	}
	return t
}

// meter returns the meter of u, the i-th of its pool. It never returns nil.
func (t *meterTable) meter(i int, u *reverseproxy.Upstream) *meter {
	if i < len(t.static) && t.static[i] == u {
		return t.metered[i]
	}
	if m, ok := t.byUpstream[u]; ok {
		return m
	}
	if m, ok := t.dynamic.Load(u.Dial); ok {
		return m.(*meter)
	}
	return t.discover(u.Dial)
}

// discover makes room for a dynamic upstream that is seen for the first time.
func (t *meterTable) discover(dial string) *meter {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m, ok := t.dynamic.Load(dial); ok {
		return m.(*meter)
	}
	if t.closed {
		return &t.overflow // a request that outlives its configuration
	}
	if t.dynamics >= maxDynamicMeters {
		t.sweep(sinceEpoch())
	}
	if t.dynamics >= maxDynamicMeters {
		return &t.overflow
	}
	m := acquireMeter(meterKey{dial, t.measure})
	t.dynamic.Store(dial, m)
	t.dynamics++
	return m
}

// sweep drops the dynamic meters that are idle. The caller holds mu.
func (t *meterTable) sweep(now time.Duration) {
	t.dynamic.Range(func(dial, m any) bool {
		e := m.(*meter).estimate.Load()
		if e == nil || now-e.at > dynamicIdle {
			t.drop(dial.(string))
		}
		return true
	})
}

// drop gives the reference to a dynamic meter back. The caller holds mu.
func (t *meterTable) drop(dial string) {
	t.dynamic.Delete(dial)
	t.dynamics--
	releaseMeter(meterKey{dial, t.measure})
}

// close gives all references back. The meters of configured upstreams stay
// usable for requests in progress.
func (t *meterTable) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.closed = true
	for _, u := range t.static {
		releaseMeter(meterKey{u.Dial, t.measure})
	}
	t.dynamic.Range(func(dial, _ any) bool {
		t.drop(dial.(string))
		return true
	})
}
