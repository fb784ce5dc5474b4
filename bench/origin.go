package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// site is the mounted site: it replays a captured page, and a small text.
type site struct {
	page, small []byte
	server      *http.Server
	address     string
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
	s := &site{page: page, small: []byte(small + "\n")}
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

// ServeHTTP answers /small and, for every other path, the page.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := s.page
	contentType := "text/html; charset=UTF-8"
	if r.URL.Path == "/small" {
		body, contentType = s.small, "text/plain; charset=UTF-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Link", `<http://blog.example.net/wp-json/>; rel="https://api.w.org/"`)
	w.Write(body)
}
