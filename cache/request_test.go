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
	lost := errors.New("connection lost")
	for _, test := range []struct {
		name   string
		proto  int
		length int64
		body   io.Reader
		want   bool
		err    error // of reading it all
	}{
		{"declared", 1, 4, strings.NewReader("body"), true, nil},
		{"declared empty", 2, 0, strings.NewReader(""), false, nil},
		{"chunked", 1, -1, strings.NewReader("body"), true, nil},
		{"HTTP/3, none", 3, -1, strings.NewReader(""), false, nil},
		{"HTTP/3, some", 3, -1, strings.NewReader("body"), true, nil},
		{"HTTP/3, end with the last byte", 3, -1, iotest.DataErrReader(strings.NewReader("b")), true, nil},
		{"HTTP/3, lost", 3, -1, iotest.ErrReader(lost), true, lost},
		{"HTTP/3, lost later", 3, -1, io.MultiReader(strings.NewReader("b"), iotest.ErrReader(lost)), true, lost},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := "body"
			switch {
			case !test.want, test.name == "HTTP/3, lost":
				text = ""
			case test.proto == 3 && test.name != "HTTP/3, some":
				text = "b"
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.ProtoMajor, r.ContentLength, r.Body = test.proto, test.length, io.NopCloser(test.body)
			if got := hasBody(r); got != test.want {
				t.Fatalf("hasBody: %v", got)
			}
			if !test.want && test.proto == 3 && (r.Body != http.NoBody || r.ContentLength != 0) {
				t.Error("the empty body is forwarded")
			}
			got, err := io.ReadAll(r.Body)
			if string(got) != text || !errors.Is(err, test.err) {
				t.Errorf("read %q, %v; want %q, %v", got, err, text, test.err)
			}
		})
	}
}
