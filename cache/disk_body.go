package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/cespare/xxhash/v2"
)

// diskBody is the Opener of a long body in a file. All that were handed out for
// one file share it.
type diskBody struct {
	d      *Disk
	place  diskPlace
	offset int64
	length int64
	sum    uint64
	slot   struct{ bytes, count uint32 }

	// current is the response that is stored now; guarded by d.mu.
	current *Stored

	// stamp is that of the file when the body was last found whole; zero if it
	// was not yet.
	stamp     atomic.Uint32
	examining sync.Mutex // held by who reads the body to test it

	mu       sync.Mutex // guards what follows
	pinned   file       // the file, if it has lost its name or its place
	revision uint32     // of the record
}

// diskHandle finds a diskBody for as long as someone has it.
type diskHandle = weak.Pointer[diskBody]

// handed returns the response in the file id if someone has it, else nil.
func (d *Disk) handed(id uint64) *Stored {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b := d.handles[id].Value(); b != nil {
		return b.current
	}
	return nil
}

// hand makes the response whose body is read from the file p, or returns the one
// that another goroutine has made meanwhile. If the file has lost its place in the
// index it keeps f, which is that file, or nil if the file has no place yet.
func (d *Disk) hand(p diskPlace, r *record, f file) *Stored {
	b := &diskBody{d: d, place: p, offset: r.bodyOffset(), length: r.bodyBytes, sum: r.bodySum, revision: r.revision}
	b.slot.bytes, b.slot.count = r.slotBytes, r.slots
	s := &Stored{Meta: r.meta, Opener: b, id: p.id}
	b.current = s
	d.mu.Lock()
	defer d.mu.Unlock()
	if other := d.handles[p.id].Value(); other != nil {
		return other.current
	}
	if current := d.index.find(p.key, p.id); current != 0 {
		b.stamp.Store(d.index.at(current).stamp)
	} else {
		b.pinned = f
	}
	d.handles[p.id] = weak.Make(b)
	runtime.AddCleanup(b, d.forget, p.id)
	return s
}

// forget drops the handle of a file that nobody has any more.
func (d *Disk) forget(id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h, ok := d.handles[id]; ok && h.Value() == nil {
		delete(d.handles, id)
	}
}

// pin opens the file id if someone may still read it, before it loses its name.
func (d *Disk) pin(id uint64) {
	d.mu.Lock()
	b := d.handles[id].Value()
	d.mu.Unlock()
	if b != nil {
		b.pin()
	}
}

// pinAll opens all files that someone may still read.
func (d *Disk) pinAll() {
	d.mu.Lock()
	var live []*diskBody
	for _, h := range d.handles {
		if b := h.Value(); b != nil {
			live = append(live, b)
		}
	}
	d.mu.Unlock()
	for _, b := range live {
		b.pin()
	}
}

// has says that f is pinned.
func (b *diskBody) has(f file) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pinned == f
}

// pin opens the file for good; the garbage collector closes it. If that fails the
// body cannot be opened any more.
func (b *diskBody) pin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pinned != nil {
		return
	}
	if f, err := b.d.fs.Open(b.place.path()); err == nil {
		b.pinned = f
	}
}

// file returns the open file and whether it belongs to the caller.
func (b *diskBody) file() (f file, own bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pinned != nil {
		return b.pinned, false, nil
	}
	f, err = b.d.fs.Open(b.place.path())
	return f, true, err
}

// Open implements Opener.
func (b *diskBody) Open() (Content, error) {
	f, own, err := b.file()
	if err == nil {
		if err = b.test(f, false); err == nil {
			return b.content(f, own), nil
		}
		if own {
			f.Close()
		}
	}
	b.d.lostBody(b.place, err)
	return nil, fmt.Errorf("opening a stored body: %w", err)
}

// lostBody is lost for who does not hold life.
func (d *Disk) lostBody(p diskPlace, err error) {
	d.life.RLock()
	defer d.life.RUnlock()
	if !d.closed {
		d.lost(p, err)
	}
}

// examine tests the body whether or not it was found whole before.
func (b *diskBody) examine() error {
	f, own, err := b.file()
	if err != nil {
		return err
	}
	if own {
		defer f.Close()
	}
	return b.test(f, true)
}

// test compares the body in f with its checksum, if the file was not found whole
// as it is now, or always if again.
func (b *diskBody) test(f file, again bool) error {
	whole, err := b.unchanged(f)
	if err != nil || whole && !again {
		return err
	}
	b.examining.Lock()
	defer b.examining.Unlock()
	// Another goroutine may have done it.
	if whole, err = b.unchanged(f); err != nil || whole && !again {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var sum xxhash.Digest
	sum.Reset()
	buffer := headBuffers.Get().(*[]byte)
	defer headBuffers.Put(buffer)
	body := io.NewSectionReader(f, b.offset, b.length)
	if n, err := io.CopyBuffer(struct{ io.Writer }{&sum}, struct{ io.Reader }{body}, *buffer); err != nil {
		return err
	} else if n != b.length {
		return fmt.Errorf("%w: shorter than it was", errDamaged)
	}
	if sum.Sum64() != b.sum {
		return fmt.Errorf("%w: checksum of the body", errDamaged)
	}
	b.setStamp(stampOf(info))
	return nil
}

// unchanged says that the body was found whole and the file is as it was then.
func (b *diskBody) unchanged(f file) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() != b.offset+b.length {
		return false, fmt.Errorf("%w: length", errDamaged)
	}
	return b.stamp.Load() == stampOf(info), nil
}

// setStamp notes that the body was found whole when the file had a stamp.
func (b *diskBody) setStamp(stamp uint32) {
	b.stamp.Store(stamp)
	d := b.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if current := d.index.find(b.place.key, b.place.id); current != 0 {
		d.index.at(current).stamp = stamp
	}
}

// stampOf tells whether a file was changed: it is never zero.
func stampOf(info fs.FileInfo) uint32 {
	t := uint64(info.ModTime().UnixNano())
	return uint32(t^t>>32*0x9e3779b1) | 1
}

// content returns the open body in f.
func (b *diskBody) content(f file, own bool) Content {
	c := bodyContent{body: b, file: f, own: own}
	if system, ok := f.(*os.File); ok && own {
		return &systemContent{bodyContent: c, system: system}
	}
	return &c
}

// bodyContent is an open body in a file.
type bodyContent struct {
	body *diskBody // keeps a pinned file open
	file file
	own  bool
}

// ReadAt implements io.ReaderAt.
func (c *bodyContent) ReadAt(p []byte, off int64) (int, error) {
	switch left := c.body.length - off; {
	case off < 0:
		return 0, errors.New("negative offset in a stored body")
	case left <= 0:
		return 0, io.EOF
	case int64(len(p)) > left:
		n, err := c.file.ReadAt(p[:left], off+c.body.offset)
		if err == nil {
			err = io.EOF
		}
		return n, err
	}
	return c.file.ReadAt(p, off+c.body.offset)
}

// Close implements Content.
func (c *bodyContent) Close() error {
	if !c.own {
		return nil
	}
	return c.file.Close()
}

// systemContent is an open body in a file of the operating system.
type systemContent struct {
	bodyContent
	system *os.File
}

// File implements FileContent.
func (c *systemContent) File() (*os.File, error) {
	_, err := c.system.Seek(c.body.offset, io.SeekStart)
	return c.system, err
}
