package cache

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memoryJournal is a Journal that survives a Ledger, not the process.
type memoryJournal struct {
	kept     []Purge
	rewrites int
	broken   error
}

func (j *memoryJournal) Load() ([]Purge, error) { return slices.Clone(j.kept), j.broken }
func (j *memoryJournal) Append(p Purge) error {
	if j.broken == nil {
		j.kept = append(j.kept, p)
	}
	return j.broken
}

func (j *memoryJournal) Rewrite(ps []Purge) error {
	j.rewrites++
	j.kept = slices.Clone(ps)
	return j.broken
}

func TestPurgeCovers(t *testing.T) {
	m := &Meta{Mount: "m", Host: "example.com", Path: "/blog/2026/post/", Query: "p=1", Tags: []string{"a", "b"}}
	for _, c := range []struct {
		name  string
		purge Purge
		want  bool
	}{
		{"all", Purge{Scope: ScopeAll}, true},
		{"url", Purge{Scope: ScopeURL, Path: "/blog/2026/post/", Query: "p=1"}, true},
		{"url of the host", Purge{Scope: ScopeURL, Host: "example.com", Path: "/blog/2026/post/", Query: "p=1"}, true},
		{"url of another host", Purge{Scope: ScopeURL, Host: "www.example.com", Path: "/blog/2026/post/", Query: "p=1"}, false},
		{"url with another query", Purge{Scope: ScopeURL, Path: "/blog/2026/post/"}, false},
		{"url above", Purge{Scope: ScopeURL, Path: "/blog/2026/"}, false},
		{"prefix", Purge{Scope: ScopePrefix, Path: "/blog/2026"}, true},
		{"prefix with slash", Purge{Scope: ScopePrefix, Path: "/blog/2026/"}, true},
		{"prefix itself", Purge{Scope: ScopePrefix, Path: "/blog/2026/post"}, true},
		{"prefix below", Purge{Scope: ScopePrefix, Path: "/blog/2026/post/x"}, false},
		{"prefix ends in a segment", Purge{Scope: ScopePrefix, Path: "/blog/20"}, false},
		{"prefix root", Purge{Scope: ScopePrefix, Path: "/"}, true},
		{"prefix root of the host", Purge{Scope: ScopePrefix, Host: "example.com", Path: "/"}, true},
		{"prefix root of another host", Purge{Scope: ScopePrefix, Host: "other", Path: "/"}, false},
		{"tag", Purge{Scope: ScopeTag, Tag: "b"}, true},
		{"other tag", Purge{Scope: ScopeTag, Tag: "c"}, false},
	} {
		for _, soft := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s soft=%v", c.name, soft), func(t *testing.T) {
				l, err := NewLedger(nil, 0)
				if err != nil {
					t.Fatal(err)
				}
				c.purge.Mount, c.purge.Soft = "m", soft
				n, err := l.Purge(c.purge, epoch)
				if err != nil || n != 1 || l.Last() != 1 {
					t.Fatalf("number %d, last %d, error %v", n, l.Last(), err)
				}
				k := l.forMount("m").covering(m)
				if got := (k.hard == 1 || k.soft == 1); got != c.want || c.want && (k.soft == 1) != soft {
					t.Fatalf("covered by %+v, want %v", k, c.want)
				}
				if k := l.forMount("other").covering(m); k != (mark{}) {
					t.Fatalf("another mount is covered by %+v", k)
				}
			})
		}
	}
}

