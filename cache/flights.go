package cache

import "sync"

// flights is the table of the fetches that a request may join, one for each key. It
// is safe for concurrent use; its lock also guards the client counts of flights.
type flights struct {
	mu      sync.Mutex
	table   map[Key]*flight
	running map[*flight]struct{} // including those that can no longer be joined
	fills   int                  // running, because a part was asked for
	quiet   *sync.Cond           // nothing runs
}

func newFlights() *flights {
	t := &flights{table: make(map[Key]*flight), running: make(map[*flight]struct{})}
	t.quiet = sync.NewCond(&t.mu)
	return t
}

// idle waits until no fetch runs.
func (t *flights) idle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.running) > 0 {
		t.quiet.Wait()
	}
}

// join counts a client into the flight for key, or into the one that start makes
// if there is none that it may join. leads says that it started it. It returns nil
// if a bound is reached.
func (t *flights) join(c *Cache, key Key, start func() *flight) (f *flight, leads bool) {
	if f, full := t.enter(c, key, nil); f != nil || full {
		return f, false
	}
	// Built without the lock: the mount's handler may take its time.
	f = start()
	g, _ := t.enter(c, key, f)
	if g != f {
		f.cancel(nil)
	}
	return g, g == f
}

// enter counts a client into the flight for key. If there is none it launches f,
// unless f is nil. full says that a bound is reached.
func (t *flights) enter(c *Cache, key Key, f *flight) (_ *flight, full bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.table[key]; g != nil && t.admits(c, g) {
		if g.clients >= c.MaxFollowers {
			return nil, true
		}
		g.clients++
		return g, false
	}
	if len(t.running) >= c.MaxFlights {
		return nil, true
	}
	if f != nil {
		f.clients = 1
		t.launch(f)
	}
	return f, false
}

// admits says whether a flight in the table may still be joined: what was asked
// for before a purge is not given to who comes after it, nor is a complete answer
// that could not be reused. The caller holds mu.
func (t *flights) admits(c *Cache, f *flight) bool {
	return !f.doomed.Load() && !f.outdated() && !c.covered(f.known(), f.number).hard
}

// outdated says whether the whole answer has come and is one to validate by now: who
// asks later does not share it, though it may be on its way into the store still.
func (f *flight) outdated() bool {
	if !f.answered() || f.answer.prepared == nil || !f.answer.body.whole() {
		return false
	}
	p := f.answer.prepared
	use, _ := Reusable(p.fresh, p.policy, RequestDirectives{}, StaleOptions{}, f.c.Clock())
	return use != UseFresh
}

// known is what is known of the response so far: its tags come with the header.
func (f *flight) known() *Meta {
	if f.answered() && f.answer.meta != nil {
		return f.answer.meta
	}
	return &f.place
}

// alone starts a flight that nobody may join, or returns nil if a bound is reached.
func (t *flights) alone(c *Cache, f *flight) *flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.running) >= c.MaxFlights {
		f.cancel(nil)
		return nil
	}
	f.clients = 1
	t.launch(f)
	return f
}

// background starts a flight that nobody waits for, unless one runs already.
func (t *flights) background(c *Cache, key Key, start func() *flight) {
	if t.busy(c, key) {
		return
	}
	f := start()
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.table[key]; g != nil && t.admits(c, g) || len(t.running) >= c.MaxFlights {
		f.cancel(nil)
		return
	}
	f.background = true
	t.launch(f)
}

// busy says whether a flight for key may be joined.
func (t *flights) busy(c *Cache, key Key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.table[key]
	return f != nil && t.admits(c, f)
}

// launch starts f. The caller holds mu.
func (t *flights) launch(f *flight) {
	if f.key != (Key{}) {
		t.table[f.key] = f
	}
	t.running[f] = struct{}{}
	f.c.counts.fetches.Add(1)
	// Noted under the lock, before it can be joined and before it is sent.
	f.number = f.c.Ledger.Last()
	go f.run()
}

// leave counts a client out. A flight that nobody needs any more is cancelled.
func (t *flights) leave(f *flight) {
	t.mu.Lock()
	f.clients--
	abandoned := f.clients == 0 && !f.background && !f.ended && !f.nearlyDone()
	if abandoned {
		t.drop(f)
	}
	release := f.ended && f.clients == 0
	t.mu.Unlock()
	if abandoned {
		f.cancel(errAbandoned)
	}
	if release {
		f.release()
	}
}

// nearlyDone says whether so little is known to remain of f that it may end.
func (f *flight) nearlyDone() bool {
	if !f.answered() {
		return false
	}
	a := &f.answer
	if a.body == nil {
		return true
	}
	if a.body.whole() {
		return true // it is being stored
	}
	size, _ := a.body.progress()
	return a.reason == ReasonStored && a.length >= 0 && a.length-size < abandonBytes
}

// settle notes that f brings nothing to store: it is needed by its clients only.
func (t *flights) settle(f *flight) {
	t.mu.Lock()
	f.background = false
	t.drop(f)
	t.mu.Unlock()
}

// served returns how many clients f has, which grow no more once it is out of the
// table, and whether it has ended.
func (t *flights) served(f *flight) (clients int, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return f.clients, f.ended
}

// remove takes f out of the table: it takes no more clients.
func (t *flights) remove(f *flight) {
	t.mu.Lock()
	t.drop(f)
	t.mu.Unlock()
}

// drop is remove for who holds mu.
func (t *flights) drop(f *flight) {
	if t.table[f.key] == f {
		delete(t.table, f.key)
	}
}

// end notes that f has ended.
func (t *flights) end(f *flight) {
	t.mu.Lock()
	t.drop(f)
	f.ended = true
	if f.fill {
		t.fills--
	}
	if delete(t.running, f); len(t.running) == 0 {
		t.quiet.Broadcast()
	}
	release := f.clients == 0
	t.mu.Unlock()
	if release {
		f.release()
	}
}

// release frees the body once the flight has ended and its clients have left.
func (f *flight) release() {
	if f.answer.body != nil {
		f.answer.body.seal()
	}
}

// doom keeps the flights for which match says so from being stored or joined.
func (t *flights) doom(match func(*flight) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for f := range t.running {
		if match(f) {
			f.doomed.Store(true)
			t.drop(f)
		}
	}
}

// count returns how many fetches run.
func (t *flights) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.running)
}
