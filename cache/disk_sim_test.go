package cache

import (
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"
	"syscall"
	"time"
)

// simFS is an fsys in memory that can fail, and of which crash makes what a power
// cut may leave: contents that were not synced are there in part, and names that
// were not synced are there or not, each for itself, in any order.
type simFS struct {
	mu    sync.Mutex
	dirs  map[string]*simDir
	clock int64
	size  int64
	quota int64 // bytes that may still be written; negative: no bound
	fail  func(op, name string) error
	// before, if not nil, is called before each change, with mu held.
	before func()
}

// simDir is a folder.
type simDir struct {
	names  map[string]*simInode
	synced map[string]*simInode
	log    []simName // since the last sync
}

// simName is a change of a name: nil is its removal.
type simName struct {
	name  string
	inode *simInode
}

// simInode is the content of a file.
type simInode struct {
	data, synced []byte
	log          []simWrite // since the last sync
	modified     int64
}

// simWrite is a write, or the cut at off if data is nil.
type simWrite struct {
	off  int64
	data []byte
}

func newSimFS() *simFS {
	return &simFS{dirs: map[string]*simDir{".": newSimDir()}, quota: -1}
}

func newSimDir() *simDir {
	return &simDir{names: map[string]*simInode{}, synced: map[string]*simInode{}}
}

// crash returns one of the file systems that a power cut may leave now. The caller
// holds mu.
func (s *simFS) crash(rnd *rand.Rand) *simFS {
	n := newSimFS()
	made := map[*simInode]*simInode{}
	for name, dir := range s.dirs {
		d := newSimDir()
		n.dirs[name] = d
		names := map[string]*simInode{}
		for k, v := range dir.synced {
			names[k] = v
		}
		// How far the changes of each name had come.
		cut := map[string]bool{}
		for _, c := range dir.log {
			if cut[c.name] || rnd.IntN(3) == 0 {
				cut[c.name] = true
				continue
			}
			if c.inode == nil {
				delete(names, c.name)
			} else {
				names[c.name] = c.inode
			}
		}
		for k, inode := range names {
			c := made[inode]
			if c == nil {
				c = inode.crash(rnd)
				made[inode] = c
			}
			d.names[k], d.synced[k] = c, c
		}
	}
	return n
}

// crash returns what a power cut may leave of a content.
func (i *simInode) crash(rnd *rand.Rand) *simInode {
	data := slices.Clone(i.synced)
	mode := rnd.IntN(4)
	for _, w := range i.log {
		part := w.data
		switch {
		case part == nil && rnd.IntN(2) == 0:
			data = data[:min(w.off, int64(len(data)))]
			continue
		case part == nil, mode == 0, mode == 1 && rnd.IntN(2) == 0:
			continue // lost
		case mode == 2 && rnd.IntN(2) == 0:
			part = part[:rnd.IntN(len(part)+1)] // torn
		case mode == 3 && rnd.IntN(4) == 0:
			part = make([]byte, len(part)) // length without content
		}
		data = writeAt(data, part, w.off)
	}
	return &simInode{data: data, synced: data, modified: i.modified}
}

func writeAt(data, p []byte, off int64) []byte {
	if grow := off + int64(len(p)) - int64(len(data)); grow > 0 {
		data = append(data, make([]byte, grow)...)
	}
	copy(data[off:], p)
	return data
}

// begin is called at the start of every operation, with mu held.
func (s *simFS) begin(op, name string, change bool) error {
	if s.fail != nil {
		if err := s.fail(op, name); err != nil {
			return &fs.PathError{Op: op, Path: name, Err: err}
		}
	}
	if change {
		s.clock++
		if s.before != nil {
			s.before()
		}
	}
	return nil
}

// at returns the folder and the last part of a name.
func (s *simFS) at(name string) (*simDir, string) {
	dir, base := path.Split(name)
	return s.dirs[path.Clean("./"+dir)], base
}

func missing(op, name string) error { return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist} }

func (d *simDir) set(name string, i *simInode) {
	if i == nil {
		delete(d.names, name)
	} else {
		d.names[name] = i
	}
	d.log = append(d.log, simName{name, i})
}

func (s *simFS) Open(name string) (file, error)      { return s.open("open", name) }
func (s *simFS) ReadWrite(name string) (file, error) { return s.open("readwrite", name) }

