package cache

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// A file of the disk store is one stored response:
//
//	slot     the record: preamble and description (Meta), padded with zeros
//	slot     only if slots is 2: another place for a record
//	body     to the end of the file
//
// Two slots let the description be replaced in place: a new record goes to the
// slot that is not in use, and a reader takes the whole one of the higher
// revision. The preamble, in little-endian order:
//
//	0  magic, 6 bytes         24  revision, 4 bytes
//	6  format version, 2      28  length of the description, 4
//	8  checksum of all of     32  length of a slot, 4
//	   the record from 16, 8  36  slots, 4
//	16 number of the file, 8  40  length of the body, 8
//	                          48  checksum of the body, 8
//
// The first 32 bytes mean the same in every version. Checksums are xxhash, 64 bits;
// that of a record is seeded by the version and the secret seed of the folder, so
// that no part of a body can pass for a record. They find accidents; who can write to the folder
// needs no accident.
const (
	recordMagic    = "mount\x00"
	recordVersion  = 1
	preambleBytes  = 56
	maxRecordBytes = 8 << 20
)

// Errors of records.
var (
	errDamaged = errors.New("stored response is damaged")
	errNewer   = errors.New("stored response was written by a newer version")
)

// record is the head of a file of the disk store.
type record struct {
	id        uint64 // number of the file, as in its name
	revision  uint32 // counts replacements of the description
	slotBytes uint32
	slots     uint32 // 1 or 2
	bodyBytes int64
	bodySum   uint64
	meta      *Meta
}

// bodyOffset is where the body begins.
func (r *record) bodyOffset() int64 { return int64(r.slotBytes) * int64(r.slots) }

// slotOffset is where a record of r's revision lies.
func (r *record) slotOffset() int64 { return int64(r.slotBytes) * int64(r.revision%r.slots) }

// append appends the record without padding to dst, which must be empty.
// If slotBytes is zero it becomes the length of the record.
func (r *record) append(dst []byte, seed uint64) []byte {
	dst = append(dst, make([]byte, preambleBytes)...)
	dst = appendMeta(dst, r.meta)
	if r.slotBytes == 0 {
		r.slotBytes = uint32(len(dst))
	}
	le := binary.LittleEndian
	copy(dst, recordMagic)
	le.PutUint16(dst[6:], recordVersion)
	le.PutUint64(dst[16:], r.id)
	le.PutUint32(dst[24:], r.revision)
	le.PutUint32(dst[28:], uint32(len(dst)-preambleBytes))
	le.PutUint32(dst[32:], r.slotBytes)
	le.PutUint32(dst[36:], r.slots)
	le.PutUint64(dst[40:], uint64(r.bodyBytes))
	le.PutUint64(dst[48:], r.bodySum)
	le.PutUint64(dst[8:], recordSum(recordVersion, seed, dst))
	return dst
}

// recordSum is the checksum of a whole record.
func recordSum(version uint16, seed uint64, b []byte) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(seed + uint64(version))
	d.Write(b[16:])
	return d.Sum64()
}

// preamble is the fixed part of a record that was read back.
type preamble struct {
	record
	version   uint16
	metaBytes int
	sum       uint64
}

// parsePreamble reads the fixed part of a record. What it returns is within the
// limits of the format but not proven by the checksum.
func parsePreamble(b []byte) (preamble, error) {
	if len(b) < preambleBytes || string(b[:6]) != recordMagic {
		return preamble{}, fmt.Errorf("%w: no record", errDamaged)
	}
	le := binary.LittleEndian
	p := preamble{
		record: record{
			id: le.Uint64(b[16:]), revision: le.Uint32(b[24:]),
			slotBytes: le.Uint32(b[32:]), slots: le.Uint32(b[36:]),
			bodyBytes: int64(le.Uint64(b[40:])), bodySum: le.Uint64(b[48:]),
		},
		version:   le.Uint16(b[6:]),
		metaBytes: int(le.Uint32(b[28:])),
		sum:       le.Uint64(b[8:]),
	}
	switch {
	case p.metaBytes < 0 || p.metaBytes > maxRecordBytes:
		return preamble{}, fmt.Errorf("%w: impossible length", errDamaged)
	case p.version > recordVersion:
		// Only the checksum will tell whether that is true.
	case p.version == 0,
		p.slots != 1 && p.slots != 2,
		p.slotBytes > maxRecordBytes,
		p.metaBytes+preambleBytes > int(p.slotBytes),
		p.bodyBytes < 0:
		return preamble{}, fmt.Errorf("%w: impossible lengths", errDamaged)
	}
	return p, nil
}

// parse reads the rest of a record, of which b is the whole or more.
func (p preamble) parse(b []byte, seed uint64) (*record, error) {
	end := preambleBytes + p.metaBytes
	if len(b) < end {
		return nil, fmt.Errorf("%w: record cut off", errDamaged)
	}
	if recordSum(p.version, seed, b[:end]) != p.sum {
		return nil, fmt.Errorf("%w: checksum of the record", errDamaged)
	}
	if p.version > recordVersion {
		return nil, fmt.Errorf("%w: format %d", errNewer, p.version)
	}
	m, err := parseMeta(b[preambleBytes:end])
	if err != nil || m.Length != p.bodyBytes {
		return nil, fmt.Errorf("%w: description", errDamaged)
	}
	r := p.record
	r.meta = m
	return &r, nil
}
