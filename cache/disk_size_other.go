//go:build !linux && !darwin && !freebsd

package cache

import "os"

// fileSystemBytes returns zero: the size of the file system is not known.
func fileSystemBytes(*os.Root) int64 { return 0 }
