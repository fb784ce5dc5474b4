package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

const (
	slowWaiting = 50                     // clients that join in the middle
	slowJoin    = 100 * time.Millisecond // after the site has stopped
	slowRepeats = 3
)

// firstBytes is how long clients of a slow page waited for its first byte.
type firstBytes struct {
	first           float64 // seconds
	waiting, latest float64 // median and longest of those that joined
	asked           int     // requests that reached the site
}

// firstByte asks for the page and returns the time until the first byte of what it
// says could be read, its coding taken off. The body must be right at its end.
func (w workload) firstByte(ctx context.Context, t *target, s *site) (float64, error) {
	transport := t.client(w.proto)
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url(t), nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Accept-Encoding", w.accept)
	start := time.Now()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, fmt.Errorf("asking %s: %w", t.name, err)
	}
	defer response.Body.Close()
	body, err := decoder(response.Header.Get("Content-Encoding"), response.Body)
	if err != nil {
		return 0, fmt.Errorf("reading from %s: %w", t.name, err)
	}
	defer body.Close()
	one := make([]byte, 1)
	if _, err := io.ReadFull(body, one); err != nil {
		return 0, fmt.Errorf("reading from %s: %w", t.name, err)
	}
	took := time.Since(start).Seconds()
	rest, err := io.ReadAll(body)
	if err != nil {
		return 0, fmt.Errorf("reading from %s: %w", t.name, err)
	}
	return took, t.check(append(one, rest...), s.page)
}

// measureSlow lets one client ask for a slow page and the others join it while the
// site has stopped.
func measureSlow(ctx context.Context, t *target, s *site, accept, id string) (firstBytes, error) {
	w := workload{path: "/blog/slow/" + id, accept: accept}
	below := "/slow/" + id
	var (
		clients sync.WaitGroup
		mu      sync.Mutex // guards those below
		f       firstBytes
		waits   []float64
		failed  error
	)
	client := func(done func(float64)) {
		clients.Go(func() {
			took, err := w.firstByte(ctx, t, s)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			done(took)
		})
	}
	client(func(took float64) { f.first = took })
	select {
	case <-s.slowPage(below).stopped:
	case <-time.After(10 * time.Second):
		return firstBytes{}, fmt.Errorf("%s does not ask the site for %s", t.name, below)
	case <-ctx.Done():
		return firstBytes{}, context.Cause(ctx)
	}
	if err := pause(ctx, slowJoin); err != nil {
		return firstBytes{}, err
	}
	for range slowWaiting {
		client(func(took float64) { waits = append(waits, took) })
	}
	clients.Wait()
	if failed != nil {
		return firstBytes{}, failed
	}
	f.waiting, f.latest, f.asked = median(waits), slices.Max(waits), s.askedFor(below)
	return f, nil
}

// slowTable measures every server that fetches, with and without compression.
func slowTable(ctx context.Context, servers []*target, s *site) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### A slow page: first byte\n\nThe site sends half of the page, stops for %v and sends the rest. %d clients join %v into the stop. Milliseconds from a client's request to the first byte that it can decode, medians of %d.\n\n",
		slowStop, slowWaiting, slowJoin, slowRepeats)
	t := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintf(t, "| server\t| asked for\t| first client\t| median of %d\t| last of %d\t| requests at the site\t|\n", slowWaiting, slowWaiting)
	fmt.Fprintf(t, "|---\t|---\t|---:\t|---:\t|---:\t|---:\t|\n")
	for _, server := range servers {
		if server.can&fetching == 0 {
			continue
		}
		for i, accept := range []string{"identity", browser} {
			var first, waiting, latest, asked []float64
			for repeat := range slowRepeats {
				id := fmt.Sprintf("%d-%d-%d", server.ports.Port, i, repeat)
				f, err := measureSlow(ctx, server, s, accept, id)
				if err != nil {
					return "", err
				}
				first, waiting = append(first, f.first*1e3), append(waiting, f.waiting*1e3)
				latest, asked = append(latest, f.latest*1e3), append(asked, float64(f.asked))
			}
			coding := "identity"
			if accept == browser {
				coding = "as browsers ask"
			}
			fmt.Fprintf(t, "| %s\t| %s\t| %.1f\t| %.1f\t| %.1f\t| %.0f\t|\n", server.name, coding, median(first), median(waiting), median(latest), median(asked))
		}
	}
	t.Flush()
	return b.String(), nil
}