// A purge covers every spelling of a path (RFC 3986 section 6.2.2): a plugin of
// WordPress says "%c3%a9" where a browser writes "%C3%A9". Also after a restart.
func TestPurgeSpellings(t *testing.T) {
	for _, c := range []struct {
		purged, stored string
		want           bool
	}{
		{"/blog/caf%c3%a9/", "/blog/caf%C3%A9/", true},
		{"/blog/caf%C3%A9/", "/blog/caf%c3%a9/", true},
		{"/blog/caf%C3%A9/", "/blog/caf%C3%A8/", false},
		{"/blog/p1", "/blog/%70%31", true},
		{"/blog/%701", "/blog/p1", true},
		{"/blog/~a", "/blog/%7ea", true},
		{"/blog/a(b)", "/blog/a%28b%29", true},
		{"/blog/a%2fb", "/blog/a%2Fb", true},
		{"/blog/a/b", "/blog/a%2Fb", false},
		{"/blog/a%25b", "/blog/a%25b", true},
		{"/blog/a%2541", "/blog/aA", false},
		{"/blog/%ff", "/blog/%FF", true},
		{"/blog/%fe", "/blog/%FF", false},
		{"/blog/a%20b", "/blog/a%20b", true},
		{"/blog/a%zzb%4", "/blog/a%zzb%4", true},
	} {
		for _, scope := range []Scope{ScopeURL, ScopePrefix} {
			j := &memoryJournal{}
			l, _ := NewLedger(j, 0)
			if _, err := l.Purge(Purge{Mount: "m", Scope: scope, Path: c.purged, Host: "example.com"}, epoch); err != nil {
				t.Fatal(err)
			}
			covered := func() bool {
				return l.forMount("m").covering(&Meta{Mount: "m", Host: "example.com", Path: c.stored}).hard == 1
			}
			if covered() != c.want {
				t.Errorf("%v %s covers %s: %v", scope, c.purged, c.stored, !c.want)
			}
			l.save()
			if l, _ = NewLedger(j, 0); covered() != c.want {
				t.Errorf("after a restart %v %s covers %s: %v", scope, c.purged, c.stored, !c.want)
			}
		}
	}
}

// TestLedgerAgainstList compares the tables with a plain list of purges: exact as
// long as they are not full, never less than the list afterwards, also after a
// restart and after the journal was rewritten.
func TestLedgerAgainstList(t *testing.T) {
	for _, limit := range []int{0, 8} {
		for seed := range uint64(30) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			j := &memoryJournal{}
			l, _ := NewLedger(j, limit)
			var list []Purge
			for step := range 120 {
				p := randomPurge(rnd)
				n, err := l.Purge(p, epoch.Add(time.Duration(step)*time.Second))
				if err != nil {
					t.Fatal(err)
				}
				p.Number = n
				list = append(list, p)
				switch rnd.IntN(20) {
				case 0:
					l, _ = NewLedger(j, limit)
				case 1:
					j.Rewrite(l.snapshot())
				}
				if l.Last() != n {
					t.Fatalf("limit %d seed %d: last %d, want %d", limit, seed, l.Last(), n)
				}
				m := randomMeta(rnd)
				got, want := l.forMount("m").covering(m), listCovering(list, m)
				if got.hard < want.hard || max(got.soft, got.hard) < want.soft || got.at.Before(want.at) {
					t.Fatalf("limit %d seed %d step %d: %+v forgets %+v for %+v", limit, seed, step, got, want, m)
				}
				if limit == 0 && (got.hard != want.hard || max(got.soft, got.hard) != max(want.soft, want.hard)) {
					t.Fatalf("seed %d step %d: %+v, want %+v for %+v", seed, step, got, want, m)
				}
				if n := l.Count("m"); limit > 0 && n > 2*limit {
					t.Fatalf("%d marks with a limit of %d", n, limit)
				}
			}
		}
	}
}

func randomPath(rnd *rand.Rand) string {
	p := ""
	for range rnd.IntN(5) {
		p += "/" + string(rune('a'+rnd.IntN(3)))
	}
	if p == "" || rnd.IntN(3) == 0 {
		p += "/"
	}
	return p
}

func randomPurge(rnd *rand.Rand) Purge {
	p := Purge{Mount: "m", Soft: rnd.IntN(2) == 0}
	switch rnd.IntN(12) {
	case 0:
		p.Scope = ScopeAll
	case 1, 2, 3:
		p.Scope, p.Tag = ScopeTag, fmt.Sprint(rnd.IntN(20))
	case 4, 5, 6, 7:
		p.Scope, p.Path = ScopePrefix, randomPath(rnd)
	default:
		p.Scope, p.Path = ScopeURL, randomPath(rnd)
	}
	if p.Path != "" && rnd.IntN(2) == 0 {
		p.Host = fmt.Sprint("h", rnd.IntN(2))
	}
	return p
}

