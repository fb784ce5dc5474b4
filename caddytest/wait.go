package caddytest

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// limit bounds every wait of a script. It is far above what any step needs on a
// loaded machine: reaching it means that the awaited event never comes.
const limit = 20 * time.Second

// signal lets goroutines wait until a condition on shared state holds. The state
// is guarded by the embedded mutex; whoever changes it calls broadcast before
// unlocking. The zero value is ready.
type signal struct {
	sync.Mutex
	changed chan struct{} // closed and replaced by broadcast; guarded by Mutex
}

// broadcast wakes every waiter. The caller holds the mutex.
func (s *signal) broadcast() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// next returns a channel that the next broadcast closes. The caller holds the mutex.
func (s *signal) next() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// await returns true as soon as cond, which is called with the mutex held, is
// true, and false once ctx is done or limit has passed.
func (s *signal) await(ctx context.Context, cond func() bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		s.Lock()
		if cond() {
			s.Unlock()
			return true
		}
		changed := s.next()
		s.Unlock()
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// barriers holds a script's named barriers. The zero value is ready and safe for
// concurrent use.
type barriers struct {
	signal
	arrived map[string]int // arrivals since the script began; guarded by Mutex
}

// meet arrives at the barrier and waits until parties goroutines have arrived.
// The barrier can then be used again.
func (b *barriers) meet(ctx context.Context, name string, parties int) error {
	b.Lock()
	if b.arrived == nil {
		b.arrived = make(map[string]int)
	}
	round := b.arrived[name] / parties
	b.arrived[name]++
	b.broadcast()
	b.Unlock()

	full := (round + 1) * parties
	if b.await(ctx, func() bool { return b.arrived[name] >= full }) {
		return nil
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("barrier %s: %w", name, err)
	}
	b.Lock()
	defer b.Unlock()
	return fmt.Errorf("barrier %s: waited %v for %d more to arrive", name, limit, full-b.arrived[name])
}
