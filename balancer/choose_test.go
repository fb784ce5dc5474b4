package balancer

import (
	"math/rand/v2"
	"testing"
	"time"
)

// candidate is an upstream whose state a test sets.
type candidate struct {
	name  string
	down  bool
	load  int
	meter meter
}

func (c *candidate) Available() bool  { return !c.down }
func (c *candidate) NumRequests() int { return c.load }
func (c *candidate) String() string   { return c.name }

// ownMeters finds the meter that each candidate carries.
type ownMeters struct{}

func (ownMeters) meter(_ int, c *candidate) *meter { return &c.meter }

const testNow = time.Hour

// known returns a candidate that has answered in took until just now.
func known(name string, took time.Duration, load int) *candidate {
	c := &candidate{name: name, load: load}
	for range answerWindow {
		c.meter.record(answered, took, testNow, testDecay)
	}
	return c
}

// since moves what is known of c into the past.
func (c *candidate) since(idle time.Duration) *candidate {
	e := *c.meter.estimate.Load()
	e.at = testNow - idle
	c.meter.estimate.Store(&e)
	return c
}

func (c *candidate) after(o outcome, n int) *candidate {
	for range n {
		c.meter.record(o, ms, testNow, testDecay)
	}
	return c
}

func (c *candidate) hanging(waited time.Duration) *candidate {
	c.meter.waiting.begin(testNow - waited)
	return c
}

func newChooser(explore float64) *chooser {
	rng := rand.New(rand.NewPCG(1, 2))
	return &chooser{decay: testDecay, explore: explore, random: rng.Uint64}
}

func TestChoose(t *testing.T) {
	unavailable := known("down", ms, 0)
	unavailable.down = true
	tests := []struct {
		name string
		pool []*candidate
		want string // "" for none
	}{
		{"empty pool", nil, ""},
		{"none available", []*candidate{unavailable}, ""},
		{"the only one", []*candidate{unavailable, known("slow", time.Minute, 50)}, "slow"},
		{"the faster", []*candidate{known("slow", 20*ms, 0), known("fast", 10*ms, 0)}, "fast"},
		{"the faster though busier", []*candidate{known("slow", 100*ms, 0), known("fast", 10*ms, 8)}, "fast"},
		{"the slower once the fast is busy enough", []*candidate{known("slow", 100*ms, 0), known("fast", 10*ms, 10)}, "slow"},
		{"a newcomer is tried", []*candidate{known("fast", ms, 0), {name: "new"}}, "new"},
		{"a newcomer is not flooded", []*candidate{known("fast", 10*ms, 0), {name: "new", load: 1}}, "fast"},
		{"failing fast attracts nobody", []*candidate{known("failing", ms, 0).after(failed, 5), known("slow", time.Second, 0)}, "slow"},
		{"a newcomer that fails", []*candidate{known("slow", 100*ms, 0), (&candidate{name: "new"}).after(failed, 1)}, "slow"},
		{"one refused connection", []*candidate{known("refusing", ms, 0).after(broken, 1), known("slow", time.Second, 0)}, "slow"},
		{"one that hangs", []*candidate{known("hanging", ms, 1).hanging(time.Second), known("slow", 100*ms, 0)}, "slow"},
		{"one that failed long ago", []*candidate{known("failed", ms, 0).after(broken, 9).since(time.Hour), known("slow", 100*ms, 0)}, "failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ch := newChooser(0)
			choose(ch, tt.pool, ownMeters{}, nil, testNow) // learns how fast the fastest is
			got, ok := choose(ch, tt.pool, ownMeters{}, nil, testNow)
			switch {
			case ok != (tt.want != ""):
				t.Fatalf("ok = %v, want %q", ok, tt.want)
			case ok && got.name != tt.want:
				t.Errorf("chose %s, want %s", got, tt.want)
			}
		})
	}
}

func TestChooseTried(t *testing.T) {
	fast, slow := known("fast", ms, 0), known("slow", time.Second, 0)
	pool := []*candidate{fast, slow}
	tests := []struct {
		name  string
		tried []*candidate
		want  *candidate
	}{
		{"first attempt", nil, fast},
		{"the other after a failure", []*candidate{fast}, slow},
		{"the same address found anew", []*candidate{{name: "fast"}}, slow},
		{"any when all have failed", pool, slow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := choose(newChooser(0), pool, ownMeters{}, tt.tried, testNow); !ok || got != tt.want {
				t.Errorf("chose %v, want %v", got, tt.want)
			}
		})
	}
}

func TestChooseSpreadsEquals(t *testing.T) {
	pools := map[string][]*candidate{
		"unknown": {{name: "a"}, {name: "b"}, {name: "c"}, {name: "d"}},
		"known":   {known("a", ms, 3), known("b", ms, 3), known("c", ms, 3), known("d", ms, 3)},
	}
	for name, pool := range pools {
		t.Run(name, func(t *testing.T) {
			ch, counts := newChooser(0), map[string]int{}
			for range 40_000 {
				c, _ := choose(ch, pool, ownMeters{}, nil, testNow)
				counts[c.name]++
			}
			for _, c := range pool {
				within(t, "share of "+c.name, float64(counts[c.name])/40_000, 0.24, 0.26)
			}
		})
	}
}

func TestChooseExplores(t *testing.T) {
	tests := []struct {
		name      string
		odd       *candidate
		explore   float64
		low, high float64
	}{
		{"what was not tried for long", known("odd", time.Second, 0).since(11 * time.Second), 0.02, 0.015, 0.025},
		{"not what was tried just now", known("odd", time.Second, 0).since(9 * time.Second), 0.02, 0, 0},
		{"not twice at a time", known("odd", time.Second, 1).since(time.Minute), 0.02, 0, 0},
		{"not what still seems to fail", known("odd", time.Second, 0).after(broken, 9).since(20 * time.Second), 0.02, 0, 0},
		{"what has failed long ago", known("odd", time.Second, 0).after(broken, 9).since(34 * time.Second), 0.02, 0.015, 0.025},
		{"never if so asked", known("odd", time.Second, 0).since(time.Minute), 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ch, explored := newChooser(tt.explore), 0
			pool := []*candidate{known("fast", ms, 0), tt.odd}
			for range 20_000 {
				if c, _ := choose(ch, pool, ownMeters{}, nil, testNow); c == tt.odd {
					explored++
				}
			}
			within(t, "share of the odd one", float64(explored)/20_000, tt.low, tt.high)
		})
	}
}
