package caddytest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Record types of the FastCGI specification, section 8.
const (
	fcgiBegin  = 1
	fcgiEnd    = 3
	fcgiParams = 4
	fcgiStdin  = 5
	fcgiStdout = 6
)

// fastcgi is an exchange with a FastCGI client: the record's fields are the
// parameters of the request, and what the script sends goes into STDOUT records.
type fastcgi struct {
	conn    net.Conn
	id      uint16
	request *Record
	content bytes.Reader
}

// readFastCGI reads one request, its body included.
func readFastCGI(conn net.Conn, reader *bufio.Reader) (exchange, error) {
	x := &fastcgi{conn: conn, request: &Record{Proto: "FastCGI"}}
	var params, stdin []byte
	for {
		kind, id, content, err := readFCGIRecord(reader)
		if err != nil {
			return nil, err
		}
		x.id = id
		switch {
		case kind == fcgiParams:
			params = append(params, content...)
		case kind == fcgiStdin && len(content) > 0:
			stdin = append(stdin, content...)
		case kind == fcgiStdin:
			x.content.Reset(stdin)
			return x, x.parse(params)
		}
	}
}

func readFCGIRecord(reader io.Reader) (kind byte, id uint16, content []byte, err error) {
	var head [8]byte
	if _, err := io.ReadFull(reader, head[:]); err != nil {
		return 0, 0, nil, err
	}
	size := int(binary.BigEndian.Uint16(head[4:]))
	content = make([]byte, size+int(head[6]))
	_, err = io.ReadFull(reader, content)
	return head[1], binary.BigEndian.Uint16(head[2:]), content[:size], err
}

// parse reads name-value pairs, section 3.4.
func (x *fastcgi) parse(params []byte) error {
	for len(params) > 0 {
		var sizes [2]int
		for i := range sizes {
			switch {
			case len(params) >= 4 && params[0]&0x80 != 0:
				sizes[i] = int(binary.BigEndian.Uint32(params) &^ (1 << 31))
				params = params[4:]
			case len(params) >= 1 && params[0]&0x80 == 0:
				sizes[i] = int(params[0])
				params = params[1:]
			default:
				return io.ErrUnexpectedEOF
			}
		}
		if sizes[0]+sizes[1] > len(params) {
			return io.ErrUnexpectedEOF
		}
		name, value := string(params[:sizes[0]]), string(params[sizes[0]:sizes[0]+sizes[1]])
		params = params[sizes[0]+sizes[1]:]
		x.request.Fields = append(x.request.Fields, Field{name, value})
		switch name {
		case "REQUEST_METHOD":
			x.request.Method = value
		case "REQUEST_URI":
			x.request.Target = value
		}
	}
	return nil
}

func (x *fastcgi) record() *Record { return x.request }
func (x *fastcgi) body() io.Reader { return &x.content }

// interim does nothing: FastCGI has no interim answers.
func (*fastcgi) interim(int, []Field) error { return nil }

func (x *fastcgi) head(_ string, status int, reason string, fields []Field) error {
	if reason == "" {
		reason = http.StatusText(status)
	}
	head := fmt.Appendf(nil, "Status: %d %s\r\n", status, reason)
	for _, f := range fields {
		head = fmt.Appendf(head, "%s: %s\r\n", f.Name, f.Value)
	}
	return x.raw(append(head, "\r\n"...))
}

func (x *fastcgi) raw(p []byte) error {
	const most = 1<<16 - 1
	for len(p) > 0 {
		piece := p[:min(len(p), most)]
		p = p[len(piece):]
		if err := x.write(fcgiStdout, piece); err != nil {
			return err
		}
	}
	return nil
}

// end closes the stream and completes the request, section 5.5.
func (x *fastcgi) end() error {
	if err := x.write(fcgiStdout, nil); err != nil {
		return err
	}
	return x.write(fcgiEnd, make([]byte, 8))
}

func (x *fastcgi) write(kind byte, content []byte) error {
	p := []byte{1, kind, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(p[2:], x.id)
	binary.BigEndian.PutUint16(p[4:], uint16(len(content)))
	_, err := x.conn.Write(append(p, content...))
	return err
}
