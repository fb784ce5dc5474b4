package balancer

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// A simulation is a queueing model with a fixed seed: requests arrive at random
// instants at one balancer, which gives each to an upstream; an upstream has a
// number of workers (as php-fpm has) that take the requests in order. No real
// time passes.

// simUpstream is a candidate whose load and speed the simulation decides.
type simUpstream struct {
	name    string
	workers []time.Duration // when each worker will be free

	// serviceAt returns the mean time of a request that a worker takes at now.
	serviceAt func(now time.Duration) time.Duration
	failsAt   func(now time.Duration) bool
	joins     time.Duration // not available before
	coldFor   int           // the first answers take five times as long

	now      time.Duration
	active   int
	requests int
	history  []simAnswer // the last answers, as the upstream itself sees them
}

type simAnswer struct {
	loadBefore int
	took       time.Duration
	failed     bool
}

func (u *simUpstream) Available() bool  { return u.now >= u.joins }
func (u *simUpstream) NumRequests() int { return u.active }
func (u *simUpstream) String() string   { return u.name }

// accept queues a request and returns when it will be answered.
func (u *simUpstream) accept(now time.Duration, rng *rand.Rand) (done time.Duration, failed bool) {
	u.active++
	u.requests++
	if u.failsAt != nil && u.failsAt(now) {
		return now + 500*time.Microsecond, true
	}
	worker := 0
	for i, free := range u.workers {
		if free < u.workers[worker] {
			worker = i
		}
	}
	start := max(now, u.workers[worker])
	mean := float64(u.serviceAt(start))
	if u.coldFor > 0 {
		u.coldFor--
		mean *= 5
	}
	// An eighth of each answer is constant, the rest is exponential.
	service := time.Duration(mean/8 + mean*7/8*rng.ExpFloat64())
	u.workers[worker] = start + service
	return start + service, false
}

// simPolicy is a balancing algorithm under simulation.
type simPolicy interface {
	choose(now time.Duration, pool []*simUpstream) int
	ended(now time.Duration, i int, took time.Duration, failed bool)
}

// scenario describes one simulation.
type scenario struct {
	name     string
	pool     func() []*simUpstream
	rate     float64 // requests a second
	duration time.Duration
	watched  int                          // the upstream whose share is reported
	check    func(t *testing.T, r result) // what least_time must make of it
}

// result is what a policy made of a scenario.
type result struct {
	share    []float64     // of all requests, by upstream
	late     []float64     // of the requests of the last quarter of the time
	p50, p99 time.Duration // of the requests that were answered
	failures float64       // share of requests that failed
	crowd    int           // most requests that were in progress at the watched upstream
}

type simEvent struct {
	at      time.Duration
	i       int // upstream that answers; -1: a request arrives
	started time.Duration
	load    int
	failed  bool
}

type simEvents []simEvent

func (e simEvents) Len() int           { return len(e) }
func (e simEvents) Less(i, j int) bool { return e[i].at < e[j].at }
func (e simEvents) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *simEvents) Push(x any)        { *e = append(*e, x.(simEvent)) }
func (e *simEvents) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

func (s scenario) run(policy simPolicy, seed uint64) result {
	// Arrivals and service have sources of their own: all policies see the
	// same arrivals.
	arrivals := rand.New(rand.NewPCG(seed, 1))
	services := rand.New(rand.NewPCG(seed, 2))
	pool := s.pool()
	var took []time.Duration
	var total, late, failures, crowd int
	lateRequests := make([]int, len(pool))

	events := simEvents{{i: -1}}
	for len(events) > 0 {
		e := heap.Pop(&events).(simEvent)
		if e.i >= 0 {
			u := pool[e.i]
			u.active--
			latency := e.at - e.started
			if u.history = append(u.history, simAnswer{e.load, latency, e.failed}); len(u.history) > 32 {
				u.history = u.history[1:]
			}
			policy.ended(e.at, e.i, latency, e.failed)
			if e.failed {
				failures++
			} else {
				took = append(took, latency)
			}
			continue
		}
		if e.at >= s.duration {
			continue
		}
		heap.Push(&events, simEvent{at: e.at + time.Duration(arrivals.ExpFloat64()/s.rate*float64(time.Second)), i: -1})
		for _, u := range pool {
			u.now = e.at
		}
		i := policy.choose(e.at, pool)
		load := pool[i].active
		done, failed := pool[i].accept(e.at, services)
		heap.Push(&events, simEvent{at: done, i: i, started: e.at, load: load, failed: failed})
		total++
		if e.at >= s.duration*3/4 {
			late++
			lateRequests[i]++
		}
		crowd = max(crowd, pool[s.watched].active)
	}

	slices.Sort(took)
	r := result{failures: float64(failures) / float64(total), crowd: crowd}
	if len(took) > 0 {
		r.p50, r.p99 = took[len(took)/2], took[len(took)*99/100]
	}
	for i, u := range pool {
		r.share = append(r.share, float64(u.requests)/float64(total))
		r.late = append(r.late, float64(lateRequests[i])/float64(late))
	}
	return r
}

// leastTimeSim runs the code of the policy itself.
type leastTimeSim struct {
	chooser chooser
	meters  []*meter
}

func newLeastTimeSim(n int, seed uint64) simPolicy {
	rng := rand.New(rand.NewPCG(seed, 3))
	p := &leastTimeSim{chooser: chooser{decay: defaultDecay, explore: defaultExplore, random: rng.Uint64}}
	for range n {
		p.meters = append(p.meters, new(meter))
	}
	return p
}

func (p *leastTimeSim) meter(i int, _ *simUpstream) *meter { return p.meters[i] }

