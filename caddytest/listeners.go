package caddytest

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/caddyserver/caddy/v2"
)

func init() {
	caddy.RegisterModule(new(listenerWatch))
}

// listeners knows which load every open listener of Caddy belongs to. Caddy
// closes those of the previous configuration after a load has returned. Until
// then the kernel still gives them connections, which the old configuration
// answers, or which end with the listener.
var listeners struct {
	signal
	load int                      // number of the load; guarded by Mutex
	open map[*watchedListener]int // load by listener; guarded by Mutex
}

// nextLoad numbers the load that follows.
func nextLoad() {
	listeners.Lock()
	defer listeners.Unlock()
	listeners.load++
}

// awaitOthersClosed waits until every listener that does not belong to the load
// that succeeded last is closed: those before it or, if it failed, its own.
func awaitOthersClosed(failed bool) error {
	quiet := func() bool {
		for _, load := range listeners.open {
			if failed == (load == listeners.load) {
				return false
			}
		}
		return true
	}
	if !listeners.await(context.Background(), quiet) {
		return fmt.Errorf("waited %v for the listeners of another configuration to close", limit)
	}
	return nil
}

// listenerWatch is the listener wrapper that the harness adds to every server.
type listenerWatch struct{}

// CaddyModule returns the Caddy module information.
func (*listenerWatch) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "caddy.listeners.caddytest",
		New: func() caddy.Module { return new(listenerWatch) },
	}
}

// Provision subscribes to what the harness must know of the configuration.
func (*listenerWatch) Provision(ctx caddy.Context) error {
	return certificateEvents{}.subscribe(ctx)
}

// WrapListener notes that the listener is open.
func (*listenerWatch) WrapListener(ln net.Listener) net.Listener {
	watched := &watchedListener{Listener: ln}
	listeners.Lock()
	defer listeners.Unlock()
	if listeners.open == nil {
		listeners.open = make(map[*watchedListener]int)
	}
	listeners.open[watched] = listeners.load
	return watched
}

type watchedListener struct {
	net.Listener
	once sync.Once
}

// Close closes the listener and notes it.
func (w *watchedListener) Close() error {
	err := w.Listener.Close()
	w.once.Do(func() {
		listeners.Lock()
		defer listeners.Unlock()
		delete(listeners.open, w)
		listeners.broadcast()
	})
	return err
}

var (
	_ caddy.ListenerWrapper = (*listenerWatch)(nil)
	_ caddy.Provisioner     = (*listenerWatch)(nil)
)
