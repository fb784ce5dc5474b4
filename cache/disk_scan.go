package cache

import (
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
)

// shardLoad is whether the files of a shard are in the index.
type shardLoad struct {
	done atomic.Bool
	mu   sync.Mutex // held while the folder is read
}

// load makes sure that the index has the files of a shard. Everything that looks
// at a shard calls it first: a look-up soon after a start reads one folder, ahead
// of the keeper that reads them all.
func (d *Disk) load(shard int) {
	l := &d.loads[shard]
	if l.done.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done.Load() {
		return
	}
	err := d.fs.ReadDir(shardName(shard), func(names []string) {
		places := make([]diskPlace, 0, len(names))
		for _, name := range names {
			// What is not named as ours is left alone.
			if p, ok := parsePlace(name); ok && p.shard() == shard {
				places = append(places, p)
			}
		}
		d.enterAll(places)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.failed("reading a folder", err)
	}
	l.done.Store(true)
}

// enterAll puts files that were found into the index, and removes those that are
// replaced by others or of a time whose purges are lost.
func (d *Disk) enterAll(places []diskPlace) {
	var gone []diskPlace
	d.mu.Lock()
	for _, p := range places {
		if p.id>>runShift < d.floor {
			gone = append(gone, p)
			continue
		}
		gone = append(gone, d.index.insert(p, 0, true)...)
	}
	d.mu.Unlock()
	d.unlink(gone)
}

// keep is the goroutine of a Disk. It completes the index, then keeps the store
// within its size and free of damage until Close.
func (d *Disk) keep() {
	defer close(d.done)
	for shard := range shards {
		if d.ctx.Err() != nil {
			return
		}
		d.load(shard)
		d.evict()
	}
	close(d.scanned)
	d.scrub()
}
