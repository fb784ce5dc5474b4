package mount

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/cache"
)

// Store configures one store of responses.
type Store struct {
	// How many bytes of memory the store takes, stored header fields and
	// answers on their way included. Default: 256MiB.
	Memory Size `json:"memory,omitempty"`

	// How much room on disk the store takes besides. What is there outlives a
	// restart. Default: 0, no disk.
	Disk Size `json:"disk,omitempty"`

	// The folder of the disk tier. It is made with mode 0700, may be deleted
	// at any time, and needs no backup. Default:
	// `mount/<name>` in Caddy's data directory.
	Folder string `json:"folder,omitempty"`
}

// Least sizes in which a tier can do its work.
const (
	minMemory Size = 1 << 20
	minDisk   Size = 16 << 20
)

// complete sets the defaults.
func (s *Store) complete(name string) {
	if s.Memory == 0 {
		s.Memory = defaultMemory
	}
	switch {
	case s.Folder != "":
		s.Folder = filepath.Clean(s.Folder)
	case s.Disk > 0:
		s.Folder = filepath.Join(caddy.AppDataDir(), "mount", name)
	}
}

// check finds impossible values; zero is the default.
func (s *Store) check(name string) error {
	switch {
	case !filepath.IsLocal(name) || name != filepath.Base(name) || name == ".":
		// It names a folder.
		return fmt.Errorf("store %q: expected a name such as media", name)
	case s.Memory != 0 && s.Memory < minMemory:
		return fmt.Errorf("store %s: memory %s is too small; expected at least %s", name, s.Memory, minMemory)
	case s.Disk != 0 && s.Disk < minDisk:
		return fmt.Errorf("store %s: disk %s is too small; expected at least %s", name, s.Disk, minDisk)
	case s.Disk == 0 && s.Folder != "":
		return fmt.Errorf("store %s has a folder but no size: disk <size> <folder>", name)
	}
	return nil
}

// stores holds the open stores of the process, counted by the configurations
// that use them: a reload keeps what is stored.
var stores = caddy.NewUsagePool()

// key names an open store. With a disk it goes by its folder: under another name it
// is the same store, in another folder another one.
func (s *Store) key(name string) string {
	if s.Disk == 0 {
		return name
	}
	return "\x00" + s.Folder
}

// openStore is a store that is open, with the purges of its responses.
type openStore struct {
	name   atomic.Pointer[string] // by the configuration that serves
	store  cache.Store
	memory *cache.Memory
	disk   *cache.Disk // nil without
	ledger *cache.Ledger
}

// newStore opens a store. A disk that cannot be used is said and done without:
// it costs hits, not the site. Only a folder that is somebody else's stops the
// configuration.
func newStore(name string, s *Store, logger *zap.Logger) (*openStore, error) {
	memory, err := cache.NewMemory(int64(s.Memory))
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", name, err)
	}
	o := &openStore{store: memory, memory: memory}
	o.name.Store(&name)
	var journal cache.Journal
	if s.Disk > 0 {
		o.disk, err = cache.OpenDisk(cache.DiskOptions{
			Folder: s.Folder, MaxBytes: int64(s.Disk),
			Log: func(message string, err error) {
				logger.Error(message, zap.String("store", name), zap.Error(err))
			},
		})
		switch {
		case errors.Is(err, cache.ErrForeign):
			return nil, fmt.Errorf("opening store %s: %w", name, err)
		case err != nil:
			logger.Error("running without the disk of a store", zap.String("store", name), zap.Error(err))
		default:
			journal = o.disk.Journal()
		}
	}
	if o.ledger, err = cache.NewLedger(journal, 0); err != nil {
		err = fmt.Errorf("reading the purges of store %s: %w", name, err)
		if o.disk != nil {
			err = errors.Join(err, o.disk.Close())
		}
		return nil, errors.Join(err, memory.Close())
	}
	if o.disk != nil {
		o.disk.Reclaim(o.ledger)
		o.store = cache.NewTiered(memory, o.disk)
	}
	return o, nil
}

// adapt applies name and limits of a configuration to a store that an earlier one
// opened.
func (s *openStore) adapt(name string, to *Store) error {
	s.name.Store(&name)
	if err := s.memory.Resize(int64(to.Memory)); err != nil {
		return err
	}
	if s.disk == nil {
		return nil
	}
	return s.disk.Resize(int64(to.Disk))
}

// Destruct closes the store. Responses that were handed out stay readable.
func (s *openStore) Destruct() error { return s.store.Close() }

// tiers returns the numbers of each tier of the store.
func (s *openStore) tiers() map[string]cache.StoreStats {
	tiers := map[string]cache.StoreStats{"memory": s.memory.Stats()}
	if s.disk != nil {
		tiers["disk"] = s.disk.Stats()
	}
	return tiers
}
