package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc.
const tick = 10 * time.Millisecond

// cpu is the processor time that the server has used, its workers included.
func (t *target) cpu() time.Duration {
	type process struct {
		parent int
		used   time.Duration
	}
	processes := make(map[int]process)
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name, in brackets, may hold anything.
		end := bytes.LastIndexByte(text, ')')
		fields := strings.Fields(string(text[end+1:]))
		if len(fields) < 13 {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(fields[1])
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		processes[pid] = process{parent, time.Duration(user+system) * tick}
	}
	var sum time.Duration
	for pid, p := range processes {
		for up := pid; up > 1; up = processes[up].parent {
			if up == t.cmd.Process.Pid {
				sum += p.used
				break
			}
		}
	}
	return sum
}
