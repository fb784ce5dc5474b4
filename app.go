package mount

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/cache"
)

func init() {
	caddy.RegisterModule(App{})
}

// defaultStore is the name of the store that a mount uses unless it says
// another, and defaultMemory what it holds unless it is configured.
const (
	defaultStore       = "default"
	defaultMemory Size = 256 << 20
)

// App owns what the mounts of a configuration share: the stores of responses.
// They are kept over reloads. A mount needs no configuration here.
type App struct {
	// The stores by name. `default` is there in any case, with 256MiB of memory.
	Stores map[string]*Store `json:"stores,omitempty"`

	logger *zap.Logger
	mounts []*Mount          // of this configuration, in the order of their provisioning
	opened map[string]string // name to key in the pool, of what this configuration holds
}

// Store configures one store of responses.
type Store struct {
	// How many bytes of memory the store takes, stored header fields and
	// answers on their way included. Default: 256MiB.
	Memory Size `json:"memory,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "mount",
		New: func() caddy.Module { return new(App) },
	}
}

// Provision sets the defaults. It opens nothing: a configuration that is only
// validated must not touch what a running server uses.
func (a *App) Provision(ctx caddy.Context) error {
	a.logger = ctx.Logger()
	if a.Stores == nil {
		a.Stores = make(map[string]*Store)
	}
	if a.Stores[defaultStore] == nil {
		a.Stores[defaultStore] = new(Store)
	}
	for _, s := range a.Stores {
		if s.Memory == 0 {
			s.Memory = defaultMemory
		}
	}
	return nil
}

// minMemory is the least that a store can do its work in.
const minMemory Size = 1 << 20

// Validate checks the sizes.
func (a *App) Validate() error {
	for name, s := range a.Stores {
		if s == nil {
			return fmt.Errorf("store %s is null", name)
		}
		if s.Memory < minMemory {
			return fmt.Errorf("store %s: memory %s is too small; expected at least %s", name, s.Memory, minMemory)
		}
	}
	return nil
}

// register adds a mount whose cache is to be opened when the app starts. Caddy
// provisions one module after the other.
func (a *App) register(m *Mount) error {
	if _, ok := a.Stores[m.Cache.Store]; !ok {
		return fmt.Errorf("there is no store %q; define it in the global option mount", m.Cache.Store)
	}
	a.mounts = append(a.mounts, m)
	return nil
}

// stores holds the open stores of the process by name, counted by the
// configurations that use them.
var stores = caddy.NewUsagePool()

// openStore is a store that is open, with the purges of its responses.
type openStore struct {
	name   string
	store  cache.Store
	ledger *cache.Ledger
}

// Destruct closes the store. Responses that were handed out stay readable.
func (s *openStore) Destruct() error { return s.store.Close() }

// Start opens the stores and gives each mount its cache. Requests that come
// before that pass by the cache.
func (a *App) Start() error {
	a.opened = make(map[string]string)
	for _, m := range a.mounts {
		if err := a.open(m); err != nil {
			return errors.Join(fmt.Errorf("mount %s: %w", m.Name, err), a.Stop())
		}
	}
	live.add(a)
	return nil
}

// open opens the store of m, if it is not yet, and makes m's cache.
func (a *App) open(m *Mount) error {
	name := m.Cache.Store
	pooled, loaded, err := stores.LoadOrNew(name, func() (caddy.Destructor, error) { return newStore(name, a.Stores[name]) })
	if err != nil {
		return err
	}
	if _, held := a.opened[name]; held {
		_, err := stores.Delete(name) // one count a configuration is enough
		if err != nil {
			return err
		}
	}
	a.opened[name] = name
	s := pooled.(*openStore)
	if loaded {
		if err := s.resize(a.Stores[name]); err != nil {
			return err
		}
	}
	return m.openCache(s)
}

func newStore(name string, s *Store) (*openStore, error) {
	memory, err := cache.NewMemory(int64(s.Memory))
	if err != nil {
		return nil, fmt.Errorf("opening store %s: %w", name, err)
	}
	ledger, err := cache.NewLedger(nil, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the purges of store %s: %w", name, err)
	}
	return &openStore{name: name, store: memory, ledger: ledger}, nil
}

// resize applies new limits to a store that an earlier configuration opened.
func (s *openStore) resize(to *Store) error {
	if memory, ok := s.store.(interface{ Resize(maxBytes int64) error }); ok {
		return memory.Resize(int64(to.Memory))
	}
	return nil
}

// Stop gives the stores back. Those that no other configuration uses are closed.
func (a *App) Stop() error {
	live.remove(a)
	var errs []error
	for name := range a.opened {
		if _, err := stores.Delete(name); err != nil {
			errs = append(errs, fmt.Errorf("closing store %s: %w", name, err))
		}
	}
	a.opened = nil
	return errors.Join(errs...)
}

// Interface guards
var (
	_ caddy.App         = (*App)(nil)
	_ caddy.Provisioner = (*App)(nil)
	_ caddy.Validator   = (*App)(nil)
)

// tiers returns the numbers of each tier of the store.
func (s *openStore) tiers() map[string]cache.StoreStats {
	return map[string]cache.StoreStats{"memory": s.store.Stats()}
}
