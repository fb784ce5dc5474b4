package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// DiskOptions say how a Disk is kept.
type DiskOptions struct {
	// Folder is where the store lives. It is made with mode 0700 if it is not
	// there. One that holds anything else is refused, as is one that another
	// process uses. It may be deleted at any time, and is then made anew.
	Folder string
	// MaxBytes bounds the room on disk: whole blocks, names included. It must
	// be positive. More than the file system has is as much as it has.
	MaxBytes int64
	// ScrubBytesPerSecond is how fast the background reads what is stored to
	// find damage: on average, one body is read at once. Zero means
	// DefaultScrubBytesPerSecond, a negative number that it does not.
	ScrubBytesPerSecond int64
	// Log, if not nil, is told of failures, each kind once.
	Log func(message string, err error)
}

// DefaultScrubBytesPerSecond is the default of DiskOptions.ScrubBytesPerSecond:
// 20 GB are read in an hour and a half.
const DefaultScrubBytesPerSecond = 4 << 20

// Errors of OpenDisk.
var (
	// ErrInUse: another process, or another store of this one, has the folder.
	ErrInUse = errors.New("folder is in use by another process")
	// ErrForeign: the folder holds what no Disk has put there.
	ErrForeign = errors.New("folder is not empty and not a store of this program")
	// ErrNewer: the folder was made by a newer version. It is left alone.
	ErrNewer = errors.New("folder was made by a newer version")
)

// inlineBytes is the length up to which a body is read, and its checksum tested,
// at every look-up. A longer one is tested at its first Open after a start or a
// change of its file, and read from the file by who opens it.
const inlineBytes = 64 << 10

// A Disk is a Store on disk: one file a response, a folder that can be deleted,
// an index in memory that is rebuilt in the background after a start while
// look-ups already work. It is bounded by the room that it takes; what is evicted
// is chosen by SIEVE.
//
// A file is written under another name and renamed, so that after a kill each is
// whole or absent. Neither files nor renames are synced: after a power cut a file
// may be missing, short or mixed, which its checksums tell, or an older response
// may be back that was replaced or dropped, as it may where a file could not be
// removed. That is as stale as its own header says, and covered by the purges since
// its time, which are synced: see Journal. What must not come back is purged.
//
// A response that cannot be read, or whose bytes are not what was stored, is
// dropped and counted. A failing disk costs hits, never an answer.
type Disk struct {
	fs      fsys
	lock    io.Closer
	reopen  func() (io.Closer, error) // opens the folder by its name; nil: it has none
	seed    uint64                    // of the hash of keys
	run     uint64                    // how many times the folder was opened
	floor   uint64                    // files of runs before this one are dropped
	journal *fileJournal
	purges  atomic.Pointer[Ledger] // nil: the scrub does not ask it
	scrubs  int64                  // bytes a second

	lastFile atomic.Uint64 // of this run
	lastTemp atomic.Uint64
	maxBytes atomic.Int64
	loads    [shards]shardLoad
	scanned  chan struct{}

	// life is held for reading by every method, and for writing by Close.
	life   sync.RWMutex
	closed bool

	mu      sync.Mutex // guards what follows
	index   *diskIndex
	handles map[uint64]diskHandle // by id: of long bodies that someone may read
	pending int64                 // units of files that are being written; at most half of the bound
	futile  bool                  // evicting did not help against a full disk

	evictions, failures atomic.Int64
	told                tellOnce
	vanished            atomic.Bool // the folder was removed

	ctx  context.Context // ends when Close begins
	stop context.CancelFunc
	wake chan struct{} // has room for one
	done chan struct{} // closed when the keeper has ended
}

