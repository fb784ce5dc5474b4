package cache

import "sync/atomic"

// A budget bounds bytes that many goroutines take and give back. A nil budget
// has no bound. It is safe for concurrent use.
type budget struct {
	max  int64
	used atomic.Int64
}

// take takes n bytes if that keeps within the bound.
func (b *budget) take(n int64) bool {
	if b == nil {
		return true
	}
	if b.used.Add(n) > b.max {
		b.used.Add(-n)
		return false
	}
	return true
}

// force takes n bytes whether or not they are within the bound.
func (b *budget) force(n int64) {
	if b != nil {
		b.used.Add(n)
	}
}

// give returns n bytes.
func (b *budget) give(n int64) { b.force(-n) }
