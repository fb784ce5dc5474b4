// Command bench measures what a request costs: mount beside nginx, Varnish, another
// cache for Caddy and Caddy's own handlers, in front of one site that replays a
// captured page.
//
// Each server runs on one processor and the load on another. All run at once and are
// loaded in turn, round by round, so that what else the machine does hits all alike.
// What counts is processor time for a request, and its ratio within a round. Bodies
// are verified before anything is timed. Servers that are not installed are left out.
// An interrupt ends all servers and removes what they stored.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"log"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are what a run is told.
type options struct {
	rounds   int
	duration time.Duration
	page     string
	only     string // part of the name of the workloads to measure, and nothing else; empty: all
	dir      string // of this run; removed at its end
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == loadWord {
		l, err := parse(os.Args[1:])
		if err == nil {
			err = l.send()
		}
		if err != nil {
			log.Fatal(err)
		}
		return
	}
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "rounds, each of which loads every server with every workload")
	flag.DurationVar(&o.duration, "duration", 200*time.Millisecond, "about the time of one load; the number of its requests is the same in all rounds")
	flag.StringVar(&o.page, "page", "handler/testdata/corpus/debian/home.html.gz", "the captured page")
	flag.StringVar(&o.only, "only", "", "measure only the workloads whose name has this in it (\"8 KB\")")
	document := flag.String("out", "", "document to write the tables into; empty: standard output")
	flag.Parse()
	// The servers end with the thread that started them.
	runtime.LockOSThread()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	text, err := bench(ctx, o)
	if err != nil {
		log.Fatal(err)
	}
	if *document == "" || o.only != "" {
		fmt.Print(text)
		return
	}
	if err := publish(*document, text); err != nil {
		log.Fatal(err)
	}
}

// bench measures and returns the tables.
func bench(ctx context.Context, o options) (text string, err error) {
	left, err := tools()
	if err != nil {
		return "", err
	}
	if o.dir, err = os.MkdirTemp("", "mount-bench-"); err != nil {
		return "", err
	}
	defer os.RemoveAll(o.dir)
	// Some servers give up root before they read it.
	if err := os.Chmod(o.dir, 0o755); err != nil {
		return "", err
	}
	unbuilt, err := build(ctx, o.dir)
	if err != nil {
		return "", err
	}
	left = strings.Trim(left+"; "+unbuilt, "; ")
	if left != "" {
		log.Printf("left out: %s", left)
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this program: %w", err)
	}
	if err := os.Symlink(self, filepath.Join(o.dir, "load")); err != nil {
		return "", err
	}
	// The site is not to disturb the servers. What it starts says where it runs.
	pin := exec.CommandContext(ctx, "taskset", "-a", "-c", "-p", loadProcessor, strconv.Itoa(os.Getpid()))
	if out, err := pin.CombinedOutput(); err != nil {
		return "", fmt.Errorf("binding the site to a processor: %w: %s", err, out)
	}
	s, err := startSite(o.page)
	if err != nil {
		return "", err
	}
	defer s.server.Close()
	p := ports{Origin: s.address, Dir: o.dir, Small: strings.TrimSpace(string(s.small))}
	p.OriginHost, p.OriginPort, _ = net.SplitHostPort(s.address)
	if p.Cert, p.Key, err = certificate(o.dir); err != nil {
		return "", err
	}
	servers, err := start(ctx, targets(o.dir), p, s)
	defer func() {
		for _, t := range servers {
			t.stop()
		}
	}()
	if err != nil {
		return "", err
	}
	return tables(ctx, servers, s, o, left)
}

// tables measures everything. Hits come first, while little is stored: a large heap
// is collected less often, so that each request would cost less than in a small one.
func tables(ctx context.Context, servers []*target, s *site, o options, left string) (string, error) {
	var out, goals strings.Builder
	var others, took time.Duration
	start := time.Now()
	stored := o.only != ""
	for _, w := range workloads {
		if !strings.Contains(w.name, o.only) {
			continue
		}
		if w.miss && !stored {
			stored = true
			for _, other := range []func() (string, error){
				func() (string, error) { return memoryTable(ctx, servers, o) },
				func() (string, error) { return slowTable(ctx, servers, s) },
				func() (string, error) { return largeTable(ctx, servers, s) },
			} {
				text, err := other()
				if err != nil {
					return "", err
				}
				out.WriteString(text)
			}
		}
		results, err := measure(ctx, w, servers, s, o)
		if err != nil {
			return "", err
		}
		out.WriteString(table(w, results))
		goals.WriteString(goal(w, results))
		for _, r := range results {
			for _, run := range r.runs {
				others, took = others+run.others, took+run.took
			}
		}
	}
	var head strings.Builder
	fmt.Fprintf(&head, "\n%d rounds of loads of about %v, interleaved, on %s/%s with %d processors, %s; command: `make bench BENCHROUNDS=%d`, %v. Other work took %.1f %% of the servers' processor.\n",
		o.rounds, o.duration, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), o.rounds,
		time.Since(start).Round(time.Second), 100*others.Seconds()/took.Seconds())
	if left != "" {
		fmt.Fprintf(&head, "Left out: %s.\n", left)
	}
	return head.String() + "\n| processor time, how many times less | median | lower 95 % |\n|---|---:|---:|\n" + goals.String() + out.String(), nil
}

// build builds Caddy with the mount, and Caddy with the cache that it is compared
// with. It says why the latter is left out: its modules may have to be fetched.
func build(ctx context.Context, dir string) (left string, err error) {
	goBuild := func(folder, binary string) error {
		command := exec.CommandContext(ctx, "go", "build", "-C", folder, "-o", filepath.Join(dir, binary), ".")
		command.Stderr = os.Stderr
		return command.Run()
	}
	if err := goBuild("bench/server", "caddy"); err != nil {
		return "", fmt.Errorf("building Caddy: %w", err)
	}
	if err := goBuild("bench/cachehandler", "cachehandler"); err != nil {
		return fmt.Sprintf("cache-handler, which cannot be built (%v)", err), context.Cause(ctx)
	}
	return "", nil
}

// start starts ours first, since the floor and file_server serve what it answers.
func start(ctx context.Context, all []*target, p ports, s *site) (started []*target, err error) {
	ours := all[0]
	for _, t := range all {
		if _, err := exec.LookPath(t.run[0]); err != nil {
			continue // the tables say so
		}
		started = append(started, t)
		if err := t.start(ctx, p); err != nil {
			return started, err
		}
		if t != ours {
			continue
		}
		if err := settle(ctx, ours); err != nil {
			return started, err
		}
		if err := prepare(ctx, ours, s, p.Dir); err != nil {
			return started, err
		}
	}
	// The floor is what the others are compared with.
	started[0], started[1] = started[1], started[0]
	return started, nil
}

// certificate makes a key pair for example.com.
func certificate(dir string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return "", "", err
	}
	return cert, key, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600)
}
