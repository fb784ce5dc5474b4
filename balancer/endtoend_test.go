package balancer

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// slow answers with name after delay, or when the client leaves.
func slow(name string, delay time.Duration, requests *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
		io.WriteString(w, name)
	}
}

// clients sends n requests from the given number of clients at a time.
func clients(n, atATime int, request func()) {
	var wg sync.WaitGroup
	var sent atomic.Int64
	for range atATime {
		wg.Go(func() {
			for sent.Add(1) <= int64(n) {
				request()
			}
		})
	}
	wg.Wait()
}

func TestSharesAsSimulated(t *testing.T) {
	// Long enough that a busy machine adds little to them.
	delays := []time.Duration{100 * ms, 100 * ms, time.Second}
	counts := make([]atomic.Int64, len(delays))
	site := "reverse_proxy"
	for i, delay := range delays {
		_, address := origin(t, slow("", delay, &counts[i]))
		site += " " + address
	}
	base := serve(t, site+" {\n lb_policy least_time\n}")
	const n, atATime = 240, 8
	clients(n, atATime, func() {
		if status, _, err := get(base); err != nil || status != 200 {
			t.Errorf("status %d, error %v", status, err)
		}
	})

	simulated := scenario{
		pool:     func() []*simUpstream { return upstreams(64, delays...) },
		rate:     atATime / delays[0].Seconds(),
		duration: 20 * time.Second,
	}.run(newLeastTimeSim(len(delays), 7), 7)
	for i := range delays {
		share := float64(counts[i].Load()) / n
		within(t, fmt.Sprintf("share of origin %d", i), share, simulated.share[i]-0.05, simulated.share[i]+0.05)
	}
}

func TestKilledUpstream(t *testing.T) {
	var counts [3]atomic.Int64
	killed, first := origin(t, slow("killed", 5*ms, &counts[0]))
	_, second := origin(t, slow("second", 50*ms, &counts[1]))
	_, third := origin(t, slow("third", 100*ms, &counts[2]))
	base := serve(t, fmt.Sprintf("reverse_proxy %s %s %s {\n lb_policy least_time\n lb_retries 2\n}", first, second, third))

	var sent, atDeath atomic.Int64
	clients(300, 4, func() {
		if sent.Add(1) == 100 {
			killed.Listener.Close()
			killed.CloseClientConnections()
			atDeath.Store(counts[0].Load())
		}
		if status, _, err := get(base); err != nil || status != 200 {
			t.Errorf("status %d, error %v", status, err)
		}
	})
	if atDeath.Load() < 60 {
		t.Errorf("the fastest had only %d of 100 requests", atDeath.Load())
	}
	if counts[1].Load()+counts[2].Load() < 195 {
		t.Errorf("the others had %d and %d requests", counts[1].Load(), counts[2].Load())
	}
}

func TestFailingFastAttractsNobody(t *testing.T) {
	var good, bad atomic.Int64
	_, healthy := origin(t, slow("ok", 20*ms, &good))
	_, failing := origin(t, func(w http.ResponseWriter, _ *http.Request) {
		bad.Add(1)
		http.Error(w, "no", http.StatusInternalServerError)
	})
	base := serve(t, fmt.Sprintf("reverse_proxy %s %s {\n lb_policy least_time\n}", failing, healthy))
	clients(200, 4, func() { _, _, _ = get(base) })
	if bad.Load() > 12 {
		t.Errorf("%d of 200 requests went to the upstream that fails", bad.Load())
	}
}

// TestRetriedResponse retries answers of 500: the retry goes to another upstream
// although the failing one is the faster, so no client sees a failure.
func TestRetriedResponse(t *testing.T) {
	var good atomic.Int64
	_, healthy := origin(t, slow("ok", 10*ms, &good))
	_, failing := origin(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusInternalServerError)
	})
	base := serve(t, fmt.Sprintf(`reverse_proxy %s %s {
	lb_policy least_time
	lb_retries 1
	lb_retry_match {
		expression "{http.reverse_proxy.status_code} == 500"
	}
}`, failing, healthy))
	for range 20 {
		mustGet(t, base)
	}
}

func TestDeadUpstreamWithHealthChecks(t *testing.T) {
	var count atomic.Int64
	_, alive := origin(t, slow("alive", 0, &count))
	for _, health := range []string{"", "fail_duration 30s\n max_fails 1", "health_uri /\n health_interval 1m"} {
		base := serve(t, fmt.Sprintf("reverse_proxy %s %s {\n lb_policy least_time\n lb_retries 1\n %s\n}", deadAddress(t), alive, health))
		for range 20 {
			mustGet(t, base)
		}
	}
}

// TestReload removes an upstream while it holds a request: the request is
// finished by it, and what is known of the others is kept.
func TestReload(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	_, removed := origin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			io.WriteString(w, "begun, ")
			w.(http.Flusher).Flush()
			close(arrived)
			<-release
		}
		io.WriteString(w, "removed")
	})
	var fastCount, slowCount atomic.Int64
	_, fast := origin(t, slow("fast", ms, &fastCount))
	_, lame := origin(t, slow("slow", 300*ms, &slowCount))

	base := serve(t, fmt.Sprintf("@held path /held\nreverse_proxy @held %s {\n lb_policy least_time last_byte\n}\nreverse_proxy %s %s {\n lb_policy least_time\n}", removed, fast, lame))
	for range 10 {
		mustGet(t, base)
	}
	learnt := slowCount.Load()

	type answer struct {
		body string
		err  error
	}
	held := make(chan answer, 1)
	go func() {
		_, body, err := get(base + "/held")
		held <- answer{body, err}
	}()
	<-arrived
	base = serve(t, fmt.Sprintf("reverse_proxy %s %s {\n lb_policy least_time\n}", lame, fast))
	for range 10 {
		if body := mustGet(t, base); body != "fast" {
			t.Errorf("after the reload %s answered", body)
		}
	}
	if slowCount.Load() != learnt {
		t.Error("what was known of the slow upstream is lost")
	}
	close(release)
	if got := <-held; got.err != nil || got.body != "begun, removed" {
		t.Errorf("the held request ended with %q, %v", got.body, got.err)
	}
}

// TestLastByte has one origin that begins at once and takes long, and one that
// begins later and is done sooner.
func TestLastByte(t *testing.T) {
	var drips, whole atomic.Int64
	_, dripping := origin(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		slow("drips", 300*ms, &drips)(w, r)
	})
	_, prompt := origin(t, slow("whole", 100*ms, &whole))
	for _, tt := range []struct {
		measure string
		prefers *atomic.Int64
	}{{"first_byte", &drips}, {"last_byte", &whole}} {
		t.Run(tt.measure, func(t *testing.T) {
			base := serve(t, fmt.Sprintf("reverse_proxy %s %s {\n lb_policy least_time %s\n}", dripping, prompt, tt.measure))
			before := tt.prefers.Load()
			for range 8 {
				mustGet(t, base)
			}
			if got := tt.prefers.Load() - before; got < 6 {
				t.Errorf("%d of 8 requests went to the right origin", got)
			}
		})
	}
}
