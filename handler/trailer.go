package handler

import (
	"io"
	"net/http"
)

// dropTrailerClaims keeps from the site the trailers that a client may not send: what
// frames, routes, authenticates or guards a request is for the header (RFC 9110
// section 6.5.1), where dropClaims has seen it, and some servers merge the two.
func dropTrailerClaims(r *http.Request) {
	if r.Trailer == nil {
		return // none is announced, so none is sent on
	}
	t := requestTrailer(r.Trailer)
	t.drop()
	r.Body = &trailedBody{r.Body, t}
}

// requestTrailer is the trailer section of a request: the names that are announced, and
// at the end of the body what came.
type requestTrailer http.Header

func (t requestTrailer) drop() {
	for name := range t {
		if keptFromConnection[name] || requestClass(name) != plainField {
			delete(t, name)
		}
	}
}

// trailedBody is a body behind which trailers come.
type trailedBody struct {
	io.ReadCloser
	trailer requestTrailer
}

// Read implements io.Reader.
func (b *trailedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.trailer.drop()
	}
	return n, err
}
