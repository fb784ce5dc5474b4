// Package testbounds lets the project's scripted tests move the clock of caches and
// set bounds that no configuration sets, so that what happens at one can be shown
// without waiting for it. Nothing but tests calls Set.
package testbounds

import (
	"sync/atomic"

	"github.com/caddy-mount/mount/cache"
)

var adjust atomic.Pointer[func(*cache.Options)]

// Set makes f change the options of every cache that is made from now on; nil
// changes none. It is safe for concurrent use.
func Set(f func(*cache.Options)) {
	if f == nil {
		adjust.Store(nil)
		return
	}
	adjust.Store(&f)
}

// Apply changes o as Set says.
func Apply(o *cache.Options) {
	if f := adjust.Load(); f != nil {
		(*f)(o)
	}
}
