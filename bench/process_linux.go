package main

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// serverAttributes make a server the leader of a group, so that all of it can be
// ended, and end it when this program is killed. The latter is bound to the thread
// that starts the server, which must stay.
func serverAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// killGroup ends what is left of a server's group.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// clock reads the processor-time clock of another process, to the nanosecond:
// clock_getcpuclockid(3) makes such an identifier from a process's.
func clock(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED: all threads, those that have ended included
	var t syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(^pid<<3|scheduled), uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		return 0, fmt.Errorf("reading the clock of process %d: %w", pid, errno)
	}
	return time.Duration(t.Nano()), nil
}
