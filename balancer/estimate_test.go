package balancer

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

const testDecay = 10 * time.Second

// learn returns the estimate after n equal attempts, gap apart.
func learn(e *estimate, n int, o outcome, took, gap time.Duration) *estimate {
	var now time.Duration
	if e != nil {
		now = e.at
	}
	for range n {
		now += gap
		e = e.next(o, took, now, testDecay)
	}
	return e
}

func TestEstimateNext(t *testing.T) {
	steady := learn(nil, 100, answered, 10*ms, ms)
	tests := []struct {
		name             string
		e                *estimate
		seconds, failing [2]float64 // from, to
	}{
		{"first answer counts in full", learn(nil, 1, answered, 20*ms, time.Second), [2]float64{0.02, 0.02}, [2]float64{}},
		{"steady", steady, [2]float64{0.01, 0.01}, [2]float64{}},
		{"one outlier moves little", learn(steady, 1, answered, 320*ms, ms), [2]float64{0.015, 0.025}, [2]float64{}},
		{"a change is seen within some answers", learn(steady, 32, answered, 110*ms, ms), [2]float64{0.07, 0.11}, [2]float64{}},
		{"after a long pause the last answer counts", learn(steady, 1, answered, 110*ms, time.Minute), [2]float64{0.1, 0.11}, [2]float64{}},
		{"one failure", learn(steady, 1, failed, ms, ms), [2]float64{0.01, 0.01}, [2]float64{0.12, 0.13}},
		{"failing fast teaches no time", learn(steady, 100, failed, 0, ms), [2]float64{0.01, 0.01}, [2]float64{0.99, 1}},
		{"no answer", learn(steady, 1, broken, ms, ms), [2]float64{0.01, 0.01}, [2]float64{0.5, 0.51}},
		{"recovers by answers", learn(learn(steady, 1, broken, ms, ms), 100, answered, 10*ms, ms), [2]float64{0.01, 0.01}, [2]float64{0, 0.03}},
		{"abandoned early says nothing", learn(steady, 5, abandoned, ms, ms), [2]float64{0.01, 0.01}, [2]float64{}},
		{"abandoned late says at least so long", learn(steady, 32, abandoned, time.Second, ms), [2]float64{0.5, 1}, [2]float64{}},
		{"a clock that went back", steady.next(answered, 10*ms, 0, testDecay), [2]float64{0.01, 0.01}, [2]float64{}},
	}
	const rounding = 1e-9
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.e.seconds; got < tt.seconds[0]-rounding || got > tt.seconds[1]+rounding {
				t.Errorf("seconds = %v, want %v", got, tt.seconds)
			}
			if got := tt.e.failing; got < tt.failing[0] || got > tt.failing[1]+rounding {
				t.Errorf("failing = %v, want %v", got, tt.failing)
			}
		})
	}
	if steady.next(abandoned, ms, steady.at+ms, testDecay) != steady {
		t.Error("an attempt that taught nothing made a new estimate")
	}
}

func TestEstimateView(t *testing.T) {
	const floor = 0.01
	slow := learn(nil, 100, answered, time.Second, ms)
	broke := learn(learn(nil, 100, answered, 10*ms, ms), 20, broken, ms, ms)
	lucky := learn(nil, 1, answered, ms, ms)
	proven := learn(nil, youngAnswers, answered, ms, ms)
	tests := []struct {
		name    string
		e       *estimate
		idle    time.Duration
		seconds float64
		failing float64
		young   float64
	}{
		{"unknown is as good as the best", nil, 0, floor, 0, 1},
		{"fresh is as learnt", slow, 0, 1, 0, 0},
		{"one decay keeps a third", slow, testDecay, floor + 0.99*24/65, 0, 0},
		{"a long time keeps nothing", slow, 24 * time.Hour, floor, 0, 0},
		{"failures fade as well", broke, testDecay, floor, 24.0 / 65, 0},
		{"one lucky answer is doubted", lucky, 0, floor - (floor-0.001)/8, 0, 7.0 / 8},
		{"enough answers are trusted", proven, 0, 0.001, 0, 0},
		{"better than the floor stays so", proven, time.Hour, 0.001, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := tt.idle
			if tt.e != nil {
				now += tt.e.at
			}
			v := tt.e.view(now, testDecay, floor)
			if math.Abs(v.seconds-tt.seconds) > 1e-6 || math.Abs(v.failing-tt.failing) > 1e-4 || math.Abs(v.young-tt.young) > 1e-9 {
				t.Errorf("view = %+v, want seconds %v, failing %v, young %v", v, tt.seconds, tt.failing, tt.young)
			}
		})
	}
}

// FuzzEstimate feeds any sequence of outcomes, times and instants: an estimate
// stays finite and within its bounds.
func FuzzEstimate(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 255, 255, 255, 127, 0, 0, 0, 1, 2, 0, 0, 0, 128, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m meter
		var now time.Duration
		for ; len(data) >= 9; data = data[9:] {
			took := time.Duration(int32(binary.LittleEndian.Uint32(data[1:]))) * time.Millisecond
			now += time.Duration(int32(binary.LittleEndian.Uint32(data[5:]))) * time.Millisecond
			m.record(outcome(data[0]%4), took, now, testDecay)
			v := m.view(now, testDecay, 0.01)
			if cost := v.cost(); math.IsNaN(cost) || math.IsInf(cost, 0) || cost < 0 {
				t.Fatalf("cost = %v of %+v", cost, v)
			}
			if v.failing < 0 || v.failing > 1 || v.idle < 0 || v.young < 0 || v.young > 1 {
				t.Fatalf("out of bounds: %+v", v)
			}
		}
	})
}