func randomMeta(rnd *rand.Rand) *Meta {
	return &Meta{Mount: "m", Host: fmt.Sprint("h", rnd.IntN(2)), Path: randomPath(rnd), Tags: []string{fmt.Sprint(rnd.IntN(20))}}
}

// listCovering is what covering means, said plainly.
func listCovering(list []Purge, m *Meta) mark {
	var k mark
	for _, p := range list {
		hit := false
		switch p.Scope {
		case ScopeAll:
			hit = true
		case ScopeTag:
			hit = slices.Contains(m.Tags, p.Tag)
		case ScopePrefix:
			prefix := strings.TrimRight(p.Path, "/")
			hit = (m.Path == prefix || strings.HasPrefix(m.Path, prefix+"/")) && (p.Host == "" || p.Host == m.Host)
		case ScopeURL:
			hit = m.Path == p.Path && (p.Host == "" || p.Host == m.Host)
		}
		if hit {
			k.at = epoch // any
			if p.Soft {
				k.soft = p.Number
			} else {
				k.hard = p.Number
			}
		}
	}
	return k
}

func TestLedgerSavesBeforeItPurges(t *testing.T) {
	j := &memoryJournal{}
	l, _ := NewLedger(j, 0)
	l.Purge(Purge{Mount: "m", Scope: ScopeAll}, epoch)
	j.broken = errors.New("disk full")
	if n, err := l.Purge(Purge{Mount: "m", Scope: ScopeAll}, epoch); err == nil {
		t.Fatalf("purge %d acknowledged but not saved", n)
	}
	if l.Last() != 1 {
		t.Fatalf("a refused purge took number %d", l.Last())
	}
	if _, err := NewLedger(j, 0); err == nil {
		t.Fatal("a journal that cannot be read was taken for an empty one")
	}
}

func TestLedgerRewritesItsJournal(t *testing.T) {
	j := &memoryJournal{}
	l, _ := NewLedger(j, 0)
	for range 10_000 {
		if _, err := l.Purge(Purge{Mount: "m", Scope: ScopeURL, Path: "/a"}, epoch); err != nil {
			t.Fatal(err)
		}
	}
	if j.rewrites == 0 || len(j.kept) > 3000 {
		t.Fatalf("%d purges kept after %d rewrites", len(j.kept), j.rewrites)
	}
	l, _ = NewLedger(j, 0)
	if l.Last() != 10_000 || l.forMount("m").covering(&Meta{Path: "/a"}).hard != 10_000 {
		t.Fatalf("last is %d after a restart", l.Last())
	}
}

func TestPurgeTablesAreBounded(t *testing.T) {
	const limit = 1000
	l, _ := NewLedger(nil, limit)
	p := l.forMount("m")
	for i := range 100_000 {
		n, _ := l.Purge(Purge{Mount: "m", Scope: ScopePrefix, Path: fmt.Sprintf("/blog/%d/%d", i%100, i)}, epoch)
		if k := p.covering(&Meta{Host: "h", Path: fmt.Sprintf("/blog/%d/%d/x", i%100, i)}); k.hard < n {
			t.Fatalf("purge %d forgotten", n)
		}
	}
	if n := l.Count("m"); n > limit {
		t.Fatalf("%d marks", n)
	}
}

// looks counts the marks that a look-up for m looks at.
func looks(l *Ledger, m *Meta) (n int) {
	t := l.forMount("m")
	t.mu.RLock()
	defer t.mu.RUnlock()
	for range t.marksOver(m) {
		n++
	}
	return n
}

