package cache

import (
	"errors"
	"hash/maphash"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Tiered is a Store of memory in front of disk. A response that arrives goes to
// memory, one too long for it to disk. What is asked for a second time while it is
// in memory is copied to disk in the background: most of what is asked for once is
// never asked for again, and is not worth the write. What is found on disk only
// comes to memory.
//
// Disk never holds another version of a response than memory does: what changes in
// memory is dropped from disk, and copied again if it had been there.
type Tiered struct {
	memory *Memory
	disk   *Disk

	seed    maphash.Seed
	stripes [256]stripe // by key
	copies  chan *Stored

	copying sync.Mutex // held while a response comes to be in both tiers

	mu     sync.RWMutex // held for writing by Close
	closed bool
	done   chan struct{} // closed when the copier has ended
}

// stripe orders the changes of the keys that it is for.
type stripe struct {
	mu      sync.Mutex
	changes atomic.Uint64 // begun; guarded by mu for writing
}

// maxCopies is how many responses wait for being copied to disk. Further ones are
// copied when they are asked for again.
const maxCopies = 256

// NewTiered returns a Store of memory in front of disk. It owns both.
func NewTiered(memory *Memory, disk *Disk) *Tiered {
	t := &Tiered{
		memory: memory, disk: disk, seed: maphash.MakeSeed(),
		copies: make(chan *Stored, maxCopies), done: make(chan struct{}),
	}
	go t.copy()
	return t
}

// Memory returns the tier in memory; it may be looked at only.
func (t *Tiered) Memory() *Memory { return t.memory }

// Disk returns the tier on disk; it may be looked at and resized only.
func (t *Tiered) Disk() *Disk { return t.disk }

// flightBudget bounds the memory of flights that fill this store.
func (t *Tiered) flightBudget() *budget { return t.memory.flightBudget() }

func (t *Tiered) stripe(key string) *stripe {
	return &t.stripes[maphash.String(t.seed, key)%uint64(len(t.stripes))]
}

// change locks the stripe of key for a change; the caller unlocks it.
func (t *Tiered) change(key string) *stripe {
	s := t.stripe(key)
	s.mu.Lock()
	s.changes.Add(1)
	return s
}

// Lookup implements Store.
func (t *Tiered) Lookup(key string, request http.Header) Found {
	near := t.memory.Lookup(key, request)
	if near.Stored != nil {
		t.wantCopy(near.Stored)
		return near
	}
	s := t.stripe(key)
	changes := s.changes.Load()
	far := t.disk.Lookup(key, request)
	if near.Known {
		far.Known, far.Vary = true, near.Vary
	}
	if far.Stored != nil && far.Stored.Opener == nil && s.mu.TryLock() {
		// Not if another one may have been stored, or this one dropped, since.
		if s.changes.Load() == changes {
			if n := t.memory.adopt(far.Stored); n != nil {
				n.copied.Store(true)
				far.Stored = n
			}
		}
		s.mu.Unlock()
	}
	return far
}

// wantCopy has s, which is in memory, copied to disk unless it was before.
func (t *Tiered) wantCopy(s *Stored) {
	if s.copied.Load() || !s.copied.CompareAndSwap(false, true) {
		return
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.closed {
		return
	}
	select {
	case t.copies <- s:
	default:
		s.copied.Store(false)
	}
}

// copy is the goroutine that copies to disk.
func (t *Tiered) copy() {
	defer close(t.done)
	for s := range t.copies {
		stripe := t.stripe(s.Key)
		stripe.mu.Lock()
		// Changes of s wait. A failure is counted by the disk; s is not tried
		// again.
		if t.memory.holds(s) {
			t.copying.Lock()
			t.disk.Put(s.Meta, s.Bytes)
			t.copying.Unlock()
		}
		stripe.mu.Unlock()
	}
}

// Put implements Store.
func (t *Tiered) Put(m *Meta, body []byte) (*Stored, error) {
	defer t.change(m.Key).mu.Unlock()
	s, err := t.memory.Put(m, body)
	if errors.Is(err, ErrTooLarge) {
		if s, err = t.disk.Put(m, body); err == nil {
			t.memory.dropWhere(m.Key, func(o *Stored) bool { return o.sameVariant(m) })
		}
		return s, err
	}
	if err == nil && t.disk.dropVariant(m) {
		t.wantCopy(s)
	}
	return s, err
}

// Create implements Store. A body that arrives in pieces goes to disk, or, if that
// does not take it, to memory.
func (t *Tiered) Create(m *Meta, size int64) (Writer, error) {
	if w, err := t.disk.Create(m, size); err == nil {
		return &tieredWriter{Writer: w, t: t, onDisk: true}, nil
	}
	w, err := t.memory.Create(m, size)
	if err != nil {
		return nil, err
	}
	return &tieredWriter{Writer: w, t: t}, nil
}

// tieredWriter keeps the tiers in step at Commit.
type tieredWriter struct {
	Writer
	t      *Tiered
	onDisk bool
}

// Commit implements Writer.
func (w *tieredWriter) Commit(m *Meta) (*Stored, error) {
	t := w.t
	defer t.change(m.Key).mu.Unlock()
	s, err := w.Writer.Commit(m)
	switch {
	case err != nil:
	case w.onDisk:
		t.memory.dropWhere(m.Key, func(o *Stored) bool { return o.sameVariant(m) })
	default:
		t.disk.dropVariant(m)
	}
	return s, err
}

// Replace implements Store.
func (t *Tiered) Replace(s *Stored, m *Meta) (*Stored, error) {
	defer t.change(m.Key).mu.Unlock()
	if s.id != 0 {
		n, err := t.disk.Replace(s, m)
		if n != nil {
			t.memory.dropWhere(m.Key, func(o *Stored) bool { return o.Meta == s.Meta || o.sameVariant(m) })
		}
		return n, err
	}
	n, err := t.memory.Replace(s, m)
	if n == nil || err != nil {
		return n, err
	}
	had := t.disk.dropVariant(s.Meta)
	if t.disk.dropVariant(m) || had {
		t.wantCopy(n)
	}
	return n, nil
}

// Delete implements Store.
func (t *Tiered) Delete(key string) int {
	defer t.change(key).mu.Unlock()
	near := t.memory.dropWhere(key, func(*Stored) bool { return true })
	n := len(near)
	for _, p := range t.disk.deleteAll(key) {
		if !slices.ContainsFunc(near, func(s *Stored) bool { return p.sameVariant(s.Meta) }) {
			n++
		}
	}
	return n
}

// Drop implements Store.
func (t *Tiered) Drop(s *Stored) {
	defer t.change(s.Key).mu.Unlock()
	if s.id != 0 {
		t.disk.Drop(s)
		t.memory.dropWhere(s.Key, func(o *Stored) bool { return o.Meta == s.Meta })
		return
	}
	t.memory.Drop(s)
	t.disk.dropCopy(s.Meta)
}

// Each implements Store.
func (t *Tiered) Each(f func(*Meta) bool) {
	more := true
	t.memory.Each(func(m *Meta) bool {
		more = f(m)
		return more
	})
	if !more {
		return
	}
	t.disk.Each(func(m *Meta) bool {
		if e, ok := t.memory.index.GetEntryQuietly(m.Key); ok &&
			slices.ContainsFunc(e.Value.stored, func(o *Stored) bool { return o.sameVariant(m) }) {
			return true
		}
		return f(m)
	})
}

// keepForm implements formStore: forms are kept in memory only.
func (t *Tiered) keepForm(s *Stored, k Coding, f *form) bool {
	return s.id == 0 && t.memory.keepForm(s, k, f)
}

// Stats implements Store. What is in both tiers takes room in both but is one
// entry; finding that out takes time linear in the entries in memory.
func (t *Tiered) Stats() StoreStats {
	t.copying.Lock()
	defer t.copying.Unlock()
	near, far := t.memory.Stats(), t.disk.Stats()
	both := int64(0)
	t.memory.Each(func(m *Meta) bool {
		if t.disk.hasVariant(m) {
			both++
		}
		return true
	})
	return StoreStats{
		Entries:   near.Entries + far.Entries - both,
		Bytes:     near.Bytes + far.Bytes,
		MaxBytes:  near.MaxBytes + far.MaxBytes,
		Evictions: near.Evictions + far.Evictions,
		Failures:  near.Failures + far.Failures,
	}
}

// Close implements Store. What waits for being copied is copied.
func (t *Tiered) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	close(t.copies)
	t.mu.Unlock()
	<-t.done
	return errors.Join(t.memory.Close(), t.disk.Close())
}

var _ Store = (*Tiered)(nil)
