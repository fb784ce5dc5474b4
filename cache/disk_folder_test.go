package cache

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// openIn opens a store of 4 MiB in a folder.
func openIn(t *testing.T, folder string) *Disk {
	t.Helper()
	d, err := OpenDisk(DiskOptions{Folder: folder, MaxBytes: 1 << 22, ScrubBytesPerSecond: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDiskFolders opens folders that are a store's and that are not.
func TestDiskFolders(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, folder string)
		want    error
	}{
		{"missing", func(t *testing.T, folder string) { os.Remove(folder) }, nil},
		{"empty", func(*testing.T, string) {}, nil},
		{"root of a file system", func(t *testing.T, folder string) { os.Mkdir(filepath.Join(folder, lostAndFound), 0o700) }, nil},
		{"begun", func(t *testing.T, folder string) {
			write(t, filepath.Join(folder, markerName+newSuffix), "mount")
			write(t, filepath.Join(folder, journalName), "")
			write(t, filepath.Join(folder, journalName+newSuffix), "x")
		}, nil},
		{"own", func(t *testing.T, folder string) { openIn(t, folder).Close() }, nil},
		{"own with more in it", func(t *testing.T, folder string) {
			openIn(t, folder).Close()
			write(t, filepath.Join(folder, "note"), "mine")
		}, nil},
		{"foreign file", func(t *testing.T, folder string) { write(t, filepath.Join(folder, "photo.jpg"), "x") }, ErrForeign},
		{"foreign folder", func(t *testing.T, folder string) { os.Mkdir(filepath.Join(folder, "ab"), 0o700) }, ErrForeign},
		{"foreign marker", func(t *testing.T, folder string) { write(t, filepath.Join(folder, markerName), "hammers") }, ErrForeign},
		{"marker damaged", func(t *testing.T, folder string) {
			b := marker{1, 2, 3}.append(nil)
			b[len(b)-1] ^= 1
			write(t, filepath.Join(folder, markerName), string(b))
		}, errDamaged},
		{"newer", func(t *testing.T, folder string) {
			b := marker{1, 2, 3}.append(nil)
			b[len(markerMagic)]++
			write(t, filepath.Join(folder, markerName), string(b)+"and more")
		}, ErrNewer},
		{"in use", func(t *testing.T, folder string) { openIn(t, folder) }, ErrInUse},
		{"file", func(t *testing.T, folder string) {
			os.Remove(folder)
			write(t, folder, "x")
		}, errAny},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "store")
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			c.prepare(t, folder)
			before := list(t, folder)
			d, err := OpenDisk(DiskOptions{Folder: folder, MaxBytes: 1 << 20})
			switch {
			case err == nil:
				defer d.Close()
				if c.want != nil {
					t.Fatal("opened")
				}
				if mode(t, folder) != 0o700 {
					t.Errorf("mode %v", mode(t, folder))
				}
			case c.want == nil || c.want != errAny && !errors.Is(err, c.want):
				t.Fatalf("error %v, want %v", err, c.want)
			case c.want == ErrForeign && mode(t, folder) != 0o755:
				t.Errorf("mode of a foreign folder has become %v", mode(t, folder))
			case list(t, folder) != before:
				t.Errorf("a refused folder has changed from %s to %s", before, list(t, folder))
			}
		})
	}
}

func mode(t *testing.T, name string) os.FileMode {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

var errAny = errors.New("any")

// list names what is in a folder, but for the lock.
func list(t *testing.T, folder string) string {
	t.Helper()
	var names []string
	filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) != lockName {
			names = append(names, path)
		}
		return nil
	})
	return strings.Join(names, " ")
}

func TestDiskOptionsAreChecked(t *testing.T) {
	for _, o := range []DiskOptions{{MaxBytes: 1}, {Folder: t.TempDir()}, {Folder: t.TempDir(), MaxBytes: -1}} {
		if d, err := OpenDisk(o); err == nil {
			d.Close()
			t.Errorf("%+v was opened", o)
		}
	}
}

// TestDiskReopened finds everything again, the first at once.
func TestDiskReopened(t *testing.T) {
	folder := t.TempDir()
	d := openIn(t, folder)
	for i := range 100 {
		mustPut(t, d, "key"+strconv.Itoa(i), i+1, int64(i))
	}
	commit(t, d, "long", 1, longBytes)
	before := d.Stats()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = openIn(t, folder)
	for i := range 100 {
		if version, err := checkStored(d, "key"+strconv.Itoa(i)); version != i+1 || err != nil {
			t.Fatalf("key %d: version %d, %v", i, version, err)
		}
	}
	if version, err := checkStored(d, "long"); version != 1 || err != nil {
		t.Fatal(version, err)
	}
	<-d.Scanned()
	if after := d.Stats(); after != before {
		t.Errorf("%+v became %+v", before, after)
	}
	// What is stored after the start is newer than all from before.
	mustPut(t, d, "key7", 1000, 10)
	d.Close()
	d = openIn(t, folder)
	if version, _ := checkStored(d, "key7"); version != 1000 {
		t.Errorf("found version %d", version)
	}
}

