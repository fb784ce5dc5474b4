package cache

import (
	"fmt"
	"os"
	"sync/atomic"
)

// A spool is an append-only temporary file that has no name: whatever happens to
// the process, nothing of it remains. Write is for one goroutine, ReadAt for any
// number beside it, for what was written.
type spool struct {
	file    *os.File
	named   bool // the system keeps a name while the file is open
	written atomic.Int64
}

// newSpool makes an empty spool in the system's folder for temporary files.
func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "mount-spool-*")
	if err != nil {
		return nil, fmt.Errorf("making a temporary file for a long body: %w", err)
	}
	return &spool{file: f, named: os.Remove(f.Name()) != nil}, nil
}

// Write appends p.
func (s *spool) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.written.Add(int64(n))
	return n, err
}

// ReadAt reads what was written.
func (s *spool) ReadAt(p []byte, off int64) (int, error) { return s.file.ReadAt(p, off) }

// size returns how many bytes were written.
func (s *spool) size() int64 { return s.written.Load() }

// Close frees the file.
func (s *spool) Close() error {
	err := s.file.Close()
	if s.named {
		os.Remove(s.file.Name())
	}
	return err
}
