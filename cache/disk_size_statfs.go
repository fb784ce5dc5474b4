//go:build linux || darwin || freebsd

package cache

import (
	"os"
	"syscall"
)

// fileSystemBytes returns the size of the file system of a folder, zero if that
// cannot be told.
func fileSystemBytes(root *os.Root) int64 {
	dir, err := root.Open(".")
	if err != nil {
		return 0
	}
	defer dir.Close()
	var s syscall.Statfs_t
	if syscall.Fstatfs(int(dir.Fd()), &s) != nil {
		return 0
	}
	return int64(s.Blocks) * int64(s.Bsize) //nolint:unconvert // other types on other systems
}
