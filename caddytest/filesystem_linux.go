package caddytest

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
)

// cmdTmpfs makes a folder a file system of its own in memory: "tmpfs FOLDER SIZE"
// mounts one over what is there, "tmpfs FOLDER ro|rw" lets nobody write to it, or all
// again, "tmpfs FOLDER off" takes it away.
func (s *script) cmdTmpfs(_ bool, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: tmpfs FOLDER SIZE|ro|rw|off")
	}
	folder := filepath.Join(s.dir, args[0])
	switch args[1] {
	case "ro":
		return readOnly(folder)
	case "off":
		s.mounted = slices.DeleteFunc(s.mounted, func(other string) bool { return other == folder })
		return syscall.Unmount(folder, 0)
	case "rw":
		return syscall.Mount("", folder, "", syscall.MS_REMOUNT, "")
	}
	size, err := humanize.ParseBytes(args[1])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "mode=0755,size="+humanize.Ftoa(float64(size))); err != nil {
		return os.NewSyscallError("mount", err)
	}
	s.mounted = append(s.mounted, folder)
	return nil
}

// readOnly waits until nobody has a file of the folder open for writing, nor one that is
// deleted: a flight may let go of what it stored a moment after the server has stopped,
// and a stored body of its file when it is collected.
func readOnly(folder string) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(limit); ; <-again.C {
		err := syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
		if !errors.Is(err, syscall.EBUSY) || time.Now().After(deadline) {
			return os.NewSyscallError("mount", err)
		}
		runtime.GC()
	}
}

// unmount takes the file systems of the script away.
func (s *script) unmount() error {
	var errs []error
	for _, folder := range s.mounted {
		errs = append(errs, syscall.Unmount(folder, syscall.MNT_DETACH))
	}
	return errors.Join(errs...)
}
