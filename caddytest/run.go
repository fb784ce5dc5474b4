package caddytest

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Run runs the scripts of dir as subtests of t, one after another. The commands
// "caddy recipe" and "caddy example" need the repository's root as the working
// directory.
func Run(t *testing.T, dir string) {
	t.Helper()
	testscript.RunT(serial{t}, Params(dir))
}

// serial is a testing.T whose subtests do not run in parallel.
type serial struct{ *testing.T }

func (serial) Parallel() {}

// Run runs f as a subtest.
func (s serial) Run(name string, f func(testscript.T)) {
	s.T.Run(name, func(t *testing.T) { f(serial{t}) })
}

// Verbose tells whether the test binary runs with -v.
func (serial) Verbose() bool { return testing.Verbose() }
