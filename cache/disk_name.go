package cache

import "github.com/cespare/xxhash/v2"

// diskPlace says where a stored response lies on disk, and enough of it to select
// among the responses of one key. It is all of the file's name, so that reading
// folders makes the index.
type diskPlace struct {
	// key is the seeded hash of Meta.Key. Whether the key is equal is told
	// by the file.
	key uint64
	// id is the number of the file. A later one was stored later.
	id uint64
	// vary is a hash of Meta.Vary, variant one of Meta.Vary and Meta.Variant.
	vary, variant uint32
	// units is the room that it takes, in unitBytes.
	units uint32
	// language says that Meta.LanguageVariant is not empty.
	language bool
}

// sameVariant says that p is of the variant of m, if it is of its key.
func (p *diskPlace) sameVariant(m *Meta) bool {
	return p.vary == hashVary(m.Vary) && p.variant == hashVariant(p.vary, m.Variant)
}

// Room on disk is counted in units; files take whole blocks, of the size that is
// common, and a unit for name and inode.
const (
	unitBytes  = 512
	blockBytes = 4096
)

// shards is how many folders the files are spread over, by key.
const shards = 256

// unitsOf returns the units that a file of n bytes takes.
func unitsOf(n int64) int64 { return (n+blockBytes-1)/blockBytes*(blockBytes/unitBytes) + 1 }

const hexDigits = "0123456789abcdef"

// shardName is the name of a shard's folder.
func shardName(shard int) string {
	return string([]byte{hexDigits[shard>>4], hexDigits[shard&15]})
}

// shard is the number of p's folder.
func (p *diskPlace) shard() int { return shardOf(p.key) }

func shardOf(key uint64) int { return int(key >> 56) }

// Positions in a name: key-id-hashes-units and a flag.
const (
	nameID    = 17
	nameVary  = 34
	nameUnits = 51
	nameFlag  = 59
	nameBytes = 60
)

// path is the name of p's file in the store's folder.
func (p *diskPlace) path() string {
	b := make([]byte, 0, 3+nameBytes)
	shard := p.shard()
	b = append(b, hexDigits[shard>>4], hexDigits[shard&15], '/')
	b = appendHex(b, p.key, 16)
	b = append(b, '-')
	b = appendHex(b, p.id, 16)
	b = append(b, '-')
	b = appendHex(b, uint64(p.vary), 8)
	b = appendHex(b, uint64(p.variant), 8)
	b = append(b, '-')
	b = appendHex(b, uint64(p.units), 8)
	flag := byte('n')
	if p.language {
		flag = 'l'
	}
	return string(append(b, flag))
}

func appendHex(dst []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[v>>shift&15])
	}
	return dst
}

// parsePlace reads the last part of what path returns. ok is false for all other
// names.
func parsePlace(name string) (p diskPlace, ok bool) {
	if len(name) != nameBytes || name[16] != '-' || name[33] != '-' || name[50] != '-' ||
		name[nameFlag] != 'n' && name[nameFlag] != 'l' {
		return p, false
	}
	ok = true
	number := func(from, digits int) (v uint64) {
		for _, c := range []byte(name[from : from+digits]) {
			switch {
			case '0' <= c && c <= '9':
				v = v<<4 | uint64(c-'0')
			case 'a' <= c && c <= 'f':
				v = v<<4 | uint64(c-'a'+10)
			default:
				ok = false
			}
		}
		return v
	}
	p = diskPlace{
		key: number(0, 16), id: number(nameID, 16),
		vary: uint32(number(nameVary, 8)), variant: uint32(number(nameVary+8, 8)),
		units: uint32(number(nameUnits, 8)), language: name[nameFlag] == 'l',
	}
	return p, ok && p.units > 0 && p.id > 0
}

// hashVary returns the hash of a list of fields.
func hashVary(fields []string) uint32 {
	var d xxhash.Digest
	d.Reset()
	for _, f := range fields {
		d.WriteString(f)
		d.Write([]byte{0})
	}
	return uint32(d.Sum64())
}

// hashVariant returns the hash of a variant among those with the list that hashes
// to vary.
func hashVariant(vary uint32, variant string) uint32 {
	var d xxhash.Digest
	d.ResetWithSeed(uint64(vary))
	d.WriteString(variant)
	return uint32(d.Sum64())
}