// TestLookUpsDoNotGrow purges 100,000 paths and as many tags: a look-up looks at as
// many marks as its path is deep and its tags are many, twice for the host, and
// never deeper than what was purged.
func TestLookUpsDoNotGrow(t *testing.T) {
	for _, limit := range []int{100, DefaultMaxPurges, 1_000_000} {
		l, _ := NewLedger(nil, limit)
		for i := range 100_000 {
			l.Purge(Purge{Mount: "m", Scope: ScopePrefix, Host: "h", Path: fmt.Sprintf("/blog/%d/%d", i%100, i)}, epoch)
			l.Purge(Purge{Mount: "m", Scope: ScopeTag, Tag: fmt.Sprint(i)}, epoch)
		}
		for _, c := range []struct {
			name string
			m    *Meta
			most int
		}{
			{"purged", &Meta{Host: "h", Path: "/blog/7/7", Tags: []string{"1", "2"}}, 1 + 2*(1+1+3) + 2},
			{"shallow", &Meta{Host: "h", Path: "/"}, 1 + 2*(1+1+1)},
			{"other host", &Meta{Host: "x", Path: "/blog/7/7"}, 1 + 2*(1+1+3)},
			{"deep", &Meta{Host: "h", Path: strings.Repeat("/a", 10_000)}, 1 + 2*(1+1+3)},
		} {
			if n := looks(l, c.m); n > c.most || n == 0 {
				t.Errorf("limit %d, %s: %d marks are looked at, want at most %d", limit, c.name, n, c.most)
			}
			if n := testing.AllocsPerRun(10, func() { l.forMount("m").covering(c.m) }); n > 0 {
				t.Errorf("limit %d, %s: a look-up allocates %v times", limit, c.name, n)
			}
		}
	}
}

// TestDeepPurge purges a path of a million segments: it is remembered by an
// ancestor, so that neither look-ups nor a full table walk that far.
func TestDeepPurge(t *testing.T) {
	deep := strings.Repeat("/a", 1_000_000)
	const limit = 100
	l, _ := NewLedger(nil, limit)
	for range 2 * limit {
		if _, err := l.Purge(Purge{Mount: "m", Scope: ScopePrefix, Path: deep}, epoch); err != nil {
			t.Fatal(err)
		}
	}
	if n := looks(l, &Meta{Host: "h", Path: deep}); n > 1+2*(2+maxPurgeDepth) {
		t.Errorf("%d marks are looked at", n)
	}
	long := strings.Repeat("x", 1<<20)
	l.Purge(Purge{Mount: "m", Scope: ScopeURL, Path: "/long/" + long, Query: long}, epoch)
	l.Purge(Purge{Mount: "m", Scope: ScopePrefix, Path: "/wide/a/" + long}, epoch)
	for _, path := range []string{"/long/" + long, "/long/x", "/wide/a/" + long, "/wide/a"} {
		if !l.covers(&Meta{Host: "h", Path: path, Query: long}) {
			t.Errorf("a long purge was forgotten: %.20s", path)
		}
	}
	for k := range l.forMount("m").prefixes {
		if len(k.path) > maxPurgePathBytes {
			t.Errorf("a path of %d bytes is remembered", len(k.path))
		}
	}
	if !l.covers(&Meta{Host: "h", Path: deep}) || !l.covers(&Meta{Host: "h", Path: deep + "/below"}) {
		t.Error("a deep purge was forgotten")
	}
	if l.covers(&Meta{Host: "h", Path: "/b"}) {
		t.Error("a deep purge covers what lies beside it")
	}
}

// covers says whether any purge covers m.
func (l *Ledger) covers(m *Meta) bool { return l.forMount("m").covering(m).hard > 0 }

