package mount

import (
	"io"
	"net/http"
)

// countWriter counts the bytes of a body on their way to a visitor.
type countWriter struct {
	http.ResponseWriter
	bytes int64
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
