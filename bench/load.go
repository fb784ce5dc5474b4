package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// The processors that server and load run on.
const (
	serverProcessor = "0"
	loadProcessor   = "1"
)

// workload is one kind of request.
type workload struct {
	name   string
	path   string
	accept string // Accept-Encoding
	h2     bool   // over TLS and HTTP/2, by h2load; else HTTP/1.1, by wrk
	miss   bool   // a new URL each time
	fits   func(*target) bool
}

const browser = "gzip, deflate, br, zstd"

func workloads() []workload {
	return []workload{
		{"hit, 8 KB, HTTP/1.1", "/blog/small", "identity", false, false, func(t *target) bool { return t.small }},
		{"hit, 56 KB page as browsers ask, HTTP/1.1", "/blog/page", browser, false, false, func(t *target) bool { return t.page && t.codes }},
		{"hit, 56 KB page as browsers ask, HTTPS/2", "/blog/page", browser, true, false, func(t *target) bool { return t.page && t.codes && t.tls }},
		{"miss, 56 KB page for gzip, HTTP/1.1", "/blog/page", "gzip", false, true, func(t *target) bool { return t.misses }},
	}
}

// run is what one load brought.
type run struct {
	requests int
	took     time.Duration
	cpu      time.Duration
}

// each is the processor time that a request took.
func (r run) each() float64 { return r.cpu.Seconds() / float64(r.requests) }

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkErrors   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)|Socket errors: .*(?:connect|read|write) [1-9]`)
	h2Requests  = regexp.MustCompile(`requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored`)
)

// load puts the workload on the server for d.
func (w workload) load(t *target, d time.Duration, dir string) (run, error) {
	before, start := t.cpu(), time.Now()
	seconds := fmt.Sprintf("%d", int(d.Seconds()))
	args := []string{"-c", loadProcessor}
	if w.h2 {
		args = append(args, "h2load", "-t1", "-c4", "-m8", "-D", seconds, fmt.Sprintf("--connect-to=127.0.0.1:%d", t.ports.TLSPort),
			"-H", "accept-encoding: "+w.accept, fmt.Sprintf("https://example.com:%d%s", t.ports.TLSPort, w.path))
	} else {
		args = append(args, "wrk", "-t1", "-c16", "-d"+seconds+"s",
			"-H", fmt.Sprintf("Host: example.com:%d", t.ports.Port), "-H", "Accept-Encoding: "+w.accept)
		if w.miss {
			args = append(args, "-s", dir+"/miss.lua")
		}
		args = append(args, fmt.Sprintf("http://127.0.0.1:%d%s", t.ports.Port, w.path))
	}
	out, err := exec.Command("taskset", args...).CombinedOutput()
	if err != nil {
		return run{}, fmt.Errorf("loading %s: %w\n%s", t.name, err, out)
	}
	r := run{took: time.Since(start), cpu: t.cpu() - before}
	count, failed := wrkRequests.FindSubmatch(out), wrkErrors.Match(out)
	if w.h2 {
		count = h2Requests.FindSubmatch(out)
		failed = count == nil || string(count[2]) != "0"
	}
	if count == nil || failed {
		return run{}, fmt.Errorf("loading %s with %s: requests failed\n%s", t.name, w.name, out)
	}
	r.requests, _ = strconv.Atoi(string(count[1]))
	if r.requests == 0 {
		return run{}, fmt.Errorf("loading %s with %s: no answer\n%s", t.name, w.name, out)
	}
	return r, nil
}

// missScript makes wrk ask for another URL each time, and for others in each run.
const missScript = `local n = 0
local run = os.time() * 1000
function request()
	n = n + 1
	return wrk.format("GET", wrk.path .. "?n=" .. run .. "-" .. n)
end
`
