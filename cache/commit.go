package cache

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
)

// end concludes the flight: the handler has returned.
func (f *flight) end(w *flightWriter, err error) {
	c := f.c
	reason := ReasonStored
	switch {
	case !f.answered():
		if err == nil {
			err = ErrNoAnswer
		}
		c.flights.remove(f)
		f.publish(answer{err: err, reason: ReasonError})
		reason = ReasonError
	case f.answer.body == nil:
		reason = f.answer.reason
	default:
		reason = f.conclude(w, err)
	}
	c.flights.end(f)
	switch reason {
	case ReasonStored, ReasonNotModified:
	default:
		c.Hooks.unstored(reason)
	}
}

// conclude ends the body, and stores it if it is whole.
func (f *flight) conclude(w *flightWriter, err error) Reason {
	c, a := f.c, &f.answer
	size, held := a.body.progress()
	if err == nil && w.length >= 0 && size != w.length && bodyAllowed(a.meta.Status) {
		err = errIncomplete
	}
	if err != nil {
		// No one joins a cut body.
		c.flights.remove(f)
		a.body.finish(err)
		if errors.Is(err, errAbandoned) {
			return ReasonAbandoned
		}
		return ReasonIncomplete
	}
	f.trailer = w.trailers()
	a.body.finish(nil)
	reason := a.reason
	switch {
	case reason != ReasonStored:
	case !held:
		reason = ReasonTooLarge
	case f.doomed.Load():
		reason = ReasonSuperseded
	default:
		reason = f.storeSafely(size)
		if f.doomed.Load() {
			// Invalidated while it was being stored.
			c.Store.Delete(f.answer.meta.Key)
			reason = ReasonSuperseded
		}
	}
	c.flights.remove(f)
	return reason
}

// storeSafely is store; a panic of the store costs the response, not the process.
func (f *flight) storeSafely(size int64) (reason Reason) {
	defer func() {
		if p := recover(); p != nil {
			f.c.Hooks.log("panic in the store", ReasonStoreFull, fmt.Errorf("%v\n%s", p, debug.Stack()))
			reason = ReasonStoreFull
		}
	}()
	return f.store(size)
}

// store commits the complete body.
func (f *flight) store(size int64) Reason {
	c, m := f.c, f.answer.meta
	if c.covered(m, f.number).hard {
		return ReasonPurged
	}
	old := c.Store.Lookup(m.Key, f.fields).Stored
	if old != nil && old.askedAfter(m.RequestTime, c.Clock()) {
		return ReasonSuperseded
	}
	body, inMemory := f.answer.body.bytes()
	if f.fastCGI && f.answer.length < 0 && isHTML(m.Header) && !f.endsHTML(body, inMemory, size) {
		return ReasonIncomplete
	}
	// The store owns what it gets; clients go on reading the first Meta.
	stored := new(*m)
	stored.Length = size
	var s *Stored
	var err error
	if inMemory {
		s, err = c.Store.Put(stored, body)
	} else if w := f.answer.body.spillWriter(); w != nil {
		s, err = w.Commit(stored)
	} else {
		return ReasonTooLarge
	}
	switch {
	case errors.Is(err, ErrTooLarge):
		return ReasonTooLarge
	case err != nil:
		c.storeFailed("response was not stored", ReasonStoreFull, err)
		return ReasonStoreFull
	}
	if p := f.answer.prepared; f.answer.length >= 0 || !p.codable || size >= minCodedBytes && size <= maxCodedBytes {
		// What was derived without the length holds with it.
		s.prepared.CompareAndSwap(nil, p)
	}
	c.inherit(s, old)
	f.keepForms(s)
	c.counts.stored.Add(1)
	return ReasonStored
}

// endsHTML says whether the body ends as a whole HTML page does: with </html>,
// then at most white space and comments.
func (f *flight) endsHTML(body []byte, inMemory bool, size int64) bool {
	const tail = 4 << 10
	if !inMemory {
		w := f.answer.body.spillWriter()
		if w == nil {
			return false
		}
		body = make([]byte, min(size, tail))
		if n, _ := w.ReadAt(body, size-int64(len(body))); n < len(body) {
			return false
		}
	}
	s := strings.ToLower(string(body[max(0, len(body)-tail):]))
	i := strings.LastIndex(s, "</html>")
	if i < 0 {
		return false
	}
	rest := strings.TrimSpace(s[i+len("</html>"):])
	for strings.HasPrefix(rest, "<!--") {
		_, after, ok := strings.Cut(rest, "-->")
		if !ok {
			return false
		}
		rest = strings.TrimSpace(after)
	}
	return rest == ""
}

// isHTML says whether a response is an HTML page.
func isHTML(h http.Header) bool {
	lines := h["Content-Type"]
	if len(lines) == 0 {
		return false
	}
	mediaType, _, _ := strings.Cut(lines[0], ";")
	mediaType = strings.ToLower(trimOWS(mediaType))
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}
