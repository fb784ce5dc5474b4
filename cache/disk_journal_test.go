package cache

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testPurges(n int) (ps []Purge) {
	for i := range n {
		ps = append(ps, Purge{
			Number: uint64(i + 1), At: time.Unix(int64(i), 5).UTC(), Mount: "example.com/blog", Scope: Scope(i % 4),
			Host: "example.com", Path: "/blog/" + strconv.Itoa(i), Query: "q\xff", Tag: "t", Soft: i%3 == 0,
		})
	}
	return ps
}

func load(t *testing.T, d *Disk) []Purge {
	t.Helper()
	ps, err := d.Journal().Load()
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// reopened closes a store and opens what a power cut would leave at best.
func reopened(t *testing.T, d *Disk, fs *simFS) *Disk {
	t.Helper()
	d.Close()
	d = quietly(t, fs, 1<<22)
	t.Cleanup(func() { d.Close() })
	return d
}

func TestJournalKeepsPurges(t *testing.T) {
	d, fs, _ := simDisk(t, 1<<22)
	want := testPurges(20)
	for i := range want {
		want[i].Query = "q"
		if err := d.Journal().Append(want[i]); err != nil {
			t.Fatal(err)
		}
	}
	d = reopened(t, d, fs)
	if diff := cmp.Diff(want, load(t, d)); diff != "" {
		t.Fatal(diff)
	}
	if err := d.Journal().Rewrite(want[:5]); err != nil {
		t.Fatal(err)
	}
	next := Purge{Number: 21, Mount: "m"}
	if err := d.Journal().Append(next); err != nil {
		t.Fatal(err)
	}
	d = reopened(t, d, fs)
	if diff := cmp.Diff(append(want[:5:5], next), load(t, d)); diff != "" {
		t.Fatal(diff)
	}
	// The last number given survives the purges that had it.
	if err := d.Journal().Rewrite(nil); err != nil {
		t.Fatal(err)
	}
	d = reopened(t, d, fs)
	l, err := NewLedger(d.Journal(), 0)
	if err != nil || l.Last() != 21 {
		t.Fatalf("last number %d, %v", l.Last(), err)
	}
	if n, err := l.Purge(Purge{Mount: "m", Scope: ScopeAll}, time.Unix(1, 0)); n != 22 || err != nil {
		t.Fatal(n, err)
	}
}

// TestJournalDamage damages the journal: if a purge may be lost, all that was
// stored is dropped, and numbers go on from where they were.
func TestJournalDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(i *simInode, last int)
		kept   bool
	}{
		{"whole", func(*simInode, int) {}, true},
		{"zeros behind", func(i *simInode, _ int) { i.data = append(i.data, make([]byte, 100)...) }, true},
		{"torn head behind", func(i *simInode, _ int) { i.data = append(i.data, 1, 2, 3) }, true},
		{"last record cut", func(i *simInode, _ int) { i.data = i.data[:len(i.data)-1] }, true},
		{"garbage behind", func(i *simInode, _ int) { i.data = append(i.data, []byte("garbage of some length")...) }, false},
		{"last record flipped", func(i *simInode, _ int) { i.data[len(i.data)-1] ^= 1 }, false},
		{"length flipped", func(i *simInode, last int) { i.data[last+1] ^= 1 }, false},
		{"first flipped", func(i *simInode, _ int) { i.data[20] ^= 1 }, false},
		{"record missing", func(i *simInode, last int) { i.data = slices.Delete(i.data, last-100, last) }, false},
		{"empty", func(i *simInode, _ int) { i.data = nil }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, fs, _ := simDisk(t, 1<<22)
			var last int
			for _, p := range testPurges(10) {
				last = int(d.journal.end)
				if err := d.Journal().Append(p); err != nil {
					t.Fatal(err)
				}
			}
			mustPut(t, d, "k", 1, 100)
			d.Close()
			c.damage(fs.dirs["."].names[journalName], last)
			d = reopened(t, d, fs)
			if version, err := checkStored(d, "k"); (version == 1) != c.kept || err != nil {
				t.Errorf("found version %d, %v", version, err)
			}
			if (d.Stats().Failures == 0) != c.kept {
				t.Errorf("%d failures", d.Stats().Failures)
			}
			// It works again, also after another start.
			mustPut(t, d, "k", 2, 100)
			l, err := NewLedger(d.Journal(), 0)
			if err != nil {
				t.Fatal(err)
			}
			n, err := l.Purge(Purge{Mount: "m", Scope: ScopeAll}, time.Unix(1, 0))
			if err != nil {
				t.Fatal(err)
			}
			d = reopened(t, d, fs)
			if version, err := checkStored(d, "k"); version != 2 || err != nil || d.Stats().Failures != 0 {
				t.Errorf("found version %d, %v, %d failures", version, err, d.Stats().Failures)
			}
			if ps := load(t, d); ps[len(ps)-1].Number != n {
				t.Errorf("last purge is %+v", ps[len(ps)-1])
			}
		})
	}
}

