package cache

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// A Store keeps complete stored responses. It decides nothing about HTTP: what
// may be stored or reused is the caller's question. All methods are safe for
// concurrent use.
//
// A response becomes visible by Put, by Writer.Commit or by Replace, each of
// which is atomic: a Lookup sees the old response, or the whole new one, or
// none. Nothing that was not committed is ever returned, also not after a crash.
// A store may drop any response at any time; one that was handed out stays
// readable for as long as its holder reads it.
//
// Responses are grouped by Meta.Key. Under one key there is one response for
// each pair of Meta.Vary and Meta.Variant, at most MaxVariants of them; storing
// one more drops the one stored longest ago.
type Store interface {
	// Lookup finds the response stored under key that a request with the
	// given header fields selects (RFC 9111 section 4.1), as Select does.
	// request is only read.
	Lookup(key string, request http.Header) Found

	// Put stores a complete response whose body is at hand. The store owns
	// m and body afterwards; neither may be changed by anyone.
	Put(m *Meta, body []byte) (*Stored, error)

	// Create starts to store a response whose body arrives piece by piece.
	// size is its length in bytes, or -1 if it is not known. m may still
	// change until Commit; only its Key may be relied on.
	// ErrTooLarge means that the store cannot hold a body of this size.
	Create(m *Meta, size int64) (Writer, error)

	// Replace puts m in the place of s.Meta and keeps the body: a stored
	// response was freshened (RFC 9111 section 4.3.4). Vary may differ. It does
	// nothing and returns nil without error if s is no longer the stored one.
	Replace(s *Stored, m *Meta) (*Stored, error)

	// Delete drops all responses stored under key and says how many.
	Delete(key string) int

	// Drop drops s, if it is still the stored one.
	Drop(s *Stored)

	// Each calls f with what is stored, in no order, until f returns
	// false. It is not a snapshot: responses that come or go meanwhile may
	// be missed. f must not keep m's maps nor call the store.
	Each(f func(m *Meta) bool)

	// Stats returns the present numbers.
	Stats() StoreStats

	// Close frees what the store holds. Responses that were handed out stay
	// readable; every other method may fail or find nothing.
	Close() error
}

// A Writer takes the body of one response that is being stored.
//
// Write, Commit, Abort and Close are called by one goroutine. ReadAt may be
// called by any number of others at the same time, for bytes for which Write has
// returned; it works until Close, also after Commit and Abort and after a Write
// that failed, so that readers can tail the body while it arrives.
type Writer interface {
	io.Writer
	io.ReaderAt

	// Commit makes the response visible under m, whose Length is the number
	// of bytes written. The store owns m afterwards. On error nothing is stored.
	Commit(m *Meta) (*Stored, error)

	// Abort gives the response up: nothing of it stays in the store. It
	// does nothing after Commit or Abort.
	Abort()

	// Close frees what ReadAt needs, after Commit or Abort.
	io.Closer
}

// Errors of stores.
var (
	// ErrTooLarge: the body is larger than the store takes.
	ErrTooLarge = errors.New("body too large for the store")
	// ErrClosed: the store or writer was closed, committed or aborted.
	ErrClosed = errors.New("store closed")
	// ErrIncomplete: Commit with a length that differs from what was written.
	ErrIncomplete = errors.New("stored length differs from declared length")
)

// MaxVariants is how many responses a Store keeps under one key.
const MaxVariants = 64

// Found is the answer to a look-up. Its zero value means that nothing is stored
// under the key.
type Found struct {
	// Stored is the selected response, nil if there is none.
	Stored *Stored
	// Known says that something is stored under the key. With a nil Stored
	// the request differs in a field that the stored responses vary on.
	Known bool
	// Vary is the list of fields of the newest response under the key.
	Vary []string
}

