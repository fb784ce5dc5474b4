package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// ask sends one request of the workload and returns the answer as it was sent, and
// what its body says.
func (w workload) ask(t *target) (*http.Response, []byte, []byte, error) {
	scheme, port := "http", t.ports.Port
	if w.h2 {
		scheme, port = "https", t.ports.TLSPort
	}
	client := &http.Client{Transport: &http.Transport{
		DisableCompression: true, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "example.com"}, // its certificate was made for this run
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", port))
		},
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s://example.com:%d%s", scheme, port, w.path), nil)
	if err != nil {
		return nil, nil, nil, err
	}
	request.Header.Set("Accept-Encoding", w.accept)
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, nil, err
	}
	defer response.Body.Close()
	wire, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, nil, nil, err
	}
	text, err := decode(response.Header.Get("Content-Encoding"), wire)
	return response, wire, text, err
}

func decode(coding string, wire []byte) ([]byte, error) {
	var r io.Reader = bytes.NewReader(wire)
	switch coding {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		z, err := zstd.NewReader(r)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	}
	return io.ReadAll(r)
}

// verify warms the target and looks at what it answers. It returns the bytes of a
// body on the wire.
func (w workload) verify(t *target, s *site) (int, error) {
	var response *http.Response
	var wire, text []byte
	// Ours makes the shortest form only for what is asked for often.
	for range 100 {
		var err error
		if response, wire, text, err = w.ask(t); err != nil {
			return 0, fmt.Errorf("asking %s: %w", t.name, err)
		}
	}
	want := s.page
	if w.path == "/blog/small" {
		want = s.small
	} else if w.accept != "identity" && response.Header.Get("Content-Encoding") == "" {
		return 0, fmt.Errorf("%s does not code %s: %v", t.name, w.path, response.Header)
	}
	if t.maps {
		if left := strings.Count(string(text), "//blog.example.net"); left > 0 || w.path == "/blog/page" && !strings.Contains(string(text), "//example.com:") {
			return 0, fmt.Errorf("%s leaves %d URLs of the site", t.name, left)
		}
		if len(text) < len(want)*9/10 {
			return 0, fmt.Errorf("%s sends %d bytes of %d", t.name, len(text), len(want))
		}
	} else if !bytes.Equal(bytes.TrimSpace(text), bytes.TrimSpace(want)) {
		return 0, fmt.Errorf("%s sends %d bytes that are not the site's %d", t.name, len(text), len(want))
	}
	return len(wire), nil
}

// settle asks ours until what it makes in the background is the best there is.
func settle(t *target) error {
	w := workload{path: "/blog/page", accept: browser}
	for _, w.h2 = range []bool{false, true} {
		for deadline, last, same := time.Now().Add(3*time.Minute), 0, 0; same < 150; time.Sleep(100 * time.Millisecond) {
			response, wire, _, err := w.ask(t)
			if err != nil {
				return fmt.Errorf("warming %s: %w", t.name, err)
			}
			if response.Header.Get("Content-Encoding") == "br" && len(wire) == last {
				same++
			} else {
				last, same = len(wire), 0
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s does not come to rest", t.name)
			}
		}
	}
	return nil
}

// prepare writes what ours answers for the floor and for file_server.
func prepare(t *target, dir string) error {
	for _, path := range []string{filepath.Join(dir, "answers"), filepath.Join(dir, "files", "blog")} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	for name, accept := range map[string]string{"small": "identity", "page": browser} {
		response, wire, text, err := workload{path: "/blog/" + name, accept: accept}.ask(t)
		if err != nil {
			return err
		}
		for _, own := range []string{"Server", "Date"} {
			response.Header.Del(own)
		}
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(wire)), int64(len(wire))
		dump, err := httputil.DumpResponse(response, true)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, "files", "blog", name)
		if err := os.WriteFile(filepath.Join(dir, "answers", name+".http"), dump, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
		if response.Header.Get("Content-Encoding") == "br" {
			if err := os.WriteFile(file+".br", wire, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
