package caddytest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// Call is a request that a [Client] sends.
type Call struct {
	Method string
	URL    string // sent as it stands: neither cleaned nor encoded
	Proto  string // h1 (the default), h2, h2c, h3 or raw
	Fields []Field
	Body   []byte
	Open   bool           // the body is written later, by Write and CloseWrite
	Upload int64          // bytes of a patterned body, instead of Body
	Tunnel string         // :protocol of an extended CONNECT (RFC 8441, RFC 9220); h2 and h3 only
	Decode bool           // the answer's content codings are taken off
	Hold   bool           // the answer's body is not read before Resume
	Jar    http.CookieJar // nil for none
	Server *Server        // that every name stands for
}

// scheme, authority and target of the call's URL, without any normalisation.
func (c *Call) parts() (scheme, authority, target string, err error) {
	scheme, rest, ok := strings.Cut(c.URL, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return "", "", "", fmt.Errorf("URL %s: http:// or https:// expected", c.URL)
	}
	i := strings.IndexAny(rest, "/?")
	if i < 0 {
		return scheme, rest, "/", nil
	}
	authority, target = rest[:i], rest[i:]
	if target[0] == '?' {
		target = "/" + target
	}
	return scheme, authority, target, nil
}

// hasHost tells whether the fields name the Host themselves.
func (c *Call) hasHost() bool {
	for _, f := range c.Fields {
		if strings.EqualFold(f.Name, "Host") {
			return true
		}
	}
	return false
}

// Answer is what a client received so far.
type Answer struct {
	Proto    string
	Status   int // 0 until the head is there
	Header   http.Header
	Early    []http.Header // fields of the 103 answers
	Body     []byte
	Trailer  http.Header
	Done     bool
	Err      error // why the answer ended early; nil if it is complete or still comes
	consumed int   // bytes of Body that chunks have checked
}

// Client sends one request and follows its answer while it arrives. Its methods
// are safe for concurrent use; each wait fails after the harness's time limit.
type Client struct {
	name   string
	ctx    context.Context // done when the client has left or the answer has ended
	cancel context.CancelFunc
	ended  chan struct{} // closed when nothing of the client runs any more

	state  signal         // guards what follows
	held   bool           // no more than may is read of the body
	may    int64          // bytes of the body that a held client may still read
	writer io.WriteCloser // of an open body or an upgraded connection; nil without
	answer Answer
}

// StartClient sends the call and returns while the answer is still to come.
func StartClient(name string, call Call) (*Client, error) {
	p, err := newPeer(call)
	if err != nil {
		return nil, err
	}
	c := &Client{name: name, ended: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.held = call.Hold
	switch {
	case call.Open:
		reader, writer := io.Pipe()
		p.pipe, p.body, c.writer = reader, reader, writer
	case call.Upload > 0:
		p.body = &pattern{left: call.Upload}
	}
	go func() {
		defer close(c.ended)
		err := c.run(p)
		c.cancel()
		if p.pipe != nil {
			_ = p.pipe.CloseWithError(net.ErrClosed) // nobody reads what is still written
		}
		c.update(func(a *Answer) { a.Done, a.Err = true, err })
	}()
	return c, nil
}

func (c *Client) run(p *peer) error {
	switch p.Proto {
	case "", "h1":
		return c.runHTTP1(p)
	case "raw":
		return c.runRaw(p)
	default:
		return c.runTransport(p)
	}
}

// update changes the answer and wakes who waits for it.
func (c *Client) update(change func(*Answer)) {
	c.state.Lock()
	defer c.state.Unlock()
	change(&c.answer)
	c.state.broadcast()
}

// follow copies the body into the answer as it arrives.
func (c *Client) follow(body io.Reader) error {
	buffer := make([]byte, 32<<10)
	for {
		p, err := c.room(buffer)
		if err != nil {
			return err
		}
		n, err := body.Read(p)
		if n > 0 {
			c.update(func(a *Answer) {
				a.Body = append(a.Body, p[:n]...)
				c.may -= int64(n)
			})
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// room waits until the body may be read and returns as much of buffer as may be.
func (c *Client) room(buffer []byte) ([]byte, error) {
	c.state.Lock()
	defer c.state.Unlock()
	for c.held && c.may <= 0 {
		changed := c.state.next()
		c.state.Unlock()
		select {
		case <-changed:
		case <-c.ctx.Done():
		}
		c.state.Lock()
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
	}
	if c.held && c.may < int64(len(buffer)) {
		buffer = buffer[:c.may]
	}
	return buffer, nil
}

func (c *Client) early(header textproto.MIMEHeader) {
	c.update(func(a *Answer) { a.Early = append(a.Early, http.Header(header)) })
}

func (c *Client) head(response *http.Response, jar http.CookieJar, address string) {
	if u, err := url.Parse(address); jar != nil && err == nil {
		jar.SetCookies(u, response.Cookies())
	}
	c.update(func(a *Answer) {
		a.Proto, a.Status, a.Header = response.Proto, response.StatusCode, response.Header
	})
}

// Snapshot returns the answer as far as it has come. The caller must not change
// what it points to.
func (c *Client) Snapshot() Answer {
	c.state.Lock()
	defer c.state.Unlock()
	return c.answer
}

// Write sends a part of the body of an open call, or raw bytes.
func (c *Client) Write(p []byte) error {
	writer, err := c.openBody()
	if err == nil {
		_, err = writer.Write(p)
	}
	return err
}

// CloseWrite ends the body of an open call.
func (c *Client) CloseWrite() error {
	writer, err := c.openBody()
	if err == nil {
		err = writer.Close()
	}
	return err
}

func (c *Client) openBody() (io.WriteCloser, error) {
	c.state.Lock()
	defer c.state.Unlock()
	if c.writer == nil {
		return nil, fmt.Errorf("client %s has no open body", c.name)
	}
	return c.writer, nil
}

// Resume lets a held client read so many bytes more of its body, or all if n is
// negative.
func (c *Client) Resume(n int64) {
	c.state.Lock()
	defer c.state.Unlock()
	c.held = c.held && n >= 0
	c.may += n
	c.state.broadcast()
}

// Leave drops the connection, or resets the stream, and waits until nothing of
// the client runs any more.
func (c *Client) Leave() {
	c.cancel()
	if writer, err := c.openBody(); err == nil {
		_ = writer.Close()
	}
	<-c.ended
}

// pattern is a body of repeated digits.
type pattern struct{ left int64 }

func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), p.left))
	for i := range b[:n] {
		b[i] = '0' + byte((p.left-int64(i))%10)
	}
	p.left -= int64(n)
	return n, nil
}
