package cache

import (
	"maps"
	"sync"
)

// maxTally bounds the names that a tally counts singly.
const maxTally = 64

// A tally counts names. It is bounded: names that come when it is full are counted
// together, as "". The zero value is ready; it is safe for concurrent use.
type tally struct {
	mu sync.Mutex
	n  map[string]int64
}

// count counts name once.
func (t *tally) count(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = make(map[string]int64)
	}
	if _, ok := t.n[name]; !ok && (len(t.n) >= maxTally || len(name) > 256) {
		name = ""
	}
	t.n[name]++
}

// copy returns the counts.
func (t *tally) copy() map[string]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.n)
}
