//go:build linux

package caddytest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// mountsEnv marks the process that has mounts of its own.
const mountsEnv = "CADDYTEST_MOUNTS"

// TestFileSystems runs the scripts of full, read-only and vanishing disks in a process
// whose mounts nobody else sees. Where the system forbids those, as some containers
// do, it says so; the tests of package cache simulate such disks everywhere.
func TestFileSystems(t *testing.T) {
	if os.Getenv(mountsEnv) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		t.Chdir("..")
		Run(t, "caddytest/testdata/filesystem")
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), program, "-test.run=^TestFileSystems$", "-test.v")
	child.Env = append(os.Environ(), mountsEnv+"=own")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		child.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		child.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		child.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	output, err := child.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		fmt.Fprintln(os.Stderr, "NOT RUN: the scripts of full and read-only disks:", err)
		return
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if !strings.Contains(string(output), "--- PASS: TestFileSystems/") {
		t.Fatalf("the process ran no script:\n%s", output)
	}
}
