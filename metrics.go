package mount

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/handler"
)

// The collectors are made once a process and registered with each
// configuration's registry, so that their values outlive a reload. Labels are
// bounded: names of mounts and stores, and closed lists of words.
var metrics = struct {
	requests   *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	fetches    *prometheus.CounterVec
	fetchTime  *prometheus.HistogramVec
	bytes      *prometheus.CounterVec
	stale      *prometheus.CounterVec
	unstored   *prometheus.CounterVec
	aborted    *prometheus.CounterVec
	unmapped   *prometheus.CounterVec
	purges     *prometheus.CounterVec
	purgesDeny *prometheus.CounterVec
	splits     *prometheus.CounterVec
}{
	requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "requests_total",
		Help: "Requests that a mount served, by how the cache answered them.",
	}, []string{"mount", "status"}),
	duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "caddy_mount", Name: "duration_seconds",
		Help:    "Time from claiming a request to the end of its answer.",
		Buckets: prometheus.DefBuckets,
	}, []string{"mount", "status"}),
	fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "origin_requests_total",
		Help: "Requests that were sent to a mounted site, by the class of its answer; error is none.",
	}, []string{"mount", "class"}),
	fetchTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "caddy_mount", Name: "origin_duration_seconds",
		Help:    "Time until the whole answer of a mounted site had arrived.",
		Buckets: prometheus.DefBuckets,
	}, []string{"mount"}),
	bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "bytes_total",
		Help: "Bytes of bodies: from the mounted site (in) and to visitors (out).",
	}, []string{"mount", "direction"}),
	stale: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "stale_total",
		Help: "Stale responses that were served, by the reason.",
	}, []string{"mount", "reason"}),
	unstored: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "unstored_total",
		Help: "Answers to fetches of the cache that were not stored, by the reason.",
	}, []string{"mount", "reason"}),
	aborted: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "aborted_total",
		Help: "Answers that were cut because their source was, or because their reader fell too far behind.",
	}, []string{"mount"}),
	unmapped: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "unmapped_urls_total",
		Help: "Places in answers that name the mounted site's host in a form that was left as it is.",
	}, []string{"mount", "form"}),
	purges: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "purges_total",
		Help: "Purges, by scope.",
	}, []string{"mount", "scope"}),
	purgesDeny: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "purges_refused_total",
		Help: "Purge requests that were refused.",
	}, []string{"mount"}),
	splits: prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "caddy_mount", Name: "split_requests_total",
		Help: "Requests of each variant of a split, by how their visitor was recognized; invalid is a forged or old cookie.",
	}, []string{"mount", "split", "variant", "visitor"}),
}

// collectors are all of them.
func collectors() []prometheus.Collector {
	return []prometheus.Collector{
		metrics.requests, metrics.duration, metrics.fetches, metrics.fetchTime, metrics.bytes, metrics.stale,
		metrics.unstored, metrics.aborted, metrics.unmapped, metrics.purges, metrics.purgesDeny, metrics.splits,
		storeCollector{},
		flightCollector{},
	}
}

// registerMetrics makes the collectors part of a configuration's registry.
func registerMetrics(registry *prometheus.Registry) error {
	if registry == nil {
		return nil
	}
	for _, c := range collectors() {
		// The registry is shared by all mounts of a configuration.
		if err := registry.Register(c); err != nil && !errors.As(err, new(prometheus.AlreadyRegisteredError)) {
			return err
		}
	}
	return nil
}

// mountMetrics are the series of one mount, looked up once: a hit must not pay
// for label lookups.
type mountMetrics struct {
	name     string
	requests [cache.PhaseCount]prometheus.Counter
	duration [cache.PhaseCount]prometheus.Observer
	fetches  [6]prometheus.Counter // by the first digit of the status; 0 is error
	fetch    prometheus.Observer
	in, out  prometheus.Counter
	aborted  prometheus.Counter
	stale    func(cache.Reason)
	unstored func(cache.Reason)
}

func newMountMetrics(name string) *mountMetrics {
	byReason := func(c *prometheus.CounterVec) func(cache.Reason) {
		return func(r cache.Reason) { c.WithLabelValues(name, r.String()).Inc() }
	}
	m := &mountMetrics{
		name:     name,
		fetch:    metrics.fetchTime.WithLabelValues(name),
		in:       metrics.bytes.WithLabelValues(name, "in"),
		out:      metrics.bytes.WithLabelValues(name, "out"),
		aborted:  metrics.aborted.WithLabelValues(name),
		stale:    byReason(metrics.stale),
		unstored: byReason(metrics.unstored),
	}
	for p := range cache.PhaseCount {
		m.requests[p] = metrics.requests.WithLabelValues(name, p.String())
		m.duration[p] = metrics.duration.WithLabelValues(name, p.String())
	}
	for i, class := range [...]string{"error", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		m.fetches[i] = metrics.fetches.WithLabelValues(name, class)
	}
	return m
}

// served counts a request that is done.
func (m *mountMetrics) served(phase cache.Phase, reason cache.Reason, took time.Duration) {
	m.requests[phase].Inc()
	m.duration[phase].Observe(took.Seconds())
	if phase == cache.PhaseStale {
		m.stale(reason)
	}
}

// fetched counts a request that the mounted site answered, or did not answer:
// then the answer has no status.
func (m *mountMetrics) fetched(answer *handler.ResponseWriter, took time.Duration) {
	class := answer.Status() / 100
	if class > 5 {
		class = 0
	}
	m.fetches[class].Inc()
	m.fetch.Observe(took.Seconds())
	m.in.Add(float64(answer.Received()))
	answer.Unmapped(func(form string, n int64) {
		metrics.unmapped.WithLabelValues(m.name, form).Add(float64(n))
	})
}

// storeCollector reports the stores that are open.
type storeCollector struct{}

var (
	storeBytes = prometheus.NewDesc("caddy_mount_store_bytes", "Bytes that a store holds.", []string{"store", "tier"}, nil)
	evictions  = prometheus.NewDesc("caddy_mount_evictions_total", "Stored responses that were dropped for want of space.", []string{"store", "tier"}, nil)
)

// Describe implements prometheus.Collector.
func (storeCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- storeBytes
	ch <- evictions
}

// Collect implements prometheus.Collector.
func (storeCollector) Collect(ch chan<- prometheus.Metric) {
	stores.Range(func(_, value any) bool {
		s := value.(*openStore)
		for tier, stats := range s.tiers() {
			ch <- prometheus.MustNewConstMetric(storeBytes, prometheus.GaugeValue, float64(stats.Bytes), *s.name.Load(), tier)
			ch <- prometheus.MustNewConstMetric(evictions, prometheus.CounterValue, float64(stats.Evictions), *s.name.Load(), tier)
		}
		return true
	})
}

// flightCollector reports the fetches that the caches of the live mounts run now.
type flightCollector struct{}

var flights = prometheus.NewDesc("caddy_mount_flights", "Fetches of the cache that run now.", []string{"mount"}, nil)

// Describe implements prometheus.Collector.
func (flightCollector) Describe(ch chan<- *prometheus.Desc) { ch <- flights }

// Collect implements prometheus.Collector.
func (flightCollector) Collect(ch chan<- prometheus.Metric) {
	running := make(map[string]int) // mounts may share a name
	for _, m := range live.all() {
		if c := m.shared.cache.Load(); c != nil {
			running[m.Name] += c.Flights()
		}
	}
	for name, n := range running {
		ch <- prometheus.MustNewConstMetric(flights, prometheus.GaugeValue, float64(n), name)
	}
}
