//go:build !unix

package cache

import (
	"errors"
	"io/fs"
	"os"
)

// lockFolder takes the lock of a store's folder for this process. Systems of this
// file refuse to remove a file that is open: a lock file that cannot be removed is
// held by another process.
func lockFolder(root *os.Root) (*os.File, error) {
	if err := root.Remove(lockName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, ErrInUse
	}
	f, err := root.OpenFile(lockName, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		err = ErrInUse
	}
	return f, err
}

// syncFolder does nothing: names last as soon as they are made, or cannot be made
// to.
func syncFolder(*os.File) error { return nil }

// isFull says that err is for want of space: what these systems report is not
// told from other failures.
func isFull(error) bool { return false }

// isBusy says that err is for want of something other than the file.
func isBusy(err error) bool { return errors.Is(err, fs.ErrPermission) }
