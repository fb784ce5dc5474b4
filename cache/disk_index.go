package cache

// diskIndex knows every file of a disk store by its place. It is made for
// millions: some 90 bytes of memory an entry, no pointer in it. Its user holds a
// lock around every method.
//
// Entries of one key are chained, newest first. All are in one queue, in which
// SIEVE chooses what to evict: a hand walks from the oldest to the newest, spares
// and clears what was visited since it last came by, and stops at the first entry
// that was not. A visit is one bit, and what nobody visits twice goes first. See
// Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024.
type diskIndex struct {
	heads  map[uint64]slot // by key
	chunks [][]diskEntry   // of chunkEntries each; slot 0 is not used
	fresh  slot            // the next slot that was never used
	free   slot            // slots to use again, chained by next

	newest, oldest, hand slot // the queue

	entries int64
	units   int64 // sum of the units of all entries
}

// slot numbers an entry; zero is none.
type slot uint32

const chunkEntries = 1 << 12

// diskEntry is one file.
type diskEntry struct {
	diskPlace
	next         slot // of the same key, older
	newer, older slot // in the queue
	// stamp is that of the file when its body was last found whole, zero if it
	// was not yet since the start.
	stamp   uint32
	visited bool
}

func newDiskIndex() *diskIndex {
	return &diskIndex{heads: make(map[uint64]slot), fresh: 1}
}

// at returns the entry in s, which is valid until it is removed.
func (x *diskIndex) at(s slot) *diskEntry {
	return &x.chunks[s/chunkEntries][s%chunkEntries]
}

// find returns the slot of the file with the given key and id, or zero.
func (x *diskIndex) find(key, id uint64) slot {
	for s := x.heads[key]; s != 0; s = x.at(s).next {
		if x.at(s).id == id {
			return s
		}
	}
	return 0
}

// appendChain appends the places under key to dst, newest first.
func (x *diskIndex) appendChain(dst []diskPlace, key uint64) []diskPlace {
	for s := x.heads[key]; s != 0; s = x.at(s).next {
		dst = append(dst, x.at(s).diskPlace)
	}
	return dst
}

// visit notes that the file with the given key and id was used.
func (x *diskIndex) visit(key, id uint64) {
	if s := x.find(key, id); s != 0 {
		x.at(s).visited = true
	}
}

// insert adds p and returns what it replaces: older ones of the same variant, or
// p itself if a newer one is there, and the oldest past MaxVariants. atEnd puts
// it to the old end of the queue.
func (x *diskIndex) insert(p diskPlace, stamp uint32, atEnd bool) (replaced []diskPlace) {
	if x.find(p.key, p.id) != 0 {
		return nil
	}
	visited := false
	chain := 0
	for s := x.heads[p.key]; s != 0; {
		e := x.at(s)
		next := e.next
		chain++
		if e.vary == p.vary && e.variant == p.variant {
			if e.id > p.id {
				return []diskPlace{p}
			}
			visited = visited || e.visited
			replaced = append(replaced, e.diskPlace)
			x.remove(s)
			chain--
		}
		s = next
	}
	n := x.take()
	e := x.at(n)
	*e = diskEntry{diskPlace: p, stamp: stamp, visited: visited}
	// The chain is in the order of ids.
	link := slot(0)
	for s := x.heads[p.key]; s != 0 && x.at(s).id > p.id; s = x.at(s).next {
		link = s
	}
	if link == 0 {
		e.next = x.heads[p.key]
		x.heads[p.key] = n
	} else {
		e.next = x.at(link).next
		x.at(link).next = n
	}
	x.enqueue(n, atEnd)
	x.entries++
	x.units += int64(p.units)
	if chain >= MaxVariants {
		last := x.heads[p.key]
		for x.at(last).next != 0 {
			last = x.at(last).next
		}
		replaced = append(replaced, x.at(last).diskPlace)
		x.remove(last)
	}
	return replaced
}

// take returns an unused slot.
func (x *diskIndex) take() slot {
	if s := x.free; s != 0 {
		x.free = x.at(s).next
		return s
	}
	s := x.fresh
	x.fresh++
	if int(s/chunkEntries) == len(x.chunks) {
		x.chunks = append(x.chunks, make([]diskEntry, chunkEntries))
	}
	return s
}

// remove forgets the entry in s.
func (x *diskIndex) remove(s slot) {
	e := x.at(s)
	if x.heads[e.key] == s {
		if e.next == 0 {
			delete(x.heads, e.key)
		} else {
			x.heads[e.key] = e.next
		}
	} else {
		before := x.heads[e.key]
		for x.at(before).next != s {
			before = x.at(before).next
		}
		x.at(before).next = e.next
	}
	x.dequeue(s)
	x.entries--
	x.units -= int64(e.units)
	*e = diskEntry{next: x.free}
	x.free = s
}

// enqueue puts s at the newest end of the queue, or at the oldest.
func (x *diskIndex) enqueue(s slot, atEnd bool) {
	e := x.at(s)
	if atEnd {
		e.older, e.newer = 0, x.oldest
		if x.oldest != 0 {
			x.at(x.oldest).older = s
		} else {
			x.newest = s
		}
		x.oldest = s
		return
	}
	e.newer, e.older = 0, x.newest
	if x.newest != 0 {
		x.at(x.newest).newer = s
	} else {
		x.oldest = s
	}
	x.newest = s
}

// dequeue takes s out of the queue.
func (x *diskIndex) dequeue(s slot) {
	e := x.at(s)
	if x.hand == s {
		x.hand = e.newer
	}
	if e.newer != 0 {
		x.at(e.newer).older = e.older
	} else {
		x.newest = e.older
	}
	if e.older != 0 {
		x.at(e.older).newer = e.newer
	} else {
		x.oldest = e.newer
	}
}

// evict removes the entry that SIEVE chooses. ok is false if there is none.
func (x *diskIndex) evict() (p diskPlace, ok bool) {
	if x.oldest == 0 {
		return p, false
	}
	s := x.hand
	for {
		if s == 0 {
			s = x.oldest
		}
		e := x.at(s)
		if !e.visited {
			x.hand = e.newer
			p = e.diskPlace
			x.remove(s)
			return p, true
		}
		e.visited = false
		s = e.newer
	}
}

// after returns up to cap(dst) places in slots behind s, and the last slot looked
// at: zero at the end. It looks at no more slots than a chunk has. It serves to
// walk over all while entries come and go.
func (x *diskIndex) after(s slot, dst []diskPlace) ([]diskPlace, slot) {
	dst = dst[:0]
	for range chunkEntries {
		if s++; s >= x.fresh {
			return dst, 0
		}
		if x.at(s).id != 0 {
			if dst = append(dst, x.at(s).diskPlace); len(dst) == cap(dst) {
				break
			}
		}
	}
	return dst, s
}
