package cache

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// KeyParts is everything of a request that the origin is told and that Vary
// does not select: key = what is forwarded.
type KeyParts struct {
	// Mount is the fingerprint of all that shapes stored bytes (bases, prefix,
	// transform options, mapper version). It is never the mount's name.
	Mount string
	// Scheme and Host are the public ones in canonical form: lower case,
	// without default port and trailing dot.
	Scheme, Host string
	// Path and Query are the bytes as forwarded, without the "?".
	Path, Query string
	// BareQuery marks a URL that ends in "?": an empty query is not no query.
	BareQuery bool
	// Split is the label of the A/B variant, empty without a split.
	Split string
	// Extra are the evaluated key placeholders, in their configured order.
	Extra []string
	// Origin is the Origin request field; HasOrigin tells an empty one from none.
	Origin    string
	HasOrigin bool
}

// Key is a cache key. Two keys are equal (==) exactly if all parts and the
// variant are: the bytes are compared, the hash only speeds that up, so a hash
// collision never mixes responses. The zero value equals no made key. A Key is
// immutable and may be used as a map key.
type Key struct {
	hash  uint64
	bytes string
}

// NewKey returns the primary key of p: the one without a variant. Parts are
// written with their lengths before them, so none can imitate another.
func NewKey(p KeyParts) Key {
	n := 16 + len(p.Mount) + len(p.Scheme) + len(p.Host) + len(p.Path) + len(p.Query) + len(p.Split) + len(p.Origin) + 9*8
	for _, e := range p.Extra {
		n += len(e) + binary.MaxVarintLen64
	}
	b := make([]byte, 0, n)
	var flags byte
	if p.BareQuery && p.Query == "" {
		flags |= 1
	}
	if p.HasOrigin {
		flags |= 2
	}
	b = append(b, flags)
	for _, s := range [...]string{p.Mount, p.Scheme, p.Host, p.Path, p.Query, p.Split} {
		b = appendLengthPrefixed(b, s)
	}
	if p.HasOrigin {
		b = appendLengthPrefixed(b, p.Origin)
	}
	b = binary.AppendUvarint(b, uint64(len(p.Extra)))
	for _, e := range p.Extra {
		b = appendLengthPrefixed(b, e)
	}
	// The primary part's own length leads, so that what follows it is the variant.
	whole := make([]byte, 0, len(b)+binary.MaxVarintLen64)
	whole = appendLengthPrefixed(whole, string(b))
	return Key{hash: xxhash.Sum64(whole), bytes: string(whole)}
}

// WithVariant returns the key of one variant of k, where variant is what
// Vary.AppendVariant wrote. The primary key itself equals none of its variants,
// also not the one whose Vary names no field and whose variant is empty.
func (k Key) WithVariant(variant []byte) Key {
	b := make([]byte, 0, len(k.bytes)+len(variant)+binary.MaxVarintLen64)
	b = append(b, k.bytes...)
	b = binary.AppendUvarint(b, uint64(len(variant)))
	b = append(b, variant...)
	return Key{hash: xxhash.Sum64(b), bytes: string(b)}
}

// Primary returns the key without its variant.
func (k Key) Primary() Key {
	n, size := binary.Uvarint([]byte(k.bytes[:min(len(k.bytes), binary.MaxVarintLen64)]))
	if size <= 0 || n > uint64(len(k.bytes)-size) {
		return Key{}
	}
	primary := k.bytes[:size+int(n)]
	if len(primary) == len(k.bytes) {
		return k
	}
	return Key{hash: xxhash.Sum64String(primary), bytes: primary}
}

// Hash returns the 64-bit xxhash of the key's bytes, for sharding and for log
// lines. It does not identify the key.
func (k Key) Hash() uint64 { return k.hash }

// Bytes returns the whole key as a string of arbitrary bytes.
func (k Key) Bytes() string { return k.bytes }

// KeyFromBytes returns the Key whose Bytes were b: what a store on disk reads back.
func KeyFromBytes(b string) Key { return Key{hash: xxhash.Sum64String(b), bytes: b} }

// IsZero reports whether k is the zero Key.
func (k Key) IsZero() bool { return k.bytes == "" }

// Size returns how many bytes k keeps in memory.
func (k Key) Size() int { return len(k.bytes) + 24 }

func appendLengthPrefixed(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