// TestDiskIgnoresWhatIsNotItsOwn puts strange things between the files of a store.
func TestDiskIgnoresWhatIsNotItsOwn(t *testing.T) {
	folder, outside := t.TempDir(), t.TempDir()
	d := openIn(t, folder)
	for i := range 20 {
		mustPut(t, d, "key"+strconv.Itoa(i), 1, 100)
	}
	target := filepath.Join(outside, "secret")
	write(t, target, "secret")
	p := diskPlace{key: d.hashKey("link"), id: d.nextID(), units: 1}
	p.vary, p.variant = hashVary(nil), hashVariant(hashVary(nil), "")
	os.Mkdir(filepath.Join(folder, shardName(p.shard())), 0o700)
	link := filepath.Join(folder, p.path())
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	// A whole file in the folder of another shard, and under the name of another key.
	name := onlyFile(t, folder, d, "key0")
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	q := p
	q.key, q.id = d.hashKey("alias"), d.nextID()
	os.Mkdir(filepath.Join(folder, shardName(q.shard())), 0o700)
	write(t, filepath.Join(folder, q.path()), string(content))
	os.Mkdir(filepath.Join(folder, shardName(255-q.shard())), 0o700)
	write(t, filepath.Join(folder, shardName(255-q.shard()), filepath.Base(q.path()))+"x", "x")
	os.Mkdir(filepath.Join(folder, "zz"), 0o700)
	d.Close()

	d = openIn(t, folder)
	<-d.Scanned()
	if n := d.Stats().Entries; n != 22 {
		t.Errorf("%d entries", n)
	}
	for _, key := range []string{"link", "alias"} {
		if f := d.Lookup(key, nil); f.Known {
			t.Errorf("found %s", key)
		}
	}
	if n := d.Stats().Entries; n != 20 {
		t.Errorf("%d entries after look-ups", n)
	}
	if b, err := os.ReadFile(target); string(b) != "secret" {
		t.Errorf("a file outside has become %q, %v", b, err)
	}
	// A folder of files that is a symbolic link.
	shard := filepath.Join(folder, shardName(shardOf(d.hashKey("key0"))))
	d.Close()
	if err := os.Rename(shard, filepath.Join(outside, "shard")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "shard"), shard); err != nil {
		t.Fatal(err)
	}
	d = openIn(t, folder)
	if f := d.Lookup("key0", nil); f.Known {
		t.Error("followed a symbolic link out of the folder")
	}
	if _, err := d.Put(testMeta("key0", 2, 0), nil); err == nil {
		t.Error("wrote through a symbolic link")
	}
}

// onlyFile returns the name of the file of a key that has one.
func onlyFile(t *testing.T, folder string, d *Disk, key string) string {
	t.Helper()
	chain := d.index.appendChain(nil, d.hashKey(key))
	if len(chain) != 1 {
		t.Fatalf("%d files of %s", len(chain), key)
	}
	return filepath.Join(folder, chain[0].path())
}

// TestDiskFolderRemoved takes the folder away from under a store, or what is in it:
// it is made anew, and knows the purges from before.
func TestDiskFolderRemoved(t *testing.T) {
	for name, remove := range map[string]func(folder string) error{
		"all":               os.RemoveAll,
		"content":           removeContent,
		"incomplete files":  func(folder string) error { return os.RemoveAll(filepath.Join(folder, tempFolder)) },
		"all but the files": removeOwn,
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "store")
			said := &logged{}
			d, err := OpenDisk(DiskOptions{Folder: folder, MaxBytes: 1 << 22, ScrubBytesPerSecond: -1, Log: said.log})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			l, err := NewLedger(d.Journal(), 0)
			if err != nil {
				t.Fatal(err)
			}
			d.Reclaim(l)
			<-d.Scanned()
			mustPut(t, d, "k", 1, 100)
			mustPut(t, d, "long", 1, longBytes)
			begun, err := d.Create(testMeta("begun", 1, 1), 1)
			if err != nil {
				t.Fatal(err)
			}
			defer begun.Close()
			begun.Write([]byte("x"))
			if _, err := l.Purge(Purge{Mount: "m", Scope: ScopeTag, Tag: "before"}, epoch); err != nil {
				t.Fatal(err)
			}
			if err := remove(folder); err != nil {
				t.Fatal(err)
			}
			for _, key := range []string{"k", "long"} {
				if _, err := checkStored(d, key); err != nil {
					t.Error(err)
				}
			}
			if _, err := l.Purge(Purge{Mount: "m", Scope: ScopeTag, Tag: "after"}, epoch); err != nil {
				t.Fatal(err)
			}
			if _, err := begun.Commit(testMeta("begun", 1, 1)); err == nil {
				t.Error("a file that was removed is stored")
			}
			d.remake() // the keeper does it as well
			mustPut(t, d, "k", 3, 100)
			mustPut(t, d, "long", 3, longBytes)
			if n := len(said.all()); n > 4 || n == 0 || d.Stats().Failures == 0 {
				t.Errorf("%d failures, said %q", d.Stats().Failures, said.all())
			}
			if _, err := OpenDisk(DiskOptions{Folder: folder, MaxBytes: 1 << 22}); !errors.Is(err, ErrInUse) {
				t.Errorf("the new folder is not locked: %v", err)
			}
			d.Close()

			d = openIn(t, folder)
			if l, err = NewLedger(d.Journal(), 0); err != nil {
				t.Fatal(err)
			}
			for _, tag := range []string{"before", "after"} {
				if l.forMount("m").covering(&Meta{Tags: []string{tag}}).hard == 0 {
					t.Errorf("the purge of %s was forgotten", tag)
				}
			}
			for _, key := range []string{"k", "long"} {
				if version, err := checkStored(d, key); version != 3 || err != nil {
					t.Errorf("%s: version %d, %v", key, version, err)
				}
			}
		})
	}
}