// Meta is what is known of a stored response beside its body. It is immutable
// once handed to a store. It holds facts about the exchange only; what follows
// from configuration is derived from it at look-up.
type Meta struct {
	// Key is the cache key without the variant.
	Key string
	// Vary are the request fields that select this response, canonical,
	// sorted, without duplicates; nil if it does not vary.
	Vary []string
	// Variant is VariantKey(Vary, header) of the request that was sent.
	Variant string
	// LanguageVariant is the name under which a response in one language is
	// also found by who prefers that language to all others; empty if there is
	// no such name.
	LanguageVariant string

	// Status is the final status code.
	Status int
	// Header has the response's end-to-end fields as they were received,
	// after mapping, without fields of purge tags.
	Header http.Header
	// Length is the length of the body in bytes.
	Length int64

	// RequestTime and ResponseTime are when the request that made or last
	// validated the response was sent and when its header had arrived (RFC
	// 9111 section 4.2.3).
	RequestTime, ResponseTime time.Time
	// StoredTime is when the body was fetched. Validation keeps it.
	StoredTime time.Time
	// MaxLifetime bounds the freshness lifetime; zero is no bound. It is set
	// where the answer is complete as far as can be told, or was made so soon
	// after a purge that it may come from a page cache behind the origin.
	MaxLifetime time.Duration

	// Mount, Host, Path and Query are the public URL, as purges name it:
	// the mount's name, the public host, the canonical path and the raw query
	// without "?".
	Mount, Host, Path, Query string
	// Tags are the purge tags, sorted, without duplicates.
	Tags []string
	// Number is the last purge applied before the response was asked for.
	Number uint64

	// Authorization says that the request carried Authorization and that the
	// response was stored by RFC 9111 section 3.5.
	Authorization bool
}

// Size is the memory that m takes, in bytes, near enough to bound it.
func (m *Meta) Size() int64 {
	const fixed, perString, perField = 320, 16, 64
	n := fixed + len(m.Key) + len(m.Variant) + len(m.LanguageVariant) + len(m.Mount) + len(m.Host) + len(m.Path) + len(m.Query)
	for _, s := range m.Vary {
		n += perString + len(s)
	}
	for _, s := range m.Tags {
		n += perString + len(s)
	}
	for k, vs := range m.Header {
		n += perField + len(k)
		for _, v := range vs {
			n += perString + len(v)
		}
	}
	// The prepared header that is written on a hit shares the strings.
	return int64(n + perField*len(m.Header))
}

// Stored is one complete stored response. It is immutable but for notes that the
// cache keeps on it, safe for concurrent use, and stays readable after it was
// dropped from its store.
type Stored struct {
	*Meta
	// Bytes is the whole body if it is in memory, else nil. It is only read.
	// A response with an empty body has Length 0 and may have nil.
	Bytes []byte
	// Opener opens a body that is not in memory; nil if Bytes is the body.
	Opener Opener

	// id is the number that the disk store knows it by; zero in other stores.
	id uint64
	// copied says that a tiered store has put it on its way to disk.
	copied atomic.Bool

	// Notes of the cache that reads it; see hit.go, epoch.go and coding_forms.go.
	prepared atomic.Pointer[prepared]
	checked  atomic.Uint64
	forms    atomic.Pointer[forms]
}

// An Opener opens the body of a stored response for reading. It is safe for
// concurrent use.
type Opener interface {
	// Open returns the body. An error means that it cannot be read any more
	// or was found damaged: the response is then dropped and fetched again.
	Open() (Content, error)
}

// Content is an open body of Stored.Length bytes. ReadAt is safe for concurrent
// use. Close frees it.
type Content interface {
	io.ReaderAt
	io.Closer
}

// A FileContent is a Content that can say where in a file it lies. A whole body
// whose end is the file's end is then copied by the kernel.
type FileContent interface {
	Content
	// File returns the file positioned at the first byte of the body. The
	// file belongs to the Content. Reading it moves its position: one caller
	// only, once.
	File() (*os.File, error)
}

// StoreStats are the numbers of a store.
type StoreStats struct {
	// Entries is how many responses are stored, variants counted singly.
	Entries int64 `json:"entries"`
	// Bytes is what they take, headers and bookkeeping included; MaxBytes
	// is its bound.
	Bytes    int64 `json:"bytes"`
	MaxBytes int64 `json:"max_bytes"`
	// Evictions is how many responses were dropped for want of space.
	Evictions int64 `json:"evictions"`
	// Failures is how many reads or writes of the medium failed.
	Failures int64 `json:"failures"`
}
