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

// missCaddyfile has the mount with and without a store, and what Caddy has without
// the mount: reverse_proxy, alone and behind encode.
const missCaddyfile = `
{
	metrics
}
http://stored.example.com {
	mount /blog %[1]s {
		site http://blog.example.net
		cache {
			ttl 1h
		}
	}
}
http://passed.example.com {
	mount /blog %[1]s {
		site http://blog.example.net
		cache off
	}
}
(proxy) {
	handle_path /blog/* {
		reverse_proxy %[1]s {
			header_up Host blog.example.net
			header_up Accept-Encoding identity
		}
	}
}
http://proxy.example.com {
	import proxy
}
http://encoding-proxy.example.com {
	encode gzip
	import proxy
}
`

// missPages are the lengths of the pages: a capture, and the beginning of it.
var missPages = []int{60 << 10, 8 << 10}

// missLoad is one kind of request, sent to two sites.
type missLoad struct {
	name       string
	page       int
	accept     string
	ours, than string
}

var missLoads = []missLoad{
	{"page=56KB/coding=identity/cache=off", missPages[0], "identity", "passed", "proxy"},
	{"page=56KB/coding=identity/cache=on", missPages[0], "identity", "stored", "proxy"},
	{"page=8KB/coding=identity/cache=off", missPages[1], "identity", "passed", "proxy"},
	{"page=8KB/coding=identity/cache=on", missPages[1], "identity", "stored", "proxy"},
	{"page=56KB/coding=gzip/cache=on", missPages[0], "gzip", "stored", "encoding-proxy"},
}

// BenchmarkMissCPU compares the processor time of a miss through the mount, mapped,
// with that of reverse_proxy, which maps and stores nothing. The load and the origin
// are a process of their own. Each round sends both the same number of requests; the
// metric "times-proxy" is the median of the rounds' ratios.
func BenchmarkMissCPU(b *testing.B) {
	peer := startMissPeer(b)
	server := costServer(b, fmt.Sprintf(missCaddyfile, peer.origin))
	address := listenFor(b, server)
	for _, load := range missLoads {
		b.Run(load.name, func(b *testing.B) {
			const requests = 400
			round := func(site string) time.Duration {
				before := processorTime(b)
				peer.load(b, address, site+".example.com", load.page, load.accept, requests)
				return processorTime(b) - before
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

// processorTime is what this process has used of the processors.
func processorTime(tb testing.TB) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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

// missPeerEnv makes the test binary a missPeer's process.
const missPeerEnv = "CADDYTEST_MISS_PEER"

func init() {
	if os.Getenv(missPeerEnv) == "" {
		return
	}
	if err := runMissPeer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// missPeer is the process that is both the origin and the visitors.
type missPeer struct {
	origin string // base URL
	in     io.Writer
	out    *bufio.Scanner
}

func startMissPeer(tb testing.TB) *missPeer {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), missPeerEnv+"=1")
	cmd.Stderr = os.Stderr
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
	p := &missPeer{in: in, out: bufio.NewScanner(out)}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	})
	p.origin = p.line(tb)
	return p
}

func (p *missPeer) line(tb testing.TB) string {
	tb.Helper()
	if !p.out.Scan() {
		tb.Fatalf("the peer has ended: %v", p.out.Err())
	}
	return p.out.Text()
}

// load sends requests for new URLs and waits for their answers.
func (p *missPeer) load(tb testing.TB, address, host string, page int, accept string, requests int) {
	tb.Helper()
	if _, err := fmt.Fprintln(p.in, address, host, page, accept, requests); err != nil {
		tb.Fatal(err)
	}
	if answer := p.line(tb); answer != "done" {
		tb.Fatal(answer)
	}
}

// runMissPeer serves pages and obeys orders until in ends.
func runMissPeer(in io.Reader, out io.Writer) error {
	page, err := missPage()
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	origin := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Query().Get("size"))
		body := page[:min(size, len(page))]
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("Link", `<http://blog.example.net/wp-json/>; rel="https://api.w.org/"`)
		_, _ = w.Write(body)
	})}
	go func() { _ = origin.Serve(ln) }()
	fmt.Fprintf(out, "http://%s\n", ln.Addr())
	v := visitors{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: missVisitors, DisableCompression: true}}}
	for orders := bufio.NewScanner(in); orders.Scan(); {
		var address, host, accept string
		var size, requests int
		if _, err := fmt.Sscan(orders.Text(), &address, &host, &size, &accept, &requests); err != nil {
			return err
		}
		if err := v.send(address, host, size, accept, requests); err != nil {
			fmt.Fprintln(out, err)
			continue
		}
		fmt.Fprintln(out, "done")
	}
	return nil
}

// missPage is a captured page.
func missPage() ([]byte, error) {
	file, err := os.Open(filepath.Join("..", "handler", "testdata", "corpus", "debian", "home.html.gz"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// missVisitors is how many ask at once.
const missVisitors = 8

// visitors ask for pages, each for one at a time.
type visitors struct {
	client *http.Client
	asked  int
}

func (v *visitors) send(address, host string, size int, accept string, requests int) error {
	failed := make([]error, missVisitors)
	var all sync.WaitGroup
	for i := range failed {
		all.Go(func() {
			for n := i; n < requests && failed[i] == nil; n += missVisitors {
				failed[i] = v.ask(fmt.Sprintf("http://%s/blog/page?size=%d&n=%d", address, size, v.asked+n), host, accept)
			}
		})
	}
	all.Wait()
	v.asked += requests
	return errors.Join(failed...)
}

func (v *visitors) ask(url, host, accept string) error {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Host = host
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
		return fmt.Errorf("%s: %s, %d bytes", host, answer.Status, n)
	case coding != strings.TrimPrefix(accept, "identity"):
		return fmt.Errorf("%s: coding %q for %s", host, coding, accept)
	case strings.Contains(answer.Header.Get("Cache-Status"), "hit"):
		return fmt.Errorf("%s: a hit", host)
	}
	return nil
}
