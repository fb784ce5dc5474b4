package cache

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// hasBody tells whether content comes with a request for GET or HEAD. It may read
// from the body; what it has read is put back.
//
// Over HTTP/3 the server does not know: without a Content-Length, the length is
// unknown until the stream ends (RFC 9114 section 4.1), which it mostly does with the
// header. The first byte tells. It is waited for as long as the connection lives, as
// every reader of a body waits; a client that expects a 100 first is not waited for.
func hasBody(r *http.Request) bool {
	switch {
	case r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0:
		return false
	case r.ContentLength > 0 || r.ProtoMajor < 3 || len(r.Header["Expect"]) > 0:
		return true
	}
	first := make([]byte, 1)
	n, err := r.Body.Read(first)
	if n == 0 && errors.Is(err, io.EOF) {
		r.Body, r.ContentLength = http.NoBody, 0
		return false
	}
	r.Body = &begunBody{io.MultiReader(bytes.NewReader(first[:n]), r.Body), r.Body}
	return true
}

// begunBody is a body from which some was read.
type begunBody struct {
	io.Reader // all of it
	io.Closer
}
