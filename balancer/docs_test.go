package balancer

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// documented returns the policies that docs/balancing.md shows: the lines of its
// table and its Caddyfile blocks.
func documented(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../docs/balancing.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile("(?m)^\\|[^|]+\\| `(lb_policy [^`]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		found = append(found, m[1])
	}
	for _, m := range regexp.MustCompile("(?s)```caddyfile\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		found = append(found, strings.TrimSpace(m[1]))
	}
	return found
}

// TestDocumentedPolicies loads everything that the page shows and sends requests
// from one browser: all are answered, and the policy does what its name says.
func TestDocumentedPolicies(t *testing.T) {
	const n = 16
	all := func(counts []int64) string {
		if counts[0]*counts[1]*counts[2] == 0 {
			return "not all upstreams were used"
		}
		return ""
	}
	even := func(counts []int64) string {
		for _, c := range counts {
			if c < n/3 || c > n/3+1 {
				return "the upstreams were not used evenly"
			}
		}
		return ""
	}
	one := func(counts []int64) string {
		if counts[0] != n && counts[1] != n && counts[2] != n {
			return "more than one upstream was used"
		}
		return ""
	}
	whatever := func([]int64) string { return "" }
	expect := map[string]func([]int64) string{
		"round_robin": even,
		"weighted_round_robin": func(counts []int64) string {
			if counts[0] != 10 || counts[1] != 4 || counts[2] != 2 {
				return "not in proportion to the weights"
			}
			return ""
		},
		"random":        whatever,
		"random_choose": whatever,
		"least_conn":    whatever,
		"least_time": func(counts []int64) string {
			if counts[0] < n-4 {
				return "the fastest was not preferred"
			}
			return all(counts) // each was tried
		},
		"first": func(counts []int64) string {
			if counts[0] != n {
				return "not the first"
			}
			return ""
		},
		"client_ip_hash": one,
		"uri_hash":       one,
		"query":          one,
		"header":         one,
		"cookie":         one,
	}
	seen := map[string]bool{}
	for i, policy := range documented(t) {
		name := strings.Fields(policy)[1]
		seen[name] = true
		t.Run(fmt.Sprintf("%02d %s", i, name), func(t *testing.T) {
			check, ok := expect[name]
			if !ok {
				t.Fatal("the page shows a policy that no test knows")
			}
			var counts [3]atomic.Int64
			_, first := origin(t, slow("", 0, &counts[0]))
			delay := time.Duration(0)
			if strings.Contains(policy, "least_time") {
				delay = 200 * ms
			}
			_, second := origin(t, slow("", delay, &counts[1]))
			_, third := origin(t, slow("", delay, &counts[2]))
			base := serve(t, fmt.Sprintf("reverse_proxy %s %s %s {\n%s\n}", first, second, third, policy))

			cookie := ""
			for range n {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/?user=7", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("X-User", "7")
				if cookie != "" {
					r.Header.Set("Cookie", cookie)
				}
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status %d", resp.StatusCode)
				}
				if set := resp.Header.Get("Set-Cookie"); set != "" {
					cookie, _, _ = strings.Cut(set, ";")
				}
			}
			got := []int64{counts[0].Load(), counts[1].Load(), counts[2].Load()}
			if problem := check(got); problem != "" {
				t.Errorf("%s: %v", problem, got)
			}
		})
	}
	for name := range expect {
		if !seen[name] {
			t.Errorf("the page does not show %s", name)
		}
	}
}

// TestDocumentedJSON loads the handler's fields that the page shows.
func TestDocumentedJSON(t *testing.T) {
	page, err := os.ReadFile("../docs/balancing.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n\\{(.*?)\\}\n```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) == 0 {
		t.Fatal("the page shows no JSON")
	}
	var n atomic.Int64
	_, address := origin(t, slow("", 0, &n))
	for _, block := range blocks {
		mustGet(t, load(t, proxyJSON(","+block[1], address)))
	}
}
