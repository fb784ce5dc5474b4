package caddytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// parseCall reads "[flag]... METHOD URL".
func (s *script) parseCall(args []string) (Call, error) {
	call := Call{Server: s.server}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		flag := args[0]
		args = args[1:]
		switch flag {
		case "-h1", "-h2", "-h2c", "-h3", "-raw":
			call.Proto = flag[1:]
			call.Open = call.Open || flag == "-raw"
			continue
		case "-open":
			call.Open = true
			continue
		case "-decode":
			call.Decode = true
			continue
		case "-hold":
			call.Hold = true
			continue
		}
		if len(args) == 0 {
			return call, fmt.Errorf("%s: value expected", flag)
		}
		value := args[0]
		args = args[1:]
		var err error
		switch flag {
		case "-H":
			name, field, _ := strings.Cut(value, ":")
			call.Fields = append(call.Fields, Field{name, string(unescape(strings.TrimPrefix(field, " ")))})
		case "-at":
			p := s.programs[value]
			if p == nil {
				return call, fmt.Errorf("no process %s", value)
			}
			call.Server = p.server
		case "-body":
			call.Body = unescape(value)
		case "-bodyfile":
			call.Body, err = os.ReadFile(filepath.Join(s.dir, value))
		case "-upload":
			var size uint64
			size, err = humanize.ParseBytes(value)
			call.Upload = int64(size)
		case "-tunnel":
			call.Tunnel, call.Open = value, true
		case "-jar":
			call.Jar, err = s.jar(value)
		default:
			err = fmt.Errorf("unknown flag %s", flag)
		}
		if err != nil {
			return call, err
		}
	}
	if call.Proto == "raw" && len(args) == 1 {
		args = []string{"", args[0]}
	}
	if len(args) != 2 {
		return call, errors.New("METHOD and URL expected")
	}
	call.Method, call.URL = args[0], args[1]
	return call, nil
}

// start starts a client of that name. An earlier one of the name leaves.
func (s *script) start(name string, args []string) (*Client, error) {
	call, err := s.parseCall(args)
	if err != nil {
		return nil, err
	}
	if before := s.clients[name]; before != nil {
		before.Leave()
	}
	c, err := StartClient(name, call)
	if err == nil {
		s.clients[name] = c
	}
	return c, err
}

// cmdRequest sends a request and waits for the end of its answer.
func (s *script) cmdRequest(_ bool, args []string) error {
	c, err := s.start("request", args)
	if err != nil {
		return err
	}
	s.current = c
	if err := c.Wait(); err != nil {
		return err
	}
	if a := c.Snapshot(); a.Status == 0 {
		return fmt.Errorf("no answer: %w", a.Err)
	}
	return nil
}

// cmdStored repeats a request until a fresh stored response answers it: a cache
// commits when the client has long got the last byte.
func (s *script) cmdStored(_ bool, args []string) error {
	return s.repeat(args, "no fresh stored response answered it", func() bool {
		a := s.current.Snapshot()
		status := strings.Join(a.Header.Values("Cache-Status"), ",")
		return strings.Contains(status, "; hit") && !strings.Contains(status, "stale")
	})
}

// cmdReach repeats a request until an origin has received so many: "reach ORIGIN N
// [flag]... METHOD URL". Those before may have joined a fetch that was about to end.
func (s *script) cmdReach(_ bool, args []string) error {
	if len(args) < 4 || s.origins[args[0]] == nil {
		return errors.New("usage: reach ORIGIN N [flag]... METHOD URL")
	}
	o := s.origins[args[0]]
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	return s.repeat(args[2:], "it did not reach the origin", func() bool { return len(o.Requests()) >= n })
}

// repeat sends a request until done is true of its answer.
func (s *script) repeat(args []string, failure string, done func() bool) error {
	for start := time.Now(); time.Since(start) < limit; {
		if err := s.cmdRequest(false, args); err != nil {
			return err
		}
		if done() {
			return nil
		}
	}
	a := s.current.Snapshot()
	return fmt.Errorf("repeated the request for %v: %s; Cache-Status is %q", limit, failure, a.Header.Values("Cache-Status"))
}

// cmdClient sends a request and leaves its answer to later commands.
func (s *script) cmdClient(_ bool, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: client NAME [flag]... METHOD URL")
	}
	_, err := s.start(args[0], args[1:])
	return err
}

// client returns the client that args[0] names, with exactly n more words after
// it, and makes it the current one.
func (s *script) client(args []string, n int) (*Client, error) {
	if len(args) != n+1 {
		return nil, fmt.Errorf("name of a client and %d more words expected", n)
	}
	c := s.clients[args[0]]
	if c == nil {
		return nil, fmt.Errorf("no client %s", args[0])
	}
	s.current = c
	return c, nil
}

// with lets act run on the client that is the only word of args.
func (s *script) with(args []string, act func(*Client) error) error {
	c, err := s.client(args, 0)
	if err != nil {
		return err
	}
	return act(c)
}

