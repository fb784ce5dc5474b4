package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"weak"
)

// flightCodings are the coded forms of a flight's body, each made once while the
// body arrives, for all clients that accept it. What has become whole is stored with
// the response: a page that is asked for once is coded once. The zero value is ready.
type flightCodings struct {
	mu      sync.Mutex
	streams [codingCount]*codedStream // guarded by mu
	whole   [codingCount]*form        // guarded by mu; until the response is stored
	// stored is guarded by mu, and nil until the response is stored. A client that
	// reads slowly keeps the flight, but not what the store has dropped meanwhile.
	stored weak.Pointer[Stored]
}

// A codedStream is a body that is made from a flight's body by a goroutine of its
// own. It ends with that body, cut if it was cut, or when its last client leaves.
type codedStream struct {
	f      *flight
	coding Coding
	source *bodyReader
	body   *body
	ctx    context.Context
	cancel context.CancelFunc

	clients int // guarded by f.codings.mu
	pending []byte
}

// codingOf chooses how the answer a is sent to x while it arrives.
func (x *serving) codingOf(a *answer) Coding {
	if !a.codable {
		return Identity
	}
	accepted := parseAccept(x.r.Header["Accept-Encoding"])
	wanted := accepted.prefer(x.c.Codings)
	if !wanted.coded && len(x.r.Header["Range"]) > 0 {
		return Identity
	}
	return wanted.cheapest(&accepted)
}

// codedReader returns a reader of the flight's body in k from its beginning, and
// what its client must call when it has done. It returns nil if the body is to be
// sent as it is: too many are being coded, or its beginning is gone.
func (f *flight) codedReader(k Coding) (*bodyReader, func()) {
	g := &f.codings
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.streams[k]
	if s == nil {
		if s = f.newCodedStream(k); s == nil {
			return nil, nil
		}
		g.streams[k] = s
		go s.run()
	}
	r := s.body.newReader(0)
	if r == nil {
		return nil, nil
	}
	s.clients++
	return r, func() {
		r.close()
		s.leave()
	}
}

// newCodedStream makes the stream. The caller holds f.codings.mu.
func (f *flight) newCodedStream(k Coding) *codedStream {
	c, a := f.c, &f.answer
	if !c.Coder.takeLive() {
		return nil
	}
	source := a.body.newReader(0)
	if source == nil {
		c.Coder.giveLive()
		return nil
	}
	s := &codedStream{f: f, coding: k, source: source}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.body = newBody(-1, c.SpillBytes, c.WindowBytes, c.memory, func() (Writer, error) { return newScratch() })
	if a.reason != ReasonStored {
		s.body.window()
	}
	return s
}

// leave counts a client out.
func (s *codedStream) leave() {
	g := &s.f.codings
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.clients--; s.clients > 0 {
		return
	}
	s.cancel()
	if g.streams[s.coding] == s {
		g.streams[s.coding] = nil
	}
}

// run is the goroutine of the stream.
func (s *codedStream) run() {
	defer s.f.c.Coder.giveLive()
	defer s.source.close()
	err := s.encode()
	if err == nil {
		s.keep()
	}
	s.body.finish(err)
	s.body.seal()
}

// encode codes the body as it arrives. Whenever it has caught up with it, its
// clients get all that there is.
func (s *codedStream) encode() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("coding as %v panicked: %v", s.coding, p)
			s.f.c.Hooks.log("panic while coding", ReasonError, fmt.Errorf("%w\n%s", err, debug.Stack()))
		}
	}()
	const full = 16 << 10
	enc := takeEncoder(s.coding, effortLive, s)
	for flushed := true; ; {
		if !flushed && !s.source.ready() {
			if err := enc.Flush(); err != nil {
				return err
			}
			if err := s.push(); err != nil {
				return err
			}
		}
		p, err := s.source.next(s.ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if _, err := enc.Write(p); err != nil {
			return err
		}
		flushed = false
		if len(s.pending) >= full {
			if err := s.push(); err != nil {
				return err
			}
		}
	}
	if err := enc.Close(); err != nil {
		return err
	}
	giveEncoder(s.coding, effortLive, enc)
	return s.push()
}

// Write takes what the encoder makes.
func (s *codedStream) Write(p []byte) (int, error) {
	s.pending = append(s.pending, p...)
	return len(p), nil
}

// push gives the clients what was made.
func (s *codedStream) push() error {
	if size, _ := s.body.progress(); size > s.f.c.MaxBodyBytes {
		s.body.window()
	}
	err := s.body.append(s.ctx, s.pending)
	s.pending = s.pending[:0]
	return err
}

// keep keeps the whole form for the store.
func (s *codedStream) keep() {
	coded, inMemory := s.body.bytes()
	if !inMemory || s.f.answer.reason != ReasonStored {
		return
	}
	size, _ := s.f.answer.body.progress()
	made := newForm(coded, effortLive, size)
	g := &s.f.codings
	g.mu.Lock()
	defer g.mu.Unlock()
	if stored := g.stored.Value(); stored != nil {
		stored.keep(s.f.c, s.coding, made)
	} else {
		g.whole[s.coding] = made
	}
}

// keepForms gives the response that was stored the forms that are whole by now, and
// those that will be.
func (f *flight) keepForms(s *Stored) {
	g := &f.codings
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stored = weak.Make(s)
	for k, made := range g.whole {
		if made != nil {
			s.keep(f.c, Coding(k), made)
			g.whole[k] = nil
		}
	}
}

// keep adds a form that was made while the body arrived.
func (s *Stored) keep(c *Cache, k Coding, made *form) {
	if store, ok := c.Store.(formStore); ok && s.Bytes != nil && s.Length >= minCodedBytes {
		store.keepForm(s, k, made)
	}
}

// scratch is where a coded form goes that is too long for memory. It is never
// committed.
type scratch struct{ *spool }

func newScratch() (Writer, error) {
	s, err := newSpool()
	if err != nil {
		return nil, err
	}
	return scratch{s}, nil
}

// Commit implements Writer.
func (scratch) Commit(*Meta) (*Stored, error) { return nil, ErrClosed }

// Abort implements Writer.
func (scratch) Abort() {}