// TestPurgesCostTheSame compares what a purge allocates in an empty ledger and in
// one whose tables are full, whose journal is not yet due to be rewritten.
func TestPurgesCostTheSame(t *testing.T) {
	j := &memoryJournal{}
	l, _ := NewLedger(j, 0)
	purge := func(i int) {
		if _, err := l.Purge(Purge{Mount: "m", Scope: ScopeTag, Tag: fmt.Sprint(i % 9000)}, epoch); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 9000 {
		purge(i)
	}
	j.kept = slices.Grow(j.kept, 1000)
	n := 0
	if allocs := testing.AllocsPerRun(500, func() { purge(n); n++ }); allocs > 4 {
		t.Errorf("a purge allocates %v times", allocs)
	}
}

// TestJournalOfManyPurges purges 100,000 paths: the journal holds what the tables
// hold and some slack, and a ledger made from it covers the same.
func TestJournalOfManyPurges(t *testing.T) {
	j := &memoryJournal{}
	l, _ := NewLedger(j, 0)
	most := 0
	for i := range 100_000 {
		if _, err := l.Purge(Purge{Mount: "m", Scope: ScopePrefix, Path: fmt.Sprintf("/blog/%d/%d", i%100, i)}, epoch); err != nil {
			t.Fatal(err)
		}
		most = max(most, len(j.kept))
	}
	if most > 4*DefaultMaxPurges || j.rewrites > 100 {
		t.Errorf("%d purges in the journal after %d rewrites", most, j.rewrites)
	}
	again, err := NewLedger(j, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		m := &Meta{Host: "h", Path: fmt.Sprintf("/blog/%d/%d", i%100, i)}
		before, after := l.forMount("m").covering(m).hard, again.forMount("m").covering(m).hard
		if after < before || after <= uint64(i) {
			t.Fatalf("%s: purge %d, after a restart %d", m.Path, before, after)
		}
	}
}

func FuzzPurgePrefix(f *testing.F) {
	f.Add("/blog/", "/blog/a")
	f.Add("//", "/")
	f.Add("/a//b/", "/a//b//c")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, prefix, p string) {
		prefix, p = "/"+prefix, "/"+p // canonical paths are absolute
		l, _ := NewLedger(nil, 4)
		l.Purge(Purge{Mount: "m", Scope: ScopePrefix, Path: prefix}, epoch)
		trimmed := strings.TrimRight(prefix, "/")
		want := p == trimmed || strings.HasPrefix(p, trimmed+"/") || trimmed == ""
		if got := l.forMount("m").covering(&Meta{Path: p}).hard == 1; got != want {
			t.Fatalf("prefix %q covers %q: %v, want %v", prefix, p, got, want)
		}
	})
}

func TestTakeTags(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		want   string
		ok     bool
	}{
		{"none", nil, "[]", true},
		{"surrogate-key", []string{"Surrogate-Key", " b a  b\t"}, "[a b]", true},
		{"cache-tag", []string{"Cache-Tag", "a b, c,,"}, "[a b c]", true},
		{"all", []string{"Surrogate-Key", "a", "Cache-Tag", "b", "X-Cache-Tags", "c", "X-Litespeed-Tag", "d"}, "[a b c d]", true},
		{"too long", []string{"Cache-Tag", strings.Repeat("x", MaxTagBytes+1)}, "[]", false},
		{"too many", []string{"Surrogate-Key", manyTags(MaxTags + 1)}, "", false},
		{"as many as are kept", []string{"Surrogate-Key", manyTags(MaxTags)}, "", true},
		{"far too many, in all fields", []string{
			"Surrogate-Key", manyTags(10_000), "Cache-Tag", "a", "X-Cache-Tags", manyTags(10_000), "X-Litespeed-Tag", "b",
		}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := map[string][]string{"Other": {"x"}}
			for i := 0; i+1 < len(c.fields); i += 2 {
				h[c.fields[i]] = append(h[c.fields[i]], c.fields[i+1])
			}
			tags, ok := takeTags(h)
			if ok != c.ok || c.want != "" && fmt.Sprint(tags) != c.want || len(h) != 1 {
				t.Fatalf("%v %v, header left %v", tags, ok, h)
			}
		})
	}
}

func TestSurrogateFields(t *testing.T) {
	noStore := http.Header{"Cdn-Cache-Control": {"no-store"}}
	for _, c := range []struct {
		name string
		tags []string
		kept bool
		want http.Header
	}{
		{"none", nil, true, http.Header{}},
		{"both", []string{"a", "post-1"}, true, http.Header{"Surrogate-Key": {"a post-1"}, "Cache-Tag": {"a,post-1"}}},
		{"each spells what it can", []string{"a b", "c,d"}, true, http.Header{"Surrogate-Key": {"c,d"}, "Cache-Tag": {"a b"}}},
		{"not all kept", nil, false, noStore},
		{"as many as fit", slices.Repeat([]string{strings.Repeat("x", 1023)}, 16), true, nil},
		{"too many", slices.Repeat([]string{strings.Repeat("x", 1023)}, 17), true, noStore},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := surrogateFields(c.tags, c.kept)
			if c.want == nil {
				c.want = http.Header{"Surrogate-Key": {strings.Join(c.tags, " ")}, "Cache-Tag": {strings.Join(c.tags, ",")}}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "t%d ", i)
	}
	return b.String()
}
