package handler

import (
	"errors"
	"io"
	"math"
	"math/bits"
	"sync"
)

const (
	// maxLeft bounds what precedes the host in a form: scheme, colon, slashes, with
	// maxBackslashes or maxPercentRun backslashes each.
	maxLeft = 80
	// maxHeld bounds what a flush can hold back besides host and base path.
	maxHeld = 512
	// eager is how many bytes are collected before they are scanned without
	// being asked to flush.
	eager = 4 << 10

	none = math.MaxInt
)

var errScannerClosed = errors.New("write to a closed scanner")

// scanner maps the URLs in a body while it streams through. It reads the text
// with a cursor on each host name and one on slashes, decides at each hit by
// the bytes around it, and writes what it decided to dst. The output does not
// depend on how the input is cut, every decision looks at a bounded stretch of
// text, and time is linear in the input.
//
// A scanner is for one body and one goroutine. It must be closed; dst stays
// open. The zero value is not usable.
type scanner struct {
	dst   io.Writer
	t     *forms
	kind  mediaKind
	rules ruleSet
	mem   *scanMemory

	base int64 // offset in the body of in[0]
	n    int   // in[:n] is filled
	done int   // in[:done] is written, mapped, to out or dst; it remains as history
	next int   // slashes below next are decided
	outN int   // out[:outN] waits for dst

	place    placeTracker
	srcset   listMemo
	imageSet listMemo
	policy   listMemo
	tag      tagMemo
	seek     integritySearch
	rename   int   // where the name of an attribute waits for renameIntegrity, or none
	renamed  int64 // offset of the last that was renamed
	serialTo int64 // the body is PHP-serialised up to here
	serialAt int64 // ... as far as it was looked at
	looked   int64 // bytes that were looked at, decisions counted as one; a test holds it linear
	count    scanCount
	err      error
	whole    bool // nothing is written before it must be
	closed   bool
}

// hostCursor is a position in the search for one group of needles.
type hostCursor struct {
	at   int // the next hit, or none
	from int // where the search goes on
}

// newScanner returns a scanner that writes as it reads.
func newScanner(dst io.Writer, t *forms, kind mediaKind) *scanner {
	return newScannerWith(streamMemories, dst, t, kind)
}

// newWholeScanner returns a scanner that writes nothing before it is flushed or closed,
// unless the body is longer than wholeBytes after all.
func newWholeScanner(dst io.Writer, t *forms, kind mediaKind) *scanner {
	s := newScannerWith(wholeMemories, dst, t, kind)
	s.whole = true
	return s
}

func newScannerWith(memories *sync.Pool, dst io.Writer, t *forms, kind mediaKind) *scanner {
	s := &scanner{dst: dst, t: t, kind: kind, rules: kindRules[kind] &^ t.off, mem: memories.Get().(*scanMemory), seek: integritySearch{tag: -1, over: true}, rename: none, renamed: -1, tag: tagMemo{lt: -1}}
	if cap(s.mem.hosts) < len(t.groups) {
		s.mem.hosts = make([]hostCursor, len(t.groups))
	}
	s.mem.hosts = s.mem.hosts[:len(t.groups)]
	for i := range s.mem.hosts {
		s.mem.hosts[i] = hostCursor{at: none}
	}
	return s
}

// Count says what was done so far; it is complete after Close.
func (s *scanner) Count() scanCount { return s.count }

// Write takes p, which it does not keep. What it can decide reaches dst once
// a few KiB have come together; of a whole body, nothing.
func (s *scanner) Write(p []byte) (int, error) {
	if s.closed {
		return 0, errScannerClosed
	}
	total := len(p)
	for len(p) > 0 && s.err == nil {
		if s.n == inBytes {
			s.advance()
		}
		k := copy(s.mem.in[s.n:], p)
		s.n += k
		p = p[k:]
	}
	if !s.whole {
		if s.n-s.done >= eager {
			s.advance()
		}
		s.send()
	}
	if s.err != nil {
		return total - len(p), s.err
	}
	return total, nil
}

// advance scans, decides all that no later match can reach, and makes room.
func (s *scanner) advance() {
	undecided := s.scan(false)
	s.emitTo(min(undecided, s.n-s.t.longest-maxLeft, s.heldIntegrity()))
	if s.n > inBytes-eager {
		s.shift()
	}
}

// Flush writes everything that is decided: it holds back only what may still
// be the beginning of a URL of ours.
func (s *scanner) Flush() error {
	if s.closed {
		return s.err
	}
	undecided := s.scan(false)
	s.emitTo(min(undecided, s.heldFrom(), s.heldIntegrity()))
	s.send()
	s.whole = false
	return s.err
}

// Close decides the rest, writes it and releases the memory. Closing twice is harmless.
func (s *scanner) Close() error {
	if s.closed {
		return s.err
	}
	s.finish()
	s.send()
	s.abort()
	return s.err
}

// finish decides the rest and returns the number of bytes that are not written yet.
func (s *scanner) finish() int {
	s.scan(true)
	s.emitTo(s.n)
	return s.outN
}

// abort ends the scanner and drops what it holds.
func (s *scanner) abort() {
	if s.closed {
		return
	}
	s.closed = true
	if s.err == nil {
		// A Write over HTTP/2 that failed may still be reading what it was given.
		s.mem.pool.Put(s.mem)
	}
	s.mem = nil
}

