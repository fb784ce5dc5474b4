package cache

import (
	"errors"
	"fmt"
	"io/fs"
)

// missing notes that the store's folder was removed and has the keeper make it anew.
func (d *Disk) missing() {
	if d.reopen == nil || d.vanished.Swap(true) {
		return
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// remake makes the folder anew if it was removed, and begins again as after a start:
// with what is there, mostly nothing, and with the purges that are known.
func (d *Disk) remake() {
	if !d.vanished.Load() || !d.begunAgain() {
		return
	}
	for shard := range shards {
		d.load(shard)
	}
}

// begunAgain makes the folder anew, unless that is not needed or fails.
func (d *Disk) begunAgain() bool {
	d.life.Lock()
	defer d.life.Unlock()
	// The next file that cannot be made tries again.
	defer d.vanished.Store(false)
	if d.closed || d.usable() {
		return false
	}
	if err := d.beginAgain(); err != nil {
		d.failed("the folder was removed and cannot be made anew", err)
		return false
	}
	d.failed("the folder was removed and is made anew", nil)
	return true
}

// usable says that files can be made in the folder: what was missing was a file of
// before it was made anew. The caller holds life.
func (d *Disk) usable() bool {
	name := d.tempName()
	f, err := d.fs.Create(name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return errors.Join(f.Close(), d.fs.Remove(name)) == nil
}

// beginAgain opens the folder again. The caller holds life for writing.
func (d *Disk) beginAgain() error {
	// It may be there with the lock in it.
	if d.lock != nil {
		d.lock.Close()
		d.lock = nil
	}
	lock, err := d.reopen()
	if err != nil {
		return err
	}
	d.lock = lock
	b, err := readAll(d.fs, markerName, markerBytes+1)
	m := marker{seed: d.seed, run: d.run, floor: d.run + 1}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if m, err = parseMarker(b); err != nil {
			return err
		}
		if m.seed != d.seed {
			return fmt.Errorf("%w: it was made anew", ErrInUse)
		}
	}
	m.run = max(m.run, d.run) + 1
	// The journal comes before the marker, as in a new folder.
	if err := d.saveJournal(); err != nil {
		return err
	}
	if err := d.enter(m); err != nil {
		return err
	}
	d.mu.Lock()
	d.index = newDiskIndex()
	d.mu.Unlock()
	for i := range d.loads {
		d.loads[i].done.Store(false)
	}
	return d.clearTemp()
}

// saveJournal writes the journal anew, with all purges that are known.
func (d *Disk) saveJournal() error {
	if l := d.purges.Load(); l != nil {
		return l.save()
	}
	return d.journal.Rewrite(nil)
}
