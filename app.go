package mount

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
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
	mounts []*Mount        // of this configuration, in the order of their provisioning
	opened map[string]bool // keys in the pool of the stores that this configuration holds
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
	for name, s := range a.Stores {
		if s == nil {
			return fmt.Errorf("store %s is null", name)
		}
		s.complete(name)
	}
	return nil
}

// Validate checks the sizes.
func (a *App) Validate() error {
	folders := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(a.Stores)) {
		s := a.Stores[name]
		if err := s.check(name); err != nil {
			return err
		}
		if s.Disk == 0 {
			continue
		}
		if other, taken := folders[s.Folder]; taken {
			return fmt.Errorf("stores %s and %s have the same folder", name, other)
		}
		folders[s.Folder] = name
	}
	return nil
}

// checkStore tells whether there is a store with the name.
func (a *App) checkStore(name string) error {
	if name != defaultStore && a.Stores[name] == nil {
		return fmt.Errorf("there is no store %q; define it in the global option mount", name)
	}
	return nil
}

// register adds a mount, whose cache is to be opened when the app starts. Caddy
// provisions one module after the other.
func (a *App) register(m *Mount) error {
	if !m.Cache.Off {
		if err := a.checkStore(m.Cache.Store); err != nil {
			return err
		}
	}
	a.mounts = append(a.mounts, m)
	return nil
}

// Start opens the stores and gives each mount that has one its cache. Requests that come
// before that pass by the cache.
func (a *App) Start() error {
	a.opened = make(map[string]bool)
	for _, m := range a.mounts {
		if m.Cache.Off {
			continue
		}
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
	config := a.Stores[name]
	key := config.key(name)
	pooled, loaded, err := stores.LoadOrNew(key, func() (caddy.Destructor, error) { return newStore(name, config, a.logger) })
	if err != nil {
		return err
	}
	s := pooled.(*openStore)
	if a.opened[key] {
		// One count a configuration is enough.
		if _, err := stores.Delete(key); err != nil {
			return err
		}
	}
	a.opened[key] = true
	// This configuration may yet be rejected, if another app fails to start. Its
	// limits apply from the first request on that is served through it.
	m.shared.applyLimits = func() {
		if !loaded {
			return
		}
		if err := s.adapt(name, config); err != nil {
			a.logger.Error("resizing a store", zap.String("store", name), zap.Error(err))
		}
	}
	return m.openCache(s)
}

// Stop gives the stores back. Those that no other configuration uses are closed.
func (a *App) Stop() error {
	live.remove(a)
	var errs []error
	for key := range a.opened {
		if _, err := stores.Delete(key); err != nil {
			errs = append(errs, fmt.Errorf("closing a store: %w", err))
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
