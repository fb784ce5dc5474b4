//go:build unix

package mount

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// diskCapacity returns the size in bytes of the file system that holds folder,
// or would hold it; zero if that cannot be told.
func diskCapacity(folder string) int64 {
	for {
		var fs unix.Statfs_t
		if unix.Statfs(folder, &fs) == nil {
			return int64(fs.Blocks) * int64(fs.Bsize)
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return 0
		}
		folder = parent
	}
}
