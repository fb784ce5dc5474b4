package caddytest

import (
	"errors"
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
)

// http1 is an exchange over HTTP/1. It keeps the fields of the request as they
// were sent, which net/http's own server would not.
type http1 struct {
	conn    net.Conn
	request *Record
	content io.Reader
}

// maxHeadBytes bounds the head of a request to an origin.
const maxHeadBytes = 1 << 20

// readHTTP1 reads the head of the next request.
func readHTTP1(conn net.Conn, reader *bufio.Reader) (exchange, error) {
	left := maxHeadBytes
	line, err := headLine(reader, &left)
	if err != nil {
		return nil, err
	}
	method, rest, _ := strings.Cut(line, " ")
	target, proto, complete := strings.Cut(rest, " ")
	if !complete {
		return nil, fmt.Errorf("malformed request line %q", line)
	}
	x := &http1{conn: conn, request: &Record{Method: method, Target: target, Proto: proto}, content: http.NoBody}
	for {
		line, err := headLine(reader, &left)
		if err != nil {
			return nil, err
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		x.request.Fields = append(x.request.Fields, Field{name, strings.Trim(value, " \t")})
	}
	return x, x.frame(reader)
}

func headLine(reader *bufio.Reader, left *int) (string, error) {
	line, err := reader.ReadString('\n')
	if *left -= len(line); err == nil && *left < 0 {
		err = fmt.Errorf("head of more than %d bytes", maxHeadBytes)
	}
	return strings.TrimRight(line, "\r\n"), err
}

// frame finds the body by RFC 9112 section 6.3.
func (x *http1) frame(reader *bufio.Reader) error {
	for _, coding := range x.request.Values("Transfer-Encoding") {
		if strings.EqualFold(coding, "chunked") {
			x.content = &chunks{reader: reader, data: httputil.NewChunkedReader(reader)}
			return nil
		}
	}
	for _, length := range x.request.Values("Content-Length") {
		n, err := strconv.ParseInt(length, 10, 64)
		if err != nil {
			return err
		}
		x.content = &exactly{reader, n}
	}
	return nil
}

// chunks reads a chunked body and the empty trailer section after it, so that
// the next request can follow.
type chunks struct {
	reader *bufio.Reader
	data   io.Reader
	done   bool
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	n, err := c.data.Read(p)
	if errors.Is(err, io.EOF) {
		c.done = true
		left := maxHeadBytes
		for line := "-"; line != ""; {
			if line, err = headLine(c.reader, &left); err != nil {
				return n, io.ErrUnexpectedEOF
			}
		}
		return n, io.EOF
	}
	return n, err
}

// exactly reads n bytes of reader; fewer are an error.
type exactly struct {
	reader io.Reader
	n      int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n, err := e.reader.Read(p[:min(int64(len(p)), e.n)])
	e.n -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (x *http1) record() *Record { return x.request }
func (x *http1) body() io.Reader { return x.content }

func (x *http1) interim(status int, fields []Field) error {
	return x.head("", status, "", fields)
}

func (x *http1) head(proto string, status int, reason string, fields []Field) error {
	if proto == "" {
		proto = "HTTP/1.1"
	}
	if reason == "" {
		reason = http.StatusText(status)
	}
	head := fmt.Appendf(nil, "%s %d %s\r\n", proto, status, reason)
	for _, f := range fields {
		head = fmt.Appendf(head, "%s: %s\r\n", f.Name, f.Value)
	}
	return x.raw(append(head, "\r\n"...))
}

func (x *http1) raw(p []byte) error {
	_, err := x.conn.Write(p)
	return err
}

func (*http1) end() error { return nil }
