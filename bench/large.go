package main

import (
	"context"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cespare/xxhash/v2"
)

// largeRepeats is how often the large file is read once it is verified.
const largeRepeats = 5

// large is what the large file cost a server.
type large struct {
	bytesPerSecond float64
	cpuPerGB       float64 // seconds
	grown          int64   // bytes of memory, at the most
}

// readLarge reads the large file and, unless sum is nil, its checksum.
func readLarge(ctx context.Context, t *target, transport http.RoundTripper, sum hash.Hash64) error {
	w := workload{path: "/blog/large"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url(t), nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept-Encoding", "identity")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	to := io.Discard
	if sum != nil {
		to = sum
	}
	// Without ReadFrom, the buffer is used.
	n, err := io.CopyBuffer(struct{ io.Writer }{to}, response.Body, make([]byte, 256<<10))
	if err != nil {
		return err
	}
	if n != largeBytes {
		return fmt.Errorf("%d bytes of %d", n, largeBytes)
	}
	return nil
}

// measureLarge asks once to have the file stored and verified, then for the time.
func measureLarge(ctx context.Context, t *target, s *site) (l large, err error) {
	transport := t.client(h1)
	defer transport.CloseIdleConnections()
	want := xxhash.New()
	if err := s.writeLarge(want); err != nil {
		return l, err
	}
	idle, err := t.resetPeak()
	if err != nil {
		return l, err
	}
	for range 2 {
		sum := xxhash.New()
		if err := readLarge(ctx, t, transport, sum); err != nil {
			return l, fmt.Errorf("reading the large file from %s: %w", t.name, err)
		}
		if sum.Sum64() != want.Sum64() {
			return l, fmt.Errorf("the large file of %s is not the site's", t.name)
		}
	}
	before, err := t.cpu()
	if err != nil {
		return l, err
	}
	start := time.Now()
	for range largeRepeats {
		if err := readLarge(ctx, t, transport, nil); err != nil {
			return l, fmt.Errorf("reading the large file from %s: %w", t.name, err)
		}
	}
	took := time.Since(start)
	after, err := t.cpu()
	if err != nil {
		return l, err
	}
	most, err := t.peak()
	if err != nil {
		return l, err
	}
	l.bytesPerSecond = largeRepeats * largeBytes / took.Seconds()
	l.cpuPerGB = after.since(before).Seconds() / (largeRepeats * largeBytes / 1e9)
	l.grown = max(0, most-idle)
	return l, nil
}

// largeTable measures every server that has the large file.
func largeTable(ctx context.Context, servers []*target, s *site) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### A file of 100 MB, HTTP/1.1\n\nOne client reads it again and again; the first time is not in the throughput, but in the memory.\n\n")
	t := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintf(t, "| server\t| MB/s\t| CPU ms per GB\t| memory that it took, MB\t|\n")
	fmt.Fprintf(t, "|---\t|---:\t|---:\t|---:\t|\n")
	for _, server := range servers {
		if server.can&file == 0 {
			continue
		}
		l, err := measureLarge(ctx, server, s)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(t, "| %s\t| %.0f\t| %.0f\t| %.0f\t|\n", server.name, l.bytesPerSecond/1e6, l.cpuPerGB*1e3, float64(l.grown)/1e6)
	}
	t.Flush()
	return b.String(), nil
}
