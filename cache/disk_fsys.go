package cache

import (
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// fsys is the file system under a Disk, and all of it that a Disk uses: names are
// relative to the folder of the store, with slashes. A test puts another one in
// its place to fail calls, and to lose what was not synced. It is safe for
// concurrent use.
type fsys interface {
	// Open opens a file for reading; ReadWrite for changing it in place.
	Open(name string) (file, error)
	ReadWrite(name string) (file, error)
	// Create makes a file that must not exist, open for reading and writing.
	Create(name string) (file, error)
	// Rename moves a file, over another one if there is one, atomically.
	Rename(from, to string) error
	Remove(name string) error
	// Mkdir makes a folder; it is no error if there is one.
	Mkdir(name string) error
	// ReadDir calls f with the names in a folder, in no order, in pieces. It
	// looks at none of the files.
	ReadDir(name string, f func(names []string)) error
	// SyncDir makes the names in a folder last through a power cut.
	SyncDir(name string) error
	// Size is the size of the file system in bytes, zero if that is not known.
	Size() int64
	Close() error
}

// file is an open file of an fsys. Writes go to the end, one after another.
type file interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Stat returns size, time of modification and type.
	Stat() (fs.FileInfo, error)
	// Truncate cuts the content.
	Truncate(size int64) error
	// Sync makes the content last through a power cut.
	Sync() error
}

// rootFS is the fsys of the operating system. os.Root keeps every name within the
// folder, whatever symbolic links lie in it.
type rootFS struct{ at *atomic.Pointer[os.Root] }

func newRootFS(root *os.Root) rootFS {
	r := rootFS{new(atomic.Pointer[os.Root])}
	r.at.Store(root)
	return r
}

// move has all names be of another folder from now on. The one before is closed by
// the garbage collector, when nobody uses it any more.
func (r rootFS) move(root *os.Root) { r.at.Store(root) }

func (r rootFS) Open(name string) (file, error) { return orNil(r.at.Load().Open(name)) }

func (r rootFS) ReadWrite(name string) (file, error) {
	return orNil(r.at.Load().OpenFile(name, os.O_RDWR, 0))
}

func (r rootFS) Create(name string) (file, error) {
	return orNil(r.at.Load().OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600))
}

// orNil keeps a nil *os.File from becoming a file that is not nil.
func orNil(f *os.File, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (r rootFS) Rename(from, to string) error { return r.at.Load().Rename(from, to) }

func (r rootFS) Remove(name string) error { return r.at.Load().Remove(name) }

func (r rootFS) Mkdir(name string) error {
	if err := r.at.Load().Mkdir(name, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

func (r rootFS) ReadDir(name string, f func(names []string)) error {
	info, err := r.at.Load().Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	dir, err := r.at.Load().Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(1024)
		f(names)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r rootFS) SyncDir(name string) error {
	dir, err := r.at.Load().Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return syncFolder(dir)
}

func (r rootFS) Size() int64 { return fileSystemBytes(r.at.Load()) }

func (r rootFS) Close() error { return r.at.Load().Close() }
