package cache

import (
	"encoding/binary"
	"fmt"
	"strings"

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
	// Origin is the Origin request field; HasOrigin tells an empty one from none
	// and is implied by one that is not empty.
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
	parts := [...]string{p.Mount, p.Scheme, p.Host, p.Path, p.Query, p.Split, p.Origin}
	n := 1 + uvarintLen(len(p.Extra))
	for _, s := range parts {
		n += uvarintLen(len(s)) + len(s)
	}
	for _, s := range p.Extra {
		n += uvarintLen(len(s)) + len(s)
	}
	var flags byte
	if p.BareQuery && p.Query == "" {
		flags |= 1
	}
	if p.HasOrigin || p.Origin != "" {
		flags |= 2
	}
	var b strings.Builder
	b.Grow(uvarintLen(n) + n)
	// The length of the primary part leads, so that what follows it is the variant.
	writeUvarint(&b, n)
	b.WriteByte(flags)
	for _, s := range parts {
		writeUvarint(&b, len(s))
		b.WriteString(s)
	}
	writeUvarint(&b, len(p.Extra))
	for _, s := range p.Extra {
		writeUvarint(&b, len(s))
		b.WriteString(s)
	}
	return KeyFromBytes(b.String())
}

// WithVariant returns the key of one variant of k, where variant is what
// Vary.AppendVariant wrote. The primary key itself equals none of its variants,
// also not the one whose Vary names no field and whose variant is empty.
func (k Key) WithVariant(variant []byte) Key {
	var b strings.Builder
	b.Grow(len(k.bytes) + uvarintLen(len(variant)) + len(variant))
	b.WriteString(k.bytes)
	writeUvarint(&b, len(variant))
	b.Write(variant)
	return KeyFromBytes(b.String())
}

// Primary returns the key without its variant.
func (k Key) Primary() Key {
	n, size := binary.Uvarint([]byte(k.bytes[:min(len(k.bytes), binary.MaxVarintLen64)]))
	if size <= 0 || n > uint64(len(k.bytes)-size) {
		return Key{}
	}
	if size+int(n) == len(k.bytes) {
		return k
	}
	return KeyFromBytes(k.bytes[:size+int(n)])
}

// String returns the 64-bit xxhash of the key's bytes in hexadecimal, for people; ""
// for the zero Key. It does not identify the key.
func (k Key) String() string {
	if k.bytes == "" {
		return ""
	}
	return fmt.Sprintf("%016x", k.hash)
}

// Bytes returns the whole key as a string of arbitrary bytes.
func (k Key) Bytes() string { return k.bytes }

// KeyFromBytes returns the Key whose Bytes were b: what a store on disk reads back.
func KeyFromBytes(b string) Key { return Key{hash: xxhash.Sum64String(b), bytes: b} }

func writeUvarint(b *strings.Builder, n int) {
	var buf [binary.MaxVarintLen64]byte
	b.Write(buf[:binary.PutUvarint(buf[:], uint64(n))])
}

func uvarintLen(n int) int {
	size := 1
	for v := uint64(n); v >= 0x80; v >>= 7 {
		size++
	}
	return size
}

func appendLengthPrefixed(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}
