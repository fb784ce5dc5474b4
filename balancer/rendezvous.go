package balancer

import (
	"math"

	"github.com/cespare/xxhash/v2"
)

// rendezvous assigns ids to variants by weighted rendezvous hashing: every
// variant draws a number from its own hash of the id, stretched by its weight,
// and the highest wins. A variant's draw does not depend on the others, so
// changed weights move only the ids that the change must move: from variants
// that lost weight to those that gained it.
//
// It is immutable and safe for concurrent use. The assignment is part of the
// contract: it must not change between releases, or running experiments mix.
type rendezvous struct {
	seeds   []uint64
	weights []float64
}

// newRendezvous prepares the draws of the named split. Labels and weights belong
// together by index; at least one weight is above zero and none is negative.
func newRendezvous(name string, labels []string, weights []int) rendezvous {
	var r rendezvous
	for i, label := range labels {
		r.seeds = append(r.seeds, xxhash.Sum64String(name+"\x00"+label))
		r.weights = append(r.weights, float64(weights[i]))
	}
	return r
}

// assign returns the index of the variant of id.
func (r rendezvous) assign(id string) int {
	h := xxhash.Sum64String(id)
	best, highest := 0, math.Inf(-1)
	for i, weight := range r.weights {
		if weight <= 0 {
			continue
		}
		// With u uniform in (0, 1), -ln(u)/weight is exponentially distributed
		// with that rate: the least of them is variant i with probability
		// weight / sum of weights.
		u := (float64(scramble(h^r.seeds[i])>>11) + 0.5) / (1 << 53)
		if draw := math.Log(u) / weight; draw > highest {
			best, highest = i, draw
		}
	}
	return best
}
