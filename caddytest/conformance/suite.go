package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// packageVersion is the newest version of the suite that npm has.
const packageVersion = "0.4.5"

//go:embed driver
var driver embed.FS

// suite is a copy of http-tests/cache-tests that can run.
type suite struct {
	folder string // of the suite
	driver string // folder of our scripts that run it
}

// openSuite prepares the suite: that of a checkout whose dependencies are
// installed, or, without one, the package of packageVersion from npm. What it
// writes goes below dir.
func openSuite(ctx context.Context, dir, checkout string) (*suite, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return nil, fmt.Errorf("the suite needs Node.js 18 or later, with npm: %w", err)
	}
	s := &suite{folder: checkout, driver: filepath.Join(dir, "driver")}
	if err := os.CopyFS(dir, driver); err != nil {
		return nil, fmt.Errorf("writing the driver: %w", err)
	}
	if checkout != "" {
		folder, err := filepath.Abs(checkout)
		if err != nil {
			return nil, err
		}
		s.folder = folder
		if _, err := os.Stat(filepath.Join(folder, "tests", "index.mjs")); err != nil {
			return nil, fmt.Errorf("%s is no checkout of the suite: %w", checkout, err)
		}
		return s, nil
	}
	npm := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
		"http-cache-tests@"+packageVersion)
	npm.Stdout, npm.Stderr = os.Stderr, os.Stderr
	if err := npm.Run(); err != nil {
		return nil, fmt.Errorf("installing the suite with npm: %w", err)
	}
	s.folder = filepath.Join(dir, "node_modules", "http-cache-tests")
	return s, nil
}

// serve starts the suite's origin server. It returns its base URL and what ends it.
func (s *suite) serve(ctx context.Context) (base string, stop func(), err error) {
	script := filepath.Join(s.folder, "server", "server.mjs")
	if _, err := os.Stat(script); err != nil {
		script = filepath.Join(s.folder, "test-engine", "server", "server.mjs")
	}
	p := exec.Command("node", "--no-warnings", "--require", filepath.Join(s.driver, "loopback.cjs"), script)
	p.Dir = s.folder
	p.Env = append(os.Environ(), "npm_config_protocol=http", "npm_config_port=80",
		"npm_config_pidfile="+filepath.Join(s.driver, "server.pid"))
	var port int
	stop, err = start(ctx, p, p.StdoutPipe, func(line string) bool {
		n, err := fmt.Sscanf(line, "port %d", &port)
		return n == 1 && err == nil
	})
	if err != nil {
		return "", nil, fmt.Errorf("starting the suite's server: %w", err)
	}
	return fmt.Sprintf("http://127.0.0.1:%d", port), stop, nil
}

// run runs the tests with the given ids, or all, against the cache at base.
func (s *suite) run(ctx context.Context, base string, ids []string) (*report, error) {
	args := slices.Concat([]string{"--no-warnings", filepath.Join(s.driver, "run.mjs"), s.folder, base}, ids)
	p := exec.CommandContext(ctx, "node", args...)
	p.Dir = s.folder
	p.Stderr = os.Stderr
	out, err := p.Output()
	if err != nil {
		return nil, fmt.Errorf("running the suite: %w", err)
	}
	r := new(report)
	if err := json.Unmarshal(out, r); err != nil {
		return nil, fmt.Errorf("reading the suite's report: %w", err)
	}
	return r, nil
}
