package balancer

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

// scenarios returns the situations of docs/balancing.md.
func scenarios() []scenario {
	return []scenario{{
		name:     "two fast, one slow",
		pool:     func() []*simUpstream { return upstreams(8, 10*ms, 10*ms, 100*ms) },
		rate:     800,
		duration: 10 * time.Second,
		watched:  2,
		check: func(t *testing.T, r result) {
			within(t, "share of the slow one", r.share[2], 0, 0.02)
			within(t, "share of a fast one", r.share[0], 0.45, 0.55)
		},
	}, {
		name:     "the same, lightly loaded",
		pool:     func() []*simUpstream { return upstreams(8, 10*ms, 10*ms, 100*ms) },
		rate:     10,
		duration: 1000 * time.Second,
		watched:  2,
		check: func(t *testing.T, r result) {
			within(t, "share of the slow one", r.share[2], 0.001, 0.01)
			within(t, "share of a fast one", r.share[0], 0.3, 0.7)
		},
	}, {
		name: "one slows down and recovers",
		pool: func() []*simUpstream {
			pool := upstreams(8, 10*ms, 10*ms, 10*ms)
			pool[2].serviceAt = func(now time.Duration) time.Duration {
				if now > 5*time.Second && now < 15*time.Second {
					return 200 * ms
				}
				return 10 * ms
			}
			return pool
		},
		rate:     900,
		duration: 50 * time.Second,
		watched:  2,
		check: func(t *testing.T, r result) {
			within(t, "share of the recovered one at last", r.late[2], 0.28, 0.38)
		},
	}, {
		name: "one fails fast",
		pool: func() []*simUpstream {
			pool := upstreams(8, 10*ms, 10*ms, 10*ms)
			pool[2].failsAt = func(time.Duration) bool { return true }
			return pool
		},
		rate:     800,
		duration: 10 * time.Second,
		watched:  2,
		check: func(t *testing.T, r result) {
			within(t, "share of failures", r.failures, 0, 0.002)
		},
	}, {
		name: "a cold newcomer",
		pool: func() []*simUpstream {
			pool := upstreams(8, 10*ms, 10*ms, 10*ms)
			pool[2].joins, pool[2].coldFor = 2*time.Second, 50
			return pool
		},
		rate:     1000,
		duration: 12 * time.Second,
		watched:  2,
		check: func(t *testing.T, r result) {
			within(t, "share of the newcomer at last", r.late[2], 0.28, 0.38)
			within(t, "most requests at the newcomer", float64(r.crowd), 1, 40)
		},
	}, {
		name: "100 upstreams, 5 to 50 ms",
		pool: func() []*simUpstream {
			var means []time.Duration
			for i := range 100 {
				means = append(means, time.Duration(5+i*45/99)*ms)
			}
			return upstreams(4, means...)
		},
		rate:     8000,
		duration: 3 * time.Second,
		watched:  99,
		check: func(t *testing.T, r result) {
			within(t, "share of the slowest", r.share[99], 0, 0.005)
		},
	}}
}

func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %.4f, want %.4f to %.4f", what, got, low, high)
	}
}

var simPolicies = []struct {
	name string
	make func(n int, seed uint64) simPolicy
}{
	{"least_time", newLeastTimeSim},
	{"prequal", newPrequalSim},
	{"round_robin", newRoundRobinSim},
	{"least_conn", newLeastConnSim},
	{"random_choose 2", newRandomTwoSim},
}

// TestSimulation compares the policies. With -v it prints the table that stands in
// docs/balancing.md.
func TestSimulation(t *testing.T) {
	var out strings.Builder
	out.WriteString("| Scenario | Policy | Share of the last | Failed | p50 | p99 |\n|---|---|---|---|---|---|\n")
	for _, s := range scenarios() {
		n := len(s.pool())
		results := map[string]result{}
		for _, p := range simPolicies {
			r := s.run(p.make(n, 7), 7)
			results[p.name] = r
			fmt.Fprintf(&out, "| %s | %s | %.2f %% | %.2f %% | %.1f ms | %.1f ms |\n", s.name, p.name,
				100*r.share[s.watched], 100*r.failures, r.p50.Seconds()*1000, r.p99.Seconds()*1000)
		}
		t.Run(s.name, func(t *testing.T) {
			ours := results["least_time"]
			if theirs := results["prequal"].p99; ours.p99*10 > theirs*11 {
				t.Errorf("p99 %v, more than 1.1 times the %v of Prequal", ours.p99, theirs)
			}
			s.check(t, ours)
		})
	}
	t.Log("\n" + out.String())
}

// TestSimulationSeeds repeats the comparison with Prequal for other seeds.
func TestSimulationSeeds(t *testing.T) {
	for _, s := range scenarios()[:5] {
		for _, seed := range []uint64{1, 2} {
			t.Run(fmt.Sprintf("%s/seed=%d", s.name, seed), func(t *testing.T) {
				n := len(s.pool())
				ours, theirs := s.run(newLeastTimeSim(n, seed), seed), s.run(newPrequalSim(n, seed), seed)
				if ours.p99*10 > theirs.p99*11 {
					t.Errorf("p99 %v, more than 1.1 times the %v of Prequal", ours.p99, theirs.p99)
				}
				s.check(t, ours)
			})
		}
	}
}
