package main

import (
	"context"
	"log"
	"time"
)

// result is what the rounds brought for one target under one workload.
type result struct {
	target string
	runs   []run // one for each round
	wire   int   // bytes of a body
}

// measure loads every server that the workload fits, in turn. A round is one load
// for each but the first two, whose ratio is what counts most: they have four each, as
// A B B A B A A B, so that what drifts or comes and goes in between hits both alike.
// Each load has the same number of requests in all rounds, and so as many garbage
// collections.
func measure(ctx context.Context, w workload, servers []*target, s *site, o options) ([]*result, error) {
	var fitting []*target
	var results []*result
	var counts []int
	for _, t := range servers {
		if t.can&w.needs != w.needs {
			continue
		}
		wire, err := w.verify(ctx, t, s)
		if err != nil {
			return nil, err
		}
		n, err := w.count(ctx, t, o)
		if err != nil {
			return nil, err
		}
		fitting, results, counts = append(fitting, t), append(results, &result{target: t.name, wire: wire}), append(counts, n)
	}
	paired := len(fitting) > 1 && fitting[0].name == floorName
	if paired {
		counts[0], counts[1] = min(counts[0], counts[1]), min(counts[0], counts[1])
	}
	for round := range o.rounds {
		for _, i := range order(len(fitting), round, paired) {
			r, err := w.load(ctx, fitting[i], counts[i], o.dir)
			if err != nil {
				return nil, err
			}
			if runs := results[i].runs; len(runs) > round {
				runs[round] = runs[round].add(r)
				continue
			}
			results[i].runs = append(results[i].runs, r)
		}
		log.Printf("%s: round %d of %d", w.name, round+1, o.rounds)
	}
	return results, nil
}

// order is the order of the loads of a round, by the targets' numbers.
func order(targets, round int, paired bool) (list []int) {
	first := 0
	if paired {
		a, b := round%2, 1-round%2
		list, first = []int{a, b, b, a, b, a, a, b}, 2
	}
	for i := range targets - first {
		// Each round begins with another one.
		list = append(list, first+(i+round)%(targets-first))
	}
	return list
}

// count is how many requests of the workload t answers in the time of one load.
func (w workload) count(ctx context.Context, t *target, o options) (int, error) {
	n := 32
	// Starting the load tool takes its time, so the first guess is poor.
	for range 3 {
		r, err := w.load(ctx, t, n, o.dir)
		if err != nil {
			return 0, err
		}
		n = max(32, int(float64(r.requests)*o.duration.Seconds()/max(r.took, time.Millisecond).Seconds()))
	}
	return n, nil
}
