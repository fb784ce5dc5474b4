package caddytest

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// expect checks the request: "expect header NAME VALUE", "expect !header NAME",
// "expect body TEXT" and "expect target TEXT".
func (r *run) expect(args []string) error {
	var have []string
	name := args[0]
	switch name {
	case "header", "!header":
		have = r.record.Values(args[1])
		args = args[1:]
	case "body":
		have = []string{string(r.record.Body)}
	case "target":
		have = []string{r.record.Target}
	default:
		return fmt.Errorf("cannot expect %s", name)
	}
	if name == "!header" {
		if len(have) > 0 {
			return fmt.Errorf("%s is %q, want none", args[0], have)
		}
		return nil
	}
	want := string(unescape(args[len(args)-1]))
	if len(args) < 2 || len(have) != 1 || have[0] != want {
		return fmt.Errorf("%s is %q, want %q", args[0], have, want)
	}
	return nil
}

// recv reads from the request body: a number of bytes, "rest" for all that is
// left, or a text that must come next.
func (r *run) recv(what string) error {
	if what == "rest" {
		return r.receive(-1)
	}
	if n, err := strconv.ParseInt(what, 10, 64); err == nil {
		return r.receive(n)
	}
	want := string(unescape(what))
	before := len(r.record.Body)
	if err := r.receive(int64(len(want))); err != nil {
		return err
	}
	if have := string(r.record.Body[before:]); have != want {
		return fmt.Errorf("next in the request body is %q, want %q", have, want)
	}
	return nil
}

// receive appends the next n bytes of the request body to the record, or all
// that are left if n is negative.
func (r *run) receive(n int64) error {
	body := r.ex.body()
	if n >= 0 {
		part := make([]byte, n)
		read, err := io.ReadFull(body, part)
		r.keep(part[:read])
		return err
	}
	rest, err := io.ReadAll(body)
	r.keep(rest)
	if err == nil {
		r.bodyRead = true
	}
	return err
}

func (r *run) keep(p []byte) {
	r.origin.state.Lock()
	defer r.origin.state.Unlock()
	r.record.Body = append(r.record.Body, p...)
	r.origin.state.broadcast()
}

// websocket accepts the handshake of RFC 6455 and sends every message back.
func (r *run) websocket() error {
	keys := r.record.Values("Sec-WebSocket-Key")
	if len(keys) != 1 || !strings.EqualFold(strings.Join(r.record.Values("Upgrade"), ""), "websocket") {
		return errors.New("the request is no websocket handshake")
	}
	r.isRaw = true
	head := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: " + websocketAccept(keys[0]) + "\r\n"
	for _, f := range r.fields {
		head += f.Name + ": " + f.Value + "\r\n"
	}
	if err := r.ex.raw([]byte(head + "\r\n")); err != nil {
		return err
	}
	for {
		opcode, payload, err := readFrame(r.reader)
		if err != nil {
			return err
		}
		if err := r.ex.raw(appendFrame(nil, opcode, payload, false)); err != nil {
			return err
		}
		if opcode == opClose {
			return errEnded
		}
	}
}
