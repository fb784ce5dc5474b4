// Command bench measures what a request costs: mount beside nginx, Varnish and
// Caddy's own handlers, in front of one site that replays a captured page.
//
// Each server runs on one processor and the load on another. All run at once and are
// loaded in turn, round by round, so that what else the machine does hits all alike.
// What counts is processor time for a request, and its ratio within a round. Bodies
// are verified before anything is timed. Servers that are not installed are left out.
package main

import (
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
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 5, "rounds, each of which loads every server once with every workload")
	duration := flag.Duration("duration", time.Second, "time of one load, whole seconds")
	page := flag.String("page", "handler/testdata/corpus/debian/home.html.gz", "the captured page")
	document := flag.String("out", "", "document to write the tables into; empty: standard output")
	flag.Parse()
	text, err := bench(*rounds, *duration, *page)
	if err != nil {
		log.Fatal(err)
	}
	if *document == "" {
		fmt.Print(text)
		return
	}
	if err := publish(*document, text); err != nil {
		log.Fatal(err)
	}
}

// bench measures and returns the tables.
func bench(rounds int, duration time.Duration, page string) (string, error) {
	dir, err := os.MkdirTemp("", "mount-bench-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	// Some servers give up root before they read it.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "caddy"), "./bench/server")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("building Caddy: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "miss.lua"), []byte(missScript), 0o644); err != nil {
		return "", err
	}
	s, err := startSite(page)
	if err != nil {
		return "", err
	}
	defer s.server.Close()
	p := ports{Origin: s.address, Dir: dir, Small: strings.TrimSpace(string(s.small))}
	p.OriginHost, p.OriginPort, _ = net.SplitHostPort(s.address)
	if p.Cert, p.Key, err = certificate(dir); err != nil {
		return "", err
	}
	servers, err := start(targets(dir), p, s)
	defer func() {
		for _, t := range servers {
			t.stop()
		}
	}()
	if err != nil {
		return "", err
	}

	var out strings.Builder
	fmt.Fprintf(&out, "\n%d rounds of %v, interleaved, on %s/%s with %d processors, %s; command: `make bench BENCHROUNDS=%d`.\n",
		rounds, duration, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), rounds)
	for _, w := range workloads() {
		results, err := measure(w, servers, s, rounds, duration, dir)
		if err != nil {
			return "", err
		}
		out.WriteString(table(w, results))
	}
	return out.String(), nil
}

// start starts ours first, since the floor and file_server serve what it answers.
func start(all []*target, p ports, s *site) (started []*target, err error) {
	ours := all[0]
	for _, t := range all {
		if _, err := exec.LookPath(t.run[0]); err != nil {
			log.Printf("%s is left out: %v", t.name, err)
			continue
		}
		started = append(started, t)
		if err := t.start(p); err != nil {
			return started, err
		}
		if t != ours {
			continue
		}
		if err := settle(ours); err != nil {
			return started, err
		}
		if err := prepare(ours, p.Dir); err != nil {
			return started, err
		}
	}
	// The floor is what the others are compared with.
	started[0], started[1] = started[1], started[0]
	return started, nil
}

// measure loads every server that the workload fits, in turn.
func measure(w workload, servers []*target, s *site, rounds int, duration time.Duration, dir string) ([]*result, error) {
	var fitting []*target
	var results []*result
	for _, t := range servers {
		if !w.fits(t) {
			continue
		}
		wire, err := w.verify(t, s)
		if err != nil {
			return nil, err
		}
		fitting, results = append(fitting, t), append(results, &result{target: t.name, wire: wire})
	}
	for round := range rounds {
		for i := range fitting {
			// Each round begins with another one.
			i = (i + round) % len(fitting)
			r, err := w.load(fitting[i], duration, dir)
			if err != nil {
				return nil, err
			}
			results[i].runs = append(results[i].runs, r)
		}
		log.Printf("%s: round %d of %d", w.name, round+1, rounds)
	}
	return results, nil
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
