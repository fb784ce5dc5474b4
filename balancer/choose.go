package balancer

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Candidate is what a choice asks of an upstream. *reverseproxy.Upstream
// implements it; so do the simulated upstreams of the tests, since an Upstream
// cannot be made busy or unhealthy from outside its package.
type Candidate interface {
	// Available reports whether the upstream may be sent a request.
	Available() bool
	// NumRequests returns the number of requests in progress.
	NumRequests() int
	// String returns the address that names the upstream.
	String() string
}

// unknownSeconds stands for the time to an answer while no upstream is known.
// Only its being the same for all matters.
const unknownSeconds = 0.001

// retryable is the share of failures below which an upstream is tried again
// merely to learn whether it still fails.
const retryable = 0.05

// chooser chooses the candidate whose answer is expected soonest: least cost
// times (requests in progress + 1). It is safe for concurrent use.
type chooser struct {
	// decay is the time after which what was learnt has lost most of its
	// weight; above zero.
	decay time.Duration
	// explore is the largest share of choices, from 0 to 1, that try a
	// candidate which is not the best but has not been tried for decay.
	explore float64
	// random returns uniformly distributed bits; rand.Uint64 if nil. It must be
	// safe for concurrent use if the chooser is used so.
	random func() uint64
	// floor is the cost of the best known candidate at the last choice, as the
	// bits of a float64; 0 before the first.
	floor atomic.Uint64
}

// metering finds the meter of a candidate: the i-th of the pool.
type metering[C Candidate] interface {
	meter(i int, c C) *meter
}

// choose returns the best available candidate of pool at the instant now, and
// false if none is available. Those that tried holds come last: they have just
// failed this very request.
//
// A candidate that nothing is known of and that has no request in progress is
// taken at once, so a newcomer is tried; until it has answered it counts as
// being as fast as the fastest, so it is not flooded.
func choose[C Candidate](ch *chooser, pool []C, ms metering[C], tried []C, now time.Duration) (best C, ok bool) {
	var (
		bestScore  = math.Inf(1)
		ties       uint64
		stalest    C
		staleFor   = ch.decay
		fallback   C
		fellBack   bool
		floor      = math.Float64frombits(ch.floor.Load())
		lowest     = math.Inf(1)
		randomBits = ch.bits()
	)
	if floor == 0 {
		floor = unknownSeconds
	}
	for i, c := range pool {
		if !c.Available() {
			continue
		}
		if len(tried) > 0 && contains(tried, c) {
			fallback, fellBack = c, true
			continue
		}
		v := ms.meter(i, c).view(now, ch.decay, floor)
		load := c.NumRequests()
		score := v.cost()
		if v.young < 1 {
			lowest = min(lowest, score)
		}
		score *= float64(load + 1)
		if !v.known && load == 0 {
			score = 0
		}
		switch {
		case score < bestScore:
			best, ok, bestScore, ties = c, true, score, 1
		case score == bestScore:
			// Each of n equals is kept with probability 1/n.
			ties++
			if scramble(randomBits+ties)%ties == 0 {
				best = c
			}
		}
		if v.known && load == 0 && v.idle > staleFor && v.failing < retryable {
			stalest, staleFor = c, v.idle
		}
	}
	if !ok {
		return fallback, fellBack
	}
	if !math.IsInf(lowest, 1) {
		ch.floor.Store(math.Float64bits(lowest))
	}
	if staleFor > ch.decay && unit(randomBits) < ch.explore {
		return stalest, true
	}
	return best, true
}

func (ch *chooser) bits() uint64 {
	if ch.random != nil {
		return ch.random()
	}
	return rand.Uint64()
}

// contains reports whether c is among tried, by address: an upstream that is
// found anew for each attempt is another value with the same address.
func contains[C Candidate](tried []C, c C) bool {
	for _, t := range tried {
		if t.String() == c.String() {
			return true
		}
	}
	return false
}

// unit maps bits to [0, 1).
func unit(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// scramble spreads every bit of x over the whole word: the finalizer of
// MurmurHash3, which is a bijection.
func scramble(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return x
}
