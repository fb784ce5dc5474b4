package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// The processors that server and load run on.
const (
	serverProcessor = "0"
	loadProcessor   = "1"
)

// protocol is the version of HTTP that a workload speaks.
type protocol int

const (
	h1 protocol = iota // in the clear
	h2                 // over TLS
	h3
)

// workload is one kind of request.
type workload struct {
	name   string
	path   string
	accept string // Accept-Encoding
	proto  protocol
	miss   bool // a new URL each time
	needs  abilities
}

const browser = "gzip, deflate, br, zstd"

var workloads = []workload{
	{name: "hit, 8 KB, HTTP/1.1", path: "/blog/small", accept: "identity", needs: small},
	{name: "hit, 56 KB page as browsers ask, HTTP/1.1", path: "/blog/page", accept: browser, needs: page},
	{name: "hit, 56 KB page as browsers ask, HTTPS/2", path: "/blog/page", accept: browser, proto: h2, needs: page | overTLS},
	{name: "hit, 56 KB page as browsers ask, HTTP/3", path: "/blog/page", accept: browser, proto: h3, needs: page | overQUIC},
	{name: "miss, 56 KB page, not compressed, HTTP/1.1", path: "/blog/page", accept: "identity", miss: true, needs: fetching},
	{name: "miss, 56 KB page for gzip, HTTP/1.1", path: "/blog/page", accept: "gzip", miss: true, needs: fetching},
}

// run is what one load brought.
type run struct {
	requests int
	took     time.Duration
	cpu      time.Duration
	others   time.Duration // that other work took of the server's processor
}

// add makes one of two.
func (r run) add(s run) run {
	return run{r.requests + s.requests, r.took + s.took, r.cpu + s.cpu, r.others + s.others}
}

// each is the processor time in seconds that a request took.
func (r run) each() float64 { return r.cpu.Seconds() / float64(r.requests) }

// done is what every load says at its end of the requests that were answered.
var done = regexp.MustCompile(`status codes: (\d+) 2xx`)

// command is the load of n requests: by h2load, and by this very program where h2load
// cannot do it.
func (w workload) command(t *target, n int, dir string) []string {
	address := t.address(w.proto)
	if w.miss || w.proto == h3 {
		l := sending{proto: w.proto, address: address, accept: w.accept, url: w.url(t), requests: int64(n)}
		if w.miss {
			l.new = strconv.FormatInt(time.Now().UnixNano(), 36) + "-"
		}
		return append([]string{filepath.Join(dir, "load")}, l.args()...)
	}
	connections, streams := w.proto.concurrency()
	args := []string{
		"h2load", "-t1", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-m%d", streams), "-n", strconv.Itoa(n),
		"--connect-to=" + address, "-H", "accept-encoding: " + w.accept,
	}
	if w.proto == h1 {
		args = append(args, "--h1")
	}
	return append(args, w.url(t))
}

// address is where t listens for a protocol.
func (t *target) address(p protocol) string { return fmt.Sprintf("127.0.0.1:%d", t.port(p)) }

// port is the port of t for a protocol.
func (t *target) port(p protocol) int {
	if p == h1 {
		return t.ports.Port
	}
	return t.ports.TLSPort
}

// url is the public URL of the workload at t.
func (w workload) url(t *target) string {
	scheme := "https"
	if w.proto == h1 {
		scheme = "http"
	}
	return fmt.Sprintf("%s://example.com:%d%s", scheme, t.port(w.proto), w.path)
}

// load puts n requests of the workload on the server.
func (w workload) load(ctx context.Context, t *target, n int, dir string) (run, error) {
	args := w.command(t, n, dir)
	before, err := t.cpu()
	if err != nil {
		return run{}, err
	}
	start, working := time.Now(), busy()
	out, err := exec.CommandContext(ctx, "taskset", append([]string{"-c", loadProcessor}, args...)...).CombinedOutput()
	r := run{took: time.Since(start)}
	if ctx.Err() != nil {
		return run{}, context.Cause(ctx)
	}
	if err != nil {
		return run{}, fmt.Errorf("loading %s: %w\n%s", t.name, err, out)
	}
	after, err := t.cpu()
	if err != nil {
		return run{}, err
	}
	r.cpu = after.since(before)
	r.others = max(0, busy()-working-r.cpu)
	if said := done.FindSubmatch(out); said != nil {
		r.requests, _ = strconv.Atoi(string(said[1]))
	}
	if r.requests != n {
		return run{}, fmt.Errorf("loading %s with %s: %d of %d requests succeeded\n%s", t.name, w.name, r.requests, n, out)
	}
	return r, nil
}
