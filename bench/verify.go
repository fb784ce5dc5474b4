package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// client is what the verifying requests are sent with.
func (t *target) client(p protocol) interface {
	http.RoundTripper
	CloseIdleConnections()
} {
	return transport(p, t.address(p))
}

// ask sends one request of the workload and returns the answer as it was sent, and
// what its body says.
func (w workload) ask(ctx context.Context, t *target, transport http.RoundTripper) (*http.Response, []byte, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url(t), nil)
	if err != nil {
		return nil, nil, nil, err
	}
	request.Header.Set("Accept-Encoding", w.accept)
	response, err := transport.RoundTrip(request)
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

// decode takes the content coding off.
func decode(coding string, wire []byte) ([]byte, error) {
	r, err := decoder(coding, bytes.NewReader(wire))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// decoder reads what r says as it comes.
func decoder(coding string, r io.Reader) (io.ReadCloser, error) {
	switch coding {
	case "gzip":
		return gzip.NewReader(r)
	case "br":
		return io.NopCloser(brotli.NewReader(r)), nil
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(r), nil
}

// verify warms the target and looks at what it answers. It returns the bytes of a
// body on the wire.
func (w workload) verify(ctx context.Context, t *target, s *site) (int, error) {
	transport := t.client(w.proto)
	defer transport.CloseIdleConnections()
	var response *http.Response
	var wire, text []byte
	// Ours makes the shortest form only for what is asked for often.
	for range 100 {
		var err error
		if response, wire, text, err = w.ask(ctx, t, transport); err != nil {
			return 0, fmt.Errorf("asking %s: %w", t.name, err)
		}
	}
	want := s.page
	if w.path == "/blog/small" {
		want = s.small
	} else if w.accept != "identity" && response.Header.Get("Content-Encoding") == "" {
		return 0, fmt.Errorf("%s does not code %s: %v", t.name, w.path, response.Header)
	}
	return len(wire), t.check(text, want)
}

// check looks whether text is the site's, and mapped where the target maps.
func (t *target) check(text, site []byte) error {
	if !t.maps {
		if !bytes.Equal(bytes.TrimSpace(text), bytes.TrimSpace(site)) {
			return fmt.Errorf("%s sends %d bytes that are not the site's %d", t.name, len(text), len(site))
		}
		return nil
	}
	links := func(b []byte, host string) int { return bytes.Count(b, []byte("//"+host)) }
	if left := links(text, "blog.example.net"); left > 0 || links(text, "example.com:") < links(site, "blog.example.net") {
		return fmt.Errorf("%s leaves %d URLs of the site", t.name, left)
	}
	if len(text) < len(site)*9/10 {
		return fmt.Errorf("%s sends %d bytes of %d", t.name, len(text), len(site))
	}
	return nil
}

// settleTime is how long ours must answer alike to be at rest: it makes the shortest
// form once a page is popular and has lasted for 10 s.
const settleTime = 15 * time.Second

// settle asks ours until what it makes in the background is the best there is, in the
// clear and over TLS.
func settle(ctx context.Context, t *target) error {
	var last [2]int
	start := time.Now()
	for changed := start; time.Since(changed) < settleTime; {
		for i, proto := range []protocol{h1, h2} {
			w := workload{path: "/blog/page", accept: browser, proto: proto}
			transport := t.client(proto)
			response, wire, _, err := w.ask(ctx, t, transport)
			transport.CloseIdleConnections()
			if err != nil {
				return fmt.Errorf("warming %s: %w", t.name, err)
			}
			if response.Header.Get("Content-Encoding") != "br" || len(wire) != last[i] {
				last[i], changed = len(wire), time.Now()
			}
		}
		if time.Since(start) > 3*time.Minute {
			return fmt.Errorf("%s does not come to rest", t.name)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// hit is ask until the answer comes from what is stored.
func (w workload) hit(ctx context.Context, t *target, transport http.RoundTripper) (*http.Response, []byte, []byte, error) {
	for range 100 {
		response, wire, text, err := w.ask(ctx, t, transport)
		if err != nil || response.Header.Get("Age") != "" {
			return response, wire, text, err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, nil, nil, err
		}
	}
	return nil, nil, nil, fmt.Errorf("%s does not store %s", t.name, w.path)
}

// prepare writes what ours answers to a hit, with every field that is sent, for the
// floor; and for file_server, which has the large file too.
func prepare(ctx context.Context, t *target, s *site, dir string) error {
	for _, path := range []string{filepath.Join(dir, "answers"), filepath.Join(dir, "files", "blog")} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	transport := t.client(h1)
	defer transport.CloseIdleConnections()
	for name, accept := range map[string]string{"small": "identity", "page": browser} {
		response, wire, text, err := workload{path: "/blog/" + name, accept: accept}.hit(ctx, t, transport)
		if err != nil {
			return err
		}
		response.Header.Del("Server") // Caddy sets it
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
	large, err := os.Create(filepath.Join(dir, "files", "blog", "large"))
	if err != nil {
		return err
	}
	if err := s.writeLarge(large); err != nil {
		return errors.Join(err, large.Close())
	}
	return large.Close()
}
