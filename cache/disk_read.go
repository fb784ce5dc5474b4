package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// Lookup implements Store.
func (d *Disk) Lookup(key string, request http.Header) Found {
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return Found{}
	}
	hash := d.hashKey(key)
	d.load(shardOf(hash))
	var few [4]diskPlace
	d.mu.Lock()
	chain := d.index.appendChain(few[:0], hash)
	d.mu.Unlock()
	f, id := d.choose(key, chain, request)
	if f.Stored != nil {
		d.mu.Lock()
		d.index.visit(hash, id)
		d.mu.Unlock()
	}
	return f
}

// choose does what Select does on files: chain are those whose key has the hash of
// key, newest first. It opens one file for each list of fields that they vary on
// and the selected one; all of them only to look for a preferred language.
func (d *Disk) choose(key string, chain []diskPlace, request http.Header) (f Found, id uint64) {
	var lists []uint32
	languages := false
	for i, p := range chain {
		languages = languages || p.language
		if slices.Contains(lists, p.vary) {
			continue
		}
		s := d.take(p, key)
		if s == nil {
			continue
		}
		lists = append(lists, p.vary)
		if !f.Known {
			f.Known, f.Vary = true, s.Vary
		}
		variant := VariantKey(s.Vary, request)
		hash := hashVariant(p.vary, variant)
		for j, q := range chain[i:] {
			if q.vary != p.vary || q.variant != hash || q.id <= id {
				continue
			}
			t := s
			if j > 0 {
				t = d.take(q, key)
			}
			if t != nil && t.Variant == variant && slices.Equal(t.Vary, s.Vary) {
				f.Stored, id = t, q.id
			}
		}
	}
	if f.Stored != nil || !languages || PreferredLanguage(request) == "" {
		return f, id
	}
	stored := make([]*Stored, 0, len(chain))
	for _, p := range chain {
		if s := d.take(p, key); s != nil {
			stored = append(stored, s)
		}
	}
	if f.Stored = Select(stored, request); f.Stored != nil {
		id = f.Stored.id
	}
	return f, id
}

// take reads the response in p. It returns nil if that cannot be read, or has
// another key.
func (d *Disk) take(p diskPlace, key string) *Stored {
	s, err := d.read(p)
	if err != nil {
		d.lost(p, err)
		return nil
	}
	if s.Key != key {
		return nil
	}
	return s
}

// headBuffers hold a whole file with a short body, or the first part of the head
// of one with a long body.
var headBuffers = sync.Pool{New: func() any {
	b := make([]byte, inlineBytes+8<<10)
	return &b
}}

// longHeadBytes is how much is read at first of a file with a long body.
const longHeadBytes = 8 << 10

// read returns the response in p.
func (d *Disk) read(p diskPlace) (*Stored, error) {
	if s := d.handed(p.id); s != nil {
		return s, nil
	}
	f, err := d.fs.Open(p.path())
	if err != nil {
		return nil, err
	}
	keep := false
	defer func() {
		if !keep {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not a file", errDamaged)
	}
	size := info.Size()
	buffer := headBuffers.Get().(*[]byte)
	defer headBuffers.Put(buffer)
	head := *buffer
	if size <= int64(len(head)) {
		head = head[:size]
	} else {
		head = head[:longHeadBytes]
	}
	if err := readFull(f, head, 0); err != nil {
		return nil, err
	}
	r, err := readRecord(f, head, d.seed)
	if err != nil {
		return nil, err
	}
	if r.id != p.id || r.bodyOffset()+r.bodyBytes != size {
		return nil, fmt.Errorf("%w: not the file that was written", errDamaged)
	}
	if r.bodyBytes > inlineBytes {
		s := d.hand(p, r, f)
		keep = s.Opener.(*diskBody).has(f)
		return s, nil
	}
	body := make([]byte, r.bodyBytes)
	if off := r.bodyOffset(); size == int64(len(head)) {
		copy(body, head[off:])
	} else if err := readFull(f, body, off); err != nil {
		return nil, err
	}
	if xxhash.Sum64(body) != r.bodySum {
		return nil, fmt.Errorf("%w: checksum of the body", errDamaged)
	}
	return &Stored{Meta: r.meta, Bytes: body, id: p.id}, nil
}

// readFull fills p. A file that ends before is damaged.
func readFull(f io.ReaderAt, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		return fmt.Errorf("%w: shorter than it was", errDamaged)
	}
	return err
}

// readRecord returns the valid record of the higher revision in a file that begins
// with head.
func readRecord(f io.ReaderAt, head []byte, seed uint64) (*record, error) {
	first, err := readSlot(f, head, 0, seed)
	switch {
	case errors.Is(err, errNewer):
		return nil, err
	case err == nil && first.slots == 1:
		return first, nil
	case err == nil:
		second, err := readSlot(f, nil, int64(first.slotBytes), seed)
		if err == nil && second.revision > first.revision && sameBody(first, second) {
			return second, nil
		}
		return first, nil
	}
	// The first slot may have been cut off while it was replaced. The length of
	// a slot, which it would tell, is a power of two.
	for slot := int64(minSlotBytes); slot <= maxRecordBytes; slot *= 2 {
		if second, err := readSlot(f, nil, slot, seed); err == nil && second.slots == 2 && int64(second.slotBytes) == slot {
			return second, nil
		}
	}
	return nil, err
}

// sameBody says that two records are of one file.
func sameBody(a, b *record) bool {
	return a.id == b.id && a.slotBytes == b.slotBytes && b.slots == 2 &&
		a.bodyBytes == b.bodyBytes && a.bodySum == b.bodySum
}

// readSlot reads the record at off; head is what was already read there, or nil.
func readSlot(f io.ReaderAt, head []byte, off int64, seed uint64) (*record, error) {
	if head == nil {
		head = make([]byte, preambleBytes)
		if err := readFull(f, head, off); err != nil {
			return nil, err
		}
	}
	p, err := parsePreamble(head)
	if err != nil {
		return nil, err
	}
	if n := preambleBytes + p.metaBytes; n > len(head) {
		head = bytes.Clone(head)
		rest, err := readRest(f, off+int64(len(head)), n-len(head))
		if err != nil {
			return nil, err
		}
		head = append(head, rest...)
	}
	return p.parse(head, seed)
}

// readRest reads n bytes at off. It allocates no more than the file has.
func readRest(f io.ReaderAt, off int64, n int) ([]byte, error) {
	rest, err := io.ReadAll(io.NewSectionReader(f, off, int64(n)))
	if err == nil && len(rest) < n {
		err = fmt.Errorf("%w: record cut off", errDamaged)
	}
	return rest, err
}

// lost deals with a response that could not be read: it is dropped unless the
// fault may lie elsewhere, and counted unless it was evicted meanwhile.
func (d *Disk) lost(p diskPlace, err error) {
	if isBusy(err) {
		d.failed("opening a stored response", err)
		return
	}
	d.mu.Lock()
	current := d.index.find(p.key, p.id)
	if current != 0 {
		d.index.remove(current)
	}
	d.mu.Unlock()
	switch {
	case current == 0:
	case errors.Is(err, errNewer):
		// Left for the version that wrote it.
		d.failed("ignoring what a newer version has stored", err)
	case errors.Is(err, fs.ErrNotExist):
		d.failed("a stored response was removed", err)
	case errors.Is(err, errDamaged):
		d.failed("dropping a damaged response", err)
		d.unlink([]diskPlace{p})
	default:
		d.failed("reading a stored response", err)
		d.unlink([]diskPlace{p})
	}
}
