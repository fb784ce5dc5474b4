package caddytest

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir, ok := os.LookupEnv(programEnv); ok {
		runProgram(dir)
		return
	}
	dir, err := os.MkdirTemp("", "caddytest")
	if err == nil {
		err = Isolate(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	if code == 0 {
		// certmagic refreshes a lock file until it next wakes after the unlock.
		lockfile := goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh")
		// reverse_proxy sweeps the hosts of dynamic upstreams until the process ends.
		sweep := goleak.IgnoreAnyFunction("github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy.(*Upstream).fillDynamicHost.func1.1")
		if err := goleak.Find(lockfile, sweep); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
