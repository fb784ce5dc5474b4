package balancer

import (
	"sync/atomic"
	"time"
)

// waiting counts the attempts that wait for an answer and sums up the instants
// at which they began, in one word, so that both always belong together. From
// the two follows how long the attempts have waited on average, which shows an
// upstream that hangs long before its first time-out does.
//
// The low countBits hold the number of attempts; above them stands the sum of
// the instants in ticks, modulo 2^(64-countBits). The sum may wrap: only its
// difference to number x now is ever read, and that is exact while the true
// difference stays below 36 years.
//
// The zero value is ready for use. All methods may be called concurrently.
type waiting struct {
	word atomic.Uint64
}

const (
	countBits = 20
	countMask = 1<<countBits - 1
	tickShift = 16 // a tick is 2^16 ns, about 66 microseconds
)

// begin counts an attempt that began at start.
func (w *waiting) begin(start time.Duration) {
	w.word.Add(ticks(start)<<countBits + 1)
}

// end takes the attempt that began at start out again.
func (w *waiting) end(start time.Duration) {
	w.word.Add(-(ticks(start)<<countBits + 1))
}

// mean returns for how many seconds the waiting attempts have waited by now on
// average; 0 if none waits.
func (w *waiting) mean(now time.Duration) float64 {
	word := w.word.Load()
	n := word & countMask
	if n == 0 {
		return 0
	}
	// Shifting left and right again keeps the difference modulo its own width.
	total := (n*ticks(now) - word>>countBits) << countBits >> countBits
	if total > 1<<(64-countBits-1) {
		return 0 // an attempt began after now was read
	}
	return float64(total<<tickShift) / float64(n) / float64(time.Second)
}

func ticks(at time.Duration) uint64 { return uint64(at) >> tickShift }
