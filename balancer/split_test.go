package balancer

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func newTestSplit(t testing.TB, c SplitConfig) *Split {
	t.Helper()
	if c.Name == "" {
		c.Name = "test"
	}
	if c.Variants == nil {
		c.Variants = []SplitVariant{{Label: "a", Weight: 50}, {Label: "b", Weight: 30}, {Label: "c", Weight: 20}}
	}
	s, err := NewSplit(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func weighted(weights ...int) []SplitVariant {
	var variants []SplitVariant
	for i, w := range weights {
		variants = append(variants, SplitVariant{Label: string(rune('a' + i)), Weight: w})
	}
	return variants
}

const visitors = 100_000

func TestAssignShares(t *testing.T) {
	ids := map[string]func(i int) string{
		"random":     func(int) string { return newID() },
		"sequential": strconv.Itoa,
		"addresses":  func(i int) string { return "i10.0." + strconv.Itoa(i/256) + "." + strconv.Itoa(i%256) },
	}
	for name, id := range ids {
		t.Run(name, func(t *testing.T) {
			s, counts := newTestSplit(t, SplitConfig{}), map[string]int{}
			for i := range visitors {
				counts[s.Assign(id(i)).Label]++
			}
			for label, want := range map[string]float64{"a": 0.5, "b": 0.3, "c": 0.2} {
				within(t, "share of "+label, float64(counts[label])/visitors, want-0.01, want+0.01)
			}
		})
	}
}

func TestAssignMoves(t *testing.T) {
	tests := []struct {
		name          string
		before, after []int
		moved         float64         // share of visitors
		allowed       map[string]bool // "ab": from a to b
	}{
		{"nothing", []int{50, 30, 20}, []int{50, 30, 20}, 0, nil},
		{"the same in other numbers", []int{50, 30, 20}, []int{500, 300, 200}, 0, nil},
		{"more for one", []int{50, 50}, []int{60, 40}, 0.1, map[string]bool{"ba": true}},
		{"one is retired", []int{50, 30, 20}, []int{50, 30, 0}, 0.2, map[string]bool{"ca": true, "cb": true}},
		{"one is new", []int{50, 50}, []int{50, 50, 25}, 0.2, map[string]bool{"ac": true, "bc": true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := newTestSplit(t, SplitConfig{Variants: weighted(tt.before...)})
			after := newTestSplit(t, SplitConfig{Variants: weighted(tt.after...)})
			moved := 0
			for i := range visitors {
				id := strconv.Itoa(i)
				from, to := before.Assign(id).Label, after.Assign(id).Label
				if from == to {
					continue
				}
				if moved++; !tt.allowed[from+to] {
					t.Fatalf("visitor %s moved from %s to %s", id, from, to)
				}
			}
			within(t, "share that moved", float64(moved)/visitors, tt.moved-0.01, tt.moved+0.01)
		})
	}
}

// TestAssignIsStable holds the assignment over releases.
func TestAssignIsStable(t *testing.T) {
	s := newTestSplit(t, SplitConfig{Name: "homepage"})
	var got strings.Builder
	for i := range 40 {
		got.WriteString(s.Assign(strconv.Itoa(i)).Label)
	}
	const want = "aabaabcaaabacacbaabbabcaaabacaaacaaaabbb"
	if got.String() != want {
		t.Errorf("assigned %s, want %s", got.String(), want)
	}
}

func TestSplitsAreIndependent(t *testing.T) {
	one := newTestSplit(t, SplitConfig{Name: "one", Variants: weighted(1, 1)})
	two := newTestSplit(t, SplitConfig{Name: "two", Variants: weighted(1, 1)})
	both := 0
	for i := range visitors {
		id := strconv.Itoa(i)
		if one.Assign(id).Label == "a" && two.Assign(id).Label == "a" {
			both++
		}
	}
	within(t, "share in a of both", float64(both)/visitors, 0.24, 0.26)
}

func TestNewSplitErrors(t *testing.T) {
	tests := []struct {
		name   string
		config SplitConfig
		want   string
	}{
		{"no name", SplitConfig{Variants: weighted(1, 1)}, "the name must be"},
		{"name with space", SplitConfig{Name: "a b", Variants: weighted(1, 1)}, "the name must be"},
		{"no variants", SplitConfig{Name: "s"}, "2 to 64 variants, not 0"},
		{"one variant", SplitConfig{Name: "s", Variants: weighted(1)}, "2 to 64 variants, not 1"},
		{"too many", SplitConfig{Name: "s", Variants: make([]SplitVariant, 65)}, "2 to 64 variants, not 65"},
		{"no label", SplitConfig{Name: "s", Variants: make([]SplitVariant, 2)}, `label ""`},
		{"label with a line break", SplitConfig{Name: "s", Variants: []SplitVariant{{Label: "a\n", Weight: 1}, {Label: "b"}}}, `label "a\n"`},
		{"label twice", SplitConfig{Name: "s", Variants: []SplitVariant{{Label: "a", Weight: 1}, {Label: "a"}}}, "variant a is given twice"},
		{"negative weight", SplitConfig{Name: "s", Variants: weighted(1, -1)}, "variant b: the weight must be"},
		{"huge weight", SplitConfig{Name: "s", Variants: weighted(1, maxWeight+1)}, "variant b: the weight must be"},
		{"all weights zero", SplitConfig{Name: "s", Variants: weighted(0, 0)}, "all weights are zero"},
		{"upstreams of one only", SplitConfig{Name: "s", Variants: []SplitVariant{{Label: "a", Weight: 1, Upstreams: []string{"x:80"}}, {Label: "b"}}}, "variant b: either all"},
		{"upstreams of the other only", SplitConfig{Name: "s", Variants: []SplitVariant{{Label: "a", Weight: 1}, {Label: "b", Upstreams: []string{"x:80"}}}}, "variant b: either all"},
		{"upstream twice", SplitConfig{Name: "s", Variants: []SplitVariant{{Label: "a", Weight: 1, Upstreams: []string{"x:80", "x:80"}}, {Label: "b", Upstreams: []string{"y:80"}}}}, `upstream "x:80"`},
		{"empty upstream", SplitConfig{Name: "s", Variants: []SplitVariant{{Label: "a", Weight: 1, Upstreams: []string{""}}, {Label: "b", Upstreams: []string{"y:80"}}}}, `upstream ""`},
		{"unknown by", SplitConfig{Name: "s", Variants: weighted(1, 1), By: "luck"}, `not "luck"`},
		{"header without field", SplitConfig{Name: "s", Variants: weighted(1, 1), By: ByHeader}, `"" is not the name of a request field`},
		{"field without header", SplitConfig{Name: "s", Variants: weighted(1, 1), Field: "X"}, "reads no request field"},
		{"cookie without cookie", SplitConfig{Name: "s", Variants: weighted(1, 1), By: ByIP, CookieName: "c"}, "has no cookie"},
		{"secret without cookie", SplitConfig{Name: "s", Variants: weighted(1, 1), By: ByIP, Secrets: []string{"0123456789abcdef"}}, "has no cookie"},
		{"bad cookie name", SplitConfig{Name: "s", Variants: weighted(1, 1), CookieName: "a=b"}, "not the name of a cookie"},
		{"short secret", SplitConfig{Name: "s", Variants: weighted(1, 1), Secrets: []string{"short"}}, "at least 16 bytes"},
		{"negative age", SplitConfig{Name: "s", Variants: weighted(1, 1), CookieAge: caddy.Duration(-time.Hour)}, "a second or more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewSplit(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestGroupsOfSplit(t *testing.T) {
	if g := newTestSplit(t, SplitConfig{}).Groups(); g != nil {
		t.Errorf("groups %v of variants without upstreams", g)
	}
	variants := weighted(1, 0)
	variants[0].Upstreams, variants[1].Upstreams = []string{"x:80"}, []string{"y:80", "z:80"}
	g := newTestSplit(t, SplitConfig{Variants: variants}).Groups()
	if len(g) != 2 || len(g["a"]) != 1 || len(g["b"]) != 2 {
		t.Errorf("groups %v", g)
	}
}

// FuzzAssign assigns any id: always to a variant that has weight.
func FuzzAssign(f *testing.F) {
	f.Add("", 1, 0)
	f.Add("x", 0, 1)
	f.Fuzz(func(t *testing.T, id string, a, b int) {
		s, err := NewSplit(SplitConfig{Name: "fuzz", Variants: weighted(a, b)})
		if err != nil {
			return
		}
		if v := s.Assign(id); v.Weight <= 0 || v.Weight > math.MaxInt32 {
			t.Errorf("assigned %+v", v)
		}
	})
}

func BenchmarkAssign(b *testing.B) {
	s, id := newTestSplit(b, SplitConfig{}), newID()
	b.ReportAllocs()
	for b.Loop() {
		s.Assign(id)
	}
}
