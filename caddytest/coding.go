package caddytest

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// decoded returns the response's body, if the call asks for it without its
// content coding. What the site has flushed can be read at once.
func (c *Call) decoded(response *http.Response) (io.Reader, error) {
	if !c.Decode {
		return response.Body, nil
	}
	switch coding := response.Header.Get("Content-Encoding"); coding {
	case "":
		return response.Body, nil
	case "gzip":
		return &late{open: func() (io.Reader, error) { return gzip.NewReader(response.Body) }}, nil
	case "br":
		return brotli.NewReader(response.Body), nil
	case "zstd":
		decoder, err := zstd.NewReader(response.Body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return decoder.IOReadCloser(), nil
	default:
		return nil, fmt.Errorf("cannot decode %s", coding)
	}
}

// late is a reader that is made when it is first read, as a decoder that reads
// ahead must be.
type late struct {
	open   func() (io.Reader, error)
	reader io.Reader
}

func (l *late) Read(p []byte) (n int, err error) {
	if l.reader == nil {
		if l.reader, err = l.open(); err != nil {
			return 0, err
		}
	}
	return l.reader.Read(p)
}
