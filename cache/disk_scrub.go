package cache

import "time"

// scrubPause is how often the scrub rests, scrubRest how long it rests after it
// has been through everything. Damage comes slowly.
const (
	scrubPause = 100 * time.Millisecond
	scrubRest  = time.Hour
)

// scrub reads what is stored, at no more than d.scrubs bytes a second, and drops
// what is damaged or covered by a purge. It returns when Close begins.
func (d *Disk) scrub() {
	var position slot
	timer := time.NewTimer(scrubRest)
	defer timer.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-d.wake:
			d.remake()
			d.evict()
			continue
		case <-timer.C:
		}
		if d.scrubs < 0 {
			continue
		}
		var rest time.Duration
		position, rest = d.scrubSome(position, scrubPause)
		timer.Reset(rest)
	}
}

// scrubSome reads on from a position as much as pause allows for. It returns where
// to go on and after how long.
func (d *Disk) scrubSome(position slot, pause time.Duration) (slot, time.Duration) {
	allowed := d.scrubs / int64(time.Second/pause)
	var read int64
	batch := make([]diskPlace, 0, 16)
	for read <= allowed {
		d.mu.Lock()
		batch, position = d.index.after(position, batch)
		d.mu.Unlock()
		for _, p := range batch {
			if d.ctx.Err() != nil {
				return position, pause
			}
			read += int64(p.units) * unitBytes
			d.examine(p)
		}
		if position == 0 {
			return 0, scrubRest
		}
	}
	// A long body was read at once: the debt is rested off.
	return position, time.Duration(float64(read) / float64(d.scrubs) * float64(time.Second))
}

// examine reads a file and drops it if it is damaged or covered by a purge.
func (d *Disk) examine(p diskPlace) {
	s, err := d.read(p)
	if err != nil {
		d.lost(p, err)
		return
	}
	if l := d.purges.Load(); l != nil && l.forMount(s.Mount).covering(s.Meta).hard > s.Number {
		d.mu.Lock()
		current := d.index.find(p.key, p.id)
		if current != 0 {
			d.index.remove(current)
		}
		d.mu.Unlock()
		if current != 0 {
			d.unlink([]diskPlace{p})
		}
		return
	}
	if b, ok := s.Opener.(*diskBody); ok {
		// read tests a short body; a long one is tested here, also if it was
		// found whole before.
		if err := b.examine(); err != nil {
			d.lost(p, err)
		}
	}
}
