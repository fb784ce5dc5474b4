package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// Put implements Store.
func (d *Disk) Put(m *Meta, body []byte) (*Stored, error) {
	if int64(len(body)) != m.Length {
		return nil, ErrIncomplete
	}
	p, err := d.put(m, body, nil)
	if err != nil || p.id == 0 {
		return nil, err
	}
	return &Stored{Meta: m, Bytes: body, id: p.id}, nil
}

// put stores a body that is at hand. If old is not nil, only in its place: the
// place returned is zero if old is no longer stored.
func (d *Disk) put(m *Meta, body []byte, old *Stored) (diskPlace, error) {
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return diskPlace{}, ErrClosed
	}
	r := &record{id: d.nextID(), slots: 1, bodyBytes: m.Length, bodySum: xxhash.Sum64(body), meta: m}
	head := r.append(nil, d.seed)
	size := int64(len(head)) + m.Length
	if len(head) > maxRecordBytes || unitsOf(size)*unitBytes > d.largest() {
		return diskPlace{}, ErrTooLarge
	}
	p := d.placeOf(r, size)
	d.load(p.shard())
	if err := d.reserve(int64(p.units)); err != nil {
		return diskPlace{}, err
	}
	defer d.release(int64(p.units))
	temp, stamp, err := d.writeTemp(head, body)
	if err != nil && d.makeRoom(size, err) {
		temp, stamp, err = d.writeTemp(head, body)
	}
	if err != nil {
		return diskPlace{}, d.writeFailed(err)
	}
	return d.publish(temp, p, stamp, old)
}

// placeOf returns the place of a file of size bytes with the record r.
func (d *Disk) placeOf(r *record, size int64) diskPlace {
	vary := hashVary(r.meta.Vary)
	return diskPlace{
		key: d.hashKey(r.meta.Key), id: r.id,
		vary: vary, variant: hashVariant(vary, r.meta.Variant),
		units: uint32(unitsOf(size)), language: r.meta.LanguageVariant != "",
	}
}

// newTemp makes a file for what is not complete.
func (d *Disk) newTemp() (f file, name string, err error) {
	name = d.tempName()
	f, err = d.fs.Create(name)
	if errors.Is(err, fs.ErrNotExist) {
		d.missing()
	}
	return f, name, err
}

// tempName returns a name that no file for what is not complete has.
func (d *Disk) tempName() string {
	return tempFolder + "/" + strconv.FormatUint(d.lastTemp.Add(1), 16)
}

// writeTemp writes a whole file under a temporary name.
func (d *Disk) writeTemp(head, body []byte) (name string, stamp uint32, err error) {
	f, name, err := d.newTemp()
	if err != nil {
		return "", 0, err
	}
	_, err = f.Write(head)
	if err == nil && len(body) > 0 {
		_, err = f.Write(body)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = f.Stat()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		d.fs.Remove(name)
		return "", 0, err
	}
	return name, stampOf(info), nil
}

// publish gives a complete file its name and puts it into the index, where it
// replaces what it must. If old is not nil and no longer stored, it does nothing
// and returns a zero place. The caller holds life and has loaded the shard.
func (d *Disk) publish(temp string, p diskPlace, stamp uint32, old *Stored) (diskPlace, error) {
	if old != nil && !d.stored(old, p.key) {
		d.fs.Remove(temp)
		return diskPlace{}, nil
	}
	path := p.path()
	err := d.fs.Rename(temp, path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = d.makeShard(temp, p.shard()); err == nil {
			err = d.fs.Rename(temp, path)
		}
	}
	if err != nil {
		d.fs.Remove(temp)
		return diskPlace{}, d.writeFailed(err)
	}
	var gone []diskPlace
	d.mu.Lock()
	if old != nil {
		s := d.find(old, p.key)
		if s == 0 {
			d.mu.Unlock()
			d.unlink([]diskPlace{p})
			return diskPlace{}, nil
		}
		// Removed here in case that it is of another variant.
		gone = append(gone, d.index.at(s).diskPlace)
		d.index.remove(s)
	}
	gone = append(gone, d.index.insert(p, stamp, false)...)
	d.futile = false
	d.mu.Unlock()
	d.unlink(gone)
	return p, nil
}

