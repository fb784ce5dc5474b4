package caddytest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"
)

// peer is a call with its URL taken apart, ready for a protocol.
type peer struct {
	Call
	scheme, authority, hostport, target string
	tls                                 *tls.Config    // nil for http
	body                                io.Reader      // of an open call or an upload
	pipe                                *io.PipeReader // body, if the call is open
}

// newPeer takes the call's URL apart, adds the cookies of its jar and waits until
// the site can show a certificate.
func newPeer(call Call) (*peer, error) {
	scheme, authority, target, err := call.parts()
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(call.URL); call.Jar != nil && err == nil {
		var pairs []string
		for _, cookie := range call.Jar.Cookies(u) {
			pairs = append(pairs, cookie.Name+"="+cookie.Value)
		}
		if len(pairs) > 0 {
			call.Fields = append(call.Fields, Field{"Cookie", strings.Join(pairs, "; ")})
		}
	}
	hostport := authority
	if !strings.Contains(authority[strings.LastIndex(authority, "]")+1:], ":") {
		hostport += map[string]string{"http": ":80", "https": ":443"}[scheme]
	}
	p := &peer{Call: call, scheme: scheme, authority: authority, hostport: hostport, target: target}
	if scheme == "https" {
		p.tls, err = p.tlsConfig()
	}
	return p, err
}

// tlsConfig waits for the site's certificate, which is the last thing to be ready
// after a load.
func (p *peer) tlsConfig() (*tls.Config, error) {
	host, _, err := net.SplitHostPort(p.hostport)
	if err != nil {
		return nil, err
	}
	roots, err := awaitCertificate(host)
	return &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}, err
}

// connect dials the server, with TLS for an https URL, and drops the connection
// once the client leaves.
func (c *Client) connect(p *peer) (net.Conn, error) {
	conn, err := p.Server.Dial(c.ctx, p.hostport)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(c.ctx, func() { _ = conn.Close() })
	if p.tls == nil {
		return conn, nil
	}
	secure := tls.Client(conn, p.tls)
	return secure, secure.HandshakeContext(c.ctx)
}

// runHTTP1 writes the request by hand, so that the target and the order and case
// of the fields arrive as the script wrote them.
func (c *Client) runHTTP1(p *peer) error {
	conn, err := c.connect(p)
	if err != nil {
		return err
	}
	// The body goes out beside the reading, for an answer may come before its end.
	written := make(chan error, 1)
	go func() { written <- p.writeHTTP1(conn) }()
	err = c.readHTTP1(p, conn, bufio.NewReader(conn))
	c.cancel()
	if p.pipe != nil {
		_ = p.pipe.CloseWithError(net.ErrClosed)
	}
	if failed := <-written; err != nil && failed != nil {
		err = fmt.Errorf("%w; sending the request: %w", err, failed)
	}
	return err
}

func (p *peer) writeHTTP1(conn net.Conn) error {
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\n", p.Method, p.target)
	if !p.hasHost() {
		head = fmt.Appendf(head, "Host: %s\r\n", p.authority)
	}
	for _, f := range p.Fields {
		head = fmt.Appendf(head, "%s: %s\r\n", f.Name, f.Value)
	}
	switch {
	case p.Open:
		head = append(head, "Transfer-Encoding: chunked\r\n"...)
	case p.Upload > 0:
		head = fmt.Appendf(head, "Content-Length: %d\r\n", p.Upload)
	case len(p.Body) > 0:
		head = fmt.Appendf(head, "Content-Length: %d\r\n", len(p.Body))
	}
	if _, err := conn.Write(append(append(head, "\r\n"...), p.Body...)); err != nil {
		return err
	}
	switch {
	case p.Open:
		chunks := httputil.NewChunkedWriter(conn)
		if _, err := io.Copy(chunks, p.body); err != nil {
			return err
		}
		_ = chunks.Close() // writes the last chunk
		_, err := io.WriteString(conn, "\r\n")
		return err
	case p.Upload > 0:
		_, err := io.Copy(conn, p.body)
		return err
	}
	return nil
}

func (c *Client) readHTTP1(p *peer, conn net.Conn, reader *bufio.Reader) error {
	request := &http.Request{Method: p.Method}
	for {
		response, err := http.ReadResponse(reader, request)
		if err != nil {
			return err
		}
		switch {
		case response.StatusCode == http.StatusSwitchingProtocols:
			c.state.Lock()
			c.writer = conn
			c.state.Unlock()
			c.head(response, p.Jar, p.URL)
			return c.follow(reader)
		case response.StatusCode < 200:
			if response.StatusCode == http.StatusEarlyHints {
				c.early(textproto.MIMEHeader(response.Header))
			}
			continue
		}
		c.head(response, p.Jar, p.URL)
		body, err := p.decoded(response)
		if err != nil {
			return err
		}
		err = c.follow(body)
		c.update(func(a *Answer) { a.Trailer = response.Trailer })
		return err
	}
}

