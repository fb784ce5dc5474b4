package cache_test

import (
	"testing"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/cache/storetest"
)

// openTiered opens a tiered store of storetest.MaxBytes in a folder.
func openTiered(t *testing.T, folder string) *cache.Tiered {
	t.Helper()
	memory, err := cache.NewMemory(storetest.MaxBytes / 4)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := cache.OpenDisk(cache.DiskOptions{Folder: folder, MaxBytes: storetest.MaxBytes / 4 * 3})
	if err != nil {
		t.Fatal(err)
	}
	return cache.NewTiered(memory, disk)
}

func TestTieredKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) cache.Store { return openTiered(t, t.TempDir()) }, nil)
}