func (p *leastTimeSim) choose(now time.Duration, pool []*simUpstream) int {
	u, _ := choose(&p.chooser, pool, p, nil, now)
	i := slices.Index(pool, u)
	p.meters[i].waiting.begin(now)
	return i
}

func (p *leastTimeSim) ended(now time.Duration, i int, took time.Duration, hasFailed bool) {
	o := answered
	if hasFailed {
		o = failed
	}
	p.meters[i].waiting.end(now - took)
	p.meters[i].record(o, took, now, p.chooser.decay)
}

// stateless is a policy that learns nothing from answers.
type stateless func(now time.Duration, pool []*simUpstream) int

func (f stateless) choose(now time.Duration, pool []*simUpstream) int { return f(now, pool) }
func (stateless) ended(time.Duration, int, time.Duration, bool)       {}

func newRoundRobinSim(int, uint64) simPolicy {
	next := 0
	return stateless(func(_ time.Duration, pool []*simUpstream) int {
		for {
			next = (next + 1) % len(pool)
			if pool[next].Available() {
				return next
			}
		}
	})
}

func newLeastConnSim(n int, seed uint64) simPolicy { return newFewest(n, seed) }
func newRandomTwoSim(_ int, seed uint64) simPolicy { return newFewest(2, seed) }

// newFewest takes the least busy of k random upstreams, at random among equals.
func newFewest(k int, seed uint64) simPolicy {
	rng := rand.New(rand.NewPCG(seed, 3))
	return stateless(func(_ time.Duration, pool []*simUpstream) int {
		best, seen := -1, 0
		for _, i := range rng.Perm(len(pool)) {
			if !pool[i].Available() {
				continue
			}
			if seen++; best < 0 || pool[i].active < pool[best].active {
				best = i
			}
			if seen == k {
				break
			}
		}
		return best
	})
}

// prequalSim models Prequal (Wydrowski et al., NSDI 2024) in its favour: a
// probe takes no time and tells the exact number of requests in flight and the
// upstream's own median time at such a load. Per request three upstreams are
// probed at random, the pool holds the newest probe of up to 16 upstreams for
// up to a second, and the choice is hot-cold lexicographic with the quantile
// 2^-0.25. Upstreams that mostly fail are avoided.
type prequalSim struct {
	rng    *rand.Rand
	probes []prequalProbe // oldest first
	loads  []int          // requests in flight of the last probes, oldest first
	counts map[int]int    // how often each value occurs in loads
}

type prequalProbe struct {
	i, load int
	latency time.Duration
	failing bool
	at      time.Duration
}

func newPrequalSim(_ int, seed uint64) simPolicy {
	return &prequalSim{rng: rand.New(rand.NewPCG(seed, 3)), counts: map[int]int{}}
}

func (p *prequalSim) ended(time.Duration, int, time.Duration, bool) {}

func (p *prequalSim) choose(now time.Duration, pool []*simUpstream) int {
	p.probes = slices.DeleteFunc(p.probes, func(q prequalProbe) bool { return now-q.at > time.Second })
	asked := 0
	for _, i := range p.rng.Perm(len(pool)) {
		if asked == 3 {
			break
		}
		if pool[i].Available() {
			asked++
			p.probe(now, i, pool[i])
		}
	}
	hot := p.quantile(math.Pow(2, -0.25))

	best := slices.MinFunc(p.probes, func(a, b prequalProbe) int {
		switch aHot, bHot := a.load > hot, b.load > hot; {
		case a.failing != b.failing:
			return boolOrder(a.failing, b.failing)
		case aHot != bHot:
			return boolOrder(aHot, bHot)
		case aHot:
			return a.load - b.load
		default:
			return int(a.latency - b.latency)
		}
	})
	for k := range p.probes {
		if p.probes[k].i == best.i {
			p.probes[k].load++ // the request that is now on its way
		}
	}
	return best.i
}

func (p *prequalSim) probe(now time.Duration, i int, u *simUpstream) {
	q := prequalProbe{i: i, load: u.active, at: now}
	// The answers at the nearest loads, up to 16, from the exact load outwards.
	var nearest []simAnswer
	for distance := 0; len(nearest) < min(16, len(u.history)); distance++ {
		for _, a := range u.history {
			if abs(a.loadBefore-u.active) == distance && len(nearest) < 16 {
				nearest = append(nearest, a)
			}
		}
	}
	if len(nearest) > 0 {
		fails := 0
		for _, a := range nearest {
			if a.failed {
				fails++
			}
		}
		q.failing = fails*2 > len(nearest)
		slices.SortFunc(nearest, func(a, b simAnswer) int { return int(a.took - b.took) })
		q.latency = nearest[len(nearest)/2].took
	}
	p.probes = slices.DeleteFunc(p.probes, func(old prequalProbe) bool { return old.i == i })
	if p.probes = append(p.probes, q); len(p.probes) > 16 {
		p.probes = p.probes[1:]
	}
	p.counts[u.active]++
	if p.loads = append(p.loads, u.active); len(p.loads) > 128 {
		p.counts[p.loads[0]]--
		p.loads = p.loads[1:]
	}
}

// quantile returns the value below which the share q of the loads lies.
func (p *prequalSim) quantile(q float64) int {
	below, load := 0, -1
	for below <= int(float64(len(p.loads)-1)*q) {
		load++
		below += p.counts[load]
	}
	return load
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

func abs(n int) int { return max(n, -n) }

// upstreams makes n equal upstreams of the given workers and mean times.
func upstreams(workers int, means ...time.Duration) []*simUpstream {
	var pool []*simUpstream
	for i, mean := range means {
		pool = append(pool, &simUpstream{
			name:      "u" + strconv.Itoa(i),
			workers:   make([]time.Duration, workers),
			serviceAt: func(time.Duration) time.Duration { return mean },
		})
	}
	return pool
}
