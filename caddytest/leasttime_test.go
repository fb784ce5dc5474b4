package caddytest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// delayed are origins that answer after a delay each, behind one mount with
// least_time.
type delayed struct {
	servers []*httptest.Server
	counts  []atomic.Int64
	client  *http.Client
}

// startDelayed loads a mount over origins with the given delays. The origins are
// one.test, two.test and so on.
func startDelayed(t *testing.T, options string, delays ...time.Duration) *delayed {
	t.Helper()
	names := []string{"one.test", "two.test", "three.test"}[:len(delays)]
	d := &delayed{counts: make([]atomic.Int64, len(delays))}
	addresses := make(map[string]string)
	caddyfile := "http://example.com {\n\tmount /blog"
	for i, delay := range delays {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.counts[i].Add(1)
			timer := time.NewTimer(delay)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-r.Context().Done():
			}
			_, _ = io.WriteString(w, "page")
		}))
		t.Cleanup(server.Close)
		d.servers = append(d.servers, server)
		addresses[names[i]+":80"] = server.Listener.Addr().String()
		caddyfile += " http://" + names[i]
	}
	s := NewServer(t.TempDir(), func(hostport string) (string, bool) {
		address, ok := addresses[hostport]
		return address, ok
	})
	if err := s.Load(caddyfile+" {\n\t\tlb_policy least_time\n"+options+"\t}\n}\n", "Caddyfile"); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, hostport string) (net.Conn, error) {
		return s.Dial(ctx, hostport)
	}}
	d.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// load sends n requests from the given number of clients at a time and wants a
// page for each. before runs before each with its number, from 1.
func (d *delayed) load(t *testing.T, n, atATime int64, before func(i int64)) {
	t.Helper()
	var wg sync.WaitGroup
	var sent atomic.Int64
	for range atATime {
		wg.Go(func() {
			for i := sent.Add(1); i <= n; i = sent.Add(1) {
				before(i)
				// Each its own page: requests for one are collapsed into one.
				response, err := d.client.Get(fmt.Sprintf("http://example.com/blog/%d", i))
				if err != nil {
					t.Error(err)
					continue
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || response.StatusCode != http.StatusOK || string(body) != "page" {
					t.Errorf("%d %q, %v", response.StatusCode, body, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestLeastTimeShares sends through a mount what balancer's TestSharesAsSimulated
// sends through a reverse_proxy, and wants the shares that the simulation gives.
func TestLeastTimeShares(t *testing.T) {
	const n, atATime = 240, 8
	simulated := []float64{0.495, 0.497, 0.008}
	d := startDelayed(t, "", 100*time.Millisecond, 100*time.Millisecond, time.Second)
	d.load(t, n, atATime, func(int64) {})
	for i, want := range simulated {
		if share := float64(d.counts[i].Load()) / n; share < want-0.05 || share > want+0.05 {
			t.Errorf("origin %d has a share of %.3f, %.3f in the simulation", i+1, share, want)
		}
	}
}

// TestLeastTimeKilled kills the origin that most requests go to: no visitor sees it.
func TestLeastTimeKilled(t *testing.T) {
	d := startDelayed(t, "\t\tlb_retries 2\n", 5*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond)
	var atDeath int64
	d.load(t, 300, 4, func(i int64) {
		if i == 100 {
			d.servers[0].Listener.Close()
			d.servers[0].CloseClientConnections()
			atDeath = d.counts[0].Load()
		}
	})
	if atDeath < 60 {
		t.Errorf("the fastest had only %d of 100 requests", atDeath)
	}
	if others := d.counts[1].Load() + d.counts[2].Load(); others < 195 {
		t.Errorf("the others had %d requests", others)
	}
}
