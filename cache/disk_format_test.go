package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fullMeta has something in every field.
func fullMeta() *Meta {
	at := time.Date(2026, 5, 4, 3, 2, 1, 987654321, time.UTC)
	return &Meta{
		Key: "key\x00with\xffbytes", Vary: []string{"Accept", "Origin"}, Variant: "v", LanguageVariant: "de", Status: 404,
		Header: http.Header{"Etag": {`"x"`}, "Link": {"a", "", "b"}}, Length: 12345,
		RequestTime: at, ResponseTime: at.Add(time.Second), StoredTime: at.Add(-time.Hour), MaxLifetime: 5 * time.Second,
		Mount: "m", Host: "example.com", Path: "/blog/", Query: "a=b", Tags: []string{"t1", "t2"},
		Number: 1 << 63, Authorization: true,
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for name, m := range map[string]*Meta{
		"full":  fullMeta(),
		"zero":  {Header: http.Header{}},
		"tags":  {Header: http.Header{}, Tags: strings.Split(strings.Repeat("tag ", 10_000), " ")},
		"years": {Header: http.Header{}, RequestTime: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), ResponseTime: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)},
	} {
		r := &record{id: 7, revision: 3, slotBytes: 1 << 17, slots: 2, bodyBytes: m.Length, bodySum: 9, meta: m}
		got, err := parseRecord(r.append(nil, 1), 1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, at := range []*time.Time{&m.RequestTime, &m.ResponseTime, &m.StoredTime} {
			*at = at.UTC()
		}
		if d := cmp.Diff(r, got, cmp.AllowUnexported(record{})); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestRecordHoldsEveryField fails when Meta gets a field that the format lacks.
func TestRecordHoldsEveryField(t *testing.T) {
	if d := cmp.Diff(fullMeta(), func() *Meta {
		m, err := parseMeta(appendMeta(nil, fullMeta()))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}()); d != "" {
		t.Error(d)
	}
	const fields = 18
	if n := countFields(Meta{}); n != fields {
		t.Errorf("Meta has %d fields, the format %d: raise recordVersion and add it to fullMeta", n, fields)
	}
}

// TestRecordRefusesEveryChange flips every bit of a record.
func TestRecordRefusesEveryChange(t *testing.T) {
	r := &record{id: 7, slots: 1, bodyBytes: 12345, meta: fullMeta()}
	b := r.append(nil, 1)
	for i := range len(b) * 8 {
		b[i/8] ^= 1 << (i % 8)
		got, err := parseRecord(b, 1)
		if err == nil {
			t.Fatalf("bit %d flipped: %+v", i, got)
		}
		if !errors.Is(err, errDamaged) && !errors.Is(err, errNewer) {
			t.Fatalf("bit %d flipped: %v", i, err)
		}
		b[i/8] ^= 1 << (i % 8)
	}
	for n := range b {
		if _, err := parseRecord(b[:n], 1); err == nil {
			t.Fatalf("%d of %d bytes are a record", n, len(b))
		}
	}
}

// FuzzRecord decodes anything: it neither panics nor takes more than is there, and
// what it accepts it writes again.
func FuzzRecord(f *testing.F) {
	r := &record{id: 7, slots: 1, bodyBytes: 12345, meta: fullMeta()}
	f.Add(r.append(nil, 1))
	r = &record{id: 7, slots: 2, slotBytes: minSlotBytes, meta: &Meta{Header: http.Header{}}}
	f.Add(r.append(nil, 1))
	f.Add([]byte(recordMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		// With the right checksum the decoder behind it is reached.
		if len(b) >= preambleBytes {
			end := preambleBytes + int(binary.LittleEndian.Uint32(b[28:]))
			if end <= len(b) && end >= preambleBytes {
				b = bytes.Clone(b)
				binary.LittleEndian.PutUint64(b[8:], recordSum(binary.LittleEndian.Uint16(b[6:]), 1, b[:end]))
			}
		}
		r, err := parseRecord(b, 1)
		if err != nil {
			return
		}
		again, err := parseRecord(r.append(nil, 1), 1)
		if err != nil {
			t.Fatalf("cannot read again what was read: %v", err)
		}
		if d := cmp.Diff(r, again, cmp.AllowUnexported(record{})); d != "" {
			t.Fatal(d)
		}
	})
}

func TestPlaceNames(t *testing.T) {
	p := diskPlace{key: 0xab00000000000001, id: 1<<runShift | 5, vary: 1, variant: 0xffffffff, units: 17, language: true}
	path := p.path()
	if want := "ab/ab00000000000001-0000010000000005-00000001ffffffff-00000011l"; path != want {
		t.Fatalf("path %q, want %q", path, want)
	}
	if got, ok := parsePlace(path[3:]); !ok || got != p {
		t.Fatalf("read as %+v", got)
	}
	for _, name := range []string{
		"", "x", path, path[3:] + "x", strings.ToUpper(path[3:]), path[3:len(path)-1] + "x",
		strings.Replace(path[3:], "-", "_", 1), strings.Replace(path[3:], "ab", "+b", 1),
		"ab00000000000001-0000010000000005-00000001ffffffff-00000000n",
	} {
		if p, ok := parsePlace(name); ok {
			t.Errorf("%q is read as %+v", name, p)
		}
	}
}

func FuzzPlace(f *testing.F) {
	f.Add("ab00000000000001-0000010000000005-00000001ffffffff-00000011l")
	f.Fuzz(func(t *testing.T, name string) {
		if p, ok := parsePlace(name); ok && p.path() != shardName(p.shard())+"/"+name {
			t.Fatalf("%q is the place of %q", name, p.path())
		}
	})
}

func countFields(v any) int { return reflect.TypeOf(v).NumField() }

// parseRecord reads a record of which b is the whole or more.
func parseRecord(b []byte, seed uint64) (*record, error) {
	p, err := parsePreamble(b)
	if err != nil {
		return nil, err
	}
	return p.parse(b, seed)
}
