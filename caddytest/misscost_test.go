//go:build !race && unix

package caddytest

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// missServers are the servers to compare, by name, each a process of its own: the
// mount with and without a store, and what Caddy has without the mount.
var missServers = map[string]string{
	"stored": `
		mount /blog %[1]s {
			site http://blog.example.net
			cache {
				ttl 1h
			}
		}
	`,
	"passed": `
		mount /blog %[1]s {
			site http://blog.example.net
			cache off
		}
	`,
	"proxy": missProxy,
	"encoding proxy": `
		encode gzip
	` + missProxy,
}

const missProxy = `
	handle_path /blog/* {
		reverse_proxy %[1]s {
			header_up Host blog.example.net
			header_up Accept-Encoding identity
		}
	}
`

const missCaddyfile = `
{
	metrics
}
http://example.com {
	%[1]s
}
`

// missLoad is one kind of request, sent to two servers.
type missLoad struct {
	name       string
	page       int // bytes of it that are asked for
	accept     string
	ours, than string
}

var missLoads = []missLoad{
	{"page=60KB/coding=identity/cache=off", 60 << 10, "identity", "passed", "proxy"},
	{"page=60KB/coding=identity/cache=on", 60 << 10, "identity", "stored", "proxy"},
	{"page=8KB/coding=identity/cache=off", 8 << 10, "identity", "passed", "proxy"},
	{"page=8KB/coding=identity/cache=on", 8 << 10, "identity", "stored", "proxy"},
	{"page=60KB/coding=gzip/cache=on", 60 << 10, "gzip", "stored", "encoding proxy"},
}

// BenchmarkMissCPU compares the processor time of a miss through the mount, mapped,
// with that of reverse_proxy, which maps and stores nothing. Each round sends both
// the same number of requests; the metric "times-proxy" is the median of the rounds'
// ratios.
func BenchmarkMissCPU(b *testing.B) {
	page := missPage(b)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		body := page[:min(size, len(page))]
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("Link", `<http://blog.example.net/wp-json/>; rel="https://api.w.org/"`)
		_, _ = w.Write(body)
	}))
	b.Cleanup(origin.Close)
	servers := make(map[string]*missServer)
	for name, directives := range missServers {
		servers[name] = startMissServer(b, fmt.Sprintf(missCaddyfile, fmt.Sprintf(directives, origin.URL)))
	}
	transport := &http.Transport{MaxIdleConnsPerHost: missVisitors, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	b.Cleanup(origin.CloseClientConnections) // so that the servers end with none
	v := visitors{client: &http.Client{Transport: transport}}
	for _, load := range missLoads {
		b.Run(load.name, func(b *testing.B) {
			const requests = 400
			round := func(name string) time.Duration {
				s := servers[name]
				before := s.processorTime(b)
				if err := v.send(s.address, load, requests); err != nil {
					b.Fatal(err)
				}
				return s.processorTime(b) - before
			}
			round(load.ours)
			round(load.than)
			var ratios, each []float64
			for b.Loop() {
				theirs := round(load.than)
				ours := round(load.ours)
				ratios = append(ratios, ours.Seconds()/theirs.Seconds())
				each = append(each, float64(ours.Microseconds())/requests)
			}
			b.ReportMetric(median(ratios), "times-proxy")
			b.ReportMetric(median(each), "µs-CPU/request")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// missCaddyfileEnv holds the Caddyfile of a process that is a missServer.
const missCaddyfileEnv = "CADDYTEST_MISS_CADDYFILE"

// missServer is Caddy in a process of its own.
type missServer struct {
	address string
	in      io.Writer
	out     *bufio.Scanner
}

func startMissServer(tb testing.TB, caddyfile string) *missServer {
	tb.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMissServer$")
	cmd.Env = append(os.Environ(), missCaddyfileEnv+"="+caddyfile)
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	s := &missServer{in: in, out: bufio.NewScanner(out)}
	tb.Cleanup(func() {
		_ = in.Close()
		for s.out.Scan() {
			tb.Log(s.out.Text())
		}
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	})
	s.address = s.line(tb)
	return s
}

func (s *missServer) line(tb testing.TB) string {
	tb.Helper()
	if !s.out.Scan() {
		tb.Fatalf("the server has ended: %v", s.out.Err())
	}
	return s.out.Text()
}

// processorTime is what the process has used of the processors.
func (s *missServer) processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	if _, err := fmt.Fprintln(s.in); err != nil {
		tb.Fatal(err)
	}
	used, err := time.ParseDuration(s.line(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return used
}

// TestMissServer is the process of a missServer: it tells its address, and the
// processor time that it has used for each line that it reads. Run by itself it
// does nothing.
func TestMissServer(t *testing.T) {
	caddyfile, ok := os.LookupEnv(missCaddyfileEnv)
	if !ok {
		return
	}
	fmt.Println(listenFor(t, costServer(t, caddyfile)))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			t.Fatal(err)
		}
		fmt.Println(time.Duration(usage.Utime.Nano() + usage.Stime.Nano()))
	}
}

// listenFor serves the handler on a loopback port and returns its address.
func listenFor(tb testing.TB, handler http.Handler) string {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	tb.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			tb.Error(err)
		}
	})
	return ln.Addr().String()
}

// missPage is a captured page. Its first 60 KB name the site 49 times.
func missPage(tb testing.TB) []byte {
	tb.Helper()
	file, err := os.Open(filepath.Join("..", "handler", "testdata", "corpus", "nightly", "archive.html.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		tb.Fatal(err)
	}
	page, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return page
}

// missVisitors is how many ask at once.
const missVisitors = 8

// visitors ask for pages, each for one at a time.
type visitors struct {
	client *http.Client
	asked  int
}

// send sends requests for new URLs.
func (v *visitors) send(address string, load missLoad, requests int) error {
	failed := make([]error, missVisitors)
	var all sync.WaitGroup
	for i := range failed {
		all.Go(func() {
			for n := i; n < requests && failed[i] == nil; n += missVisitors {
				failed[i] = v.ask(fmt.Sprintf("http://%s/blog/page?size=%d&n=%d", address, load.page, v.asked+n), load.accept)
			}
		})
	}
	all.Wait()
	v.asked += requests
	return errors.Join(failed...)
}

func (v *visitors) ask(url, accept string) error {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Host = "example.com"
	r.Header.Set("Accept-Encoding", accept)
	answer, err := v.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	coding := answer.Header.Get("Content-Encoding")
	switch {
	case err != nil:
		return err
	case answer.StatusCode != http.StatusOK || n < 1<<10:
		return fmt.Errorf("%s, %d bytes", answer.Status, n)
	case coding != strings.TrimPrefix(accept, "identity"):
		return fmt.Errorf("coding %q for %s", coding, accept)
	case strings.Contains(answer.Header.Get("Cache-Status"), "hit"):
		return errors.New("a hit")
	}
	return nil
}
