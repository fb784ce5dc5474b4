package caddytest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
)

// Field is one header field line as it stood on the wire, or one FastCGI
// parameter.
type Field struct{ Name, Value string }

// Record is a request as an origin received it.
type Record struct {
	Method string
	Target string
	Proto  string
	SNI    string // name that the TLS client asked for; empty without TLS
	Conn   int    // number of the connection, from 1
	Fields []Field
	Body   []byte
}

// Values returns the values of the fields of that name, in their order.
func (r *Record) Values(name string) []string {
	var values []string
	for _, f := range r.Fields {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// Origin is a server that answers each request by the script of the first
// handler that matches it, byte by byte as the script says. Its methods are safe
// for concurrent use.
type Origin struct {
	name     string
	script   *originScript
	dir      string // of the files that the script names
	barriers *barriers
	fail     func(error) // told what the script did not foresee
	network  string
	ln       net.Listener
	ctx      context.Context // done when the origin stops
	cancel   context.CancelCauseFunc
	work     sync.WaitGroup

	state signal // guards what follows
	seen  []*Record
	hits  map[string]int // requests by method and pattern of the handlers
	conns map[net.Conn]struct{}
	dials int
}

// StartOrigin starts an origin that is told by text what to do. Files that the
// text names are in dir, where a unix origin also makes its socket. Requests
// that no handler expects, and expectations that do not hold, go to fail.
func StartOrigin(name, text, dir string, meet *barriers, fail func(error)) (*Origin, error) {
	script, err := parseOrigin(text)
	if err != nil {
		return nil, err
	}
	o := &Origin{
		name: name, script: script, dir: dir, barriers: meet, fail: fail,
		hits: make(map[string]int), conns: make(map[net.Conn]struct{}),
	}
	o.network = "tcp"
	address := "127.0.0.1:0"
	if script.scheme == "unix" {
		o.network, address = "unix", dir+"/"+name+".sock"
	}
	return o, o.listen(address)
}

func (o *Origin) listen(address string) error {
	ln, err := net.Listen(o.network, address)
	if err != nil {
		return err
	}
	if o.script.scheme == "https" {
		authority, err := originAuthority()
		if err != nil {
			return err
		}
		ln = tls.NewListener(ln, authority.serverConfig())
	}
	o.ln = ln
	o.ctx, o.cancel = context.WithCancelCause(context.Background())
	o.countNames(1)
	o.work.Go(o.accept)
	return nil
}

// Address returns host and port that the origin listens on, or the path of its
// socket.
func (o *Origin) Address() string { return o.ln.Addr().String() }

// DialAddress returns the address in the form of Caddy's upstreams.
func (o *Origin) DialAddress() string {
	if o.network == "unix" {
		return "unix/" + o.Address()
	}
	return o.Address()
}

// Resolve returns the address to dial for a host and port that the origin's
// script gives it: the same host, so that TLS sees its name, with the port that
// the origin listens on.
func (o *Origin) Resolve(hostport string) (address string, ok bool) {
	if !slices.Contains(o.script.names, hostport) {
		return "", false
	}
	host, _, err := net.SplitHostPort(hostport)
	if err != nil || o.network == "unix" || net.ParseIP(host) != nil {
		return o.DialAddress(), true
	}
	_, port, err := net.SplitHostPort(o.Address())
	return net.JoinHostPort(host, port), err == nil
}

// countNames adds n to the number of origins of each of the origin's host names.
func (o *Origin) countNames(n int) {
	for _, hostport := range o.script.names {
		if host, _, err := net.SplitHostPort(hostport); err == nil {
			addName(host, n)
		}
	}
}

// Stop closes the listener and every connection, wakes every handler that waits
// and returns when all have ended.
func (o *Origin) Stop() {
	if o.ctx.Err() != nil {
		return
	}
	o.countNames(-1)
	o.cancel(fmt.Errorf("origin %s is stopped", o.name))
	_ = o.ln.Close()
	o.state.Lock()
	for conn := range o.conns {
		_ = conn.Close()
	}
	o.state.Unlock()
	o.work.Wait()
}

// Restart starts a stopped origin on the address that it had, so that its peers
// find it again.
func (o *Origin) Restart() error { return o.listen(o.Address()) }

// Requests returns what the origin received so far, in the order of arrival.
func (o *Origin) Requests() []Record {
	o.state.Lock()
	defer o.state.Unlock()
	records := make([]Record, len(o.seen))
	for i, record := range o.seen {
		records[i] = *record
	}
	return records
}

func (o *Origin) accept() {
	for {
		conn, err := o.ln.Accept()
		if err != nil {
			return
		}
		o.state.Lock()
		stopped := o.ctx.Err() != nil
		if !stopped {
			o.conns[conn] = struct{}{}
			o.dials++
		}
		number := o.dials
		o.state.Unlock()
		if stopped {
			_ = conn.Close()
			return
		}
		o.work.Go(func() { o.serve(conn, number) })
	}
}

// serve answers the requests of one connection until either side ends it.
func (o *Origin) serve(conn net.Conn, number int) {
	defer func() {
		_ = conn.Close()
		o.state.Lock()
		delete(o.conns, conn)
		o.state.Unlock()
	}()
	sni := ""
	if secure, ok := conn.(*tls.Conn); ok {
		if secure.HandshakeContext(o.ctx) != nil {
			return
		}
		sni = secure.ConnectionState().ServerName
	}
	reader := bufio.NewReader(conn)
	for {
		var (
			ex  exchange
			err error
		)
		if o.script.scheme == "fastcgi" {
			ex, err = readFastCGI(conn, reader)
		} else {
			ex, err = readHTTP1(conn, reader)
		}
		if err != nil {
			return
		}
		record := ex.record()
		record.SNI, record.Conn = sni, number
		handler := o.choose(record)
		if handler == nil {
			o.fail(fmt.Errorf("origin %s: no handler for %s %s", o.name, record.Method, record.Target))
			return
		}
		run := &run{origin: o, ex: ex, record: record, conn: conn, reader: reader, status: 200}
		if err := run.handle(handler); err != nil || !run.reusable() {
			return
		}
	}
}

// choose counts the request and returns the handler that answers it.
func (o *Origin) choose(record *Record) *handlerScript {
	o.state.Lock()
	defer o.state.Unlock()
	defer o.state.broadcast()
	o.seen = append(o.seen, record)
	var chosen *handlerScript
	counted := make(map[string]bool)
	for _, h := range o.script.handlers {
		if !h.matches(record.Method, record.Target) {
			continue
		}
		key := h.method + " " + h.pattern
		if !counted[key] {
			counted[key] = true
			o.hits[key]++
		}
		if chosen == nil && (h.nth == 0 || h.nth == o.hits[key]) {
			chosen = h
		}
	}
	return chosen
}

// file returns the content of a file of the script.
func (o *Origin) file(name string) ([]byte, error) { return os.ReadFile(o.dir + "/" + name) }
