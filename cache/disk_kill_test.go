package cache

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// killEnv makes TestDiskKill the process that is killed: its value is the folder
// and the run.
const killEnv = "MOUNT_TEST_DISK_KILL"

// TestDiskKill kills a process that works on a store, at random moments, opens
// what it left, and goes on.
func TestDiskKill(t *testing.T) {
	if v := os.Getenv(killEnv); v != "" {
		work(v)
		return
	}
	const kills = 50
	folder := t.TempDir()
	purged := map[string]uint64{} // last acknowledged, by key
	rnd := rand.New(rand.NewPCG(1, 2))
	warm := 0
	for run := range kills {
		killOne(t, fmt.Sprintf("%d %s", run, folder), 1+rnd.IntN(400), purged)
		warm += checkKilled(t, folder, purged)
		if t.Failed() {
			t.Fatalf("after kill %d", run+1)
		}
	}
	if warm < kills {
		t.Errorf("only %d responses were found in %d starts", warm, kills)
	}
}

// killOne runs the test binary as a worker and kills it after it has done some
// steps. It notes the purges that were acknowledged.
func killOne(t *testing.T, value string, steps int, purged map[string]uint64) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestDiskKill$")
	c.Env = append(os.Environ(), killEnv+"="+value)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	done := 0
	for lines.Scan() {
		var key string
		var number uint64
		if n, _ := fmt.Sscanf(lines.Text(), "purged %s %d", &key, &number); n == 2 {
			purged[key] = number
		}
		// What comes through the pipe after this was done before the kill.
		if done++; done == steps {
			c.Process.Kill()
		}
	}
	if c.Wait() == nil || done < steps {
		t.Fatalf("the worker ended by itself after %d lines", done)
	}
}

// checkKilled opens the store that a killed process left, and says how many keys
// have a response that may be reused.
func checkKilled(t *testing.T, folder string, purged map[string]uint64) (warm int) {
	t.Helper()
	d := openIn(t, folder)
	defer d.Close()
	l, err := NewLedger(d.Journal(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		key := "key" + strconv.Itoa(i)
		hard := l.forMount("m").covering(testMeta(key, 0, 0)).hard
		if hard < purged[key] {
			t.Errorf("%s: purge %d was acknowledged, purge %d is the last known", key, purged[key], hard)
		}
		if _, err := checkStored(d, key); err != nil {
			t.Error(err)
		}
		if s := d.Lookup(key, nil).Stored; s != nil && s.Number >= hard {
			warm++
		}
	}
	if n := d.Stats().Failures; n != 0 {
		t.Errorf("%d failures", n)
	}
	return warm
}

// work works on a store until it is killed.
func work(value string) {
	var run int
	var folder string
	if _, err := fmt.Sscanf(value, "%d %s", &run, &folder); err != nil {
		panic(err)
	}
	d, err := OpenDisk(DiskOptions{Folder: folder, MaxBytes: 1 << 22})
	if err != nil {
		panic(err)
	}
	l, err := NewLedger(d.Journal(), 0)
	if err != nil {
		panic(err)
	}
	s := storer{d: numbered{d, l}, rnd: rand.New(rand.NewPCG(uint64(run), 9)), version: run * 1e6}
	for {
		if s.rnd.IntN(20) == 0 {
			key := s.key()
			n, err := l.Purge(Purge{Mount: "m", Scope: ScopeURL, Host: "example.com", Path: "/" + key}, time.Unix(1, 0))
			if err != nil {
				panic(err)
			}
			fmt.Printf("purged %s %d\n", key, n)
		}
		s.step()
		fmt.Println("step")
	}
}

// numbered is a store of responses that were fetched after the last purge.
type numbered struct {
	*Disk
	ledger *Ledger
}

func (n numbered) Put(m *Meta, body []byte) (*Stored, error) {
	m.Number = n.ledger.Last()
	return n.Disk.Put(m, body)
}

func (n numbered) Create(m *Meta, size int64) (Writer, error) {
	m.Number = n.ledger.Last()
	return n.Disk.Create(m, size)
}
