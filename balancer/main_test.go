package balancer

import (
	"os"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Nothing of a Caddy that runs inside a test may touch the user's data.
	dir, err := os.MkdirTemp("", "balancer")
	if err != nil {
		panic(err)
	}
	caddy.DefaultStorage = &certmagic.FileStorage{Path: dir}
	caddy.ConfigAutosavePath = dir + "/autosave.json"
	code := m.Run()
	if code == 0 {
		// Caddy's certificate cache is started once in a process and kept.
		err = goleak.Find(
			goleak.IgnoreTopFunction("github.com/caddyserver/certmagic.(*Cache).maintainAssets"),
			// A lock of the storage ends its keeper within five seconds.
			goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"),
		)
		if err != nil {
			os.Stderr.WriteString("leaked goroutines: " + err.Error() + "\n")
			code = 1
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}
