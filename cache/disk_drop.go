package cache

import (
	"errors"
	"os"
	"slices"
)

// Delete implements Store.
func (d *Disk) Delete(key string) int { return len(d.deleteAll(key)) }

// deleteAll drops all responses under key and returns where they were.
func (d *Disk) deleteAll(key string) []diskPlace {
	return d.dropWhere(key, func(diskPlace) bool { return true })
}

// Drop implements Store.
func (d *Disk) Drop(s *Stored) {
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return
	}
	hash := d.hashKey(s.Key)
	d.mu.Lock()
	current := d.find(s, hash)
	if current == 0 {
		d.mu.Unlock()
		return
	}
	p := d.index.at(current).diskPlace
	d.index.remove(current)
	d.mu.Unlock()
	d.unlink([]diskPlace{p})
}

// dropVariant drops the response of m's variant and says whether there was one.
func (d *Disk) dropVariant(m *Meta) bool {
	return len(d.dropWhere(m.Key, func(p diskPlace) bool { return p.sameVariant(m) })) > 0
}

// hasVariant says that the index has a response of m's variant.
func (d *Disk) hasVariant(m *Meta) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := d.hashKey(m.Key)
	for s := d.index.heads[key]; s != 0; s = d.index.at(s).next {
		if d.index.at(s).sameVariant(m) {
			return true
		}
	}
	return false
}

// dropCopy drops the response that has the description m.
func (d *Disk) dropCopy(m *Meta) {
	d.dropWhere(m.Key, func(p diskPlace) bool {
		if !p.sameVariant(m) {
			return false
		}
		s, err := d.read(p)
		return err == nil && s.Key == m.Key && s.Number == m.Number && s.StoredTime.Equal(m.StoredTime) &&
			s.RequestTime.Equal(m.RequestTime) && s.ResponseTime.Equal(m.ResponseTime)
	})
}

// dropWhere drops the responses under key for which f, which is called without a
// lock, says so. It returns where they were.
func (d *Disk) dropWhere(key string, f func(diskPlace) bool) []diskPlace {
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return nil
	}
	hash := d.hashKey(key)
	d.load(shardOf(hash))
	d.mu.Lock()
	places := d.index.appendChain(nil, hash)
	d.mu.Unlock()
	places = slices.DeleteFunc(places, func(p diskPlace) bool { return !f(p) })
	d.mu.Lock()
	places = slices.DeleteFunc(places, func(p diskPlace) bool {
		s := d.index.find(p.key, p.id)
		if s != 0 {
			d.index.remove(s)
		}
		return s == 0
	})
	d.mu.Unlock()
	d.unlink(places)
	return places
}

// find returns the slot of s if it is still the stored one, else zero. The caller
// holds mu.
func (d *Disk) find(s *Stored, key uint64) slot {
	if s.id == 0 {
		return 0
	}
	if f, ok := s.Opener.(*diskBody); ok && f.current != s {
		return 0
	}
	return d.index.find(key, s.id)
}

// evict makes room: it drops responses until at most MaxBytes are in use. The
// caller holds life.
func (d *Disk) evict() {
	var batch [256]diskPlace
	for {
		n := 0
		d.mu.Lock()
		for n < len(batch) && (d.index.units+d.pending)*unitBytes > d.maxBytes.Load() {
			p, ok := d.index.evict()
			if !ok {
				break
			}
			batch[n] = p
			n++
		}
		d.mu.Unlock()
		d.evictions.Add(int64(n))
		d.unlink(batch[:n])
		if n < len(batch) {
			return
		}
	}
}

// unlink removes the files of places that the index has forgotten. Who may still
// read one gets it opened first.
func (d *Disk) unlink(places []diskPlace) {
	for i := range places {
		d.pin(places[i].id)
		if err := d.fs.Remove(places[i].path()); err != nil && !errors.Is(err, os.ErrNotExist) {
			d.failed("removing a stored response", err)
		}
	}
}
