package caddytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/caddyserver/caddy/v2"
)

// process is held from a server's first load until it stops, because Caddy has
// one configuration a process.
var process sync.Mutex

// Server is the process's Caddy under a sequence of Caddyfiles. Sites keep the
// addresses that their Caddyfile gives them: the server listens on free loopback
// ports, one for each port of the Caddyfile, which stay the same over reloads,
// and [Server.Dial] finds the one that stands for a port. Its methods are for
// one goroutine, except Dial.
type Server struct {
	box     sandbox
	mu      sync.RWMutex
	ports   map[string]string // real loopback address by port of the Caddyfile; guarded by mu
	running bool
}

// NewServer returns a server that stores below dir, which must be short enough
// for a unix socket path. It dials an origin at the real address that dial
// returns for the host and port that a Caddyfile names; dial may be nil.
func NewServer(dir string, dial func(hostport string) (addr string, ok bool)) *Server {
	if dial == nil {
		dial = func(string) (string, bool) { return "", false }
	}
	s := &Server{ports: make(map[string]string)}
	s.box = sandbox{dir: dir, listen: s.reserve, dial: func(hostport string) (string, bool) {
		if port, own := strings.CutPrefix(hostport, SelfHost+":"); own {
			address, err := s.reserve(port)
			return address, err == nil
		}
		if port, local := strings.CutPrefix(hostport, "localhost:"); local {
			if address, err := s.Address(port); err == nil {
				return address, true
			}
		}
		return dial(hostport)
	}}
	return s
}

// SelfHost is the host name by which a configuration dials the server itself. So
// does localhost, with a port that one of its sites listens on.
const SelfHost = "caddy.test"

// Load makes the Caddyfile the running configuration: the first one starts
// Caddy, those after it reload it. On error the configuration that ran before
// runs on, and the error is what a user of Caddy would read.
func (s *Server) Load(caddyfile, filename string) error {
	config, _, err := Adapt(caddyfile, filename)
	if err != nil {
		return err
	}
	return s.LoadJSON(config)
}

// LoadJSON is [Server.Load] for a configuration in Caddy's own form.
func (s *Server) LoadJSON(config []byte) error {
	if !s.running {
		process.Lock()
		s.running = true
	}
	// A reserved port is free when it is chosen, not when Caddy binds it, so that
	// a program beside us may win it in between.
	for tries := 0; ; tries++ {
		s.box.loads++
		confined, err := s.box.confine(config)
		if err != nil {
			return err
		}
		nextLoad()
		err = caddy.Load(confined, true)
		if !errors.Is(err, syscall.EADDRINUSE) || tries == 3 {
			return errors.Join(err, awaitOthersClosed(err != nil))
		}
		s.mu.Lock()
		clear(s.ports)
		s.mu.Unlock()
	}
}

// Stop ends every server and the admin endpoint. A server that never loaded is
// left alone.
func (s *Server) Stop() error {
	if !s.running {
		return nil
	}
	defer process.Unlock()
	s.running = false
	// caddy.Stop leaves the admin endpoint to the end of the process; a
	// configuration without one ends it.
	nextLoad()
	err := caddy.Load([]byte(`{"admin":{"disabled":true,"config":{"persist":false}},
		"logging":{"logs":{"default":{"writer":{"output":"caddytest"}}}}}`), true)
	return errors.Join(err, caddy.Stop(), awaitOthersClosed(false))
}

// reserve returns the loopback address that stands for a port of the Caddyfile:
// one whose port is free for TCP and, for HTTP/3, for UDP.
func (s *Server) reserve(port string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if address, ok := s.ports[port]; ok {
		return address, nil
	}
	for range 10 {
		stream, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		address := stream.Addr().String()
		packets, err := net.ListenPacket("udp", address)
		_ = stream.Close()
		if err != nil {
			continue
		}
		_ = packets.Close()
		if slices.Contains(slices.Collect(maps.Values(s.ports)), address) {
			continue // free again, but for another port's site
		}
		s.ports[port] = address
		return address, nil
	}
	return "", fmt.Errorf("no loopback port is free for both TCP and UDP")
}

// Address returns the real address that stands for a port of the Caddyfile.
func (s *Server) Address(port string) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if address, ok := s.ports[port]; ok {
		return address, nil
	}
	return "", fmt.Errorf("no site listens on port %s", port)
}

// Dial connects to the listener that stands for hostport's port, whatever its
// host: every name of a script is the server's.
func (s *Server) Dial(ctx context.Context, hostport string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	address, err := s.Address(port)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// Admin sends a request to the admin API. The caller closes the body.
func (s *Server) Admin(request *http.Request) (*http.Response, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
			// After a load that failed, Caddy keeps either endpoint.
			for load := s.box.loads; load > 0; load-- {
				if conn, err = new(net.Dialer).DialContext(ctx, "unix", s.box.adminSocket(load)); err == nil {
					break
				}
			}
			return conn, err
		},
	}
	return transport.RoundTrip(request)
}

// Isolate points Caddy's process-wide paths, which configurations without a
// storage fall back to, at dir, and takes the process off the network: only the
// names of origins resolve, and only their certificates are trusted. TestMain
// calls it before anything loads.
func Isolate(dir string) error {
	net.DefaultResolver = resolver()
	authority, err := originAuthority()
	if err != nil {
		return err
	}
	roots := dir + "/roots.pem"
	if err := os.WriteFile(roots, authority.pem(), 0o600); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"SSL_CERT_FILE": roots, "SSL_CERT_DIR": dir, "XDG_DATA_HOME": dir, "XDG_CONFIG_HOME": dir,
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	caddy.DefaultStorage.Path = dir + "/data"
	caddy.ConfigAutosavePath = dir + "/autosave.json"
	return nil
}
