package cache

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
)

// codingWriter codes a response while it is written to one client: one that passes,
// or a stored one whose form is not ready. It decides at the header, by what the
// response says of itself. Flushes reach the client with all that was written. finish
// ends a body that is whole; without it the client sees that it is not. release must
// follow in any case. It is used by one goroutine.
type codingWriter struct {
	http.ResponseWriter
	coder  *Coder
	coding Coding // what the client gets if the response is codable
	// bodiless: no body follows, whatever the header says.
	bodiless bool
	// held is If-None-Match as the client sent it.
	held []string

	wrote    bool
	enc      encoder
	declared int64 // Content-Length of what is coded, or -1
	size     int64
}

// codes returns the writer for a request that passes.
func (x *serving) codes() *codingWriter {
	accepted := parseAccept(x.r.Header["Accept-Encoding"])
	wanted := accepted.prefer(x.c.Codings)
	return &codingWriter{
		ResponseWriter: x.w, coder: x.c.Coder, coding: wanted.cheapest(&accepted),
		bodiless: x.r.Method == http.MethodHead, held: x.r.Header["If-None-Match"], declared: -1,
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *codingWriter) WriteHeader(status int) {
	if w.wrote || status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	h := w.Header()
	switch {
	case status == http.StatusNotModified:
		if tag := entityTag(h); tag != "" {
			// Of the form that the client holds.
			h["Etag"] = []string{markTag(tag, heldForm(w.held, tag))}
		}
	case codable(status, h, ParseResponseDirectives(h["Cache-Control"]).NoTransform, contentLength(h)):
		setVary(h, true)
		w.begin(status)
		return
	}
	w.wrote = true
	w.ResponseWriter.WriteHeader(status)
}

// begin sends the header of a response that is to be coded. If too many are being
// coded already it is sent as it is.
func (w *codingWriter) begin(status int) {
	w.wrote = true
	if w.coding != Identity && (w.bodiless || w.coder.takeLive()) {
		h := w.Header()
		w.declared = contentLength(h)
		setCoding(h, w.coding)
		if !w.bodiless {
			w.enc = takeEncoder(w.coding, effortLive, w.ResponseWriter)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// setCoding makes the header of an identity form that of a coded one, whose length
// is not known.
func setCoding(h http.Header, k Coding) {
	h["Content-Encoding"] = codingFields[k]
	if tag := entityTag(h); tag != "" {
		h["Etag"] = []string{markTag(tag, k)}
	}
	delete(h, "Content-Length")
	delete(h, "Accept-Ranges")
}

// contentLength is the declared length of a response, or -1.
func contentLength(h http.Header) int64 {
	if lines := h["Content-Length"]; len(lines) > 0 {
		if n, err := strconv.ParseInt(lines[0], 10, 64); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}

// Write implements io.Writer.
func (w *codingWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if w.enc == nil {
		return w.ResponseWriter.Write(p)
	}
	n, err := w.enc.Write(p)
	w.size += int64(n)
	return n, err
}

// ReadFrom implements io.ReaderFrom, so that what is not coded can be copied by the
// kernel.
func (w *codingWriter) ReadFrom(r io.Reader) (int64, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if w.enc == nil {
		return io.Copy(w.ResponseWriter, r)
	}
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(writeOnly{w}, r, *buf)
}

// writeOnly hides ReadFrom.
type writeOnly struct{ io.Writer }

// FlushError is what http.ResponseController calls.
func (w *codingWriter) FlushError() error {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if w.enc != nil && w.size > 0 {
		if err := w.enc.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (w *codingWriter) Flush() { _ = w.FlushError() }

// Hijack implements http.Hijacker.
func (w *codingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController find the deadlines of the writer below.
func (w *codingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// finish ends a body of which its source says that it is whole. One that is shorter
// than was declared is cut: the coded form has no length that would tell.
func (w *codingWriter) finish() {
	if w.enc == nil {
		return
	}
	if w.declared >= 0 && w.size != w.declared {
		panic(http.ErrAbortHandler)
	}
	enc := w.enc
	if enc.Close() == nil {
		giveEncoder(w.coding, effortLive, enc)
	}
	w.enc = nil
	w.coder.giveLive()
}

// release gives back what an unfinished body holds.
func (w *codingWriter) release() {
	if w.enc != nil {
		w.enc = nil
		w.coder.giveLive()
	}
}
