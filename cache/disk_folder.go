package cache

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cespare/xxhash/v2"
)

// Names in the folder of a disk store. The folders of the shards stand beside
// them; what else lies there is left alone.
const (
	lockName    = "lock"
	markerName  = "store"   // says that the folder is ours, and how its files are named
	journalName = "purges"  // see fileJournal
	tempFolder  = "writing" // files that are not complete
	newSuffix   = ".new"    // of a marker or journal that replaces another
)

// lostAndFound is in the root of some file systems, which may be given to a store.
const lostAndFound = "lost+found"

// openFolder opens the folder of a store and locks it. It makes the folder if it
// is not there, and refuses one that is not a store's.
func openFolder(folder string) (*os.Root, *os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, nil, err
	}
	lock, err := takeFolder(root)
	if err != nil {
		root.Close()
		return nil, nil, err
	}
	return root, lock, nil
}

// takeFolder locks a folder that is a store's or empty.
func takeFolder(root *os.Root) (*os.File, error) {
	if err := checkOwn(root); err != nil {
		return nil, err
	}
	lock, err := lockFolder(root)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = root.Chmod(".", 0o700)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// checkOwn refuses a folder with a marker that is not ours, and one that has no
// marker but holds what no store makes before it makes the marker.
func checkOwn(root *os.Root) error {
	b, err := readAll(newRootFS(root), markerName, markerBytes+1)
	if err == nil {
		_, err = parseMarker(b)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(64)
		for _, name := range names {
			switch name {
			case lockName, journalName, journalName + newSuffix, markerName + newSuffix, lostAndFound:
			default:
				return fmt.Errorf("%w: it holds %q", ErrForeign, name)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// marker is the content of the marker file: magic, format version, seed, run,
// floor, checksum; little-endian.
type marker struct{ seed, run, floor uint64 }

const (
	markerMagic   = "mount cache store\n"
	markerVersion = 1
	markerBytes   = len(markerMagic) + 2 + 4*8
)

func (m marker) append(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, markerMagic...)
	dst = le.AppendUint16(dst, markerVersion)
	for _, v := range [...]uint64{m.seed, m.run, m.floor} {
		dst = le.AppendUint64(dst, v)
	}
	return le.AppendUint64(dst, xxhash.Sum64(dst))
}

func parseMarker(b []byte) (m marker, err error) {
	const head = len(markerMagic) + 2
	if len(b) < head || string(b[:len(markerMagic)]) != markerMagic {
		return m, fmt.Errorf("%w: the file %q is another program's", ErrForeign, markerName)
	}
	le := binary.LittleEndian
	if v := le.Uint16(b[len(markerMagic):]); v > markerVersion {
		return m, fmt.Errorf("%w: format %d", ErrNewer, v)
	}
	if len(b) != markerBytes || xxhash.Sum64(b[:markerBytes-8]) != le.Uint64(b[markerBytes-8:]) {
		return m, fmt.Errorf("%w: the file %q; delete the folder to begin anew", errDamaged, markerName)
	}
	return marker{seed: le.Uint64(b[head:]), run: le.Uint64(b[head+8:]), floor: le.Uint64(b[head+16:])}, nil
}

// openState reads the marker and the journal and enters this run.
//
// In a new folder the journal is made before the marker: a folder with a marker
// and without a journal has lost purges that were acknowledged. Then, and where
// the journal is damaged, no file from before is used any more.
func (d *Disk) openState() error {
	b, err := readAll(d.fs, markerName, markerBytes+1)
	if errors.Is(err, fs.ErrNotExist) {
		return d.newState()
	}
	if err != nil {
		return err
	}
	m, err := parseMarker(b)
	if err != nil {
		return err
	}
	m.run++
	journal, err := openJournal(d.fs)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) {
			return err
		}
		d.failed("lost acknowledged purges; all that was stored is dropped", err)
		m.floor = m.run
	}
	if err := d.enter(m); err != nil {
		journal.close()
		return err
	}
	if m.floor == m.run {
		if err := journal.Rewrite(journal.kept); err != nil {
			journal.close()
			return err
		}
	}
	d.journal = journal
	return nil
}

// newState makes journal and marker in an empty folder.
func (d *Disk) newState() error {
	var seed [8]byte
	rand.Read(seed[:])
	d.journal = &fileJournal{fs: d.fs}
	if err := d.journal.Rewrite(nil); err != nil {
		return err
	}
	if err := d.enter(marker{seed: binary.LittleEndian.Uint64(seed[:]), run: 1, floor: 1}); err != nil {
		d.journal.close()
		return err
	}
	return nil
}

// enter saves the marker of this run.
func (d *Disk) enter(m marker) error {
	d.seed, d.run, d.floor = m.seed, m.run, m.floor
	f, err := replaceFile(d.fs, markerName, m.append(nil))
	if f != nil {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("writing the marker: %w", err)
	}
	return nil
}

// replaceFile replaces a file of the folder so that after a power cut either the
// old or the new content is there, and returns it open. A file together with an
// error has taken the name but may not last.
func replaceFile(fs fsys, name string, content []byte) (file, error) {
	temp := name + newSuffix
	f, err := fs.Create(temp)
	if errors.Is(err, os.ErrExist) {
		if err := fs.Remove(temp); err != nil {
			return nil, err
		}
		f, err = fs.Create(temp)
	}
	if err != nil {
		return nil, err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fs.Rename(temp, name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, fs.SyncDir(".")
}

// readAll reads a file of at most max bytes.
func readAll(fs fsys, name string, max int) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(max)))
}

// clearTemp makes the folder of incomplete files and empties it.
func (d *Disk) clearTemp() error {
	if err := d.fs.Mkdir(tempFolder); err != nil {
		return err
	}
	var names []string
	err := d.fs.ReadDir(tempFolder, func(some []string) { names = append(names, some...) })
	for _, name := range names {
		err = errors.Join(err, d.fs.Remove(tempFolder+"/"+name))
	}
	return err
}
