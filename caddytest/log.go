package caddytest

import (
	"bytes"
	"context"
	"io"
	"os"

	"github.com/caddyserver/caddy/v2"
)

func init() {
	caddy.RegisterModule(logWriter{})
}

// logBuffer collects log lines. The zero value is ready and safe for concurrent
// use.
type logBuffer struct {
	signal
	text []byte // guarded by Mutex
}

// captured receives what the process's Caddy logs. There is one because Caddy's
// logging is process-wide.
var captured logBuffer

func (l *logBuffer) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	l.text = append(l.text, p...)
	l.broadcast()
	return len(p), nil
}

// Close does nothing: the buffer outlives the configurations that log to it.
func (*logBuffer) Close() error { return nil }

func (l *logBuffer) reset() {
	l.Lock()
	defer l.Unlock()
	l.text = nil
	l.broadcast()
}

// awaitLine waits until match is true for some line and reports whether it was.
func (l *logBuffer) awaitLine(ctx context.Context, match func(line []byte) bool) bool {
	return l.await(ctx, func() bool { return l.count(match) > 0 })
}

// count returns the number of lines that match. The caller holds the mutex.
func (l *logBuffer) count(match func(line []byte) bool) int {
	n := 0
	for line := range bytes.Lines(l.text) {
		if match(bytes.TrimSuffix(line, []byte("\n"))) {
			n++
		}
	}
	return n
}

// logWriter is the log writer module that the harness sets on every log that
// names none.
type logWriter struct{}

// CaddyModule returns the Caddy module information.
func (logWriter) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "caddy.logging.writers.caddytest",
		New: func() caddy.Module { return new(logWriter) },
	}
}

func (logWriter) String() string    { return "caddytest" }
func (logWriter) WriterKey() string { return "caddytest" }

// OpenWriter returns the process's log buffer, or what a process that is Caddy
// writes to the one that started it.
func (logWriter) OpenWriter() (io.WriteCloser, error) {
	if os.Getenv(programEnv) != "" {
		return unclosed{os.Stderr}, nil
	}
	return &captured, nil
}

// unclosed is a writer that outlives the configurations that log to it.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

var _ caddy.WriterOpener = logWriter{}
