package mount

import (
	"io"
	"net/http"
)

// countWriter counts the bytes of a body on their way to a visitor.
type countWriter struct {
	http.ResponseWriter
	bytes int64

	// lengthens: the server adds a Content-Length of what was written, also where
	// nothing may be.
	lengthens bool
	head      bool // the request is a HEAD
}

// WriteHeader implements http.ResponseWriter.
func (w *countWriter) WriteHeader(status int) {
	if w.lengthens && (w.head || status == http.StatusNoContent || status == http.StatusNotModified) {
		// RFC 9110 section 8.6: a length tells what a GET would have got, and a 204
		// has none. A field without a line is none, and keeps the server's away.
		if h := w.Header(); len(h["Content-Length"]) == 0 {
			h["Content-Length"] = nil
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *countWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom lets a file be sent by the kernel where the writer below can.
func (w *countWriter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	return n, err
}

// Flush implements http.Flusher, for handlers that ask for it.
func (w *countWriter) Flush() { _ = w.FlushError() }

// FlushError flushes the writer below.
func (w *countWriter) FlushError() error { return http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets an http.ResponseController reach the writer below.
func (w *countWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
