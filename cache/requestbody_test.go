package cache

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

func TestHasBody(t *testing.T) {
	unread := iotest.ErrReader(errors.New("must not be read"))
	reset := errors.New("stream reset")
	for _, c := range []struct {
		name   string
		major  int
		length int64
		body   io.Reader
		expect string
		want   bool
		left   string // of the body
		err    error  // at its end
	}{
		{"none", 1, 0, nil, "", false, "", nil},
		{"length of none", 3, 0, unread, "", false, "", nil},
		{"length", 3, 5, strings.NewReader("hello"), "", true, "hello", nil},
		{"chunked, HTTP/1.1", 1, -1, strings.NewReader(""), "", true, "", nil},
		{"unknown, HTTP/2", 2, -1, strings.NewReader("hello"), "", true, "hello", nil},
		{"unknown, HTTP/3, none", 3, -1, strings.NewReader(""), "", false, "", nil},
		{"unknown, HTTP/3, some", 3, -1, strings.NewReader("hello"), "", true, "hello", nil},
		{"unknown, HTTP/3, end with the byte", 3, -1, iotest.DataErrReader(strings.NewReader("h")), "", true, "h", nil},
		{"unknown, HTTP/3, reset", 3, -1, iotest.ErrReader(reset), "", true, "", reset},
		{"unknown, HTTP/3, waits for 100", 3, -1, strings.NewReader("hello"), "100-continue", true, "hello", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://example.com/", nil)
			r.ProtoMajor, r.ContentLength = c.major, c.length
			r.Body = nil
			if c.body != nil {
				r.Body = io.NopCloser(c.body)
			}
			if c.expect != "" {
				r.Header.Set("Expect", c.expect)
			}
			if got := hasBody(r); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
			if !c.want {
				if c.major == 3 && c.length < 0 && (r.Body != http.NoBody || r.ContentLength != 0) {
					t.Errorf("body %v of length %d is left", r.Body, r.ContentLength)
				}
				return
			}
			if left, err := io.ReadAll(r.Body); string(left) != c.left || !errors.Is(err, c.err) {
				t.Errorf("left is %q, %v; want %q, %v", left, err, c.left, c.err)
			}
		})
	}
}
