package cache_test

import (
	"testing"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/cache/storetest"
)

func TestDiskKeepsTheContract(t *testing.T) {
	var o cache.DiskOptions
	open := func(t *testing.T) cache.Store {
		d, err := cache.OpenDisk(o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	storetest.Run(t, func(t *testing.T) cache.Store {
		o = cache.DiskOptions{
			Folder: t.TempDir(), MaxBytes: storetest.MaxBytes,
			Log: func(message string, err error) { t.Errorf("%s: %v", message, err) },
		}
		return open(t)
	}, func(t *testing.T, s cache.Store) cache.Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return open(t)
	})
}
