// Command conformance runs http-tests/cache-tests, the suite behind
// cache-tests.fyi, against `mount / <its origin>` and compares the verdict of
// each test with a committed list, so that any change of a verdict is seen:
//
//	go run ./caddytest/conformance                  # the npm package; needs Node.js, installs into a temporary folder
//	go run ./caddytest/conformance -suite <folder>  # a checkout of the newest suite, its dependencies installed
//
// The package's verdicts are in verdicts-0.4.5.txt, those of the newest suite
// in docs/conformance.md. With -write the list is written anew; its notes stay.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds of a run.
const (
	runTime = 15 * time.Minute
	// repeats is how often a test whose verdict changed runs again: a busy machine
	// can miss the time that a test allows.
	repeats = 2
)

func main() {
	checkout := flag.String("suite", "", "folder of a checkout of the suite, with its dependencies (default: npm package "+packageVersion+")")
	write := flag.Bool("write", false, "write the committed verdicts anew")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, runTime)
	defer cancel()
	if err := conform(ctx, *checkout, *write); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		cancel()
		os.Exit(1)
	}
}

// errChanged: a verdict is not the committed one.
var errChanged = errors.New("verdicts have changed")

// conform runs the suite in each mode and compares or writes its verdicts.
func conform(ctx context.Context, checkout string, write bool) error {
	var committedIn list = textFile(filepath.Join("caddytest", "conformance", "verdicts-"+packageVersion+".txt"))
	if checkout != "" {
		committedIn = pageFile(filepath.Join("docs", "conformance.md"))
	}
	committed, err := committedIn.read()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := openSuite(ctx, dir, checkout)
	if err != nil {
		return err
	}
	caddy, err := buildCaddy(ctx, dir)
	if err != nil {
		return err
	}
	var tests []test
	var judged [len(modes)]map[string]verdict
	changed := false
	for i, m := range modes {
		expected := committed
		if write {
			expected = nil
		}
		r, err := runMode(ctx, s, caddy, m, func(got map[string]verdict) []string {
			if write {
				return nil
			}
			return slices.Sorted(maps.Keys(expected.differences(i, got)))
		})
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		tests, judged[i] = r.Tests, r.verdicts()
		if !write {
			changed = tell(m, r, expected.differences(i, judged[i])) || changed
		}
	}
	l := newLedger(tests, judged, committed)
	for i, m := range modes {
		for _, kind := range []string{required, optimal, check} {
			fmt.Printf("%-10s %-9s %s\n", m.name, kind, l.totals(i, kind))
		}
	}
	switch {
	case write:
		return committedIn.write(l)
	case changed:
		return errChanged
	}
	return nil
}

// tell prints what has changed, with the suite's own words, and whether anything did.
func tell(m mode, r *report, differences map[string]string) bool {
	for _, id := range slices.Sorted(maps.Keys(differences)) {
		o := r.Results[id]
		fmt.Println(m.name + ": " + strings.TrimSpace(differences[id]+" "+o.text))
	}
	return len(differences) > 0
}

// runMode runs the suite against one configuration. The tests that doubtful
// names are run again.
func runMode(ctx context.Context, s *suite, caddy string, m mode, doubtful func(map[string]verdict) []string) (*report, error) {
	origin, stopOrigin, err := s.serve(ctx)
	if err != nil {
		return nil, err
	}
	defer stopOrigin()
	base, stopCaddy, err := serveCaddy(ctx, caddy, origin, m.options)
	if err != nil {
		return nil, err
	}
	defer stopCaddy()
	all, err := s.run(ctx, base, nil)
	if err != nil {
		return nil, err
	}
	for range repeats {
		ids := doubtful(all.verdicts())
		if len(ids) == 0 {
			break
		}
		again, err := s.run(ctx, base, ids)
		if err != nil {
			return nil, err
		}
		maps.Copy(all.Results, again.Results)
	}
	return all, nil
}
