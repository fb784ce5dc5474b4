package cache

import (
	"bytes"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// When a form is worth which effort, by how often the response was asked for from
// the store, up to a bound.
const (
	warmHits    = 8  // a form that was made while the body arrived is made anew
	popularHits = 64 // the best is worth its time
)

// settleAge is how old a response that took no other one's place must be to be
// taken for one that lasts.
const settleAge = 10 * time.Second

// A form is a stored body in one coding. It is immutable.
type form struct {
	body   []byte   // nil: not worth sending in place of the identity form
	length []string // Content-Length
	effort effort
}

// newForm returns the form of a body of this size.
func newForm(coded []byte, e effort, size int64) *form {
	if int64(len(coded)) > size-size/16 {
		// Bytes that do not become shorter by one effort do not by another.
		return &form{effort: effortBest}
	}
	return &form{body: coded, length: []string{strconv.Itoa(len(coded))}, effort: e}
}

// forms are the coded forms of one stored body and what is known of their worth.
// They outlive a validation, which keeps the body. They are safe for concurrent use.
type forms struct {
	ready [codingCount]atomic.Pointer[form]
	asked [codingCount]atomic.Uint32 // the greatest effort that was asked for
	hits  atomic.Uint32              // up to popularHits
	lasts atomic.Uint32              // one of the values below
}

// Whether the body is the one that was fetched before.
const (
	lastsUnknown uint32 = iota // nothing was there before
	lastsSame
	lastsNot
)

// codedForms returns the forms of s.
func (s *Stored) codedForms() *forms {
	if fs := s.forms.Load(); fs != nil {
		return fs
	}
	s.forms.CompareAndSwap(nil, new(forms))
	return s.forms.Load()
}

// bytes is the memory that the forms take. fs may be nil.
func (fs *forms) bytes() int64 {
	if fs == nil {
		return 0
	}
	n := int64(0)
	for c := range fs.ready {
		if f := fs.ready[c].Load(); f != nil {
			n += int64(cap(f.body))
		}
	}
	return n
}

// add makes f the form in k unless there is one of as much effort. Stores call it,
// one at a time.
func (fs *forms) add(k Coding, f *form) {
	if have := fs.ready[k].Load(); have == nil || have.effort < f.effort {
		fs.ready[k].Store(f)
	}
}

// formStore is implemented by stores that keep the forms of what they hold.
type formStore interface {
	// keepForm adds a form of s and counts its bytes. It returns false if s is
	// no longer stored, or if there is no room.
	keepForm(s *Stored, k Coding, f *form) bool
}

// worth counts a hit and says which effort a form is worth that has had this one.
// What changes at every fetch is never worth the best: it would not be there for
// long enough.
func (fs *forms) worth(s *Stored, have effort, now time.Time) effort {
	hits := fs.hits.Load()
	if hits < popularHits {
		hits = fs.hits.Add(1)
	}
	lasts := fs.lasts.Load()
	switch {
	case hits >= popularHits && s.Length <= maxBestBytes &&
		(lasts == lastsSame || lasts == lastsUnknown && now.Sub(s.StoredTime) >= settleAge):
		return effortBest
	case have == effortLive && hits < warmHits:
		return effortLive
	}
	return effortFirst
}

// demand has the form of s in k made in the background, if it is missing or worth
// more effort than it has had. Each effort is made once.
func (c *Cache) demand(s *Stored, fs *forms, k Coding, now time.Time) {
	store, ok := c.Store.(formStore)
	if !ok || s.Bytes == nil {
		return
	}
	have := effortNone
	if f := fs.ready[k].Load(); f != nil {
		have = f.effort
	}
	e := fs.worth(s, have, now)
	asked := fs.asked[k].Load()
	if have >= e || asked >= uint32(e) || !fs.asked[k].CompareAndSwap(asked, uint32(e)) {
		return
	}
	done := func(coded []byte, err error) {
		if err != nil {
			c.Hooks.log("coding a stored response failed; it is sent without", ReasonError, err)
			return
		}
		store.keepForm(s, k, newForm(coded, e, s.Length))
	}
	if !c.Coder.submit(coderJob{coding: k, effort: e, body: s.Bytes, done: done}) {
		fs.asked[k].Store(asked)
	}
}

// inherit gives s what was learnt about old, whose place it took: the same bytes
// need no coding again.
func (c *Cache) inherit(s, old *Stored) {
	store, ok := c.Store.(formStore)
	if !ok || old == nil || old.Bytes == nil || s.Bytes == nil {
		return
	}
	fs := s.codedForms()
	if !bytes.Equal(s.Bytes, old.Bytes) {
		fs.lasts.Store(lastsNot)
		return
	}
	fs.lasts.Store(lastsSame)
	before := old.codedForms()
	fs.hits.Store(before.hits.Load())
	for k := Gzip; k < codingCount; k++ {
		if f := before.ready[k].Load(); f != nil && store.keepForm(s, k, f) {
			fs.asked[k].Store(uint32(f.effort))
		}
	}
}

// representation is how a response is sent: in which coding, and from which form. A
// coding without form means that it is coded while it is sent.
type representation struct {
	coding Coding
	form   *form
}

// represent chooses how s is sent. A request for a range is answered from the
// identity form, whose tag may be strong; a coded form may be made anew at any time,
// so that parts of it do not fit together.
func (x *serving) represent(s *Stored, p *prepared, now time.Time) representation {
	if !p.codable {
		return representation{}
	}
	accepted := parseAccept(x.r.Header["Accept-Encoding"])
	wanted := accepted.prefer(x.c.Codings)
	if wanted.n == 0 || !wanted.coded && len(x.r.Header["Range"]) > 0 {
		return representation{}
	}
	fs := s.codedForms()
	x.c.demand(s, fs, wanted.codings[0], now)
	for _, k := range wanted.list() {
		f := fs.ready[k].Load()
		switch {
		case f == nil:
		case f.body != nil:
			return representation{k, f}
		case !wanted.coded:
			return representation{}
		}
	}
	return representation{coding: wanted.cheapest(&accepted)}
}

// writeForm writes s in its coding. The header of the identity form is set. body is
// nil if it is in memory.
func (x *serving) writeForm(s *Stored, p *prepared, as representation, body Content) {
	h := x.w.Header()
	if as.form == nil {
		w := &codingWriter{ResponseWriter: x.w, coder: x.c.Coder, coding: as.coding, bodiless: x.r.Method == http.MethodHead}
		defer w.release()
		h["Content-Length"] = p.length(s)
		w.begin(s.Status)
		if !w.bodiless {
			x.writeBody(w, s, body)
		}
		w.finish()
		return
	}
	h["Content-Encoding"], h["Content-Length"] = codingFields[as.coding], as.form.length
	if tag := p.tags[as.coding]; tag != nil {
		h["Etag"] = tag
	}
	delete(h, "Accept-Ranges")
	x.w.WriteHeader(s.Status)
	if x.r.Method != http.MethodHead {
		x.w.Write(as.form.body)
	}
}

// codedTags are the values of Etag of the coded forms, nil without one.
type codedTags [codingCount][]string

// tagsOf returns the tags of the coded forms of what has this header.
func tagsOf(h http.Header) (tags codedTags) {
	tag := entityTag(h)
	for k := Gzip; k < codingCount && tag != ""; k++ {
		tags[k] = []string{markTag(tag, k)}
	}
	return tags
}
