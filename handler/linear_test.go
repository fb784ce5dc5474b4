package handler

import (
	"testing"
	"time"
)

// testLinear fails where f takes far more than 16 times as long for 16 times the
// input. Quadratic time would be 256 times as long; the bound leaves room for a
// busy machine, and the best of several runs counts.
func testLinear(t *testing.T, name string, f func(n int)) {
	t.Helper()
	best := func(n int) time.Duration {
		least := time.Duration(1<<63 - 1)
		for range 7 {
			start := time.Now()
			f(n)
			least = min(least, time.Since(start))
		}
		return least
	}
	const n, times = 2_000, 16
	if once, more := best(n), best(times*n); more > 128*once {
		t.Errorf("%s: %d times the input took %v, once took %v", name, times, more, once)
	}
}
