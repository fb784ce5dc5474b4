package wordpress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard" // what a stock Caddy has

	_ "github.com/caddy-mount/mount" // the module under test
)

// PublicHost is the host that visitors know.
const PublicHost = "example.com"

// MainSite is a word in every answer of the main site around the mount, none of which a link may reach.
const MainSite = "This is the main site."

// FrontOptions says where visitors find a Front.
type FrontOptions struct {
	// Host is the name of the site. Default: PublicHost.
	Host string
	// HTTP and HTTPS are the ports. Default: free ones, which Routes leads to.
	HTTP, HTTPS int
	// Mount is Caddyfile, the inside of the site.
	Mount string
}

// Front is the Caddy that visitors reach, over http and https. A process has one
// Caddy, so there is one Front at a time.
type Front struct {
	FrontOptions
	dir string
}

// frontConfig is a main site with a mount: folder, ports, host, inside of the site.
const frontConfig = `{
	admin off
	persist_config off
	local_certs
	skip_install_trust
	default_bind 127.0.0.1
	storage file_system %[1]s/storage
	http_port %[2]d
	https_port %[3]d
	servers {
		protocols h1 h2
	}
	log {
		output file %[1]s/caddy.log
	}
}

http://%[4]s, https://%[4]s {
	encode
%[5]s
	respond /favicon.ico 204
	respond "` + MainSite + `" 404
}
`

// StartFront runs a Caddy. Its certificates and log go below dir.
func StartFront(ctx context.Context, dir string, o FrontOptions) (*Front, error) {
	if o.Host == "" {
		o.Host = PublicHost
	}
	for _, port := range []*int{&o.HTTP, &o.HTTPS} {
		if *port == 0 {
			var err error
			if *port, err = freePort(); err != nil {
				return nil, err
			}
		}
	}
	f := &Front{o, dir}
	adapter := caddyconfig.GetAdapter("caddyfile")
	config, warnings, err := adapter.Adapt(fmt.Appendf(nil, frontConfig, dir, o.HTTP, o.HTTPS, o.Host, o.Mount), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return nil, fmt.Errorf("adapting the Caddyfile: %w", err)
	}
	for _, w := range warnings {
		if w.Directive != "" {
			return nil, fmt.Errorf("adapting the Caddyfile: line %d: %s: %s", w.Line, w.Directive, w.Message)
		}
	}
	if err := caddy.Load(config, true); err != nil {
		return nil, fmt.Errorf("starting Caddy: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	// The certificate is made in the background: a handshake tells that it is there.
	handshake := func() error {
		conn, err := tls.Dial("tcp", loopback(o.HTTPS), &tls.Config{ServerName: o.Host, InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		return conn.Close()
	}
	for _, probe := range []func() error{dialable("tcp", loopback(o.HTTP)), handshake} {
		if err := await(ctx, probe); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// Close stops Caddy.
func (f *Front) Close() error { return caddy.Stop() }

// Routes leads a visitor to the front under its public name.
func (f *Front) Routes() Routes {
	return Routes{f.Host + ":80": loopback(f.HTTP), f.Host + ":443": loopback(f.HTTPS)}
}

// Roots is the authority that signed the front's certificate.
func (f *Front) Roots() (*x509.CertPool, error) {
	pem, err := os.ReadFile(filepath.Join(f.dir, "storage", "pki", "authorities", "local", "root.crt"))
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of Caddy's authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("the certificate of Caddy's authority is no certificate")
	}
	return pool, nil
}

// loopback is the address of a port.
func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
