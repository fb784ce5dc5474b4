package cache

import (
	"bytes"
	"encoding/hex"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// purges is the table of one mount: for each path, URL and tag the last purge. It
// is bounded: a full table coarsens, it never forgets. It is safe for concurrent
// use.
type purges struct {
	// generation is the number of the last purge of this mount. What was
	// found uncovered at a generation stays so until the next.
	generation atomic.Uint64

	mu       sync.RWMutex
	all      mark
	prefixes map[place]mark
	urls     map[place]mark
	tags     map[string]mark
	deepest  int // deepest path in prefixes
}

// place is a path on a host. The path is as spelled writes it; that of a prefix has no
// final slash, so that the root is "". An empty host is any host.
type place struct{ host, path, query string }

// mark is the last purge of something.
type mark struct {
	hard, soft uint64
	at         time.Time // of the later one
}

// last is the number of the later one.
func (m mark) last() uint64 { return max(m.hard, m.soft) }

// merge returns the later of each. Numbers tell which is later: a clock may be set
// back between two purges.
func (m mark) merge(o mark) mark {
	if o.last() > m.last() {
		m.at = o.at
	}
	m.hard, m.soft = max(m.hard, o.hard), max(m.soft, o.soft)
	return m
}

// within says that o covers at least as much as m, where o's scope holds m's.
func (m mark) within(o mark) bool {
	return m.hard <= o.hard && m.soft <= max(o.soft, o.hard)
}

func newPurges() *purges {
	return &purges{prefixes: map[place]mark{}, urls: map[place]mark{}, tags: map[string]mark{}}
}

// apply enters p.
func (t *purges) apply(p Purge, limit int) {
	m := mark{at: p.At}
	if p.Soft {
		m.soft = p.Number
	} else {
		m.hard = p.Number
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch p.Scope {
	case ScopeAll:
		t.all = t.all.merge(m)
		t.prune()
	case ScopePrefix:
		t.addPrefix(place{host: p.Host, path: strings.TrimRight(spelled(p.Path), "/")}, m)
	case ScopeTag:
		t.tags[p.Tag] = t.tags[p.Tag].merge(m)
	default:
		k := place{p.Host, spelled(p.Path), p.Query}
		t.urls[k] = t.urls[k].merge(m)
	}
	if len(t.prefixes)+len(t.urls) > limit {
		t.coarsenPaths(limit / 2)
	}
	if len(t.tags) > limit {
		for _, m := range t.tags {
			t.all = t.all.merge(m)
		}
		t.prune()
	}
	t.generation.Store(max(t.generation.Load(), p.Number))
}

// addPrefix enters m for a path and all below it. The caller holds mu.
func (t *purges) addPrefix(k place, m mark) {
	if k.host == "" && k.path == "" {
		t.all = t.all.merge(m)
		t.prune()
		return
	}
	t.prefixes[k] = t.prefixes[k].merge(m)
	t.deepest = max(t.deepest, strings.Count(k.path, "/"))
}

// prune drops what a purge of all covers. The caller holds mu.
func (t *purges) prune() {
	for k, m := range t.prefixes {
		if m.within(t.all) {
			delete(t.prefixes, k)
		}
	}
	for k, m := range t.urls {
		if m.within(t.all) {
			delete(t.urls, k)
		}
	}
	for k, m := range t.tags {
		if m.within(t.all) {
			delete(t.tags, k)
		}
	}
}

// coarsenPaths gives what is known of URLs and of the deepest paths to their
// parents until no more than target remain. The caller holds mu.
func (t *purges) coarsenPaths(target int) {
	for k, m := range t.urls {
		delete(t.urls, k)
		t.addPrefix(place{host: k.host, path: parent(k.path)}, m)
	}
	for len(t.prefixes) > target && t.deepest > 0 {
		level := t.deepest
		t.deepest = 0
		for k, m := range t.prefixes {
			if strings.Count(k.path, "/") < level {
				t.deepest = max(t.deepest, strings.Count(k.path, "/"))
				continue
			}
			delete(t.prefixes, k)
			k.path = parent(k.path)
			t.addPrefix(k, m)
		}
	}
	if len(t.prefixes) > target {
		// Only whole hosts are left.
		for _, m := range t.prefixes {
			t.all = t.all.merge(m)
		}
		t.prune()
	}
}

// parent returns the path one segment up, "" at the top.
func parent(path string) string {
	path = strings.TrimRight(path, "/")
	return path[:max(strings.LastIndexByte(path, '/'), 0)]
}

// covering returns the last purge of all, of the path, its ancestors, the URL and
// the tags of m.
func (t *purges) covering(m *Meta) mark {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var c mark
	for o := range t.marksOver(m) {
		c = c.merge(o)
	}
	return c
}

// marksOver yields the marks of everything that m belongs to, zero ones included.
// They are no more than m has tags and, for either host, the deepest purged path
// has segments. The caller holds mu.
func (t *purges) marksOver(m *Meta) iter.Seq[mark] {
	return func(yield func(mark) bool) {
		if !yield(t.all) {
			return
		}
		path := spelled(m.Path)
		for _, host := range [2]string{m.Host, ""} {
			if len(t.urls) > 0 && !yield(t.urls[place{host, path, m.Query}]) {
				return
			}
			if len(t.prefixes) > 0 && !t.ancestors(host, path, yield) {
				return
			}
		}
		if len(t.tags) == 0 {
			return
		}
		for _, tag := range m.Tags {
			if !yield(t.tags[tag]) {
				return
			}
		}
	}
}

// Under reports whether m lies at or below a path on a host, as a purge of that prefix
// would cover it.
func (m *Meta) Under(host, path string) bool {
	rest, ok := strings.CutPrefix(spelled(m.Path), strings.TrimRight(spelled(path), "/"))
	return ok && m.Host == host && (rest == "" || rest[0] == '/')
}

// spelled returns one spelling for all that escape the same path in different ways (RFC
// 3986 section 6.2.2): what needs no escape has none, and the digits of the others are
// capitals. "%2F" and "%25" stay, so that it is its own spelling.
func spelled(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	b := []byte(path)
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] != '%' || i+2 >= len(b) {
			out = append(out, b[i])
			continue
		}
		var c [1]byte
		if _, err := hex.Decode(c[:], b[i+1:i+3]); err != nil {
			out = append(out, b[i])
			continue
		}
		if c[0] > ' ' && c[0] < 0x7f && c[0] != '%' && c[0] != '/' {
			out = append(out, c[0])
		} else {
			out = append(out, '%')
			out = append(out, bytes.ToUpper(b[i+1:i+3])...)
		}
		i += 2
	}
	return string(out)
}

