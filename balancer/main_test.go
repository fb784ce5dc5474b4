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
		// Caddy starts these once in a process and keeps them.
		err = goleak.Find(
			goleak.IgnoreTopFunction("github.com/caddyserver/certmagic.(*Cache).maintainAssets"),
		)
		if err != nil {
			os.Stderr.WriteString("leaked goroutines: " + err.Error() + "\n")
			code = 1
		}
	}
	os.RemoveAll(dir)
	os.Exit(code)
}
