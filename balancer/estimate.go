package balancer

import "time"

const (
	// answerWindow bounds how many answers an average looks back on: at a high
	// rate the last answers count and not the last seconds, so that a change
	// is seen within some ten answers.
	answerWindow = 32
	// failureWeight is the least weight of a failure in the share of failures,
	// and brokenWeight that of an attempt which brought no answer at all.
	// Both weigh more than a success: an upstream that fails has to prove
	// itself again.
	failureWeight = 1.0 / 8
	brokenWeight  = 1.0 / 2
	// failureSeconds is what an upstream that always fails seems to take. It is
	// far above real response times, so that failing fast attracts nobody.
	failureSeconds = 10
	// youngAnswers is the number of answers after which an average is trusted
	// even where it is better than all others.
	youngAnswers = 8
)

// outcome is what became of one attempt.
type outcome uint8

const (
	// answered: the upstream answered, with a status below 500.
	answered outcome = iota
	// failed: the upstream answered with a status of 500 or above, or it cut
	// its own answer.
	failed
	// broken: no answer came: refused, reset, timed out.
	broken
	// abandoned: the client left first. The upstream takes at least as long as
	// the client waited; more is not known.
	abandoned
)

// estimate is what the attempts at one upstream have taught. An estimate never
// changes; next makes a new one.
type estimate struct {
	// seconds is the moving average of the time to an answer.
	seconds float64
	// failing is the moving share of attempts that failed, from 0 to 1.
	failing float64
	// at is the instant of the last attempt that ended.
	at time.Duration
	// answers counts the answers behind seconds, up to answerWindow. Zero: the
	// upstream has not answered yet.
	answers int
}

// next returns the estimate after an attempt that ended at now after elapsed.
// decay is the time after which an old attempt has lost most of its weight.
// The receiver may be nil: nothing is known yet. The result is the receiver
// itself if the attempt taught nothing.
func (e *estimate) next(o outcome, elapsed, now, decay time.Duration) *estimate {
	var n estimate
	if e != nil {
		n = *e
	}
	took := max(elapsed.Seconds(), 0)
	if o == abandoned && took <= n.seconds {
		return e
	}
	aged := 1 - kept(now-n.at, decay)
	n.at = max(n.at, now)

	switch o {
	case failed:
		n.failing += (1 - n.failing) * max(failureWeight, aged)
		return &n
	case broken:
		n.failing += (1 - n.failing) * max(brokenWeight, aged)
		return &n
	case answered:
		n.failing -= n.failing * max(1.0/answerWindow, aged)
	case abandoned:
	}
	if n.answers < answerWindow {
		n.answers++
	}
	n.seconds += (took - n.seconds) * max(1/float64(n.answers), aged)
	return &n
}

// kept returns the share of its weight that an attempt still has after age: all
// at first, about a third after decay, a twentieth after 3.3 times decay. It is
// e^-x by the first terms of the series of e^x, several times as fast, and a
// choice among many idle upstreams asks for it at each of them.
func kept(age, decay time.Duration) float64 {
	x := float64(max(age, 0)) / float64(decay)
	return 1 / (1 + x*(1+x/2*(1+x/3*(1+x/4))))
}

// view is an estimate as it looks after some time without an attempt.
type view struct {
	seconds float64 // expected time to an answer
	failing float64 // expected share of failures
	known   bool    // an attempt has ended before
	young   float64 // 1: no answer yet, 0: enough answers to be trusted
	idle    time.Duration
}

// view returns e as it looks at now. What is old fades: the share of failures
// towards none, the time towards floor, the time of the fastest upstream. So a
// slow or failing upstream gets another chance but never the preference.
func (e *estimate) view(now, decay time.Duration, floor float64) view {
	if e == nil {
		return view{seconds: floor, young: 1}
	}
	v := view{
		seconds: e.seconds,
		failing: e.failing,
		known:   true,
		young:   max(0, 1-float64(e.answers)/youngAnswers),
		idle:    max(now-e.at, 0),
	}
	left := kept(v.idle, decay)
	v.failing *= left
	if v.seconds > floor {
		v.seconds = floor + (v.seconds-floor)*left
	}
	if v.seconds < floor {
		v.seconds += (floor - v.seconds) * v.young
	}
	return v
}

// cost returns the seconds that a request is expected to cost: the time to an
// answer, and what failures cost. The latter grows with the square of their
// share: one failure among many says little, half of all says enough.
func (v view) cost() float64 {
	return v.seconds + v.failing*v.failing*failureSeconds
}
