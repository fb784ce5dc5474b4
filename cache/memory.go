package cache

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
)

// Memory is a Store in memory, bounded by the bytes that bodies, header fields and
// keys take. What flights hold while they fetch counts towards the bound as well,
// up to a quarter of it. What is dropped for want of space is chosen by W-TinyLFU:
// a response that is asked for once does not push out one that is asked for often.
type Memory struct {
	maxBytes atomic.Int64
	index    *otter.Cache[string, *resource]
	flights  *budget
	reserved atomic.Int64 // what the index leaves to flights at present

	entries, evictions, failures atomic.Int64
}

// reserveStep is the fraction of the bound in which the index yields to flights.
const reserveStep = 32

// resource is all that is stored under one key. It is immutable.
type resource struct {
	stored []*Stored // newest first
	bytes  int64
}

// NewMemory returns a Store of at most maxBytes bytes, which must be positive.
func NewMemory(maxBytes int64) (*Memory, error) {
	if maxBytes <= 0 {
		return nil, fmt.Errorf("memory store of %d bytes: the size must be positive", maxBytes)
	}
	m := &Memory{flights: &budget{max: maxBytes / 4}}
	m.maxBytes.Store(maxBytes)
	m.flights.changed = m.yield
	index, err := otter.New(&otter.Options[string, *resource]{
		MaximumWeight: uint64(maxBytes),
		Weigher: func(_ string, r *resource) uint32 {
			return uint32(min(r.bytes, math.MaxUint32))
		},
		OnAtomicDeletion: func(e otter.DeletionEvent[string, *resource]) {
			if e.WasEvicted() {
				n := int64(len(e.Value.stored))
				m.entries.Add(-n)
				m.evictions.Add(n)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making the memory index: %w", err)
	}
	m.index = index
	return m, nil
}

// yield makes the index leave to flights what they use, in coarse steps.
func (m *Memory) yield(used int64) {
	step := max(m.maxBytes.Load()/reserveStep, 1)
	want := (used + step - 1) / step * step
	if have := m.reserved.Load(); have != want && m.reserved.CompareAndSwap(have, want) {
		m.index.SetMaximum(uint64(max(m.maxBytes.Load()-want, 1)))
	}
}

// Resize changes the bound, which must be positive. What is then too much is
// evicted. Flights keep the share that they were given when the store was made.
func (m *Memory) Resize(maxBytes int64) error {
	if maxBytes <= 0 {
		return fmt.Errorf("memory store of %d bytes: the size must be positive", maxBytes)
	}
	m.maxBytes.Store(maxBytes)
	m.index.SetMaximum(uint64(max(maxBytes-m.reserved.Load(), 1)))
	return nil
}

// flightBudget bounds the memory of flights that fill this store.
func (m *Memory) flightBudget() *budget { return m.flights }

// largest is the most that one key may hold.
func (m *Memory) largest() int64 { return min(m.maxBytes.Load()/2, math.MaxUint32) }

// Lookup implements Store.
func (m *Memory) Lookup(key string, request http.Header) Found {
	r, ok := m.index.GetIfPresent(key)
	if !ok {
		return Found{}
	}
	return Found{Stored: Select(r.stored, request), Known: true, Vary: r.stored[0].Vary}
}

// Put implements Store.
func (m *Memory) Put(meta *Meta, body []byte) (*Stored, error) {
	if int64(len(body)) != meta.Length {
		return nil, ErrIncomplete
	}
	s := &Stored{Meta: meta, Bytes: body}
	size := s.memory()
	if size > m.largest() {
		return nil, ErrTooLarge
	}
	m.change(meta.Key, func(old []*Stored) []*Stored {
		kept := make([]*Stored, 1, min(len(old)+1, MaxVariants))
		kept[0] = s
		total := size
		for _, o := range old {
			if o.Variant == meta.Variant && slices.Equal(o.Vary, meta.Vary) {
				continue
			}
			if total += o.memory(); len(kept) == MaxVariants || total > m.largest() {
				break
			}
			kept = append(kept, o)
		}
		return kept
	})
	return s, nil
}

// memory is what s takes.
func (s *Stored) memory() int64 { return int64(cap(s.Bytes)) + s.Meta.Size() + s.forms.Load().bytes() }

// keepForm implements formStore.
func (m *Memory) keepForm(s *Stored, k Coding, f *form) bool {
	// Found by the forms, which a validation keeps.
	kept, fs := false, s.codedForms()
	m.change(s.Key, func(old []*Stored) []*Stored {
		kept = false
		total := int64(len(f.body))
		for _, o := range old {
			total += o.memory()
			kept = kept || o.forms.Load() == fs
		}
		if kept = kept && total <= m.largest(); kept {
			fs.add(k, f)
		}
		return old
	})
	return kept
}

// change replaces what is stored under key by what f makes of it, atomically.
func (m *Memory) change(key string, f func(old []*Stored) []*Stored) {
	more := 0
	m.index.Compute(key, func(old *resource, found bool) (*resource, otter.ComputeOp) {
		var before []*Stored
		if found {
			before = old.stored
		}
		after := f(before)
		more = len(after) - len(before)
		if len(after) == 0 {
			return nil, otter.InvalidateOp
		}
		r := &resource{stored: after}
		for _, s := range after {
			r.bytes += s.memory()
		}
		return r, otter.WriteOp
	})
	m.entries.Add(int64(more)) // once it is found
}

// Create implements Store. The body waits in an unlinked temporary file.
func (m *Memory) Create(_ *Meta, size int64) (Writer, error) {
	if size > m.largest() {
		return nil, ErrTooLarge
	}
	s, err := newSpool()
	if err != nil {
		m.failures.Add(1)
		return nil, err
	}
	return &memoryWriter{spool: s, store: m}, nil
}

// Replace implements Store.
func (m *Memory) Replace(s *Stored, meta *Meta) (*Stored, error) {
	n := &Stored{Meta: meta, Bytes: s.Bytes}
	n.forms.Store(s.codedForms())
	done := false
	m.change(s.Key, func(old []*Stored) []*Stored {
		done = false
		i := slices.Index(old, s)
		if i < 0 {
			return old
		}
		done = true
		after := make([]*Stored, 1, len(old))
		after[0] = n
		for j, o := range old {
			if j != i && (o.Variant != meta.Variant || !slices.Equal(o.Vary, meta.Vary)) {
				after = append(after, o)
			}
		}
		return after
	})
	if !done {
		return nil, nil
	}
	return n, nil
}

// Delete implements Store.
func (m *Memory) Delete(key string) int {
	n := 0
	m.change(key, func(old []*Stored) []*Stored {
		n = len(old)
		return nil
	})
	return n
}

// Drop implements Store.
func (m *Memory) Drop(s *Stored) {
	m.change(s.Key, func(old []*Stored) []*Stored {
		i := slices.Index(old, s)
		if i < 0 {
			return old
		}
		return slices.Concat(old[:i], old[i+1:])
	})
}

// Each implements Store.
func (m *Memory) Each(f func(*Meta) bool) {
	for _, r := range m.index.All() {
		for _, s := range r.stored {
			if !f(s.Meta) {
				return
			}
		}
	}
}

// Stats implements Store.
func (m *Memory) Stats() StoreStats {
	m.index.CleanUp() // evictions that are due
	return StoreStats{
		Entries:   max(m.entries.Load(), 0), // one may be evicted before it is counted
		Bytes:     int64(m.index.WeightedSize()) + m.flights.used.Load(),
		MaxBytes:  m.maxBytes.Load(),
		Evictions: m.evictions.Load(),
		Failures:  m.failures.Load(),
	}
}

// Close implements Store.
func (m *Memory) Close() error {
	m.index.InvalidateAll()
	m.index.StopAllGoroutines()
	m.entries.Store(0)
	return nil
}

// memoryWriter keeps a body that is too long to wait in memory in a spool, and
// reads it back when it is complete.
type memoryWriter struct {
	*spool
	store *Memory
	done  bool
}

// Commit implements Writer.
func (w *memoryWriter) Commit(meta *Meta) (*Stored, error) {
	if w.done {
		return nil, ErrClosed
	}
	w.done = true
	if w.size() != meta.Length {
		return nil, ErrIncomplete
	}
	if meta.Length+meta.Size() > w.store.largest() {
		return nil, ErrTooLarge
	}
	body := make([]byte, meta.Length)
	if n, err := w.ReadAt(body, 0); n < len(body) {
		w.store.failures.Add(1)
		return nil, fmt.Errorf("reading back a spilled body: %w", err)
	}
	return w.store.Put(meta, body)
}

// Abort implements Writer.
func (w *memoryWriter) Abort() { w.done = true }
