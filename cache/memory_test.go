package cache_test

import (
	"testing"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/cache/storetest"
)

func TestMemoryStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) cache.Store {
		m, err := cache.NewMemory(storetest.MaxBytes)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}, nil)
}

func TestMemoryRefusesNoSize(t *testing.T) {
	for _, n := range []int64{0, -1} {
		if _, err := cache.NewMemory(n); err == nil {
			t.Errorf("a store of %d bytes was made", n)
		}
	}
}
