package cache

import "sync/atomic"

// A budget bounds bytes that many goroutines take and give back. A nil budget
// has no bound. It is safe for concurrent use.
type budget struct {
	max     int64
	used    atomic.Int64
	changed func(used int64) // nil, or called after every change
}

// take takes n bytes if that keeps within the bound.
func (b *budget) take(n int64) bool {
	if b == nil {
		return true
	}
	used := b.used.Add(n)
	if used > b.max {
		b.used.Add(-n)
		return false
	}
	b.report(used)
	return true
}

// force takes n bytes whether or not they are within the bound.
func (b *budget) force(n int64) {
	if b != nil {
		b.report(b.used.Add(n))
	}
}

// give returns n bytes.
func (b *budget) give(n int64) { b.force(-n) }

// report tells who wants to know.
func (b *budget) report(used int64) {
	if b.changed != nil {
		b.changed(used)
	}
}
