package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	largeBytes = 100_000_000
	slowStop   = time.Second // of a slow page, in its middle
)

// site is the mounted site: it replays a captured page, whole or with a stop in its
// middle, a small text and a large file.
type site struct {
	page, small, block []byte
	server             *http.Server
	address            string

	mu   sync.Mutex
	slow map[string]*slowPage
}

// slowPage is what is known of the requests for one slow page.
type slowPage struct {
	stopped chan struct{} // closed when the first half is out
	asked   int           // guarded by the site's mu
}

// startSite serves the page of a gzipped file on a free loopback port.
func startSite(file string) (*site, error) {
	in, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(in))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	page, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	small := strings.Repeat("A text without any link that goes on and on. ", 200)[:8<<10-1]
	s := &site{page: page, small: []byte(small + "\n"), block: make([]byte, 1_000_000), slow: make(map[string]*slowPage)}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range s.block {
		s.block[i] = byte(random.Uint32())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = ln.Addr().String()
	s.server = &http.Server{Handler: s}
	go func() {
		if err := s.server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "the site:", err)
		}
	}()
	return s, nil
}

// ServeHTTP answers /small, /large, /slow/... and, for every other path, the page.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	switch {
	case r.URL.Path == "/large":
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Length", strconv.Itoa(largeBytes))
		_ = s.writeLarge(w) // the client has gone
		return
	case strings.HasPrefix(r.URL.Path, "/slow/"):
		s.serveSlow(w, r)
		return
	}
	body := s.page
	h.Set("Content-Type", "text/html; charset=UTF-8")
	if r.URL.Path == "/small" {
		body = s.small
		h.Set("Content-Type", "text/plain; charset=UTF-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Link", `<http://blog.example.net/wp-json/>; rel="https://api.w.org/"`)
	w.Write(body)
}

// writeLarge writes the large file.
func (s *site) writeLarge(w io.Writer) error {
	for range largeBytes / len(s.block) {
		if _, err := w.Write(s.block); err != nil {
			return err
		}
	}
	return nil
}

// serveSlow sends half of the page, stops, and sends the rest.
func (s *site) serveSlow(w http.ResponseWriter, r *http.Request) {
	p := s.slowPage(r.URL.Path)
	s.mu.Lock()
	p.asked++
	first := p.asked == 1
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	half := len(s.page) / 2
	w.Write(s.page[:half])
	_ = http.NewResponseController(w).Flush()
	if first {
		close(p.stopped)
	}
	if pause(r.Context(), slowStop) == nil {
		w.Write(s.page[half:])
	}
}

// slowPage returns what is known of a path of slow pages.
func (s *site) slowPage(path string) *slowPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.slow[path]
	if p == nil {
		p = &slowPage{stopped: make(chan struct{})}
		s.slow[path] = p
	}
	return p
}

// askedFor is how often a slow page was asked for.
func (s *site) askedFor(path string) int {
	p := s.slowPage(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.asked
}
