package cache

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// testBody is the body of a version of a key: anyone can tell whether it is right.
func testBody(key, version string, length int64) []byte {
	b := bytes.Repeat([]byte(key+"="+version+";"), int(length)/(len(key)+len(version)+2)+1)
	return b[:length]
}

// testMeta describes a version of a key.
func testMeta(key string, version int, length int64) *Meta {
	return &Meta{
		Key: key, Status: 200, Length: length, Mount: "m", Host: "example.com", Path: "/" + key,
		Header:       http.Header{"Version": {strconv.Itoa(version)}},
		ResponseTime: time.Unix(int64(version), 0), Number: uint64(version),
	}
}

// storedBody reads the body of s.
func storedBody(s *Stored) ([]byte, error) {
	if s.Opener == nil {
		return s.Bytes, nil
	}
	c, err := s.Opener.Open()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return io.ReadAll(io.NewSectionReader(c, 0, s.Length))
}

// checkStored says whether everything found under key is a version of it, and
// which: zero for none.
func checkStored(d Store, key string) (version int, err error) {
	s := d.Lookup(key, nil).Stored
	if s == nil {
		return 0, nil
	}
	b, err := storedBody(s)
	if err != nil {
		return 0, nil // dropped
	}
	v := s.Header.Get("Version")
	if s.Key != key || !bytes.Equal(b, testBody(key, s.Header.Get("Body"), s.Length)) {
		return 0, fmt.Errorf("%s version %s: %d wrong bytes: %.40q", key, v, len(b), b)
	}
	return strconv.Atoi(v)
}

// quietly opens a store on a simulated file system.
func quietly(t *testing.T, fs *simFS, maxBytes int64) *Disk {
	t.Helper()
	d, err := openDisk(fs, DiskOptions{MaxBytes: maxBytes, ScrubBytesPerSecond: -1})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// storer puts versions of keys into a store by all ways there are.
type storer struct {
	d       Store
	rnd     *rand.Rand
	version int
}

func (s *storer) key() string { return "key" + strconv.Itoa(s.rnd.IntN(6)) }

// step does one thing.
func (s *storer) step() {
	key := s.key()
	s.version++
	length := int64(s.rnd.IntN(3000))
	if s.rnd.IntN(4) == 0 {
		length += inlineBytes
	}
	m := testMeta(key, s.version, length)
	version := strconv.Itoa(s.version)
	m.Header["Body"] = []string{version}
	body := testBody(key, version, length)
	switch s.rnd.IntN(8) {
	case 0:
		s.d.Delete(key)
	case 1, 2:
		w, err := s.d.Create(m, -1)
		if err != nil {
			return
		}
		defer w.Close()
		w.Write(body[:length/3])
		w.Write(body[length/3:])
		if s.rnd.IntN(8) > 0 {
			w.Commit(m)
		}
	case 3, 4:
		old := s.d.Lookup(key, nil).Stored
		if old == nil {
			return
		}
		n := *old.Meta
		n.Header = old.Header.Clone()
		n.Header.Set("Version", version)
		if s.rnd.IntN(3) == 0 {
			n.Header.Set("Padding", string(make([]byte, s.rnd.IntN(9000))))
		}
		n.ResponseTime = m.ResponseTime
		s.d.Replace(old, &n)
	default:
		s.d.Put(m, body)
	}
}

// TestDiskPowerCut cuts the power at random points of random work and opens what
// may be left: all that is found is right, and no acknowledged purge is lost.
func TestDiskPowerCut(t *testing.T) {
	const rounds, states = 60, 30
	total, found := 0, 0
	for round := range uint64(rounds) {
		rnd := rand.New(rand.NewPCG(round, 5))
		disk := newSimFS()
		d := quietly(t, disk, 1<<20)
		<-d.Scanned()
		type state struct {
			fs    *simFS
			acked uint64
		}
		var cuts []state
		var acked uint64
		disk.mu.Lock()
		disk.before = func() {
			if rnd.IntN(12) == 0 && len(cuts) < states {
				cuts = append(cuts, state{disk.crash(rnd), acked})
			}
		}
		disk.mu.Unlock()
		work := storer{d: d, rnd: rand.New(rand.NewPCG(round, 6))}
		var purges []Purge
		for len(cuts) < states {
			work.step()
			if work.rnd.IntN(6) == 0 {
				p := Purge{Number: acked + 1, Mount: "m", Scope: ScopeAll, At: time.Unix(1, 0)}
				if err := d.Journal().Append(p); err != nil {
					t.Fatal(err)
				}
				acked++
				purges = append(purges, p)
			}
			if work.rnd.IntN(30) == 0 {
				if err := d.Journal().Rewrite(purges); err != nil {
					t.Fatal(err)
				}
			}
		}
		disk.mu.Lock()
		disk.before = nil
		disk.mu.Unlock()
		d.Close()
		for i, cut := range cuts {
			total++
			found += checkCut(t, cut.fs, cut.acked, fmt.Sprintf("round %d, cut %d", round, i))
		}
	}
	// A store that keeps nothing would pass all else.
	if total < 1000 || found < total/2 {
		t.Fatalf("%d states with %d stored responses", total, found)
	}
}

// checkCut opens what a power cut left and says how many keys have a response.
func checkCut(t *testing.T, fs *simFS, acked uint64, name string) (found int) {
	t.Helper()
	d := quietly(t, fs, 1<<20)
	defer d.Close()
	for i := range 6 {
		key := "key" + strconv.Itoa(i)
		version, err := checkStored(d, key)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if version > 0 {
			found++
		}
	}
	kept, err := d.Journal().Load()
	if err != nil {
		t.Fatal(err)
	}
	have := map[uint64]bool{}
	for _, p := range kept {
		have[p.Number] = true
	}
	for n := uint64(1); n <= acked; n++ {
		if !have[n] && found > 0 {
			t.Errorf("%s: acknowledged purge %d of %d is lost", name, n, acked)
		}
	}
	return found
}
