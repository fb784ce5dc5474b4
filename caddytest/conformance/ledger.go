package main

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A mode is a configuration that the suite is run against.
type mode struct {
	name    string
	options string // in the block of the mount
}

// modes are the columns of every ledger.
var modes = [...]mode{
	{"default", ""},
	{"heuristic", "cache {\n\t\t\theuristic on\n\t\t}"},
}

// entry is what a ledger says of one test.
type entry struct {
	group, id, kind string // group and kind are for readers; a text ledger has no kind
	verdicts        [len(modes)]verdict
	note            string // why the verdict is what it is; written by people
}

// ledger holds verdicts in the order of the suite.
type ledger []entry

// newLedger makes a ledger of runs, one a mode, with the notes of an older one.
func newLedger(tests []test, judged [len(modes)]map[string]verdict, old ledger) ledger {
	notes := make(map[string]string)
	for _, e := range old {
		notes[e.id] = e.note
	}
	var l ledger
	for _, t := range tests {
		e := entry{group: t.Group, id: t.ID, kind: t.Kind, note: notes[t.ID]}
		for i := range modes {
			e.verdicts[i] = judged[i][t.ID]
		}
		l = append(l, e)
	}
	return l
}

// differences says in what the verdicts of one mode are not those of the ledger:
// a sentence for each id.
func (l ledger) differences(mode int, judged map[string]verdict) map[string]string {
	found := make(map[string]string)
	known := make(map[string]bool, len(l))
	for _, e := range l {
		known[e.id] = true
		switch got, ran := judged[e.id]; {
		case !ran:
			found[e.id] = fmt.Sprintf("%s: is gone from the suite", e.id)
		case got != e.verdicts[mode]:
			found[e.id] = fmt.Sprintf("%s: %s, committed is %s", e.id, got, e.verdicts[mode])
		}
	}
	for id, v := range judged {
		if !known[id] {
			found[id] = fmt.Sprintf("%s: %s, but no verdict is committed", id, v)
		}
	}
	return found
}

// parseText reads a text ledger:
//
//	[group]
//	id  verdict  # note
//
// with a verdict for each mode. Lines that begin with "#" are comments.
func parseText(data []byte) (ledger, error) {
	var l ledger
	group := ""
	n := 0
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		n++
		line, note, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case len(words) == 1 && strings.HasPrefix(words[0], "[") && strings.HasSuffix(words[0], "]"):
			group = strings.Trim(words[0], "[]")
			continue
		case len(words) != 1+len(modes):
			return nil, fmt.Errorf("line %d: expected an id and %d verdicts", n, len(modes))
		}
		e := entry{group: group, id: words[0], note: strings.TrimSpace(note)}
		for i, word := range words[1:] {
			v, err := parseVerdict(word)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			e.verdicts[i] = v
		}
		l = append(l, e)
	}
	return l, nil
}

func parseVerdict(word string) (verdict, error) {
	if v := verdict(word); slices.Contains(verdicts, v) {
		return v, nil
	}
	return "", fmt.Errorf("%q is no verdict; expected one of %v", word, verdicts)
}

// text writes a text ledger below the comment lines that head has.
func (l ledger) text(head string) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	group := ""
	for _, e := range l {
		if e.group != group {
			group = e.group
			fmt.Fprintf(&b, "\n[%s]\n", group)
		}
		line := fmt.Sprintf("%-56s", e.id)
		for _, v := range e.verdicts {
			line += fmt.Sprintf(" %-10s", v)
		}
		if e.note != "" {
			line += " # " + e.note
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.Bytes()
}

// textHead returns the comment lines that a text ledger begins with.
func textHead(data []byte) string {
	var head strings.Builder
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		head.WriteString(line)
	}
	return head.String()
}

// The lines of a page between which its ledger stands.
const (
	pageBegin = "<!-- verdicts: written by the program, but for the last column -->\n"
	pageEnd   = "<!-- end of verdicts -->\n"
)

// parsePage reads the ledger of a Markdown page: the rows of the table between
// its marks whose second cell is code.
func parsePage(data []byte) (ledger, error) {
	_, rest, ok := strings.Cut(string(data), pageBegin)
	table, _, ok2 := strings.Cut(rest, pageEnd)
	if !ok || !ok2 {
		return nil, fmt.Errorf("the page has no table between %q and %q", strings.TrimSpace(pageBegin), strings.TrimSpace(pageEnd))
	}
	var l ledger
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 4+len(modes) || len(cells[1]) < 3 || cells[1][0] != '`' {
			continue
		}
		e := entry{group: cells[0], id: strings.Trim(cells[1], "`"), kind: cells[2], note: cells[len(cells)-1]}
		for i := range modes {
			v, err := parseVerdict(cells[3+i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.id, err)
			}
			e.verdicts[i] = v
		}
		l = append(l, e)
	}
	return l, nil
}

// page returns the page with this ledger in the place of its own.
func (l ledger) page(data []byte) ([]byte, error) {
	before, rest, ok := strings.Cut(string(data), pageBegin)
	_, after, ok2 := strings.Cut(rest, pageEnd)
	if !ok || !ok2 {
		return nil, fmt.Errorf("the page has no table to replace")
	}
	var b strings.Builder
	b.WriteString(before + pageBegin + "\n")
	l.writeTotals(&b)
	b.WriteString("\n| group | id | kind |")
	for _, m := range modes {
		b.WriteString(" " + m.name + " |")
	}
	b.WriteString(" why |\n|---|---|---|" + strings.Repeat("---|", len(modes)) + "---|\n")
	for _, e := range l {
		fmt.Fprintf(&b, "| %s | `%s` | %s |", e.group, e.id, e.kind)
		for _, v := range e.verdicts {
			fmt.Fprintf(&b, " %s |", v)
		}
		fmt.Fprintf(&b, " %s |\n", e.note)
	}
	b.WriteString("\n" + pageEnd + after)
	return []byte(b.String()), nil
}

// writeTotals writes a table of how many tests of each kind have each verdict.
func (l ledger) writeTotals(b *strings.Builder) {
	b.WriteString("| kind | tests |")
	for _, m := range modes {
		b.WriteString(" " + m.name + " |")
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(modes)) + "\n")
	for _, kind := range []string{required, optimal, check} {
		total := 0
		for _, e := range l {
			if e.kind == kind {
				total++
			}
		}
		fmt.Fprintf(b, "| %s | %d |", kind, total)
		for i := range modes {
			fmt.Fprintf(b, " %s |", l.totals(i, kind))
		}
		b.WriteString("\n")
	}
}

// totals says how many tests of a kind have which verdict in a mode: "158 pass, 2 setup".
func (l ledger) totals(mode int, kind string) string {
	counts := make(map[verdict]int)
	for _, e := range l {
		if e.kind == kind {
			counts[e.verdicts[mode]]++
		}
	}
	var parts []string
	for _, v := range verdicts {
		if n := counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(parts, ", ")
}
