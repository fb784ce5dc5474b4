package mount

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// A site may send more than its answer holds, or a body where there is none (RFC 9112
// section 6.3). net/http gives a connection back before it looks whether something is
// left on it, so a request that comes at once would get the surplus for its answer,
// and the cache would store it. Before a connection is used again the mount therefore
// waits until net/http has looked: until it reads from the connection, or has closed
// it because of what was left.

// surplusWait bounds the wait. HTTP/2, which has no surplus, may not be reading.
const surplusWait = 100 * time.Millisecond

// watchConnections has the connections of a reverse_proxy watched.
func watchConnections(rt http.RoundTripper) {
	for {
		inner, ok := rt.(interface{ Unwrap() http.RoundTripper })
		if !ok {
			break
		}
		rt = inner.Unwrap()
	}
	t, ok := rt.(*reverseproxy.HTTPTransport)
	if !ok || t.Transport == nil || t.Transport.DialContext == nil {
		return
	}
	dial := t.Transport.DialContext
	t.Transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newWatchedConn(conn), nil
	}
}

// surplusTrace is the trace of every request to a site.
var surplusTrace = &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
	conn := info.Conn
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if watched, ok := conn.(*watchedConn); ok && info.Reused {
		watched.settle()
	}
}}

// watchedConn is a connection of which is known whether somebody reads from it.
type watchedConn struct {
	net.Conn

	mu      sync.Mutex
	reading bool
	closed  bool
	changed sync.Cond
}

func newWatchedConn(conn net.Conn) *watchedConn {
	c := &watchedConn{Conn: conn}
	c.changed.L = &c.mu
	return c
}

// Read implements net.Conn.
func (c *watchedConn) Read(p []byte) (int, error) {
	c.set(&c.reading, true)
	n, err := c.Conn.Read(p)
	c.set(&c.reading, false)
	return n, err
}

// Close implements net.Conn.
func (c *watchedConn) Close() error {
	c.set(&c.closed, true)
	return c.Conn.Close()
}

func (c *watchedConn) set(flag *bool, value bool) {
	c.mu.Lock()
	*flag = value
	c.mu.Unlock()
	if value {
		c.changed.Broadcast()
	}
}

// settle waits until somebody reads from c, or it is closed.
func (c *watchedConn) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reading || c.closed {
		return
	}
	late := false
	timer := time.AfterFunc(surplusWait, func() { c.set(&late, true) })
	defer timer.Stop()
	for !c.reading && !c.closed && !late {
		c.changed.Wait()
	}
}
