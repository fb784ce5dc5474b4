package cache

import (
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// minSlotBytes is the least length of one of two slots. The length is a power of
// two.
const minSlotBytes = 4 << 10

// diskWriter is the Writer of a Disk: a file under a temporary name with room for
// two records before the body.
type diskWriter struct {
	d      *Disk
	file   file
	temp   string
	record record // with the length of the slots
	sum    xxhash.Digest
	units  int64 // reserved
	err    error // of a Write
	ended  bool  // committed or aborted

	written atomic.Int64
}

// Create implements Store. The description may grow until Commit by half and some
// more before that costs a copy of the body.
func (d *Disk) Create(m *Meta, size int64) (Writer, error) {
	w, err := d.create(m, size)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (d *Disk) create(m *Meta, size int64) (*diskWriter, error) {
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return nil, ErrClosed
	}
	head := m.Size()
	slot := int64(1) << bits.Len64(uint64(max(minSlotBytes, head+head/2)-1))
	if slot > maxRecordBytes || size > d.largest() || unitsOf(2*slot+max(size, 0))*unitBytes > d.largest() {
		return nil, ErrTooLarge
	}
	f, temp, err := d.newTemp()
	if err != nil {
		return nil, d.writeFailed(err)
	}
	w := &diskWriter{d: d, file: f, temp: temp, record: record{slotBytes: uint32(slot), slots: 2}}
	w.sum.Reset()
	return w, nil
}

// Write implements Writer.
func (w *diskWriter) Write(p []byte) (int, error) {
	d := w.d
	d.life.RLock()
	defer d.life.RUnlock()
	switch {
	case w.ended || d.closed:
		return 0, ErrClosed
	case w.err != nil:
		return 0, w.err
	}
	off := w.record.bodyOffset() + w.written.Load()
	units := unitsOf(off + int64(len(p)))
	if units*unitBytes > d.largest() {
		w.err = ErrTooLarge
		return 0, w.err
	}
	if units > w.units {
		if w.err = d.reserve(units - w.units); w.err != nil {
			return 0, w.err
		}
		w.units = units
	}
	n, err := w.file.WriteAt(p, off)
	if err != nil && d.makeRoom(int64(len(p)-n), err) {
		var more int
		more, err = w.file.WriteAt(p[n:], off+int64(n))
		n += more
	}
	w.sum.Write(p[:n])
	w.written.Add(int64(n))
	if err != nil {
		w.err = d.writeFailed(err)
	}
	return n, w.err
}

// ReadAt implements Writer.
func (w *diskWriter) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("reading a body at %d", off)
	}
	left := w.written.Load() - off
	if left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) <= left {
		return w.file.ReadAt(p, off+w.record.bodyOffset())
	}
	n, err := w.file.ReadAt(p[:left], off+w.record.bodyOffset())
	if err == nil {
		err = io.EOF
	}
	return n, err
}

// Commit implements Writer.
func (w *diskWriter) Commit(m *Meta) (*Stored, error) { return w.commit(m, nil) }

// commit is Commit, in the place of old only if that is not nil.
func (w *diskWriter) commit(m *Meta, old *Stored) (*Stored, error) {
	if w.ended {
		return nil, ErrClosed
	}
	s, head, err := w.finish(m, old)
	if head > int(w.record.slotBytes) {
		s, err = w.recommit(head, old)
	}
	w.Abort()
	return s, err
}

// finish makes the file a stored response. If the record does not fit into a slot
// it does nothing; head is the length of the record.
func (w *diskWriter) finish(m *Meta, old *Stored) (s *Stored, head int, err error) {
	d := w.d
	d.life.RLock()
	defer d.life.RUnlock()
	switch {
	case d.closed:
		return nil, 0, ErrClosed
	case w.err != nil:
		return nil, 0, w.err
	case w.written.Load() != m.Length:
		return nil, 0, ErrIncomplete
	}
	r := &w.record
	r.id, r.meta, r.bodyBytes, r.bodySum = d.nextID(), m, m.Length, w.sum.Sum64()
	b := r.append(nil, d.seed)
	if len(b) > int(r.slotBytes) {
		return nil, len(b), nil
	}
	_, err = w.file.WriteAt(b, r.slotOffset())
	if err == nil && m.Length == 0 {
		// The file ends where the body would begin.
		_, err = w.file.WriteAt([]byte{0}, r.bodyOffset()-1)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = w.file.Stat()
	}
	if err != nil {
		return nil, 0, d.writeFailed(err)
	}
	p := d.placeOf(r, info.Size())
	d.load(p.shard())
	// Handed out before anyone can evict it: see pin.
	s = d.hand(p, r, nil)
	s.Opener.(*diskBody).stamp.Store(stampOf(info))
	w.end()
	if p, err = d.publish(w.temp, p, stampOf(info), old); err != nil || p.id == 0 {
		return nil, 0, err
	}
	return s, 0, nil
}

// recommit copies the body to a file with room for a record of head bytes.
func (w *diskWriter) recommit(head int, old *Stored) (*Stored, error) {
	m := w.record.meta
	if head > maxRecordBytes {
		return nil, ErrTooLarge
	}
	next, err := w.d.create(m, m.Length)
	if err != nil {
		return nil, err
	}
	defer next.Close()
	for int(next.record.slotBytes) < head {
		next.record.slotBytes *= 2
	}
	if _, err := io.Copy(struct{ io.Writer }{next}, io.NewSectionReader(w, 0, m.Length)); err != nil {
		return nil, err
	}
	return next.commit(m, old)
}

// Abort implements Writer.
func (w *diskWriter) Abort() {
	if w.ended {
		return
	}
	w.end()
	// Fails if the store is closed: the next one to open the folder does it.
	w.d.fs.Remove(w.temp)
}

// end gives back what was reserved.
func (w *diskWriter) end() {
	w.ended = true
	w.d.release(w.units)
}

// Close implements Writer.
func (w *diskWriter) Close() error {
	w.Abort()
	return w.file.Close()
}