// TestJournalLost removes the journal but not what was stored.
func TestJournalLost(t *testing.T) {
	d, fs, _ := simDisk(t, 1<<22)
	mustPut(t, d, "k", 1, 100)
	d.Close()
	delete(fs.dirs["."].names, journalName)
	d = reopened(t, d, fs)
	if version, _ := checkStored(d, "k"); version != 0 || d.Stats().Failures != 1 {
		t.Errorf("found version %d after the journal was lost", version)
	}
	<-d.Scanned()
	fs.each(func(name string, _ *simInode) { t.Errorf("%s was not removed", name) })
}

// TestJournalFailures fails the disk while purges are saved: what was acknowledged
// is there after a power cut, whatever came between.
func TestJournalFailures(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		d, fs, _ := simDisk(t, 1<<22)
		fs.mu.Lock()
		fs.fail = func(op, _ string) error {
			switch op {
			case "write", "sync", "syncdir", "rename", "create":
				if rnd.IntN(4) == 0 {
					return syscall.EIO
				}
			}
			return nil
		}
		fs.mu.Unlock()
		var acked []Purge
		for n := range uint64(20) {
			p := Purge{Number: n + 1, Mount: "m", Path: string(make([]byte, rnd.IntN(200)))}
			if d.Journal().Append(p) == nil {
				acked = append(acked, p)
			}
			if rnd.IntN(5) == 0 {
				d.Journal().Rewrite(acked)
			}
		}
		fs.mu.Lock()
		after := fs.crash(rnd)
		fs.mu.Unlock()
		d.Close()
		d = quietly(t, after, 1<<22)
		have := map[uint64]bool{}
		for _, p := range load(t, d) {
			have[p.Number] = true
		}
		// Damage is told by dropping everything; there was nothing to drop.
		for _, p := range acked {
			if !have[p.Number] && d.Stats().Failures == 0 {
				t.Fatalf("seed %d: purge %d of %d acknowledged is lost", seed, p.Number, len(acked))
			}
		}
		d.Close()
	}
}

func TestJournalAfterClose(t *testing.T) {
	d, _, _ := simDisk(t, 1<<22)
	d.Close()
	if err := d.Journal().Append(Purge{Number: 1}); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// FuzzJournal reads anything as a journal.
func FuzzJournal(f *testing.F) {
	b, sum, _ := appendRecord(nil, 0, 0, journalBase{Format: 1, Last: 5})
	f.Add(b)
	b, _, _ = appendRecord(b, int64(len(b)), sum, Purge{Number: 6, Mount: "m"})
	f.Add(b)
	f.Add(append(b, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		j := &fileJournal{}
		if j.parse(b) == nil && (j.end > int64(len(b)) || j.end == 0) {
			t.Fatalf("%d of %d bytes read", j.end, len(b))
		}
	})
}

// TestPurgeAllTouchesNoFile purges all of many stored responses: that is one record
// in the journal, synced once, and nothing else on disk.
func TestPurgeAllTouchesNoFile(t *testing.T) {
	d, disk, _ := simDisk(t, 1<<24)
	for i := range 1000 {
		mustPut(t, d, "key"+strconv.Itoa(i), i, 100)
	}
	l, err := NewLedger(d.Journal(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ops := map[string]int{}
	disk.mu.Lock()
	disk.fail = func(op, _ string) error { ops[op]++; return nil }
	disk.mu.Unlock()
	if _, err := l.Purge(Purge{Mount: "m", Scope: ScopeAll}, epoch); err != nil {
		t.Fatal(err)
	}
	disk.mu.Lock()
	defer disk.mu.Unlock()
	disk.fail = nil
	if diff := cmp.Diff(map[string]int{"write": 1, "sync": 1}, ops); diff != "" {
		t.Error(diff)
	}
}