// OpenDisk opens the store in a folder or makes one.
func OpenDisk(o DiskOptions) (*Disk, error) {
	if o.MaxBytes <= 0 {
		return nil, fmt.Errorf("disk store of %d bytes: the size must be positive", o.MaxBytes)
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil || o.Folder == "" {
		return nil, fmt.Errorf("disk store: folder %q: %w", o.Folder, errors.Join(err, os.ErrInvalid))
	}
	root, lock, err := openFolder(folder)
	if err != nil {
		return nil, fmt.Errorf("disk store %s: %w", folder, err)
	}
	system := newRootFS(root)
	d, err := openDisk(system, o)
	if err != nil {
		lock.Close()
		root.Close()
		return nil, fmt.Errorf("disk store %s: %w", folder, err)
	}
	d.lock = lock
	d.reopen = func() (io.Closer, error) {
		root, lock, err := openFolder(folder)
		if err != nil {
			return nil, err
		}
		system.move(root)
		return lock, nil
	}
	return d, nil
}

// openDisk opens the store on a file system of which nobody else uses the folder.
func openDisk(fs fsys, o DiskOptions) (*Disk, error) {
	d := &Disk{
		fs: fs, scrubs: o.ScrubBytesPerSecond, told: tellOnce{log: o.Log},
		index: newDiskIndex(), handles: make(map[uint64]diskHandle),
		scanned: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if d.scrubs == 0 {
		d.scrubs = DefaultScrubBytesPerSecond
	}
	d.setMaxBytes(o.MaxBytes)
	if err := d.openState(); err != nil {
		return nil, err
	}
	if err := d.clearTemp(); err != nil {
		d.journal.close()
		return nil, err
	}
	d.journal.room = d.roomForPurge
	d.ctx, d.stop = context.WithCancel(context.Background())
	go d.keep()
	return d, nil
}

// Journal returns the journal that is kept in the folder of d. If it was lost or
// damaged while d was closed, d has dropped what it could have covered. It ends
// with d.
func (d *Disk) Journal() Journal { return d.journal }

// Scanned is closed when the index is complete. Until then look-ups work, but
// MaxBytes is not kept and Stats are too low.
func (d *Disk) Scanned() <-chan struct{} { return d.scanned }

// Resize sets MaxBytes, which must be positive. What is too much is evicted in
// the background.
func (d *Disk) Resize(maxBytes int64) error {
	if maxBytes <= 0 {
		return fmt.Errorf("disk store of %d bytes: the size must be positive", maxBytes)
	}
	d.setMaxBytes(maxBytes)
	select {
	case d.wake <- struct{}{}:
	default:
	}
	return nil
}

// setMaxBytes sets the bound, or that of the file system.
func (d *Disk) setMaxBytes(n int64) {
	if size := d.fs.Size(); size > 0 && size < n {
		d.told.tell("disk store: the disk is smaller than the store was to be", fmt.Errorf("it has %d bytes, not %d", size, n))
		n = size
	}
	d.maxBytes.Store(n)
}

// Reclaim has the scrub drop what a hard purge of l covers: nobody will reuse it.
func (d *Disk) Reclaim(l *Ledger) { d.purges.Store(l) }

// largest is the most that one response may take.
func (d *Disk) largest() int64 { return min(d.maxBytes.Load()/2, math.MaxUint32*unitBytes) }

// hashKey returns the hash of a key, by which files are named.
func (d *Disk) hashKey(key string) uint64 {
	var h xxhash.Digest
	h.ResetWithSeed(d.seed)
	h.WriteString(key)
	return h.Sum64()
}

// nextID returns a number that is higher than those of all files.
func (d *Disk) nextID() uint64 { return d.run<<runShift | d.lastFile.Add(1) }

// runShift splits the number of a file: the run above, the file of the run below.
const runShift = 40

// Each implements Store. It reads the head of every file.
func (d *Disk) Each(f func(*Meta) bool) {
	d.life.RLock()
	defer d.life.RUnlock()
	select {
	case <-d.scanned:
	case <-d.ctx.Done():
	}
	places := make([]diskPlace, 0, 256)
	for s := slot(0); ; {
		if d.ctx.Err() != nil {
			return
		}
		d.mu.Lock()
		places, s = d.index.after(s, places)
		d.mu.Unlock()
		for _, p := range places {
			if stored, err := d.read(p); err == nil && !f(stored.Meta) {
				return
			}
		}
		if s == 0 {
			return
		}
	}
}

// Stats implements Store.
func (d *Disk) Stats() StoreStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return StoreStats{
		Entries:   d.index.entries,
		Bytes:     (d.index.units + d.pending) * unitBytes,
		MaxBytes:  d.maxBytes.Load(),
		Evictions: d.evictions.Load(),
		Failures:  d.failures.Load(),
	}
}

// Close implements Store. It waits for what d is doing, and opens the bodies that
// someone may still read.
func (d *Disk) Close() error {
	d.stop()
	<-d.done
	d.life.Lock()
	defer d.life.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	d.pinAll()
	err := errors.Join(d.journal.close(), d.fs.Close())
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

// failed counts a failure and tells of the first of its kind.
func (d *Disk) failed(message string, err error) {
	d.failures.Add(1)
	d.told.tell("disk store: "+message, err)
}

// tellOnce passes on the first of each message. Messages are constants, so that
// it is bounded. It is safe for concurrent use.
type tellOnce struct {
	log  func(message string, err error)
	said sync.Map
}

func (t *tellOnce) tell(message string, err error) {
	if t.log == nil {
		return
	}
	if t.first(message) {
		t.log(message, err)
	}
}

// first reports whether the message is the first of its kind.
func (t *tellOnce) first(message string) bool {
	_, again := t.said.LoadOrStore(message, true)
	return !again
}

var _ Store = (*Disk)(nil)
