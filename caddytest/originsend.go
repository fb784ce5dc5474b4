package caddytest

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

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
