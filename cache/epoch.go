package cache

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Scope is what a purge covers.
type Scope uint8

const (
	// ScopeURL is one URL with all its variants. It is the zero value because
	// it covers least.
	ScopeURL Scope = iota
	// ScopePrefix is a path and everything below it.
	ScopePrefix
	// ScopeTag is everything that carries a tag.
	ScopeTag
	// ScopeAll is everything of a mount.
	ScopeAll
)

// String returns the word of s in logs and in the admin API.
func (s Scope) String() string {
	switch s {
	case ScopeAll:
		return "all"
	case ScopePrefix:
		return "prefix"
	case ScopeTag:
		return "tag"
	}
	return "url"
}

// A Purge says that what was asked for before it is not to be reused.
type Purge struct {
	// Number orders purges. Ledger.Purge assigns it.
	Number uint64 `json:"number"`
	// At is when it was applied.
	At time.Time `json:"at"`
	// Mount is the name of the mount.
	Mount string `json:"mount"`
	Scope Scope  `json:"scope"`
	// Host is the public host for ScopeURL and ScopePrefix; empty is any.
	Host string `json:"host,omitempty"`
	// Path is the public path; for ScopePrefix with or without a final slash.
	Path string `json:"path,omitempty"`
	// Query is the raw query for ScopeURL, without "?".
	Query string `json:"query,omitempty"`
	// Tag is the tag for ScopeTag.
	Tag string `json:"tag,omitempty"`
	// Soft keeps what is covered as stale: it is validated before it is
	// reused, or served while that happens if stale-while-revalidate allows it.
	// A hard purge ends it.
	Soft bool `json:"soft,omitempty"`
}

// Bounds of one purge. What is past them is purged with what lies above it.
const (
	maxPurgeDepth     = 64      // segments of a prefix
	maxPurgePathBytes = 2 << 10 // of a path and its query
)

// coarsened returns p, or a purge of more that is within the bounds.
func (p Purge) coarsened() Purge {
	if p.Scope == ScopeURL && len(p.Path)+len(p.Query) > maxPurgePathBytes {
		p.Scope, p.Path, p.Query = ScopePrefix, parent(p.Path), ""
	}
	if p.Scope != ScopePrefix {
		return p
	}
	end, depth := 0, 0
	for i := range min(len(p.Path), maxPurgePathBytes+1) {
		if p.Path[i] != '/' {
			continue
		}
		end = i
		if depth++; depth > maxPurgeDepth {
			break
		}
	}
	if len(p.Path) > maxPurgePathBytes || depth > maxPurgeDepth {
		p.Path = p.Path[:end]
	}
	return p
}

// A Journal keeps purges across restarts. Ledger calls it from one goroutine at a
// time.
type Journal interface {
	// Load returns what Rewrite wrote last and what Append added since.
	Load() ([]Purge, error)
	// Append has saved p when it returns nil.
	Append(p Purge) error
	// Rewrite replaces all that is kept by ps, atomically.
	Rewrite(ps []Purge) error
}

// DefaultMaxPurges is the default of NewLedger's maxPerMount.
const DefaultMaxPurges = 10_000

// A Ledger numbers purges. It knows the last purge of each mount, path, URL and
// tag; it lives as long as the stores whose responses it covers. It is safe for
// concurrent use.
type Ledger struct {
	journal     Journal
	maxPerMount int
	last        atomic.Uint64

	mu       sync.Mutex // orders purges and guards what follows
	mounts   map[string]*purges
	appended int // since the last Rewrite
}

// NewLedger returns a Ledger with what j kept. A nil j keeps nothing. maxPerMount
// bounds the paths and URLs, and as many tags, that are remembered singly for one
// mount; past it they are remembered by their parents: more is purged than was
// asked for, never less. Zero means DefaultMaxPurges.
func NewLedger(j Journal, maxPerMount int) (*Ledger, error) {
	if maxPerMount <= 0 {
		maxPerMount = DefaultMaxPurges
	}
	l := &Ledger{journal: j, maxPerMount: maxPerMount, mounts: make(map[string]*purges)}
	if j == nil {
		return l, nil
	}
	kept, err := j.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the purge journal: %w", err)
	}
	for _, p := range kept {
		l.mount(p.Mount).apply(p.coarsened(), l.maxPerMount)
		l.last.Store(max(l.last.Load(), p.Number))
	}
	l.appended = len(kept)
	return l, nil
}

// Last is the number of the last purge that was applied. A fetch that is sent
// after reading it sees what the site says after that purge.
func (l *Ledger) Last() uint64 { return l.last.Load() }

// Purge saves p, applies it and returns its number. When it has returned nothing
// older is reused. On error nothing was purged.
func (l *Ledger) Purge(p Purge, now time.Time) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p = p.coarsened()
	p.Number, p.At = l.last.Load()+1, now
	if l.journal != nil {
		if err := l.journal.Append(p); err != nil {
			return 0, fmt.Errorf("saving purge %d: %w", p.Number, err)
		}
	}
	l.mount(p.Mount).apply(p, l.maxPerMount)
	// Applied before it is announced: who reads the number sees the purge.
	l.last.Store(p.Number)
	l.appended++
	l.compact()
	return p.Number, nil
}

// compact rewrites the journal when most of it is superseded. Failing to is not
// an error: the journal stays longer than it need be. The caller holds mu.
func (l *Ledger) compact() {
	const slack = 1024
	if l.journal == nil || l.appended <= slack {
		return
	}
	marks := 0
	for _, m := range l.mounts {
		marks += m.count()
	}
	// A mark takes one or two entries: at least half of a longer journal is
	// superseded.
	if l.appended <= 4*marks+slack {
		return
	}
	_ = l.rewrite()
}

// rewrite replaces the journal by what makes the same tables. The caller holds mu.
func (l *Ledger) rewrite() error {
	kept := l.snapshot()
	err := l.journal.Rewrite(kept)
	if err == nil {
		l.appended = len(kept)
	}
	return err
}

// save writes the journal anew: it was lost.
func (l *Ledger) save() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rewrite()
}

// snapshot returns purges that make the same tables. The caller holds mu.
func (l *Ledger) snapshot() []Purge {
	var kept []Purge
	for name, m := range l.mounts {
		kept = m.appendTo(kept, name)
	}
	slices.SortFunc(kept, func(a, b Purge) int {
		switch {
		case a.Number < b.Number:
			return -1
		case a.Number > b.Number:
			return 1
		}
		return 0
	})
	return kept
}

// mount returns the table of one mount. The caller holds mu or owns l.
func (l *Ledger) mount(name string) *purges {
	m, ok := l.mounts[name]
	if !ok {
		m = newPurges()
		l.mounts[name] = m
	}
	return m
}

// forMount returns the table of one mount.
func (l *Ledger) forMount(name string) *purges {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mount(name)
}

// Count returns how many marks the tables hold for the mount.
func (l *Ledger) Count(mount string) int {
	return l.forMount(mount).count()
}
