package cache

import "slices"

// adopt puts a response with an older one's place in the order into m, if there is
// none of its variant and room for it.
func (m *Memory) adopt(s *Stored) *Stored {
	n := &Stored{Meta: s.Meta, Bytes: s.Bytes}
	size := n.memory()
	adopted := false
	m.change(s.Key, func(old []*Stored) []*Stored {
		total := size
		for _, o := range old {
			if total += o.memory(); o.sameVariant(s.Meta) {
				total = m.largest() + 1
			}
		}
		if adopted = total <= m.largest() && len(old) < MaxVariants; !adopted {
			return old
		}
		return append(slices.Clip(old), n)
	})
	if !adopted {
		return nil
	}
	return n
}

// sameVariant says that m and o are of one variant.
func (m *Meta) sameVariant(o *Meta) bool {
	return m.Variant == o.Variant && slices.Equal(m.Vary, o.Vary)
}

// holds says that s is what m stores.
func (m *Memory) holds(s *Stored) bool {
	e, ok := m.index.GetEntryQuietly(s.Key)
	return ok && slices.Contains(e.Value.stored, s)
}

// dropWhere drops the responses under key for which f says so, and returns them.
func (m *Memory) dropWhere(key string, f func(*Stored) bool) (gone []*Stored) {
	m.change(key, func(old []*Stored) []*Stored {
		gone = nil
		var kept []*Stored
		for _, o := range old {
			if f(o) {
				gone = append(gone, o)
			} else {
				kept = append(kept, o)
			}
		}
		return kept
	})
	return gone
}
