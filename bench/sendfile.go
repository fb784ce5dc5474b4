package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// sendfileCalls counts the calls of sendfile(2) that the target makes during do.
func (t *target) sendfileCalls(ctx context.Context, do func() error) (int, error) {
	trace := filepath.Join(t.ports.Dir, "strace")
	args := []string{"-f", "-e", "trace=sendfile", "-e", "signal=none", "-o", trace}
	for _, pid := range t.processes() {
		args = append(args, "-p", strconv.Itoa(pid))
	}
	command := exec.CommandContext(ctx, "strace", args...)
	said, err := command.StderrPipe()
	if err != nil {
		return 0, err
	}
	if err := command.Start(); err != nil {
		return 0, fmt.Errorf("starting strace: %w", err)
	}
	// It says when it has attached.
	one := make([]byte, 1)
	_, _ = said.Read(one)
	failed := do()
	_ = command.Process.Signal(os.Interrupt)
	_ = command.Wait()
	if failed != nil {
		return 0, failed
	}
	calls, err := os.ReadFile(trace)
	if err != nil {
		return 0, fmt.Errorf("counting sendfile calls of %s: %w", t.name, err)
	}
	return strings.Count(string(calls), "sendfile("), nil
}