// makeShard makes the folder of a shard for the file temp. If that is gone so is the
// store's folder: what is made in it now would make it one that is not a store's.
func (d *Disk) makeShard(temp string, shard int) error {
	f, err := d.fs.Open(temp)
	if errors.Is(err, fs.ErrNotExist) {
		d.missing()
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return d.fs.Mkdir(shardName(shard))
}

// stored says that s is still the stored one.
func (d *Disk) stored(s *Stored, key uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.find(s, key) != 0
}

// errCrowded says that too much is being written at once.
var errCrowded = errors.New("half of the disk store is being written at once")

// reserve counts units that are about to be written and makes room for them. What
// is being written takes at most half of the store: the rest is for what is whole.
func (d *Disk) reserve(units int64) error {
	d.mu.Lock()
	crowded := (d.pending+units)*unitBytes > d.maxBytes.Load()/2
	if !crowded {
		d.pending += units
	}
	d.mu.Unlock()
	if crowded {
		return errCrowded
	}
	d.evict()
	return nil
}

// release gives back what was reserved.
func (d *Disk) release(units int64) {
	d.mu.Lock()
	d.pending -= units
	d.mu.Unlock()
}

// makeRoom says whether to try again to write size bytes after err: if the disk is
// full although the store is within its bound, the store gives up some of its own.
// It does not go on doing so if that does not help.
func (d *Disk) makeRoom(size int64, err error) bool {
	if !isFull(err) {
		return false
	}
	d.mu.Lock()
	futile := d.futile
	d.futile = true // until a file is published
	d.mu.Unlock()
	return !futile && d.giveUp(size)
}

// giveUp drops some of what is stored to make room for size bytes. It says whether
// there was anything. The caller holds life.
func (d *Disk) giveUp(size int64) bool {
	var gone []diskPlace
	d.mu.Lock()
	for units := int64(0); units < 4*unitsOf(size); {
		p, ok := d.index.evict()
		if !ok {
			break
		}
		units += int64(p.units)
		gone = append(gone, p)
	}
	d.mu.Unlock()
	d.evictions.Add(int64(len(gone)))
	d.unlink(gone)
	return len(gone) > 0
}

// roomForPurge makes room for a purge of size bytes on a full disk: a purge that can
// be saved is worth more than what is stored.
func (d *Disk) roomForPurge(size int64, err error) bool {
	// Not waited for: Close holds it while it waits for the journal.
	if !isFull(err) || !d.life.TryRLock() {
		return false
	}
	defer d.life.RUnlock()
	return !d.closed && d.giveUp(size)
}

// writeFailed counts and tells of a failure to write.
func (d *Disk) writeFailed(err error) error {
	switch {
	case isFull(err):
		d.failed("the disk is full", err)
	default:
		d.failed("writing a response", err)
	}
	return fmt.Errorf("storing on disk: %w", err)
}

// Replace implements Store.
func (d *Disk) Replace(s *Stored, m *Meta) (*Stored, error) {
	if m.Length != s.Length {
		return nil, ErrIncomplete
	}
	b, long := s.Opener.(*diskBody)
	if !long {
		p, err := d.put(m, s.Bytes, s)
		if err != nil || p.id == 0 {
			return nil, err
		}
		return &Stored{Meta: m, Bytes: s.Bytes, id: p.id}, nil
	}
	if n, done, err := b.replace(s, m); done {
		return n, err
	}
	content, err := b.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	w, err := d.create(m, s.Length)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if _, err := io.Copy(struct{ io.Writer }{w}, io.NewSectionReader(content, 0, s.Length)); err != nil {
		return nil, err
	}
	return w.commit(m, s)
}

// replace puts m in the place of s.Meta in the file. done is false if that needs
// another file.
func (b *diskBody) replace(s *Stored, m *Meta) (n *Stored, done bool, err error) {
	d := b.d
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return nil, true, ErrClosed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &record{
		id: b.place.id, revision: b.revision + 1, slotBytes: b.slot.bytes, slots: b.slot.count,
		bodyBytes: b.length, bodySum: b.sum, meta: m,
	}
	p := d.placeOf(r, b.offset+b.length)
	if r.slots != 2 || p != b.place || r.revision == 0 {
		return nil, false, nil
	}
	head := r.append(nil, d.seed)
	if len(head) > int(r.slotBytes) {
		return nil, false, nil
	}
	if !d.stored(s, p.key) {
		return nil, true, nil
	}
	f, err := d.fs.ReadWrite(p.path())
	if err != nil {
		return nil, true, d.writeFailed(err)
	}
	defer f.Close()
	before, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(head, r.slotOffset())
	}
	if err != nil {
		return nil, true, d.writeFailed(err)
	}
	b.revision = r.revision
	n = &Stored{Meta: m, Opener: b, id: p.id}
	d.mu.Lock()
	defer d.mu.Unlock()
	current := d.find(s, p.key)
	if current == 0 {
		return nil, true, nil
	}
	b.current = n
	// The change was ours: the body is as whole as it was.
	if after, err := f.Stat(); err == nil && b.stamp.Load() == stampOf(before) {
		b.stamp.Store(stampOf(after))
		d.index.at(current).stamp = stampOf(after)
	}
	return n, true, nil
}
