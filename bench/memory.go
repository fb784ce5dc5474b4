package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// memoryPages is how many pages are stored to see how much one takes.
const memoryPages = 1000

// memoryTable measures what a stored page takes in every server that stores.
func memoryTable(ctx context.Context, servers []*target, o options) (string, error) {
	w := workload{name: "storing pages", path: "/blog/page", accept: browser, miss: true}
	var b strings.Builder
	fmt.Fprintf(&b, "\n### A stored page\n\nWhat a server grows by when %d pages of 56 KB are stored as browsers ask for them, for each: resident memory (in Go's servers with what the collector has not taken back) and files.\n\n", memoryPages)
	t := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintf(t, "| server\t| memory, KB\t| disk, KB\t|\n|---\t|---:\t|---:\t|\n")
	for _, server := range servers {
		if server.can&storing == 0 {
			continue
		}
		size := func() (memory, disk int64, err error) {
			memory, err = server.resident()
			if server.folder != "" {
				disk = onDisk(filepath.Join(o.dir, server.folder))
			}
			return memory, disk, err
		}
		memory, disk, err := size()
		if err != nil {
			return "", err
		}
		if _, err := w.load(ctx, server, memoryPages, o.dir); err != nil {
			return "", err
		}
		// What is made in the background is to be done.
		if err := pause(ctx, 2*time.Second); err != nil {
			return "", err
		}
		afterMemory, afterDisk, err := size()
		if err != nil {
			return "", err
		}
		each := func(n int64) float64 { return float64(n) / memoryPages / 1e3 }
		fmt.Fprintf(t, "| %s\t| %.1f\t| %.1f\t|\n", server.name, each(afterMemory-memory), each(afterDisk-disk))
	}
	t.Flush()
	return b.String(), nil
}
