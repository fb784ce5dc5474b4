package cache

import (
	"sync"
	"time"
)

// marks remember the keys whose last answer was for one user only, each for a
// while: their requests are not collapsed, so that nobody waits for an answer that
// he cannot share. The table is bounded; a full one forgets the oldest mark, which
// costs one wait. It is safe for concurrent use.
type marks struct {
	life time.Duration
	max  int

	mu    sync.Mutex
	until map[Key]time.Time
	order []Key // of setting, oldest first; may name keys that are gone
}

func newMarks(life time.Duration, most int) *marks {
	return &marks{life: life, max: most, until: make(map[Key]time.Time)}
}

// set marks k.
func (m *marks) set(k Key, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.until[k]; !ok {
		m.trim(now)
		m.order = append(m.order, k)
	}
	m.until[k] = now.Add(m.life)
}

// trim drops marks that are over, and the oldest if the table is full. The caller
// holds mu.
func (m *marks) trim(now time.Time) {
	for len(m.order) > 0 {
		k := m.order[0]
		until, ok := m.until[k]
		if ok && m.holds(until, now) && len(m.order) < m.max {
			return
		}
		delete(m.until, k)
		m.order[0] = Key{}
		m.order = m.order[1:]
	}
}

// has says whether k is marked.
func (m *marks) has(k Key, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.until[k]
	return ok && m.holds(until, now)
}

// holds says whether a mark until then is not over. One that would hold for longer
// than any is of before the clock was set back.
func (m *marks) holds(until, now time.Time) bool {
	left := until.Sub(now)
	return left > 0 && left <= m.life+clockSlack
}

// clear removes the mark of k.
func (m *marks) clear(k Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.until, k)
}

// count returns how many keys are marked.
func (m *marks) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.until)
}