// scan decides every hit in in[:n] and returns the start of the first that
// needs more text, or none.
func (s *scanner) scan(final bool) (undecided int) {
	w := window{s.mem.in[:s.n], final}
	for i := range s.mem.hosts {
		s.search(i)
	}
	s.seekIntegrity(w.b)
	for {
		g, hit := s.nearestHost()
		next := s.next
		at, ok := s.scanSlashes(w, min(hit, s.n))
		s.looked += int64(s.next - next)
		if !ok {
			return at
		}
		if p := s.rename; p < hit {
			s.renameIntegrity(p)
			s.next, s.rename = max(s.next, p), none
			continue
		}
		if hit == none {
			return none
		}
		s.looked++
		switch m, v := s.groupForm(w, g, hit); v {
		case undecidedYet:
			return m.start
		case mapped:
			s.releaseIntegrity(w.b, m.start, m.end)
			s.replaceHost(m)
		default:
			s.mem.hosts[g] = hostCursor{at: none, from: hit + 1}
			s.search(g)
		}
	}
}

// groupForm decides on a hit of a group: on the longest of its hosts that ends there.
func (s *scanner) groupForm(w window, g, hit int) (hostMatch, verdict) {
	group := &s.t.groups[g]
	end := hit + len(group.suffix)
	for _, k := range group.members {
		host := s.t.needles[k].host
		if h := end - len(host); h >= 0 && (len(host) == len(group.suffix) || string(w.b[h:hit]) == string(host[:hit-h])) {
			return s.hostForm(w, k, h)
		}
	}
	return hostMatch{}, left
}

// scanSlashes decides the slashes before limit. If one needs more text, it
// returns the start of its form and false.
func (s *scanner) scanSlashes(w window, limit int) (undecided int, ok bool) {
	b, leads := w.b, &leadsToPath[s.kind]
	to := min(limit, s.rename)
	for s.next < to {
		from := max(0, s.next-1)
		at, which := indexPairs(b[from:to], '/', -1, leads)
		if which == 0 {
			s.next = to
			break
		}
		for ; which != 0; which &= which - 1 {
			i := from + at + bits.TrailingZeros64(which)
			if i >= to {
				break
			}
			if i < s.next {
				continue
			}
			s.next = i + 1
			if !beginsPath(b, i, leads) && i+1 < len(b) && !s.t.initials[b[i+1]] {
				continue
			}
			s.looked++
			switch m, v := s.pathForm(w, i); v {
			case undecidedYet:
				s.next = i
				return m.start, false
			case mapped:
				s.releaseIntegrity(b, m.start, m.end)
				if m.needle >= 0 {
					s.replaceHost(m.hostMatch)
				} else {
					s.replacePath(m)
				}
				to = min(limit, s.rename)
			}
		}
	}
	return none, true
}

// beginsPath reports whether a root-relative URL may begin at the slash b[i], by
// what precedes it. Of the escaped slashes in JSON most are within a URL.
func beginsPath(b []byte, i int, leads *asciiSet) bool {
	c := b[i-1]
	return c != '/' && (c != '\\' || i > 1 && leads.has(b[i-2]))
}

func (s *scanner) nearestHost() (g, at int) {
	at = none
	for i := range s.mem.hosts {
		if h := s.mem.hosts[i].at; h < at {
			g, at = i, h
		}
	}
	return g, at
}

// search looks for the next hit of group i, unless it is known.
func (s *scanner) search(i int) {
	c := &s.mem.hosts[i]
	g := &s.t.groups[i]
	if c.at != none || s.n-c.from < len(g.suffix) {
		return
	}
	from := c.from
	if j := g.finder.index(s.mem.in[from:s.n]); j >= 0 {
		c.at = from + j
		s.looked += int64(j)
	} else {
		c.from = s.n - len(g.suffix) + 1
		s.looked += int64(s.n - from)
	}
}

// consume marks in[:end] as decided and written.
func (s *scanner) consume(end int) {
	s.done = end
	s.next = max(s.next, end)
	for i := range s.mem.hosts {
		if c := &s.mem.hosts[i]; c.at < end {
			*c = hostCursor{at: none, from: end}
			s.search(i)
		} else if c.at == none {
			c.from = max(c.from, end)
		}
	}
}

// heldFrom returns the first byte that a flush must keep: the start of what
// may become a form once more text arrives.
func (s *scanner) heldFrom() int {
	for i := max(s.done, s.n-s.t.longest-maxHeld); i < s.n; i++ {
		if s.mem.in[i]|0x20 != 'h' && isHostChar(charBefore(s.mem.in[:i], i)) {
			continue // slashes behind a name begin nothing
		}
		if s.t.mayBegin(window{s.mem.in[i:s.n], false}) {
			return i
		}
	}
	return s.n
}

// emitTo writes in[done:end] as it is.
func (s *scanner) emitTo(end int) {
	if end > s.done {
		s.emit(s.mem.in[s.done:end])
		s.done = end
	}
}

func (s *scanner) emit(p []byte) {
	for len(p) > len(s.mem.out)-s.outN {
		n := copy(s.mem.out[s.outN:], p)
		s.outN, p = s.outN+n, p[n:]
		s.send()
	}
	s.outN += copy(s.mem.out[s.outN:], p)
}

// send passes what waits in out to dst.
func (s *scanner) send() {
	if s.outN > 0 {
		s.write(s.mem.out[:s.outN])
		s.outN, s.whole = 0, false
	}
}

func (s *scanner) write(p []byte) {
	if s.err != nil {
		return
	}
	n, err := s.dst.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.err = err
}

// shift moves the history and what is not written to the front.
func (s *scanner) shift() {
	cut := s.done - historyBytes
	if cut <= 0 {
		return
	}
	in := &s.mem.in
	copy(in[:], in[cut:s.n])
	s.base += int64(cut)
	s.n -= cut
	s.done -= cut
	s.next -= cut
	if s.rename != none {
		s.rename -= cut
	}
	for i := range s.mem.hosts {
		c := &s.mem.hosts[i]
		c.from -= cut
		if c.at != none {
			c.at -= cut
		}
	}
}
