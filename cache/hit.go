package cache

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// serveStored writes s. It returns false, and has written nothing, if the body of
// s cannot be read any more.
func (x *serving) serveStored(s *Stored, phase Phase, reason Reason, now time.Time) (bool, error) {
	p := x.c.prepare(s)
	fields, as := p.header, representation{}
	notModified := EvaluatePrecondition(x.r.Header, s.Status, p.header, s.ResponseTime) == PreconditionNotModified
	if notModified {
		fields = p.confirmed
	} else {
		as = x.represent(s, p, now)
	}
	var body Content
	if !notModified && as.form == nil {
		var ok bool
		if body, ok = x.openStored(s); !ok {
			return false, nil
		}
		if body != nil {
			defer body.Close()
		}
	}
	status := p.status(phase, reason, now)
	h := x.w.Header()
	for name, values := range fields {
		h[name] = values
	}
	leaveUntyped(h)
	if phase == PhaseHit {
		stamp := p.stampAt(now)
		h["Age"], h["Cache-Status"] = stamp.ageField, stamp.status
		if stamp.control != nil {
			h["Cache-Control"] = stamp.control
		}
	} else {
		age := int64(p.fresh.Age(now) / time.Second)
		h["Age"] = []string{strconv.FormatInt(age, 10)}
		h["Cache-Status"] = append(p.inner[:len(p.inner):len(p.inner)], status.String())
	}
	if !notModified {
		x.carryDropped(h, s.Status)
	}
	x.tellTags(p.surrogate)
	x.note(phase, reason, status)
	switch {
	case notModified:
		x.notModified(p)
	case as.coding != Identity:
		x.writeForm(s, p, as, body)
	default:
		x.writeStored(s, p, body)
	}
	return true, nil
}

// leaveUntyped keeps the server from guessing the type of what came without one, by
// what its body begins with: a hit would say more than the miss did, and a part, a
// coded form or a HEAD something else. A field without a line does that.
func leaveUntyped(h http.Header) {
	if len(h["Content-Type"]) == 0 {
		h["Content-Type"] = nil
	}
}

// openStored opens the body of s if it is not in memory. A body that cannot be
// opened takes its response out of the store.
func (x *serving) openStored(s *Stored) (Content, bool) {
	if s.Bytes != nil || s.Length == 0 || x.r.Method == http.MethodHead {
		return nil, true
	}
	body, err := s.Opener.Open()
	if err != nil {
		x.c.Store.Drop(s)
		x.c.storeFailed("stored response cannot be read and was dropped", ReasonError, err)
		return nil, false
	}
	return body, true
}

// writeStored writes status and body of s, or a part of it. The header is set.
func (x *serving) writeStored(s *Stored, p *prepared, body Content) {
	if RangeApplies(x.r.Method, s.Status, x.r.Header) && p.rangeHolds(x.r.Header, s.ResponseTime) {
		if ranges, answer := ResolveRanges(ParseRange(x.r.Header), s.Length); answer != RangeWhole {
			var content io.ReaderAt = body
			if body == nil {
				content = bytes.NewReader(s.Bytes)
			}
			if err := x.writeRanges(answer, ranges, s.Length, content); err != nil {
				x.c.Store.Drop(s)
				x.abort(ReasonError)
			}
			return
		}
	}
	if bodyAllowed(s.Status) {
		x.w.Header()["Content-Length"] = p.length(s)
	}
	x.w.WriteHeader(s.Status)
	if x.r.Method != http.MethodHead && bodyAllowed(s.Status) {
		x.writeBody(x.w, s, body)
	}
}

// writeBody writes the body of s, which is in memory if body is nil.
func (x *serving) writeBody(w http.ResponseWriter, s *Stored, body Content) {
	switch {
	case s.Length == 0:
	case body == nil:
		w.Write(s.Bytes)
	default:
		if err := copyContent(w, body, s.Length); err != nil {
			x.c.Store.Drop(s)
			x.abort(ReasonError)
		}
	}
}

// notModified answers 304 to a client that has a form of what p describes. What
// must not be in a 304 is taken out of the header.
func (x *serving) notModified(p *prepared) {
	h := x.w.Header()
	for name := range p.header {
		if _, ok := p.confirmed[name]; !ok {
			delete(h, name)
		}
	}
	// The client's own form is the one that is confirmed.
	if tag := p.tags[heldForm(x.r.Header["If-None-Match"], entityTag(p.header))]; tag != nil {
		h["Etag"] = tag
	}
	x.w.WriteHeader(http.StatusNotModified)
}

// abort ends a response that was begun and cannot be finished.
func (x *serving) abort(reason Reason) {
	x.c.counts.cut.Add(1)
	x.c.Hooks.cut(reason)
	x.q.Result.Reason = reason
	panic(http.ErrAbortHandler)
}

// copyBuffers are the buffers of copyContent.
var copyBuffers = sync.Pool{New: func() any { p := make([]byte, 64<<10); return &p }}

// copyContent writes n bytes of body. It returns an error only if body failed: a
// client that has gone is none.
func copyContent(w http.ResponseWriter, body Content, n int64) error {
	if f, ok := body.(FileContent); ok {
		file, err := f.File()
		if err != nil {
			return err
		}
		// A plain *os.File lets the kernel copy.
		k, err := io.Copy(w, file)
		if err == nil && k < n {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	buf := copyBuffers.Get().(*[]byte)
	for off := int64(0); off < n; {
		p := (*buf)[:min(n-off, int64(len(*buf)))]
		k, err := body.ReadAt(p, off)
		if k < len(p) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if _, err := w.Write(p); err != nil {
			// The buffer may still be read, as in bodyReader.close.
			return nil
		}
		off += int64(k)
	}
	copyBuffers.Put(buf)
	return nil
}

// bodyAllowed says whether a response with this status has a body (RFC 9110
// section 6.4.1).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
