package balancer

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func TestWaitingMean(t *testing.T) {
	const year = 365 * 24 * time.Hour
	tests := []struct {
		name   string
		begins []time.Duration
		ends   []time.Duration
		now    time.Duration
		want   float64 // seconds
	}{
		{"none", nil, nil, time.Second, 0},
		{"one", []time.Duration{time.Second}, nil, 3 * time.Second, 2},
		{"two", []time.Duration{time.Second, 3 * time.Second}, nil, 5 * time.Second, 3},
		{"one of two ended", []time.Duration{time.Second, 3 * time.Second}, []time.Duration{time.Second}, 5 * time.Second, 2},
		{"all ended", []time.Duration{time.Second}, []time.Duration{time.Second}, 5 * time.Second, 0},
		{"began after now", []time.Duration{2 * time.Second}, nil, time.Second, 0},
		{"a sum that wraps", []time.Duration{40 * year, 40 * year}, nil, 40*year + time.Second, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w waiting
			for _, at := range tt.begins {
				w.begin(at)
			}
			for _, at := range tt.ends {
				w.end(at)
			}
			if got := w.mean(tt.now); math.Abs(got-tt.want) > 0.001 {
				t.Errorf("mean = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestWaitingConcurrent begins and ends attempts from many goroutines: however
// they interleave, nothing is left at the end and no mean is absurd.
func TestWaitingConcurrent(t *testing.T) {
	var w waiting
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 0))
			for range 1000 {
				start := time.Duration(rng.Int64N(int64(time.Hour)))
				w.begin(start)
				if mean := w.mean(time.Hour); mean < 0 || mean > 3601 {
					t.Errorf("mean = %v s", mean)
				}
				w.end(start)
			}
		})
	}
	wg.Wait()
	if got := w.word.Load(); got != 0 {
		t.Errorf("word = %#x after all attempts ended, want 0", got)
	}
}
