package mount

import (
	"cmp"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caddy-mount/mount/balancer"
)

// splitStatus is a split without its secrets.
type splitStatus struct {
	Name     string           `json:"name"`
	By       balancer.SplitBy `json:"by"`
	Field    string           `json:"field,omitempty"`
	Variants []variantStatus  `json:"variants"`
}

type variantStatus struct {
	balancer.SplitVariant
	// Requests that were given the variant since the process began, by how their
	// visitor was recognized. Ways that did not occur are left out.
	Requests map[string]uint64 `json:"requests"`
}

// variantKey names a variant among those of all mounts.
type variantKey struct{ mount, split, variant string }

// countAssigned reads the requests of all variants from the metric that counts
// them, so that both tell the same.
func countAssigned() (map[variantKey]map[string]uint64, error) {
	registry := prometheus.NewRegistry()
	if err := registry.Register(metrics.splits); err != nil {
		return nil, fmt.Errorf("counting the requests of splits: %w", err)
	}
	families, err := registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("counting the requests of splits: %w", err)
	}
	counts := make(map[variantKey]map[string]uint64)
	for _, family := range families {
		for _, series := range family.GetMetric() {
			labels := make(map[string]string)
			for _, l := range series.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			n := uint64(series.GetCounter().GetValue())
			if n == 0 {
				continue
			}
			key := variantKey{labels["mount"], labels["split"], labels["variant"]}
			if counts[key] == nil {
				counts[key] = make(map[string]uint64)
			}
			counts[key][labels["visitor"]] = n
		}
	}
	return counts, nil
}

// newSplitStatus is the status of the split of a mount that has one.
func newSplitStatus(m *Mount, counts map[variantKey]map[string]uint64) *splitStatus {
	s := &splitStatus{Name: m.Split.Name, By: cmp.Or(m.Split.By, balancer.ByCookie), Field: m.Split.Field}
	for _, v := range m.Split.Variants {
		requests := counts[variantKey{m.Name, m.Split.Name, v.Label}]
		if requests == nil {
			requests = make(map[string]uint64)
		}
		s.Variants = append(s.Variants, variantStatus{v, requests})
	}
	return s
}
