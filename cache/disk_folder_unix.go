//go:build unix

package cache

import (
	"errors"
	"os"
	"syscall"
)

// lockFolder takes the lock of a store's folder for this process: it ends with
// the file, at the latest with the process.
func lockFolder(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, err
	}
	return f, nil
}

// syncFolder makes the names in dir last through a power cut.
func syncFolder(dir *os.File) error { return dir.Sync() }

// isFull says that err is for want of space.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// isBusy says that err is for want of something other than the file: its content
// may be well.
func isBusy(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM)
}
