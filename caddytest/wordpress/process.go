package wordpress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is how long a process may take to end after the polite signal.
const stopGrace = 10 * time.Second

// pollInterval separates two looks at a process that is starting.
const pollInterval = 20 * time.Millisecond

// process is a running daemon. Its zero value is unusable; startProcess makes one.
type process struct {
	name string
	cmd  *exec.Cmd
	stop os.Signal     // the polite signal
	done chan struct{} // closed once the daemon has ended
	err  error         // how it ended; read after done
}

// startProcess starts a daemon in the foreground, in a process group of its own
// so that the Ctrl-C of a terminal reaches only us, who then stop it in order.
// Its output goes to log. stop is the signal that ends it in good order.
func startProcess(name string, log io.Writer, stop os.Signal, path string, args ...string) (*process, error) {
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = log, log
	// A test binary that is killed takes its daemons along, and they their workers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}

	p := &process{name: name, cmd: cmd, stop: stop, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer close(p.done)
		// Pdeathsig fires when the thread that started the child ends, so
		// that thread stays with this goroutine until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// ready waits until probe succeeds. A daemon that ends before is an error.
func (p *process) ready(ctx context.Context, probe func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.done:
			cancel(fmt.Errorf("it ended: %w", p.err))
		case <-ctx.Done():
		}
	}()
	if err := await(ctx, probe); err != nil {
		return fmt.Errorf("waiting for %s: %w", p.name, err)
	}
	return nil
}

// await repeats a probe until it succeeds or the context ends.
func await(ctx context.Context, probe func() error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := probe()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

// close ends the daemon and waits for it. A nil process is closed already.
func (p *process) close() error {
	if p == nil {
		return nil
	}
	select {
	case <-p.done:
		return fmt.Errorf("%s had ended early: %w", p.name, p.err)
	default:
	}
	_ = p.cmd.Process.Signal(p.stop)
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-p.done:
		return nil
	case <-grace.C:
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		return fmt.Errorf("%s did not stop within %v and was killed", p.name, stopGrace)
	}
}

// dialable is a probe that succeeds once something accepts connections at the address.
func dialable(network, address string) func() error {
	return func() error {
		conn, err := net.Dial(network, address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// freePort returns a TCP port of the loopback address that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
