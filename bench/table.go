package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// median of a list that is not empty.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// lower is the lower bound of the median's 95 % interval, by bootstrap.
func lower(list []float64) float64 {
	random := rand.New(rand.NewPCG(1, 2))
	medians := make([]float64, 2000)
	sample := make([]float64, len(list))
	for i := range medians {
		for j := range sample {
			sample[j] = list[random.IntN(len(list))]
		}
		medians[i] = median(sample)
	}
	slices.Sort(medians)
	return medians[len(medians)/20]
}

// ratios are how often the server's processor time for a request goes into that of
// base, round by round: above 1 is less work than base.
func (r *result) ratios(base *result) (list []float64) {
	for i := range r.runs {
		list = append(list, base.runs[i].each()/r.runs[i].each())
	}
	return list
}

// table writes the results of one workload as Markdown. The ratios are to the first
// result.
func table(w workload, results []*result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", strings.ToUpper(w.name[:1])+w.name[1:])
	t := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintf(t, "| server\t| CPU ms per 10,000 requests\t| times %s\t| lower 95 %%\t| bytes on the wire\t|\n", results[0].target)
	fmt.Fprintf(t, "|---\t|---:\t|---:\t|---:\t|---:\t|\n")
	for _, r := range results {
		var each []float64
		for _, run := range r.runs {
			each = append(each, run.each()*1e7)
		}
		ratios := r.ratios(results[0])
		fmt.Fprintf(t, "| %s\t| %.0f\t| %.2f\t| %.2f\t| %d\t|\n", r.target, median(each), median(ratios), lower(ratios), r.wire)
	}
	t.Flush()
	return b.String()
}

// goal says how ours stands to what it is held against, as lines of a table.
func goal(w workload, results []*result) string {
	find := func(name string) *result {
		i := slices.IndexFunc(results, func(r *result) bool { return r.target == name })
		if i < 0 {
			return nil
		}
		return results[i]
	}
	var b strings.Builder
	ours := find(oursName)
	for _, name := range []string{floorName, oneTierName, proxyName} {
		other := find(name)
		if other == nil || w.miss != (name == proxyName) {
			continue
		}
		ratios := ours.ratios(other)
		fmt.Fprintf(&b, "| %s: %s to %s | %.2f | %.2f |\n", w.name, oursName, name, median(ratios), lower(ratios))
	}
	return b.String()
}

// The marks between which the tables stand in the document.
const (
	beginMark = "<!-- bench -->\n"
	endMark   = "<!-- end -->\n"
)

// publish puts text into the document, between the marks.
func publish(file, text string) error {
	document, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(document), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !ok || !ended {
		return fmt.Errorf("%s has no place for the tables: %s%s", file, beginMark, endMark)
	}
	return os.WriteFile(file, []byte(before+beginMark+text+"\n"+endMark+after), 0o644)
}
