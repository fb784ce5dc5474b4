package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOrderOfARound(t *testing.T) {
	for _, c := range []struct {
		name           string
		targets, round int
		paired         bool
		want           []int
	}{
		{"paired", 4, 0, true, []int{0, 1, 1, 0, 1, 0, 0, 1, 2, 3}},
		{"paired, next", 4, 1, true, []int{1, 0, 0, 1, 0, 1, 1, 0, 3, 2}},
		{"the pair alone", 2, 0, true, []int{0, 1, 1, 0, 1, 0, 0, 1}},
		{"in turn", 3, 1, false, []int{1, 2, 0}},
		{"nobody", 0, 0, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := order(c.targets, c.round, c.paired); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestSendingAsArguments(t *testing.T) {
	want := sending{proto: h3, address: "127.0.0.1:1", accept: browser, url: "https://example.com/blog/page", new: "x-", requests: 7}
	got, err := parse(want.args())
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, bad := range [][]string{nil, {loadWord}, {loadWord, "x", "", "", "", "", "1"}, {loadWord, "0", "", "", "", "", "x"}} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTableAndGoals(t *testing.T) {
	runs := func(each ...int) (list []run) {
		for _, ms := range each {
			list = append(list, run{requests: 1000, cpu: time.Duration(ms) * time.Millisecond})
		}
		return list
	}
	results := []*result{
		{target: floorName, runs: runs(90, 100, 80), wire: 10},
		{target: oursName, runs: runs(100, 100, 100), wire: 10},
		{target: oneTierName, runs: runs(1000, 1000, 1000), wire: 12},
	}
	w := workload{name: "hit"}
	if got := table(w, results); !strings.Contains(got, "### Hit\n") || !strings.Contains(got, "| mount           | 1000                       | 0.90        | 0.80       |") {
		t.Errorf("table:\n%s", got)
	}
	want := "| hit: mount to floor | 0.90 | 0.80 |\n| hit: mount to nginx, one tier | 10.00 | 10.00 |\n"
	if got := goal(w, results); got != want {
		t.Errorf("goals:\n%swant\n%s", got, want)
	}
}

func TestPublish(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	for _, c := range []struct{ name, before, want string }{
		{"between the marks", "a\n" + beginMark + "old\n" + endMark + "b\n", "a\n" + beginMark + "new\n" + endMark + "b\n"},
		{"no marks", "a\n", ""},
		{"no end", "a\n" + beginMark, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(c.before), 0o600); err != nil {
				t.Fatal(err)
			}
			err := publish(file, "new")
			if c.want == "" {
				if err == nil {
					t.Error("no error")
				}
				return
			}
			if got, _ := os.ReadFile(file); err != nil || string(got) != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestMissingToolsAreNamedWithTheirPackages(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := tools()
	if err == nil {
		t.Fatal("nothing is missing")
	}
	for _, want := range []string{"taskset, h2load, strace: not installed", "apt-get install util-linux nghttp2-client strace nginx varnish"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
