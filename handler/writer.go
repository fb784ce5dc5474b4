package handler

import (
	"net/http"
)

// ResponseWriter maps the header of the site's answer as it is written.
type ResponseWriter struct {
	http.ResponseWriter
	v     *View
	r     *http.Request
	wrote bool
	Learn func(string)
}

// NewResponseWriter returns the writer for one answer to r.
func NewResponseWriter(w http.ResponseWriter, v *View, r *http.Request) *ResponseWriter {
	return &ResponseWriter{ResponseWriter: w, v: v, r: r}
}

func (w *ResponseWriter) WriteHeader(status int) {
	if !w.wrote {
		w.wrote = status >= 200 || status == 101
		w.v.MapHeader(w.Header(), status, w.r, w.Learn)
		if w.wrote {
			StripInternal(w.Header())
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *ResponseWriter) Write(p []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

func (w *ResponseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *ResponseWriter) Close() error { return nil }
