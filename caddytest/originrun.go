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

// startBody sends the head if it has not gone yet, with the framing that the
// script's fields and "close" leave.
func (r *run) startBody() error {
	if r.headSent || r.isRaw {
		return nil
	}
	r.headSent = true
	for _, f := range r.fields {
		switch strings.ToLower(f.Name) {
		case "content-length":
			n, err := strconv.ParseInt(f.Value, 10, 64)
			if err == nil {
				r.declared = n
			}
		case "transfer-encoding":
			r.chunked = strings.EqualFold(f.Value, "chunked")
		}
	}
	_, isHTTP := r.ex.(*http1)
	if isHTTP && r.declared < 0 && !r.chunked && !r.close && hasBody(r.status) {
		if r.proto == "HTTP/1.0" || r.record.Proto == "HTTP/1.0" {
			r.close = true
		} else {
			r.chunked = true
			r.fields = append(r.fields, Field{"Transfer-Encoding", "chunked"})
		}
	}
	if isHTTP && r.close {
		r.fields = append(r.fields, Field{"Connection", "close"})
	}
	return r.ex.head(r.proto, r.status, r.reason, r.fields)
}

func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// whole sends a complete body with its length.
func (r *run) whole(content []byte) error {
	if r.coder != nil {
		content = r.code(content, r.coder.Close)
		r.coder = nil
	}
	named := false
	for _, f := range r.fields {
		named = named || strings.EqualFold(f.Name, "Content-Length") || strings.EqualFold(f.Name, "Transfer-Encoding")
	}
	if !named && !r.close && !r.headSent && hasBody(r.status) {
		r.fields = append(r.fields, Field{"Content-Length", strconv.Itoa(len(content))})
	}
	return r.send(content)
}

// code returns the coded form of p, with what ends it: Flush or Close. Nothing is
// lost, as the coder writes to memory.
func (r *run) code(p []byte, end func() error) []byte {
	_, _ = r.coder.Write(p)
	_ = end()
	defer r.coded.Reset()
	return bytes.Clone(r.coded.Bytes())
}

// send sends a piece of the body. A HEAD request gets the head alone.
func (r *run) send(p []byte) error {
	if err := r.startBody(); err != nil {
		return err
	}
	if r.coder != nil {
		p = r.code(p, r.coder.Flush)
	}
	return r.sendCoded(p)
}

// sendCoded sends bytes of the body as they stand.
func (r *run) sendCoded(p []byte) error {
	if len(p) == 0 || r.record.Method == http.MethodHead || !hasBody(r.status) {
		return nil
	}
	r.sent += int64(len(p))
	if r.chunked {
		p = fmt.Appendf(nil, "%x\r\n%s\r\n", len(p), p)
	}
	return r.ex.raw(p)
}

// repeat sends a text count times, in pieces of about 32 KiB.
func (r *run) repeat(count string, text []byte) error {
	left, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	const pieceBytes = 32 << 10
	each := max(1, pieceBytes/max(1, len(text)))
	piece := bytes.Repeat(text, each)
	for ; left > 0; left -= each {
		if err := r.send(piece[:min(left, each)*len(text)]); err != nil {
			return err
		}
	}
	return nil
}

// pieces sends a text count times, each time with its number in place of {n}, and
// meets at the barrier after each.
func (r *run) pieces(args []string) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for n := 1; n <= count; n++ {
		if err := r.send(unescape(numbered(args[1], n))); err != nil {
			return err
		}
		if err := r.barrier(args[2:]); err != nil {
			return err
		}
	}
	return nil
}

// numbered returns text with n in place of {n}.
func numbered(text string, n int) string { return strings.ReplaceAll(text, "{n}", strconv.Itoa(n)) }

// finish ends the answer by its framing. Fewer bytes than declared end the
// connection, which is how a peer can tell.
func (r *run) finish() error {
	if r.isRaw {
		return nil
	}
	if !r.headSent && hasBody(r.status) {
		if err := r.whole(nil); err != nil {
			return err
		}
	}
	if err := r.startBody(); err != nil {
		return err
	}
	if r.coder != nil {
		if err := r.sendCoded(r.code(nil, r.coder.Close)); err != nil {
			return err
		}
	}
	bodyless := r.record.Method == http.MethodHead || !hasBody(r.status)
	if r.chunked && !bodyless {
		tail := []byte("0\r\n")
		for _, f := range r.trailers {
			tail = fmt.Appendf(tail, "%s: %s\r\n", f.Name, f.Value)
		}
		if err := r.ex.raw(append(tail, "\r\n"...)); err != nil {
			return err
		}
	}
	if !bodyless && r.declared >= 0 && r.sent != r.declared {
		return errEnded
	}
	return r.ex.end()
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
