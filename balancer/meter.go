package balancer

import (
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// meter measures one upstream. It takes no lock: attempts that wait are one
// atomic word, the estimate is replaced as a whole.
//
// The zero value is ready for use. All methods may be called concurrently.
type meter struct {
	waiting  waiting
	estimate atomic.Pointer[estimate]
}

// record adds an attempt that ended at now after elapsed.
func (m *meter) record(o outcome, elapsed, now, decay time.Duration) {
	for {
		old := m.estimate.Load()
		next := old.next(o, elapsed, now, decay)
		if next == old || m.estimate.CompareAndSwap(old, next) {
			return
		}
	}
}

// view returns the estimate as it looks at now, and not better than what the
// attempts that still wait have waited so far.
func (m *meter) view(now, decay time.Duration, floor float64) view {
	v := m.estimate.Load().view(now, decay, floor)
	v.seconds = max(v.seconds, m.waiting.mean(now))
	return v
}

// meterKey names a meter: the address as the upstream dials it, and what is
// measured, since times to the first and to the last byte do not mix.
type meterKey struct {
	dial    string
	measure Measure
}

// meters keeps what has been learnt over reloads: the new configuration takes
// its references before the old one drops its own.
var meters = caddy.NewUsagePool()

// acquireMeter returns the meter of key and takes a reference to it, to be given
// back by releaseMeter.
func acquireMeter(key meterKey) *meter {
	m, _ := meters.LoadOrStore(key, new(meter))
	return m.(*meter)
}

// releaseMeter gives a reference back. The meter is forgotten with the last one,
// but whoever still holds it may use it.
func releaseMeter(key meterKey) {
	_, _ = meters.Delete(key) // fails only if a destructor does, and a meter has none
}

// epoch is the zero of the clock that all meters share.
var epoch = time.Now()

// sinceEpoch is the current instant on the meters' monotonic clock.
func sinceEpoch() time.Duration { return time.Since(epoch) }