func (s *script) cmdHead(_ bool, args []string) error  { return s.with(args, (*Client).Head) }
func (s *script) cmdAwait(_ bool, args []string) error { return s.with(args, (*Client).Wait) }
func (s *script) cmdClose(_ bool, args []string) error { return s.with(args, (*Client).CloseWrite) }
func (s *script) cmdEOF(_ bool, args []string) error {
	return s.with(args, func(c *Client) error { return c.End(false) })
}

func (s *script) cmdCut(_ bool, args []string) error {
	return s.with(args, func(c *Client) error { return c.End(true) })
}

// cmdResume lets a held client read: "resume CLIENT [BYTES]".
func (s *script) cmdResume(_ bool, args []string) error {
	n := int64(-1)
	if len(args) == 2 {
		var err error
		if n, err = strconv.ParseInt(args[1], 10, 64); err != nil {
			return err
		}
		args = args[:1]
	}
	return s.with(args, func(c *Client) error { c.Resume(n); return nil })
}

func (s *script) cmdLeave(_ bool, args []string) error {
	return s.with(args, func(c *Client) error { c.Leave(); return nil })
}

func (s *script) cmdChunk(_ bool, args []string) error {
	c, err := s.client(args, 1)
	if err != nil {
		return err
	}
	return c.Chunk(unescape(args[1]))
}

// cmdPieces waits for each piece that an origin sends by its statement of the same
// name, and lets it send the next.
func (s *script) cmdPieces(_ bool, args []string) error {
	if len(args) != 4 {
		return errors.New("usage: pieces CLIENT N TEXT BARRIER")
	}
	c, err := s.client(args[:1], 0)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for n := 1; n <= count; n++ {
		if err := c.Chunk(unescape(numbered(args[2], n))); err != nil {
			return err
		}
		if err := s.barriers.meet(context.Background(), args[3], 2); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) cmdWrite(_ bool, args []string) error {
	c, err := s.client(args, 1)
	if err != nil {
		return err
	}
	return c.Write(unescape(args[1]))
}

// cmdWSSend sends a text message, or with no text a close frame.
func (s *script) cmdWSSend(_ bool, args []string) error {
	if len(args) == 1 {
		c, err := s.client(args, 0)
		if err != nil {
			return err
		}
		return c.Write(appendFrame(nil, opClose, []byte{0x03, 0xe8}, true))
	}
	c, err := s.client(args, 1)
	if err != nil {
		return err
	}
	return c.Write(appendFrame(nil, opText, unescape(args[1]), true))
}

// cmdWSRecv waits for one text message, or with no text for a close frame.
func (s *script) cmdWSRecv(_ bool, args []string) error {
	frame := appendFrame(nil, opClose, []byte{0x03, 0xe8}, false)
	if len(args) == 2 {
		frame = appendFrame(nil, opText, unescape(args[1]), false)
	}
	c, err := s.client(args, len(args)-1)
	if err != nil {
		return err
	}
	return c.Chunk(frame)
}

// cmdAdmin sends a request to the admin API:
// "admin [-H 'NAME: VALUE'] METHOD PATH [BODY]".
func (s *script) cmdAdmin(_ bool, args []string) error {
	usage := errors.New("usage: admin [-H 'NAME: VALUE'] METHOD PATH [BODY]")
	var name, value string
	if len(args) > 2 && args[0] == "-H" {
		var ok bool
		if name, value, ok = strings.Cut(args[1], ": "); !ok {
			return usage
		}
		args = args[2:]
	}
	if len(args) < 2 || len(args) > 3 {
		return usage
	}
	var body []byte
	if len(args) == 3 {
		body = unescape(args[2])
	}
	request, err := http.NewRequest(args[0], "http://localhost"+args[1], bytes.NewReader(body))
	if err != nil {
		return err
	}
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	if name != "" {
		request.Header.Set(name, value)
	}
	response, err := s.server.Admin(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	c := &Client{name: "admin", cancel: func() {}, ended: make(chan struct{})}
	close(c.ended)
	c.head(response, nil, "")
	err = c.follow(response.Body)
	c.update(func(a *Answer) { a.Done, a.Err = true, err })
	s.clients[c.name], s.current = c, c
	return err
}

// cmdSave writes a part of the current answer to a file, for cmp and grep:
// "save body|head FILE".
func (s *script) cmdSave(_ bool, args []string) error {
	if len(args) != 2 || s.current == nil {
		return errors.New("usage: save body|head FILE, after a request")
	}
	a := s.current.Snapshot()
	content := a.Body
	if args[0] == "head" {
		var head strings.Builder
		fmt.Fprintf(&head, "%d\n", a.Status)
		for _, name := range slices.Sorted(maps.Keys(a.Header)) {
			for _, value := range a.Header[name] {
				fmt.Fprintf(&head, "%s: %s\n", name, value)
			}
		}
		content = []byte(head.String())
	}
	return os.WriteFile(filepath.Join(s.dir, args[1]), content, 0o600)
}
