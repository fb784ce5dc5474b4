package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/cespare/xxhash/v2"
)

const (
	largeRepeats = 5 // reads of the large file once it is verified

	slowReaders = 20
	slowReading = 5 * time.Second
	slowPiece   = 100_000 // bytes a tenth of a second: 1 MB/s
)

// large is what the large file cost a server.
type large struct {
	bytesPerSecond float64
	cpuPerGB       float64 // seconds
	grown          int64   // bytes of memory, at the most
	slowlyGrown    int64   // the same, while slow readers have it
	sendfile       int     // calls for one read
}

// readLarge asks for the large file and has its body read.
func readLarge(ctx context.Context, t *target, transport http.RoundTripper, read func(body io.Reader) error) error {
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
	return read(response.Body)
}

// whole copies a large file to w.
func whole(w io.Writer) func(body io.Reader) error {
	return func(body io.Reader) error {
		// Without ReadFrom, the buffer is used.
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, body, make([]byte, 256<<10))
		if err != nil {
			return err
		}
		if n != largeBytes {
			return fmt.Errorf("%d bytes of %d", n, largeBytes)
		}
		return nil
	}
}

// readSlowly lets clients begin to read the large file, which nobody has asked for
// yet, at 1 MB/s each.
func readSlowly(ctx context.Context, t *target) error {
	ctx, cancel := context.WithTimeout(ctx, slowReading)
	defer cancel()
	var clients sync.WaitGroup
	ends := make(chan error, slowReaders)
	for range slowReaders {
		clients.Go(func() {
			transport := t.client(h1)
			defer transport.CloseIdleConnections()
			// It has no end but that of the time.
			err := readLarge(ctx, t, transport, func(body io.Reader) error {
				for {
					if _, err := io.CopyN(io.Discard, body, slowPiece); err != nil {
						return err
					}
					if err := pause(ctx, 100*time.Millisecond); err != nil {
						return err
					}
				}
			})
			if ctx.Err() == nil {
				ends <- err
			}
		})
	}
	clients.Wait()
	close(ends)
	return <-ends
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
	if err := readSlowly(ctx, t); err != nil {
		return l, fmt.Errorf("reading the large file slowly from %s: %w", t.name, err)
	}
	most, err := t.peak()
	if err != nil {
		return l, err
	}
	l.slowlyGrown = max(0, most-idle)
	for range 2 {
		sum := xxhash.New()
		if err := readLarge(ctx, t, transport, whole(sum)); err != nil {
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
		if err := readLarge(ctx, t, transport, whole(io.Discard)); err != nil {
			return l, fmt.Errorf("reading the large file from %s: %w", t.name, err)
		}
	}
	took := time.Since(start)
	after, err := t.cpu()
	if err != nil {
		return l, err
	}
	if most, err = t.peak(); err != nil {
		return l, err
	}
	l.sendfile, err = t.sendfileCalls(ctx, func() error { return readLarge(ctx, t, transport, whole(io.Discard)) })
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
	fmt.Fprintf(&b, "\n### A file of 100 MB, HTTP/1.1\n\nFirst, %d clients who are the first to ask for it read it at 1 MB/s each for %v. Then one client reads it again and again; its first time is not in the throughput, but in the memory. strace counts the calls of sendfile in one read.\n\n", slowReaders, slowReading)
	t := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintf(t, "| server\t| MB/s\t| CPU ms per GB\t| memory it took, MB\t| with slow readers\t| sendfile calls\t|\n")
	fmt.Fprintf(t, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|\n")
	for _, server := range servers {
		if server.can&file == 0 {
			continue
		}
		l, err := measureLarge(ctx, server, s)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(t, "| %s\t| %.0f\t| %.0f\t| %.0f\t| %.0f\t| %d\t|\n",
			server.name, l.bytesPerSecond/1e6, l.cpuPerGB*1e3, float64(l.grown)/1e6, float64(l.slowlyGrown)/1e6, l.sendfile)
	}
	t.Flush()
	return b.String(), nil
}
