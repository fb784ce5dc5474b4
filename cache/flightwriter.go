package cache

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// flightWriter is the http.ResponseWriter of a flight. It is used by the
// handler's goroutine, but interim responses may come from another one before the
// final header. It has no connection: Hijack and deadlines are not supported.
type flightWriter struct {
	f        *flight
	header   http.Header
	wrote    bool
	status   int
	length   int64 // declared, or -1
	size     int64
	announce []string // names of trailers
}

// Header implements http.ResponseWriter.
func (w *flightWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *flightWriter) WriteHeader(status int) {
	if w.wrote || w.f.ctx.Err() != nil {
		return
	}
	w.f.touch()
	if status == http.StatusSwitchingProtocols {
		// Nobody asked for another protocol: this is no answer (RFC 9110
		// section 15.2.2).
		return
	}
	if status >= 100 && status < 200 {
		// A full channel drops hints: a flood of them holds up nothing.
		select {
		case w.f.hints <- hint{status, w.header.Clone()}:
		default:
		}
		return
	}
	w.wrote, w.status = true, status
	if bodyAllowed(status) {
		if lines := w.header["Content-Length"]; len(lines) > 0 {
			n, err := strconv.ParseInt(lines[0], 10, 64)
			if err == nil && n >= 0 {
				w.length = n
			}
		}
	}
	for name := range listElements(w.header["Trailer"]) {
		w.announce = append(w.announce, http.CanonicalHeaderKey(name))
	}
	w.f.respond(status, w.header, w.length)
}

// Write implements http.ResponseWriter. It copies p. It waits only for the fastest
// client of a body that cannot be held.
func (w *flightWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	f := w.f
	if f.ctx.Err() != nil {
		return 0, context.Cause(f.ctx)
	}
	if f.answer.body == nil || !bodyAllowed(w.status) {
		return 0, http.ErrBodyNotAllowed
	}
	whole := len(p)
	if w.length >= 0 && int64(whole) > w.length-w.size {
		p = p[:w.length-w.size]
	}
	f.touch()
	if f.answer.reason == ReasonStored && w.size+int64(len(p)) > f.c.MaxBodyBytes {
		// Grown past what may be stored: those who read it go on.
		f.c.flights.settle(f)
		f.answer.body.window()
	}
	if _, held := f.answer.body.progress(); !held && w.size+int64(len(p)) > f.c.WindowBytes {
		f.c.flights.settle(f)
		if clients, _ := f.c.flights.served(f); clients == 0 {
			// Nobody will read it on.
			f.cancel(errAbandoned)
			return 0, errAbandoned
		}
	}
	f.blocked.Store(true)
	err := f.answer.body.append(f.ctx, p)
	f.touch()
	f.blocked.Store(false)
	if err != nil {
		return 0, err
	}
	w.size += int64(len(p))
	if len(p) < whole {
		return len(p), http.ErrContentLength
	}
	return whole, nil
}

// FlushError implements what http.ResponseController calls. Clients get what was
// written at once, so there is nothing to flush but the header.
func (w *flightWriter) FlushError() error {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return nil
}

// Flush implements http.Flusher.
func (w *flightWriter) Flush() { _ = w.FlushError() }

// trailers returns the trailer fields that were set since the header. Cookies and
// what frames a message do not travel there (RFC 9110 section 6.5.1).
func (w *flightWriter) trailers() http.Header {
	var t http.Header
	add := func(name string, values []string) {
		if name == "Set-Cookie" || strings.HasPrefix(name, "Content-") || isHopByHop(name) || len(values) == 0 {
			return
		}
		if t == nil {
			t = make(http.Header)
		}
		t[name] = values
	}
	for _, name := range w.announce {
		add(name, w.header[name])
	}
	for name, values := range w.header {
		if rest, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			add(http.CanonicalHeaderKey(rest), values)
		}
	}
	return t
}
