package cache

import (
	"io"
	"net/http"
	"strconv"
)

// writeRanges answers a range request (RFC 9110 section 14) from content of size
// bytes: with a 206 of one or several parts, or a 416. The header of the 200 is
// set. It returns an error only if content failed.
func (x *serving) writeRanges(answer RangeAnswer, ranges []ByteRange, size int64, content io.ReaderAt) error {
	h := x.w.Header()
	switch {
	case answer == RangeUnsatisfiable:
		x.unsatisfiable(size)
		return nil
	case len(ranges) == 1:
		r := ranges[0]
		describePart(h, r, size)
		x.w.WriteHeader(http.StatusPartialContent)
		return copyContent(x.w, section{io.NewSectionReader(content, r.Start, r.Length)}, r.Length)
	}
	m := NewMultipart(ranges, size, h.Get("Content-Type"))
	dropContentDigests(h)
	h["Content-Type"] = []string{m.ContentType()}
	h["Content-Length"] = []string{m.ContentLength()}
	x.w.WriteHeader(http.StatusPartialContent)
	w := &clientWriter{w: x.w}
	if err := m.Write(w, SectionsOf(content)); err != nil && !w.failed {
		return err
	}
	return nil
}

// describePart makes the header of the 200 that of a 206 of one part of its size bytes.
func describePart(h http.Header, r ByteRange, size int64) {
	dropContentDigests(h)
	h["Content-Range"] = []string{r.ContentRange(size)}
	h["Content-Length"] = []string{strconv.FormatInt(r.Length, 10)}
}

// dropContentDigests takes out the digests of the content of a 200, which is not that
// of what is made of it (RFC 9530 section 2). Repr-Digest is of the whole and stays.
func dropContentDigests(h http.Header) {
	delete(h, "Content-Digest")
	delete(h, "Content-Md5")
}

// unsatisfiable answers 416. The header of the 200 is set.
func (x *serving) unsatisfiable(size int64) {
	h := x.w.Header()
	for name := range NotModifiedHeader(h) {
		// Validators and what describes the content are not the 416's.
		switch name {
		case "Etag", "Last-Modified", "Expires", "Cache-Control":
			delete(h, name)
		}
	}
	delete(h, "Content-Type")
	delete(h, "Content-Encoding")
	dropContentDigests(h)
	h["Content-Range"] = []string{UnsatisfiedRange(size)}
	h["Content-Length"] = []string{"0"}
	x.w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
}

// section is a part of a content as a Content.
type section struct{ *io.SectionReader }

// Close implements Content; the whole is closed by who opened it.
func (section) Close() error { return nil }

// clientWriter remembers that the client failed, which is no fault of the content.
type clientWriter struct {
	w      io.Writer
	failed bool
}

// Write implements io.Writer.
func (c *clientWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.failed = c.failed || err != nil
	return n, err
}

// partOf decides how a range request is answered from a flight whose body is still
// arriving. ok is false if it is not to be answered from there: what it asks for
// is too far ahead, or not known to exist.
func (x *serving) partOf(f *flight) (r *ByteRange, answer RangeAnswer, ok bool) {
	a := &f.answer
	if a.reason != ReasonStored || !RangeApplies(x.r.Method, a.meta.Status, x.r.Header) ||
		!a.prepared.rangeHolds(x.r.Header, a.meta.ResponseTime) {
		return nil, RangeWhole, true
	}
	specs := ParseRange(x.r.Header)
	if specs == nil {
		return nil, RangeWhole, true
	}
	if a.length < 0 {
		// RFC 9110 section 14.2: a server may ignore Range.
		return nil, RangeWhole, x.q.WholeOnly
	}
	ranges, answer := ResolveRanges(specs, a.length)
	switch size, held := a.body.progress(); {
	case answer != RangePartial:
		return nil, answer, true
	case len(ranges) > 1, !held:
		return nil, RangeWhole, x.q.WholeOnly
	case ranges[0].Start > size+x.c.RangeAheadBytes && !x.q.WholeOnly:
		return nil, RangeWhole, false
	}
	return &ranges[0], RangePartial, true
}
