package cache

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// logged collects what a store says.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) log(message string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, message)
}

func (l *logged) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// simDisk is a store on a simulated file system.
func simDisk(t *testing.T, maxBytes int64) (*Disk, *simFS, *logged) {
	t.Helper()
	disk, said := newSimFS(), &logged{}
	d, err := openDisk(disk, DiskOptions{MaxBytes: maxBytes, ScrubBytesPerSecond: -1, Log: said.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	<-d.Scanned()
	return d, disk, said
}

// mustPut stores a version of a key.
func mustPut(t *testing.T, d Store, key string, version int, length int64) *Stored {
	t.Helper()
	m := testMeta(key, version, length)
	m.Header["Body"] = []string{strconv.Itoa(version)}
	s, err := d.Put(m, testBody(key, strconv.Itoa(version), length))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// commit stores a version of a key piece by piece.
func commit(t *testing.T, d Store, key string, version int, length int64) *Stored {
	t.Helper()
	m := testMeta(key, version, length)
	m.Header["Body"] = []string{strconv.Itoa(version)}
	w, err := d.Create(m, length)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(testBody(key, strconv.Itoa(version), length)); err != nil {
		t.Fatal(err)
	}
	s, err := w.Commit(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const longBytes = 3 * inlineBytes

// TestDiskDamage damages every file in every way: what is found is right or absent.
func TestDiskDamage(t *testing.T) {
	lengths := map[string]int64{"short": 1000, "empty": 0, "long": longBytes}
	for _, c := range []struct {
		name   string
		damage func(rnd *rand.Rand, data []byte) []byte
		told   string
	}{
		{"bit flipped", func(rnd *rand.Rand, data []byte) []byte {
			data[rnd.IntN(len(data))] ^= 1 << rnd.IntN(8)
			return data
		}, "disk store: dropping a damaged response"},
		{
			"cut short", func(rnd *rand.Rand, data []byte) []byte { return data[:rnd.IntN(len(data))] },
			"disk store: dropping a damaged response",
		},
		{
			"grown", func(rnd *rand.Rand, data []byte) []byte { return append(data, 0) },
			"disk store: dropping a damaged response",
		},
		{
			"zeros", func(rnd *rand.Rand, data []byte) []byte { return make([]byte, len(data)) },
			"disk store: dropping a damaged response",
		},
		{
			"empty", func(rnd *rand.Rand, data []byte) []byte { return nil },
			"disk store: dropping a damaged response",
		},
	} {
		for _, reopened := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/reopened=%t", c.name, reopened), func(t *testing.T) {
				for seed := range uint64(40) {
					d, disk, said := simDisk(t, 1<<22)
					for key, length := range lengths {
						mustPut(t, d, key, 1, length)
						commit(t, d, "w"+key, 2, length)
					}
					if reopened {
						d.Close()
						d = quietly(t, disk, 1<<22)
						d.told.log = said.log
					}
					rnd := rand.New(rand.NewPCG(seed, 7))
					disk.each(func(_ string, i *simInode) { i.data = c.damage(rnd, i.data) })
					for key := range lengths {
						for _, key := range []string{key, "w" + key} {
							if _, err := checkStored(d, key); err != nil {
								t.Error(err)
							}
						}
					}
					if n := len(said.all()); n > 1 {
						t.Errorf("said %d times: %q", n, said.all())
					} else if n == 1 && said.all()[0] != c.told {
						t.Errorf("said %q", said.all())
					}
					if st := d.Stats(); int(st.Entries+st.Failures) != 2*len(lengths) {
						t.Errorf("%d entries and %d failures", st.Entries, st.Failures)
					}
					d.Close()
				}
			})
		}
	}
}

// TestDiskScrubFindsDamage has the scrub find what nobody asks for.
func TestDiskScrubFindsDamage(t *testing.T) {
	d, disk, said := simDisk(t, 1<<22)
	d.scrubs = 1 << 40
	mustPut(t, d, "short", 1, 1000)
	mustPut(t, d, "well", 1, 1000)
	commit(t, d, "long", 1, longBytes)
	d.scrubSome(0, scrubPause)
	if n := d.Stats().Entries; n != 3 {
		t.Fatalf("%d entries after a scrub of what is whole", n)
	}
	disk.each(func(name string, i *simInode) {
		if p, _ := parsePlace(name[3:]); p.key != d.hashKey("well") {
			i.data[len(i.data)-1] ^= 1
			i.modified = 0 // as if nothing had been written
		}
	})
	d.scrubSome(0, scrubPause)
	if n, lines := d.Stats().Entries, said.all(); n != 1 || len(lines) != 1 {
		t.Fatalf("%d entries, said %q", n, lines)
	}
	if version, err := checkStored(d, "well"); version != 1 || err != nil {
		t.Fatal(version, err)
	}
}

// TestDiskScrubReclaims has the scrub drop what hard purges cover.
func TestDiskScrubReclaims(t *testing.T) {
	d, _, _ := simDisk(t, 1<<22)
	l, err := NewLedger(d.Journal(), 0)
	if err != nil {
		t.Fatal(err)
	}
	d.Reclaim(l)
	for i := range 5 {
		mustPut(t, d, "key"+strconv.Itoa(i), i+1, 100)
	}
	for _, p := range []Purge{
		{Mount: "m", Scope: ScopeAll, Soft: true},
		{Mount: "other", Scope: ScopeAll},
		{Mount: "m", Scope: ScopePrefix, Path: "/"},
	} {
		if _, err := l.Purge(p, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if _, rest := d.scrubSome(0, scrubPause); rest != scrubRest {
		t.Fatalf("rests %v after a round", rest)
	}
	// Those of numbers 1 and 2 are older than the last purge.
	if n := d.Stats().Entries; n != 3 {
		t.Fatalf("%d entries", n)
	}
}

// TestDiskLargerThanTheFileSystem takes no more than there is.
func TestDiskLargerThanTheFileSystem(t *testing.T) {
	disk, said := newSimFS(), &logged{}
	disk.size = 1 << 20
	d, err := openDisk(disk, DiskOptions{MaxBytes: 1 << 40, Log: said.log})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.Resize(1 << 41)
	if n := d.Stats().MaxBytes; n != 1<<20 || len(said.all()) != 1 {
		t.Errorf("%d bytes, said %q", n, said.all())
	}
	d.Resize(1 << 10)
	if n := d.Stats().MaxBytes; n != 1<<10 {
		t.Errorf("%d bytes", n)
	}
}

// TestDiskFailures fails each operation in turn: nothing wrong is found, each kind
// of failure is told once, and the store works when the disk does again.
func TestDiskFailures(t *testing.T) {
	for _, op := range []string{"open", "readwrite", "create", "rename", "remove", "mkdir", "readdir", "read", "write"} {
		for _, cause := range []error{syscall.EIO, syscall.EROFS, syscall.ENOSPC, syscall.EMFILE, fs.ErrNotExist} {
			t.Run(op+" "+cause.Error(), func(t *testing.T) {
				d, disk, said := simDisk(t, 1<<20)
				work := storer{d: d, rnd: rand.New(rand.NewPCG(1, 2))}
				for range 30 {
					work.step()
				}
				// Fails now and then.
				rnd := rand.New(rand.NewPCG(3, 4))
				disk.mu.Lock()
				disk.fail = func(o, name string) error {
					if o == op && rnd.IntN(2) == 0 {
						return cause
					}
					return nil
				}
				disk.mu.Unlock()
				for range 100 {
					work.step()
					if _, err := checkStored(d, work.key()); err != nil {
						t.Fatal(err)
					}
				}
				lines := said.all()
				slices.Sort(lines)
				if len(slices.Compact(slices.Clone(lines))) != len(lines) {
					t.Errorf("said twice: %q", lines)
				}
				disk.mu.Lock()
				disk.fail = nil
				disk.mu.Unlock()
				mustPut(t, d, "after", 1, 100)
				if version, err := checkStored(d, "after"); version != 1 || err != nil {
					t.Fatal(version, err)
				}
			})
		}
	}
}

// TestDiskFull fills the disk below the bound of the store: the store gives up
// some of its own for what is new, and stops doing so where it does not help.
func TestDiskFull(t *testing.T) {
	d, disk, said := simDisk(t, 1<<22)
	for i := range 50 {
		mustPut(t, d, "key"+strconv.Itoa(i), i, 10_000)
	}
	disk.mu.Lock()
	disk.quota = 5000
	free := int64(0)
	disk.fail = func(op, name string) error {
		if op == "remove" && !strings.HasPrefix(name, tempFolder) {
			disk.quota += 10_000
			free += 10_000
		}
		return nil
	}
	disk.mu.Unlock()
	mustPut(t, d, "new", 1, 10_000)
	if st := d.Stats(); st.Evictions == 0 || st.Failures != 0 {
		t.Fatalf("%+v", st)
	}
	disk.mu.Lock()
	disk.quota, disk.fail = 0, nil
	disk.mu.Unlock()
	before := d.Stats()
	for i := range 20 {
		m := testMeta("none", i, 10_000)
		if _, err := d.Put(m, testBody("none", "1", 10_000)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Put on a full disk: %v", err)
		}
		w, err := d.Create(m, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 10_000)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Write on a full disk: %v", err)
		}
		if _, err := w.Commit(m); err == nil {
			t.Fatal("Commit after a failed Write")
		}
		w.Close()
	}
	after := d.Stats()
	if lost := before.Entries - after.Entries; lost > 12 {
		t.Errorf("%d of %d responses were given up in vain", lost, before.Entries)
	}
	if lines := said.all(); len(lines) != 1 || after.Failures != 40 {
		t.Errorf("%d failures, said %q", after.Failures, lines)
	}
	if version, err := checkStored(d, "new"); err != nil {
		t.Fatal(version, err)
	}
}

// TestDiskFullPurge purges on a full disk: what is stored gives way, and where nothing
// is left to give the purge is refused, not forgotten.
func TestDiskFullPurge(t *testing.T) {
	d, disk, _ := simDisk(t, 1<<22)
	for i := range 3 {
		mustPut(t, d, "key"+strconv.Itoa(i), i, 10_000)
	}
	l, err := NewLedger(d.Journal(), 0)
	if err != nil {
		t.Fatal(err)
	}
	disk.mu.Lock()
	disk.quota = 0
	disk.fail = func(op, name string) error {
		if op == "remove" {
			disk.quota = 150
		}
		return nil
	}
	disk.mu.Unlock()
	purges := uint64(0)
	for i := range 10 {
		n, err := l.Purge(Purge{Mount: "m", Scope: ScopeURL, Path: "/" + strconv.Itoa(i)}, time.Unix(1, 0))
		if err == nil {
			purges = n
		} else if d.Stats().Entries > 0 || !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%d responses are stored and a purge is refused: %v", d.Stats().Entries, err)
		}
	}
	if purges == 0 || purges == 10 || l.Last() != purges {
		t.Errorf("%d purges, the last is %d", purges, l.Last())
	}
	d.Close()
	disk.mu.Lock()
	disk.quota, disk.fail = -1, nil
	disk.mu.Unlock()
	d = quietly(t, disk, 1<<22)
	defer d.Close()
	if l, err = NewLedger(d.Journal(), 0); err != nil || l.Last() != purges {
		t.Errorf("the last purge after a restart is %d, want %d (%v)", l.Last(), purges, err)
	}
}

// TestDiskManyWriters has more written at once than fits: those who come too late
// are refused, what is stored stays.
func TestDiskManyWriters(t *testing.T) {
	d, _, _ := simDisk(t, 1<<22)
	for i := range 100 {
		mustPut(t, d, "key"+strconv.Itoa(i), i, 10_000)
	}
	var refused int
	var writers []Writer
	for i := range 10 {
		w, err := d.Create(testMeta("new"+strconv.Itoa(i), i, 500_000), -1)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if _, err := w.Write(make([]byte, 500_000)); errors.Is(err, errCrowded) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		} else {
			writers = append(writers, w)
		}
	}
	if st := d.Stats(); refused != 6 || st.Bytes > st.MaxBytes || st.Entries < 100 {
		t.Errorf("%d of 10 were refused, %+v", refused, st)
	}
	for i, w := range writers {
		if _, err := w.Commit(testMeta("new"+strconv.Itoa(i), i, 500_000)); err != nil {
			t.Error(err)
		}
	}
	if st := d.Stats(); d.pending != 0 || st.Entries < 104 || st.Bytes > st.MaxBytes {
		t.Errorf("%d units pending, %+v", d.pending, st)
	}
}

// TestDiskResize makes a store smaller and larger.
func TestDiskResize(t *testing.T) {
	d, _, _ := simDisk(t, 1<<22)
	for i := range 200 {
		mustPut(t, d, "key"+strconv.Itoa(i), i, 10_000)
	}
	if err := d.Resize(0); err == nil {
		t.Fatal("Resize to nothing")
	}
	if err := d.Resize(1 << 20); err != nil {
		t.Fatal(err)
	}
	d.evict() // what the keeper does when it wakes up
	if st := d.Stats(); st.Bytes > 1<<20 || st.MaxBytes != 1<<20 || st.Entries < 60 {
		t.Fatalf("%+v", st)
	}
	d.Resize(1 << 22)
	for i := range 200 {
		mustPut(t, d, "key"+strconv.Itoa(i), i, 10_000)
	}
	if st := d.Stats(); st.Entries != 200 {
		t.Fatalf("%+v", st)
	}
}

// TestDiskReadableAfterEviction reads a long body that has lost its file, and
// after the store was closed.
func TestDiskReadableAfterEviction(t *testing.T) {
	d, disk, _ := simDisk(t, 1<<22)
	mustPut(t, d, "a", 1, longBytes)
	mustPut(t, d, "b", 1, longBytes)
	a, b := d.Lookup("a", nil).Stored, d.Lookup("b", nil).Stored
	if again := d.Lookup("a", nil).Stored; again != a {
		t.Error("one file has two responses while someone has it")
	}
	d.Drop(a)
	d.Close()
	disk.each(func(_ string, i *simInode) {
		if len(i.data) == 0 {
			t.Error("empty file")
		}
	})
	for key, s := range map[string]*Stored{"a": a, "b": b} {
		for range 2 {
			got, err := storedBody(s)
			if err != nil || string(got) != string(testBody(key, "1", longBytes)) {
				t.Fatalf("%s: %d bytes, %v", key, len(got), err)
			}
		}
	}
	if _, err := d.Put(testMeta("c", 1, 0), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Put after Close: %v", err)
	}
	if f := d.Lookup("b", nil); f.Known || f.Stored != nil {
		t.Error("Lookup after Close")
	}
}

// TestDiskContentBounds reads at the edges of a body.
func TestDiskContentBounds(t *testing.T) {
	d, _, _ := simDisk(t, 1<<22)
	commit(t, d, "k", 1, longBytes)
	c, err := d.Lookup("k", nil).Stored.Opener.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := make([]byte, 10)
	for _, x := range []struct {
		off  int64
		n    int
		want error
	}{{0, 10, nil}, {longBytes - 10, 10, nil}, {longBytes - 4, 4, io.EOF}, {longBytes, 0, io.EOF}, {1 << 62, 0, io.EOF}} {
		if n, err := c.ReadAt(p, x.off); n != x.n || err != x.want {
			t.Errorf("ReadAt %d: %d, %v", x.off, n, err)
		}
	}
	if _, err := c.ReadAt(p, -1); err == nil {
		t.Error("ReadAt -1")
	}
}