func (s *simFS) open(op, name string) (file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin(op, name, false); err != nil {
		return nil, err
	}
	if dir, base := s.at(name); dir != nil && dir.names[base] != nil {
		return &simFile{fs: s, name: name, inode: dir.names[base]}, nil
	}
	return nil, missing(op, name)
}

func (s *simFS) Create(name string) (file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("create", name, true); err != nil {
		return nil, err
	}
	dir, base := s.at(name)
	switch {
	case dir == nil:
		return nil, missing("create", name)
	case dir.names[base] != nil:
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	i := &simInode{modified: s.clock}
	dir.set(base, i)
	return &simFile{fs: s, name: name, inode: i}, nil
}

func (s *simFS) Rename(from, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("rename", to, true); err != nil {
		return err
	}
	a, x := s.at(from)
	b, y := s.at(to)
	if a == nil || b == nil || a.names[x] == nil {
		return missing("rename", to)
	}
	b.set(y, a.names[x])
	a.set(x, nil)
	return nil
}

func (s *simFS) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("remove", name, true); err != nil {
		return err
	}
	dir, base := s.at(name)
	if dir == nil || dir.names[base] == nil {
		return missing("remove", name)
	}
	dir.set(base, nil)
	return nil
}

func (s *simFS) Mkdir(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("mkdir", name, true); err != nil {
		return err
	}
	if s.dirs[name] == nil {
		s.dirs[name] = newSimDir()
	}
	return nil
}

func (s *simFS) ReadDir(name string, f func(names []string)) error {
	s.mu.Lock()
	err := s.begin("readdir", name, false)
	dir := s.dirs[name]
	if err == nil && dir == nil {
		err = missing("readdir", name)
	}
	if err != nil {
		s.mu.Unlock()
		return err
	}
	names := slices.Collect(maps.Keys(dir.names))
	s.mu.Unlock()
	f(names)
	return nil
}

func (s *simFS) SyncDir(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.begin("syncdir", name, true); err != nil {
		return err
	}
	dir := s.dirs[name]
	dir.log = nil
	dir.synced = map[string]*simInode{}
	for k, v := range dir.names {
		dir.synced[k] = v
	}
	return nil
}

func (s *simFS) Size() int64 { return s.size }

func (s *simFS) Close() error { return nil }

// each calls f with every file below the shards, to damage it.
func (s *simFS) each(f func(name string, i *simInode)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for dir, d := range s.dirs {
		if len(dir) == 2 {
			for k, i := range d.names {
				s.clock++
				i.modified = s.clock
				f(dir+"/"+k, i)
			}
		}
	}
}

// simFile is an open file.
type simFile struct {
	fs    *simFS
	name  string
	inode *simInode
	pos   int64
}

func (f *simFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *simFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.begin("read", f.name, false); err != nil {
		return 0, err
	}
	if off >= int64(len(f.inode.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.inode.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *simFile) WriteAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.begin("write", f.name, true); err != nil {
		return 0, err
	}
	var err error
	if q := f.fs.quota; q >= 0 && int64(len(p)) > q {
		p, err = p[:q], &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	if f.fs.quota >= 0 {
		f.fs.quota -= int64(len(p))
	}
	f.inode.data = writeAt(f.inode.data, p, off)
	f.inode.log = append(f.inode.log, simWrite{off, slices.Clone(p)})
	f.inode.modified = f.fs.clock
	return len(p), err
}

func (f *simFile) Stat() (fs.FileInfo, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	return simInfo{path.Base(f.name), int64(len(f.inode.data)), f.inode.modified}, nil
}

func (f *simFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.begin("truncate", f.name, true); err != nil {
		return err
	}
	f.inode.data = f.inode.data[:size]
	f.inode.log = append(f.inode.log, simWrite{off: size})
	return nil
}

func (f *simFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.fs.begin("sync", f.name, true); err != nil {
		return err
	}
	f.inode.synced, f.inode.log = slices.Clone(f.inode.data), nil
	return nil
}

func (f *simFile) Close() error { return nil }

// simInfo describes a regular file.
type simInfo struct {
	name     string
	size     int64
	modified int64
}

func (i simInfo) Name() string       { return i.name }
func (i simInfo) Size() int64        { return i.size }
func (i simInfo) Mode() fs.FileMode  { return 0o600 }
func (i simInfo) ModTime() time.Time { return time.Unix(0, i.modified*1e6) }
func (i simInfo) IsDir() bool        { return false }
func (i simInfo) Sys() any           { return nil }