// removeContent empties a folder.
func removeContent(folder string) error {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(folder, e.Name())))
	}
	return err
}

// removeOwn removes what is in the folder beside the stored responses, but for the
// marker, which says that they are ours.
func removeOwn(folder string) error {
	var err error
	for _, name := range []string{lockName, journalName, tempFolder} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(folder, name)))
	}
	return err
}

// TestDiskFolderCannotBeRemade takes the folder away for good: each attempt to store
// fails, and it is said once.
func TestDiskFolderCannotBeRemade(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "parent")
	said := &logged{}
	d, err := OpenDisk(DiskOptions{Folder: filepath.Join(parent, "store"), MaxBytes: 1 << 22, ScrubBytesPerSecond: -1, Log: said.log})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	<-d.Scanned()
	mustPut(t, d, "k", 1, 100)
	if err := os.RemoveAll(parent); err != nil {
		t.Fatal(err)
	}
	write(t, parent, "a file")
	for range 3 {
		if _, err := d.Put(testMeta("k", 2, 0), nil); err == nil {
			t.Error("stored in a removed folder")
		}
		d.remake()
		if f := d.Lookup("k", nil); f.Stored != nil {
			t.Error("found what was removed")
		}
	}
	if n := len(said.all()); n > 3 {
		t.Errorf("said %q", said.all())
	}
	os.Remove(parent)
	// Fails, unless an attempt of before has had the folder made anew by now.
	_, _ = d.Put(testMeta("k", 2, 0), nil)
	d.remake()
	mustPut(t, d, "k", 3, 100)
}

// TestDiskNewerFormat leaves alone what a newer version has stored.
func TestDiskNewerFormat(t *testing.T) {
	folder := t.TempDir()
	d := openIn(t, folder)
	said := &logged{}
	d.told.log = said.log
	mustPut(t, d, "a", 1, 100)
	mustPut(t, d, "b", 1, 100)
	for _, key := range []string{"a", "b"} {
		name := onlyFile(t, folder, d, key)
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[6]++
		end := preambleBytes + binary.LittleEndian.Uint32(b[28:])
		binary.LittleEndian.PutUint64(b[8:], recordSum(recordVersion+1, d.seed, b[:end]))
		write(t, name, string(b))
		if f := d.Lookup(key, nil); f.Known {
			t.Error("read a newer format")
		}
		if _, err := os.Stat(name); err != nil {
			t.Error("removed what a newer version has stored")
		}
	}
	if lines := said.all(); len(lines) != 1 || lines[0] != "disk store: ignoring what a newer version has stored" {
		t.Errorf("said %q", lines)
	}
}

// TestDiskChangedFileIsTestedAgain changes a long body that was found whole.
func TestDiskChangedFileIsTestedAgain(t *testing.T) {
	folder := t.TempDir()
	d := openIn(t, folder)
	s := commit(t, d, "long", 1, longBytes)
	if _, err := storedBody(s); err != nil {
		t.Fatal(err)
	}
	name := onlyFile(t, folder, d, "long")
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("wrong"), longBytes/2); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(name, later, later); err != nil {
		t.Fatal(err)
	}
	if _, err := storedBody(s); !errors.Is(err, errDamaged) {
		t.Fatalf("reading a changed body: %v", err)
	}
	if f := d.Lookup("long", nil); f.Known {
		t.Error("a damaged response is still stored")
	}
}

// TestDiskSystemFile gets a file that the kernel can copy from.
func TestDiskSystemFile(t *testing.T) {
	d := openIn(t, t.TempDir())
	commit(t, d, "long", 1, longBytes)
	c, err := d.Lookup("long", nil).Stored.Opener.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := c.(FileContent).File()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if n, err := f.WriteTo(&b); n != longBytes || err != nil || b.String() != string(testBody("long", "1", longBytes)) {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

// flipBit changes a byte of a file.
func flipBit(t *testing.T, name string, at int64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
