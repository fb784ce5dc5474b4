package cache

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dustin/go-humanize"
)

// documentation is docs/cache.md, whose tables and lists say what the code does.
func documentation(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../docs/cache.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// marked returns the text between a mark of the page and the next end.
func marked(t *testing.T, text, mark string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "<!-- "+mark+" -->\n")
	body, _, ended := strings.Cut(rest, "<!-- end -->\n")
	if !ok || !ended {
		t.Fatalf("docs/cache.md has no part marked %q", mark)
	}
	return body
}

// rowsOf returns the cells of the table's rows, without head and rule.
func rowsOf(table string) (rows [][]string) {
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		rows = append(rows, cells)
	}
	return rows[min(2, len(rows)):]
}

func TestDocumentedWords(t *testing.T) {
	text := documentation(t)
	var phases []string
	for p := range PhaseCount {
		phases = append(phases, p.String())
	}
	var documented []string
	for _, row := range rowsOf(marked(t, text, "phases")) {
		documented = append(documented, row[0])
	}
	if !slices.Equal(documented, phases) {
		t.Errorf("documented are the phases %v, there are %v", documented, phases)
	}
	var reasons [][2]string
	for r := range reasonCount {
		reasons = append(reasons, [2]string{r.String(), r.Forward().String()})
	}
	var said [][2]string
	for _, row := range rowsOf(marked(t, text, "reasons")) {
		said = append(said, [2]string{row[0], row[1]})
		if row[2] == "" {
			t.Errorf("%s has no meaning", row[0])
		}
	}
	if !slices.Equal(said, reasons) {
		for i := range max(len(said), len(reasons)) {
			if i >= len(said) || i >= len(reasons) || said[i] != reasons[i] {
				t.Fatalf("from row %d on documented is %v, there is %v", i+1, said[min(i, len(said)):], reasons[min(i, len(reasons)):])
			}
		}
	}
}

func TestDocumentedLists(t *testing.T) {
	text := documentation(t)
	code := regexp.MustCompile("`([^`]+)`")
	for mark, list := range map[string][]string{
		"list: bypass paths":    DefaultBypassPaths(),
		"list: bypass queries":  DefaultBypassQueries(),
		"list: dropped queries": DefaultDropQuery(),
	} {
		var documented []string
		for _, match := range code.FindAllStringSubmatch(marked(t, text, mark), -1) {
			documented = append(documented, match[1])
		}
		if !slices.Equal(documented, list) {
			t.Errorf("%s: documented is %q, the default is %q", mark, documented, list)
		}
	}
}

func TestDocumentedBounds(t *testing.T) {
	size := func(n int64) string { return humanize.IBytes(uint64(n)) }
	want := map[string]any{
		"one stored body": size(DefaultMaxBodyBytes) + "; 2.0 GiB with a disk",
		"body of a fetch in memory, then in a file without a name":                         size(DefaultSpillBytes),
		"window of a body that is too large to hold; a reader that falls out of it is cut": size(DefaultWindowBytes),
		"distance of a range from what has arrived of a body":                              size(DefaultRangeAheadBytes),
		"fetches at once":      DefaultMaxFlights,
		"clients of one fetch": DefaultMaxFollowers,
		"fetches of a whole body at once because a part of it was asked for":                   DefaultMaxFills,
		"fetches that one request waits for":                                                   maxFlightsWaited,
		"time without a byte until another fetch is started":                                   DefaultStall,
		"time that requests for a URL are not collapsed after an answer for one user":          DefaultHitForMiss,
		"URLs that are marked so":                                                              DefaultMaxMarks,
		"lifetime of an answer whose end nothing proves (FastCGI)":                             DefaultUnverifiedLifetime,
		"lifetime of a server error that the site states":                                      maxErrorLifetime,
		"estimated lifetime":                                                                   maxHeuristic,
		"stale responses while the site cannot be reached":                                     DefaultDisconnected,
		"fields that a response varies on":                                                     maxVaryFields,
		"header of a stored response":                                                          size(maxStoredHeaderBytes),
		"tags of a response":                                                                   MaxTags,
		"purged paths, URLs, and as many tags, that are remembered singly; then their parents": DefaultMaxPurges,
		"path of a purge, with its query; past it what lies above is purged":                   fmt.Sprintf("%s; %d segments of a prefix", size(maxPurgePathBytes), maxPurgeDepth),
		"bodies that are coded for visitors: not below, nor known to be above":                 size(minCodedBytes) + "; " + size(maxCodedBytes),
		"ranges of one request":                                                                maxRanges,
		"memory of a store":                                                                    "256 MiB", // set by the app
		"memory of fetches under way":                                                          "a quarter of the store's",
	}
	table := rowsOf(marked(t, documentation(t), "bounds"))
	for _, row := range table {
		value, known := want[row[0]]
		if !known {
			t.Errorf("%q is documented and not known", row[0])
		} else if row[1] != fmt.Sprint(value) {
			t.Errorf("%q: documented is %s, it is %v", row[0], row[1], value)
		}
		delete(want, row[0])
	}
	for name := range want {
		t.Errorf("%q is not documented", name)
	}
}