// ancestors yields the marks of path and of what it lies below. The caller holds mu.
func (t *purges) ancestors(host, path string, yield func(mark) bool) bool {
	if !yield(t.prefixes[place{host: host}]) {
		return false
	}
	for end, depth := 0, 0; end < len(path) && depth < t.deepest; depth++ {
		next := strings.IndexByte(path[end+1:], '/')
		if next < 0 {
			end = len(path)
		} else {
			end += 1 + next
		}
		if !yield(t.prefixes[place{host: host, path: path[:end]}]) {
			return false
		}
	}
	return true
}

// count returns how many marks t holds, but for that of all.
func (t *purges) count() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.prefixes) + len(t.urls) + len(t.tags)
}

// since returns how long ago a purge was applied. By a clock that was set back it
// may lie ahead: it was now at the latest, and is taken for that from then on.
func (t *purges) since(at, now time.Time) time.Duration {
	d := now.Sub(at)
	if d < -clockSlack {
		t.setBack(now)
	}
	return max(d, 0)
}

// setBack has no purge lie ahead of now.
func (t *purges) setBack(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all.at.After(now) {
		t.all.at = now
	}
	for _, marks := range [...]map[place]mark{t.prefixes, t.urls} {
		setBack(marks, now)
	}
	setBack(t.tags, now)
}

func setBack[K comparable](marks map[K]mark, now time.Time) {
	for k, m := range marks {
		if m.at.After(now) {
			m.at = now
			marks[k] = m
		}
	}
}

// appendTo appends purges that make this table.
func (t *purges) appendTo(ps []Purge, mount string) []Purge {
	t.mu.RLock()
	defer t.mu.RUnlock()
	add := func(m mark, p Purge) {
		p.Mount, p.At = mount, m.at
		if p.Number = m.hard; m.hard > 0 {
			ps = append(ps, p)
		}
		if p.Number, p.Soft = m.soft, true; m.soft > 0 {
			ps = append(ps, p)
		}
	}
	add(t.all, Purge{Scope: ScopeAll})
	for k, m := range t.prefixes {
		add(m, Purge{Scope: ScopePrefix, Host: k.host, Path: k.path})
	}
	for k, m := range t.urls {
		add(m, Purge{Scope: ScopeURL, Host: k.host, Path: k.path, Query: k.query})
	}
	for tag, m := range t.tags {
		add(m, Purge{Scope: ScopeTag, Tag: tag})
	}
	return ps
}
