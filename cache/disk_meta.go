package cache

import (
	"encoding/binary"
	"errors"
	"net/http"
	"time"
)

// errMeta says that bytes are not what appendMeta writes.
var errMeta = errors.New("malformed description of a stored response")

// appendMeta appends m to dst: numbers as varints, strings and lists with their
// lengths before them, in the order of the fields of Meta.
func appendMeta(dst []byte, m *Meta) []byte {
	dst = appendLengthPrefixed(dst, m.Key)
	dst = appendStrings(dst, m.Vary)
	dst = appendLengthPrefixed(dst, m.Variant)
	dst = appendLengthPrefixed(dst, m.LanguageVariant)
	dst = binary.AppendVarint(dst, int64(m.Status))
	dst = binary.AppendUvarint(dst, uint64(len(m.Header)))
	for name, values := range m.Header {
		dst = appendLengthPrefixed(dst, name)
		dst = appendStrings(dst, values)
	}
	dst = binary.AppendUvarint(dst, uint64(m.Length))
	for _, t := range [...]time.Time{m.RequestTime, m.ResponseTime, m.StoredTime} {
		dst = binary.AppendVarint(dst, t.Unix())
		dst = binary.AppendUvarint(dst, uint64(t.Nanosecond()))
	}
	dst = binary.AppendVarint(dst, int64(m.MaxLifetime))
	for _, s := range [...]string{m.Mount, m.Host, m.Path, m.Query} {
		dst = appendLengthPrefixed(dst, s)
	}
	dst = appendStrings(dst, m.Tags)
	dst = binary.AppendUvarint(dst, m.Number)
	if m.Authorization {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func appendStrings(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = appendLengthPrefixed(dst, s)
	}
	return dst
}

// parseMeta reads what appendMeta wrote, the whole of b. It takes time and memory
// linear in b, whatever b is, and keeps nothing of it.
func parseMeta(b []byte) (*Meta, error) {
	// One string holds all strings of the response.
	d := metaDecoder{rest: string(b)}
	m := &Meta{
		Key: d.string(), Vary: d.strings(), Variant: d.string(), LanguageVariant: d.string(),
		Status: int(d.varint()),
	}
	fields := d.count(2)
	m.Header = make(http.Header, fields)
	for range fields {
		name := d.string()
		if _, twice := m.Header[name]; twice {
			return nil, errMeta
		}
		m.Header[name] = d.strings()
	}
	m.Length = int64(d.uvarint())
	for _, t := range [...]*time.Time{&m.RequestTime, &m.ResponseTime, &m.StoredTime} {
		seconds, nanoseconds := d.varint(), d.uvarint()
		if nanoseconds >= uint64(time.Second) {
			return nil, errMeta
		}
		*t = time.Unix(seconds, int64(nanoseconds)).UTC()
	}
	m.MaxLifetime = time.Duration(d.varint())
	m.Mount, m.Host, m.Path, m.Query = d.string(), d.string(), d.string(), d.string()
	m.Tags = d.strings()
	m.Number = d.uvarint()
	authorization := d.uvarint()
	m.Authorization = authorization == 1
	if d.bad || d.rest != "" || authorization > 1 || m.Length < 0 {
		return nil, errMeta
	}
	return m, nil
}

// metaDecoder takes values off the front of rest. After the first that is not
// there all are zero.
type metaDecoder struct {
	rest string
	bad  bool
}

func (d *metaDecoder) fail() {
	d.bad, d.rest = true, ""
}

func (d *metaDecoder) uvarint() uint64 {
	var v uint64
	for i := range min(len(d.rest), binary.MaxVarintLen64) {
		c := d.rest[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			break
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.rest = d.rest[i+1:]
			return v
		}
	}
	d.fail()
	return 0
}

func (d *metaDecoder) varint() int64 {
	u := d.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count takes the number of items that follow, each of at least size bytes.
func (d *metaDecoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.rest)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *metaDecoder) string() string {
	n := d.count(1)
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

// strings returns nil for an empty list.
func (d *metaDecoder) strings() []string {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	list := make([]string, 0, n)
	for range n {
		list = append(list, d.string())
	}
	return list
}
