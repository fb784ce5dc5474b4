package cache

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// freshened returns the description of s with a new version.
func freshened(s *Stored, version int) *Meta {
	m := *s.Meta
	m.Header = s.Header.Clone()
	m.Header.Set("Version", strconv.Itoa(version))
	return &m
}

// TestDiskReplaceInPlace replaces the description of a long body without writing
// the body again, and cuts the power while it does.
func TestDiskReplaceInPlace(t *testing.T) {
	d, disk, _ := simDisk(t, 1<<22)
	first := commit(t, d, "long", 1, longBytes)
	s := first
	for version := 2; version < 6; version++ {
		n, err := d.Replace(s, freshened(s, version))
		if n == nil || err != nil {
			t.Fatal(n, err)
		}
		if again, err := d.Replace(s, freshened(s, 99)); again != nil || err != nil {
			t.Fatalf("replaced what is no longer stored: %v, %v", again, err)
		}
		d.Drop(s) // does nothing
		s = n
		if got, err := checkStored(d, "long"); got != version || err != nil {
			t.Fatalf("version %d, want %d: %v", got, version, err)
		}
	}
	if first.Header.Get("Version") != "1" {
		t.Error("a response that was handed out has changed")
	}
	if b, err := storedBody(first); err != nil || len(b) != longBytes {
		t.Errorf("%d bytes of the first response, %v", len(b), err)
	}
	if s.id != first.id {
		t.Error("the body was written again")
	}
	for _, c := range []struct {
		name   string
		damage func(data []byte)
		want   int
	}{
		{"nothing", func([]byte) {}, 5},
		{"older slot", func(data []byte) { data[minSlotBytes+100] ^= 1 }, 5},
		{"newer slot", func(data []byte) { data[100] ^= 1 }, 4},
		{"newer slot gone", func(data []byte) { clear(data[:minSlotBytes]) }, 4},
		{"older slot gone", func(data []byte) { clear(data[minSlotBytes : 2*minSlotBytes]) }, 5},
		{"both", func(data []byte) { data[100], data[minSlotBytes+100] = 0xff, 0xff }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			left := newSimFS()
			disk.mu.Lock()
			for name, dir := range disk.dirs {
				left.dirs[name] = newSimDir()
				for k, i := range dir.names {
					data := append([]byte(nil), i.data...)
					if len(name) == 2 {
						c.damage(data)
					}
					left.dirs[name].names[k] = &simInode{data: data, synced: data}
				}
			}
			disk.mu.Unlock()
			e := quietly(t, left, 1<<22)
			defer e.Close()
			got, err := checkStored(e, "long")
			if got != c.want || err != nil {
				t.Fatalf("version %d, want %d: %v", got, c.want, err)
			}
			if s := e.Lookup("long", nil).Stored; s != nil {
				// Goes on from the slot that is whole.
				if n, err := e.Replace(s, freshened(s, 7)); n == nil || err != nil {
					t.Fatal(n, err)
				}
				e.Close()
				e = quietly(t, left, 1<<22)
				defer e.Close()
				if got, err := checkStored(e, "long"); got != 7 || err != nil {
					t.Fatalf("version %d after another start: %v", got, err)
				}
			}
		})
	}
}

// TestDiskReplaceElsewhere replaces a description where that needs another file.
func TestDiskReplaceElsewhere(t *testing.T) {
	for name, change := range map[string]func(m *Meta){
		"longer than its slot": func(m *Meta) { m.Header["Padding"] = []string{strings.Repeat("x", 3*minSlotBytes)} },
		"another variant":      func(m *Meta) { m.Vary, m.Variant = []string{"Accept"}, VariantKey([]string{"Accept"}, nil) },
	} {
		for _, length := range []int64{100, longBytes} {
			t.Run(name+"/"+strconv.FormatInt(length, 10), func(t *testing.T) {
				d, fs, _ := simDisk(t, 1<<22)
				s := commit(t, d, "k", 1, length)
				m := freshened(s, 2)
				change(m)
				n, err := d.Replace(s, m)
				if n == nil || err != nil {
					t.Fatal(n, err)
				}
				for range 2 {
					if got, err := checkStored(d, "k"); got != 2 || err != nil {
						t.Fatalf("version %d: %v", got, err)
					}
					<-d.Scanned()
					if st := d.Stats(); st.Entries != 1 || st.Failures != 0 {
						t.Fatalf("%+v", st)
					}
					d = reopened(t, d, fs)
				}
			})
		}
	}
}

// TestDiskCommitLongerThanPlanned commits a description that has grown much since
// Create.
func TestDiskCommitLongerThanPlanned(t *testing.T) {
	d, _, _ := simDisk(t, 1<<22)
	for _, padding := range []int{5 * minSlotBytes, maxRecordBytes} {
		m := testMeta("k", 1, longBytes)
		w, err := d.Create(m, longBytes)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(testBody("k", "1", longBytes))
		m.Header["Body"] = []string{"1"}
		m.Header["Padding"] = []string{strings.Repeat("x", padding)}
		s, err := w.Commit(m)
		w.Close()
		if padding == maxRecordBytes {
			if !errors.Is(err, ErrTooLarge) {
				t.Errorf("Commit of a description of %d bytes: %v", padding, err)
			}
			continue
		}
		if err != nil || s.Header.Get("Padding") == "" {
			t.Fatal(err)
		}
		if got, err := checkStored(d, "k"); got != 1 || err != nil {
			t.Fatalf("version %d: %v", got, err)
		}
	}
	if st := d.Stats(); st.Entries != 1 || st.Bytes > 2*longBytes {
		t.Errorf("%+v", st)
	}
	if n := len(d.fs.(*simFS).dirs[tempFolder].names); n != 0 {
		t.Errorf("%d temporary files are left", n)
	}
}

// TestDiskManyTags keeps ten thousand tags.
func TestDiskManyTags(t *testing.T) {
	d, fs, _ := simDisk(t, 1<<22)
	m := &Meta{Key: "k", Header: http.Header{}, Status: 200}
	for i := range 10_000 {
		m.Tags = append(m.Tags, "tag-"+strconv.Itoa(i))
	}
	if _, err := d.Put(m, nil); err != nil {
		t.Fatal(err)
	}
	d = reopened(t, d, fs)
	if s := d.Lookup("k", nil).Stored; s == nil || len(s.Tags) != 10_000 || s.Tags[9_999] != "tag-9999" {
		t.Fatal("tags are lost")
	}
}
