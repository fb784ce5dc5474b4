package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// processes are the target's process and all that descend from it.
func (t *target) processes() []int {
	parents := make(map[int]int)
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name, in brackets, may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 2 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parents[pid], _ = strconv.Atoi(fields[1])
	}
	var list []int
	for pid := range parents {
		for up := pid; up > 1; up = parents[up] {
			if up == t.cmd.Process.Pid {
				list = append(list, pid)
				break
			}
		}
	}
	return list
}

// cpu is the processor time that each process of the target has used.
type cpu map[int]time.Duration

func (t *target) cpu() (cpu, error) {
	used := make(cpu)
	for _, pid := range t.processes() {
		d, err := clock(pid)
		if err != nil {
			return nil, err
		}
		used[pid] = d
	}
	return used, nil
}

// since is what the processes have used since before. One that has ended in between
// is a helper that does not serve.
func (c cpu) since(before cpu) (sum time.Duration) {
	for pid, used := range c {
		sum += used - before[pid]
	}
	return sum
}

// busy is the time that the server's processor has been at work for anybody.
func busy() time.Duration {
	const tick = 10 * time.Millisecond
	text, _ := os.ReadFile("/proc/stat")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 9 || fields[0] != "cpu"+serverProcessor {
			continue
		}
		var sum int
		for _, i := range []int{1, 2, 3, 6, 7, 8} { // user, nice, system, irq, softirq, steal
			n, _ := strconv.Atoi(fields[i])
			sum += n
		}
		return time.Duration(sum) * tick
	}
	return 0
}

// resident is the memory of the target in bytes, each shared page counted once.
func (t *target) resident() (sum int64, err error) {
	for _, pid := range t.processes() {
		n, err := kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// peak is the most memory that the target has had since resetPeak, in bytes.
func (t *target) peak() (sum int64, err error) {
	for _, pid := range t.processes() {
		n, err := kilobytes(fmt.Sprintf("/proc/%d/status", pid), "VmHWM:")
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// resetPeak begins to measure the peak anew. It returns the peak so far: what the
// target has now.
func (t *target) resetPeak() (int64, error) {
	for _, pid := range t.processes() {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			return 0, fmt.Errorf("resetting the peak of %s: %w", t.name, err)
		}
	}
	return t.peak()
}

// kilobytes reads a line "name N kB" and returns bytes.
func kilobytes(file, name string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s does not tell %s", file, name)
}

// onDisk is the room in bytes that files take below a folder.
func onDisk(folder string) (sum int64) {
	_ = filepath.Walk(folder, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
