package mount

import (
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// splitWriter is the visitor's own writer in a mount with a split. It stands
// outside of the cache: what it adds to an answer is never part of a stored one.
// Bodies, flushes and interim answers go straight through.
type splitWriter struct {
	*caddyhttp.ResponseWriterWrapper
	cookie string // to set; empty: none
	wrote  bool
}

// WriteHeader adds to the final header what makes it this visitor's.
func (w *splitWriter) WriteHeader(status int) {
	if !w.wrote && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.wrote = true
		w.own(w.Header())
	}
	w.ResponseWriterWrapper.WriteHeader(status)
}

// own sets the cookie, and forbids other shared caches to keep the answer: they
// know nothing of the variants and would mix them. Browsers may keep it.
func (w *splitWriter) own(h http.Header) {
	if w.cookie != "" {
		h["Set-Cookie"] = added(h["Set-Cookie"], w.cookie)
	}
	// RFC 9111 section 5.2.2.7. A targeted field would win (RFC 9213 section 2.2).
	h["Cache-Control"] = added(h["Cache-Control"], "private")
	delete(h, "Cdn-Cache-Control")
}

// added appends a line without writing to the array of lines, which may be that
// of a stored header.
func added(lines []string, line string) []string {
	return append(lines[:len(lines):len(lines)], line)
}

// Write implements io.Writer.
func (w *splitWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriterWrapper.Write(p)
}

// ReadFrom implements io.ReaderFrom, so that the writer below can use the
// kernel's copy.
func (w *splitWriter) ReadFrom(r io.Reader) (int64, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriterWrapper.ReadFrom(r)
}

// FlushError is what http.ResponseController calls.
func (w *splitWriter) FlushError() error {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (w *splitWriter) Flush() { _ = w.FlushError() }
