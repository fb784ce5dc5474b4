package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How long a process may take to begin and to end.
const (
	startTime = 30 * time.Second
	stopTime  = 10 * time.Second
)

// start starts p and waits until it has printed, to the given pipe, a line that
// ready accepts. stop ends it and waits for its end. What else it prints is
// dropped, but told if it does not become ready.
func start(ctx context.Context, p *exec.Cmd, pipe func() (io.ReadCloser, error), ready func(line string) bool) (stop func(), err error) {
	out, err := pipe()
	if err != nil {
		return nil, err
	}
	if err := p.Start(); err != nil {
		return nil, err
	}
	done := make(chan struct{})
	begun := make(chan error, 1)
	go func() {
		defer close(done)
		var said []string
		is := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if is {
				continue
			}
			if is = ready(lines.Text()); is {
				begun <- nil
				continue
			}
			said = append(said, lines.Text())
		}
		// A line past the scanner's bound ends the scan, not the process.
		io.Copy(io.Discard, out)
		err := p.Wait()
		if !is {
			begun <- fmt.Errorf("%s ended: %w\n%s", filepath.Base(p.Path), err, strings.Join(said, "\n"))
		}
	}()
	stop = func() {
		_ = p.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(stopTime):
			_ = p.Process.Kill()
			<-done
		}
	}
	select {
	case err := <-begun:
		return stop, err
	case <-ctx.Done():
		stop()
		return nil, ctx.Err()
	case <-time.After(startTime):
		stop()
		return nil, errors.New(filepath.Base(p.Path) + " did not become ready")
	}
}

// buildCaddy builds the module's Caddy into dir.
func buildCaddy(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "caddy")
	p := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/caddy-mount/mount/cmd/caddy")
	p.Stdout, p.Stderr = os.Stderr, os.Stderr
	if err := p.Run(); err != nil {
		return "", fmt.Errorf("building Caddy: %w", err)
	}
	return binary, nil
}

// serveCaddy starts Caddy with the origin mounted at the root, and options in
// the block of the mount. It returns the base URL of the mount and what ends it.
func serveCaddy(ctx context.Context, binary, origin, options string) (base string, stop func(), err error) {
	dir := filepath.Dir(binary)
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	config := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(config, []byte(caddyfile(address, origin, options)), 0o600); err != nil {
		return "", nil, err
	}
	p := exec.Command(binary, "run", "--config", config, "--adapter", "caddyfile")
	p.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	stop, err = start(ctx, p, p.StderrPipe, func(line string) bool {
		return strings.Contains(line, "serving initial configuration")
	})
	if err != nil {
		return "", nil, fmt.Errorf("starting Caddy: %w", err)
	}
	return "http://" + address, stop, nil
}

// caddyfile is what the suite is run against: a mount and nothing else.
func caddyfile(address, origin, options string) string {
	host, _, _ := net.SplitHostPort(address)
	return fmt.Sprintf("{\n\tadmin off\n\tpersist_config off\n}\nhttp://%s {\n\tbind %s\n\tmount / %s {\n\t\t%s\n\t}\n}\n", address, host, origin, options)
}

// freeAddress finds a port on loopback that is free now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
