package caddytest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// exchange is one request and the way to answer it on its connection.
type exchange interface {
	// record returns the request without its body; it is the same every time.
	record() *Record
	// body reads the request body as it arrives.
	body() io.Reader
	// interim sends a 1xx answer.
	interim(status int, fields []Field) error
	// head sends status and fields.
	head(proto string, status int, reason string, fields []Field) error
	// raw sends bytes as they are.
	raw(p []byte) error
	// end marks the end of the answer where the protocol has a mark of its own.
	end() error
}

// run is a handler at work on one request.
type run struct {
	origin *Origin
	ex     exchange
	record *Record
	conn   net.Conn
	reader *bufio.Reader

	proto    string
	status   int
	reason   string
	fields   []Field
	trailers []Field
	headSent bool
	isRaw    bool // the script sends every byte itself
	chunked  bool
	close    bool  // the connection ends with the answer
	declared int64 // Content-Length; -1 when there is none
	sent     int64 // body bytes
	bodyRead bool
	coder    *gzip.Writer // codes the body into coded; nil without "gzip"
	coded    bytes.Buffer
}

// errEnded ends a handler whose connection must not be used again.
var errEnded = errors.New("connection ended by the script")

func (r *run) reusable() bool {
	return !r.close && !r.isRaw && r.bodyRead
}

// handle runs the steps of h. The request body is read first unless the first
// step is "stream".
func (r *run) handle(h *handlerScript) error {
	r.declared = -1
	streams := len(h.steps) > 0 && h.steps[0].name == "stream"
	if !streams {
		if len(r.record.Values("Expect")) > 0 {
			if err := r.ex.interim(http.StatusContinue, nil); err != nil {
				return err
			}
		}
		if err := r.receive(-1); err != nil {
			return err
		}
	}
	for _, s := range h.steps {
		if err := r.do(s); err != nil {
			if !errors.Is(err, errEnded) && !isPeerGone(err) && r.origin.ctx.Err() == nil {
				r.origin.fail(fmt.Errorf("origin %s line %d: %s: %w", r.origin.name, s.line, s.name, err))
			}
			return err
		}
	}
	return r.finish()
}

// isPeerGone tells whether err says that the peer closed the connection, which a
// handler survives: the script checks on the client's side what that means.
func isPeerGone(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func (r *run) do(s step) error {
	switch s.name {
	case "stream":
		return nil
	case "expect":
		return r.expect(s.args)
	case "recv":
		return r.recv(s.args[0])
	case "continue":
		return r.ex.interim(http.StatusContinue, nil)
	case "proto":
		r.proto = s.args[0]
	case "status":
		status, err := strconv.Atoi(s.args[0])
		r.status, r.reason = status, strings.Join(s.args[1:], " ")
		return err
	case "header":
		r.fields = append(r.fields, field(s.args))
	case "headerlist":
		return r.headerList(s.args)
	case "date":
		return r.date(s.args)
	case "trailer":
		r.trailers = append(r.trailers, field(s.args))
	case "close":
		r.close = true
	case "send103":
		return r.earlyHints(s.args)
	case "body":
		return r.whole(unescape(s.args[0]))
	case "file":
		content, err := r.origin.file(s.args[0])
		if err != nil {
			return err
		}
		return r.whole(content)
	case "echo":
		return r.whole(r.record.Body)
	case "send":
		return r.send(unescape(s.args[0]))
	case "sendfield":
		return r.send([]byte(strings.Join(r.record.Values(s.args[0]), ",")))
	case "sendtarget":
		return r.send([]byte(r.record.Target))
	case "repeat":
		return r.repeat(s.args[0], unescape(s.args[1]))
	case "pieces":
		return r.pieces(s.args)
	case "gzip":
		r.coder = gzip.NewWriter(&r.coded)
		r.fields = append(r.fields, Field{"Content-Encoding", "gzip"})
	case "raw":
		r.isRaw = true
		return r.ex.raw(unescape(s.args[0]))
	case "barrier":
		return r.barrier(s.args)
	case "cut":
		if err := r.startBody(); err != nil {
			return err
		}
		return errEnded
	case "rst":
		return r.reset()
	case "hang":
		return r.hang()
	case "websocket":
		return r.websocket()
	}
	return nil
}

// headerList adds a field whose value is a text so many times, each time with its
// number in place of {n}, separated by blanks.
func (r *run) headerList(args []string) error {
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	words := make([]string, 0, max(count, 0))
	for n := 1; n <= count; n++ {
		words = append(words, numbered(args[2], n))
	}
	r.fields = append(r.fields, Field{args[0], strings.Join(words, " ")})
	return nil
}

func field(args []string) Field {
	f := Field{Name: args[0]}
	if len(args) > 1 {
		f.Value = string(unescape(args[1]))
	}
	return f
}

// date adds a field that holds the present time plus an offset.
func (r *run) date(args []string) error {
	var offset time.Duration
	if len(args) > 1 {
		var err error
		if offset, err = time.ParseDuration(args[1]); err != nil {
			return err
		}
	}
	value := time.Now().Add(offset).UTC().Format(http.TimeFormat)
	r.fields = append(r.fields, Field{args[0], value})
	return nil
}

func (r *run) earlyHints(args []string) error {
	if len(args)%2 != 0 {
		return errors.New("expected pairs of name and value")
	}
	var fields []Field
	for ; len(args) > 0; args = args[2:] {
		fields = append(fields, field(args[:2]))
	}
	return r.ex.interim(http.StatusEarlyHints, fields)
}

func (r *run) barrier(args []string) error {
	parties := 2
	if len(args) > 1 {
		var err error
		if parties, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	}
	return r.origin.barriers.meet(r.origin.ctx, args[0], parties)
}

// reset ends the connection with a TCP reset.
func (r *run) reset() error {
	conn := r.conn
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return err
		}
		_ = tcp.Close()
	}
	return errEnded
}

// hang sends nothing until the peer ends the connection or the origin stops.
func (r *run) hang() error {
	if r.headSent || len(r.fields) > 0 {
		if err := r.startBody(); err != nil {
			return err
		}
	}
	_, _ = io.Copy(io.Discard, r.reader)
	return errEnded
}