// runRaw sends what the script writes and collects every byte that comes back.
func (c *Client) runRaw(p *peer) error {
	conn, err := c.connect(p)
	if err != nil {
		return err
	}
	if p.body != nil {
		go func() {
			_, _ = io.Copy(conn, p.body)
			if half, ok := conn.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		}()
	}
	return c.follow(conn)
}

// runTransport sends the request by net/http over HTTP/2, or by quic-go over
// HTTP/3.
func (c *Client) runTransport(p *peer) error {
	transport, closeIdle, err := p.transport()
	if err != nil {
		return err
	}
	defer closeIdle()
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
		if status == http.StatusEarlyHints {
			c.early(header)
		}
		return nil
	}}
	// An opaque URL that begins with the authority makes the transports send the
	// rest of it as :path, byte for byte.
	request := &http.Request{
		Method: p.Method,
		Host:   p.authority,
		URL:    &url.URL{Scheme: p.scheme, Host: p.authority, Opaque: "//" + p.authority + p.target},
		Header: make(http.Header),
		Body:   http.NoBody,
	}
	for _, f := range p.Fields {
		if strings.EqualFold(f.Name, "Host") {
			request.Host = f.Value
			request.URL.Opaque = "//" + f.Value + p.target
			continue
		}
		request.Header.Add(f.Name, f.Value)
	}
	switch {
	case p.Open:
		request.Body, request.ContentLength = io.NopCloser(p.body), -1
	case p.Upload > 0:
		request.Body, request.ContentLength = io.NopCloser(p.body), p.Upload
	case len(p.Body) > 0:
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(string(p.Body))), int64(len(p.Body))
	}
	switch {
	case p.Tunnel != "" && p.Proto == "h3":
		request.Proto = p.Tunnel
	case p.Tunnel != "":
		request.Header[":protocol"] = []string{p.Tunnel}
	}
	response, err := transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(c.ctx, trace)))
	for refused(err) && request.Body == http.NoBody && c.ctx.Err() == nil {
		response, err = transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(c.ctx, trace)))
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	c.head(response, p.Jar, p.URL)
	body, err := p.decoded(response)
	if err != nil {
		return err
	}
	err = c.follow(body)
	c.update(func(a *Answer) { a.Trailer = response.Trailer })
	return err
}

// refused says whether the server's queue of new QUIC connections was full. Like
// browsers we try again.
func refused(err error) bool {
	transport := new(quic.TransportError)
	return errors.As(err, &transport) && transport.ErrorCode == quic.ConnectionRefused
}

// transport returns a transport for one request and the way to end it.
func (p *peer) transport() (transport http.RoundTripper, closeAll func(), err error) {
	var protocols http.Protocols
	switch p.Proto {
	case "h2":
		protocols.SetHTTP2(true)
	case "h2c":
		protocols.SetUnencryptedHTTP2(true)
	case "h3":
		// A busy machine takes longer than the 5 s of quic-go for many handshakes at a time.
		patient := &quic.Config{MaxIncomingStreams: -1, KeepAlivePeriod: 10 * time.Second, HandshakeIdleTimeout: limit}
		t := &http3.Transport{TLSClientConfig: p.tls, QUICConfig: patient, Dial: p.dialQUIC, DisableCompression: true}
		return t, func() { _ = t.Close() }, nil
	default:
		return nil, nil, fmt.Errorf("unknown protocol %s", p.Proto)
	}
	// Connections end with the request, whatever the transport thinks of them.
	open, closeAll := context.WithCancel(context.Background())
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := p.Server.Dial(ctx, p.hostport)
		if err == nil {
			context.AfterFunc(open, func() { _ = conn.Close() })
		}
		return conn, err
	}
	if p.Tunnel == "" {
		return &http.Transport{
			Protocols: &protocols, TLSClientConfig: p.tls, DisableCompression: true, DialContext: dial,
		}, closeAll, nil
	}
	// net/http's own transport refuses the field that holds :protocol.
	return &http2.Transport{
		TLSClientConfig: p.tls, DisableCompression: true,
		DialTLSContext: func(ctx context.Context, network, address string, config *tls.Config) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			secure := tls.Client(conn, config)
			return secure, secure.HandshakeContext(ctx)
		},
	}, closeAll, nil
}

func (p *peer) dialQUIC(ctx context.Context, _ string, config *tls.Config, quicConfig *quic.Config) (*quic.Conn, error) {
	_, port, err := net.SplitHostPort(p.hostport)
	if err != nil {
		return nil, err
	}
	address, err := p.Server.Address(port)
	if err != nil {
		return nil, err
	}
	return quic.DialAddr(ctx, address, config, quicConfig)
}
