package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var compareEntries = cmp.AllowUnexported(entry{})

func TestTextLedger(t *testing.T) {
	const text = "# Two lines\n# of a head.\n\n[cc-parse]\nfreshness-none pass fail # because\n[status]\nstatus-200   yes\tno\n"
	l, err := parseText([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := ledger{
		{group: "cc-parse", id: "freshness-none", verdicts: [2]verdict{pass, fail}, note: "because"},
		{group: "status", id: "status-200", verdicts: [2]verdict{yes, no}},
	}
	if diff := cmp.Diff(want, l, compareEntries); diff != "" {
		t.Fatal(diff)
	}
	written := l.text(textHead([]byte(text)))
	if !strings.HasPrefix(string(written), "# Two lines\n# of a head.\n\n[cc-parse]\n") {
		t.Errorf("head is lost: %s", written)
	}
	if again, err := parseText(written); err != nil || !cmp.Equal(again, l, compareEntries) {
		t.Errorf("reads back as %v, %v", again, err)
	}
	for _, bad := range []string{"id pass", "id pass ", "id good pass", "[open pass"} {
		if _, err := parseText([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestPageLedger(t *testing.T) {
	l := ledger{
		{group: "status", id: "status-200-fresh", kind: required, verdicts: [2]verdict{pass, pass}},
		{group: "method", id: "method-POST", kind: optimal, verdicts: [2]verdict{fail, fail}, note: "`POST` is no page"},
	}
	page, err := l.page([]byte("# Title\n\n" + pageBegin + "old\n" + pageEnd + "\nThe end.\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(page), "# Title\n") || !strings.HasSuffix(string(page), "\nThe end.\n") || strings.Contains(string(page), "old") {
		t.Errorf("the page around the table: %s", page)
	}
	if got, err := parsePage(page); err != nil || !cmp.Equal(got, l, compareEntries) {
		t.Errorf("reads back as %v, %v", got, err)
	}
	if again, err := l.page(page); err != nil || string(again) != string(page) {
		t.Errorf("not the same when written twice: %s, %v", again, err)
	}
	for _, bad := range []string{"", pageBegin, pageEnd, pageBegin + "| a | `id` | check | perhaps | no | |\n" + pageEnd} {
		if _, err := parsePage([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestDifferences(t *testing.T) {
	l := ledger{
		{id: "same", verdicts: [2]verdict{pass, fail}},
		{id: "worse", verdicts: [2]verdict{pass, pass}},
		{id: "gone", verdicts: [2]verdict{pass, pass}},
	}
	got := l.differences(0, map[string]verdict{"same": pass, "worse": fail, "new": yes})
	want := map[string]string{
		"worse": "worse: fail, committed is pass",
		"gone":  "gone: is gone from the suite",
		"new":   "new: yes, but no verdict is committed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := l.differences(1, map[string]verdict{"same": fail, "worse": pass, "gone": pass}); len(got) != 0 {
		t.Errorf("differences of the second mode: %v", got)
	}
}

// TestNotes holds the committed lists to the claim that each miss of what is
// asked for says why.
func TestNotes(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := pageFile(filepath.Join(root, "docs", "conformance.md")).read()
	if err != nil {
		t.Fatal(err)
	}
	text, err := textFile("verdicts-" + packageVersion + ".txt").read()
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]ledger{"docs/conformance.md": page, "verdicts-" + packageVersion + ".txt": text} {
		if len(l) < 300 {
			t.Errorf("%s has %d verdicts only", name, len(l))
		}
		for _, e := range l {
			missed := e.verdicts[0] != pass
			if e.kind == "" { // in the text ledger only this verdict tells the kind
				missed = e.verdicts[0] == fail
			}
			if missed && e.kind != check && e.note == "" {
				t.Errorf("%s: %s is %s and nothing says why", name, e.id, e.verdicts[0])
			}
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("[g]\nid pass fail # note\n")
	f.Add("# head\n\n[g]\nid yes no\n[]\nx setup retry\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseText([]byte(text))
		if err != nil {
			return
		}
		for _, e := range l {
			if strings.ContainsAny(e.note, "\r\x00") || !isPlain(e.group+e.id+e.note) {
				return // white space that a line does not keep
			}
		}
		again, err := parseText(l.text(""))
		if err != nil || !cmp.Equal(again, l, compareEntries) {
			t.Errorf("%q reads back as %v, %v", text, again, err)
		}
	})
}

// isPlain tells whether s is printable ASCII.
func isPlain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func FuzzPage(f *testing.F) {
	f.Add(pageBegin + "| g | `id` | check | yes | no | note |\n" + pageEnd)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parsePage([]byte(text))
		if err != nil {
			return
		}
		page, err := l.page([]byte(text))
		if err != nil {
			t.Fatalf("%q is read but not written: %v", text, err)
		}
		if _, err := parsePage(page); err != nil {
			t.Errorf("%q does not read back: %v", page, err)
		}
	})
}
