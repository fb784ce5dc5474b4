package wordpress

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// OriginHost is the host that a WordPress believes to be its own where nobody told it better.
const OriginHost = "blog.example.net"

// Topology is one way in which a WordPress stands behind a mount.
type Topology struct {
	// Name is a short word for tests and folders.
	Name string

	// Public is the base URL that visitors use, without a trailing slash.
	Public string

	// Ports are those of the front, http and https. Default: free ones, which Front.Routes leads to.
	Ports [2]int

	// Site is the WordPress.
	Site SiteOptions

	// Origin is the web server of the site. Nil: the mount runs php-fpm itself.
	Origin *OriginOptions

	// Mount is the Caddyfile of the mount. {origin} stands for host and port of
	// the origin, {resolver} for a DNS server that knows its name, {files} for
	// the folder of WordPress, {php} for the socket of php-fpm, {cert} for the
	// certificate of the origin.
	Mount string
}

// Transparent reports whether the site knows nothing of its public address.
func (t Topology) Transparent() bool { return t.Site.Home != t.Public }

// AwareConfig is what an aware site needs in wp-config.php. The home and site
// addresses are the public one; a front that ended TLS says so in X-Forwarded-Proto.
const AwareConfig = `define( 'WP_HOME', '%[1]s' );
define( 'WP_SITEURL', '%[1]s' );
if ( 'https' === ( $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '' ) ) {
	$_SERVER['HTTPS'] = 'on';
}
`

// StrippedConfig is what an aware site needs besides where the mount strips its
// prefix: WordPress computes redirects from the path of the request, so it gets
// the public one. The mount names the prefix that it took off.
const StrippedConfig = `if ( '/blog' === ( $_SERVER['HTTP_X_FORWARDED_PREFIX'] ?? '' ) ) {
	$_SERVER['REQUEST_URI'] = '/blog' . $_SERVER['REQUEST_URI'];
}
`

// gzipConfig compresses every page, asked or not, as some managed hosts do.
const gzipConfig = `if ( 'cli' !== PHP_SAPI ) {
	header( 'Content-Encoding: gzip' );
	ob_start( static function ( $page ) {
		return gzencode( $page );
	} );
}
`

// Topologies are the ways that the end-to-end tests go through. public is the
// address of the main site; managedPort is a free port for the managed origin.
func Topologies(public string, managedPort int) []Topology {
	scheme, _, _ := strings.Cut(public, ":")
	public += "/blog"
	transparent := SiteOptions{Name: "transparent", Home: "http://" + OriginHost}
	managed := fmt.Sprintf("https://%s:%d", OriginHost, managedPort)
	aware := fmt.Sprintf(AwareConfig, public)
	return []Topology{
		{
			Name: "transparent", Public: public, Site: transparent,
			Origin: &OriginOptions{Name: OriginHost},
			Mount:  "mount /blog http://{origin} {\n\tsite http://" + OriginHost + "\n}",
		},
		{
			Name: "aware", Public: public,
			Site:   SiteOptions{Name: "aware_" + scheme, Home: public, Folder: "blog", Config: aware},
			Origin: &OriginOptions{Name: "_"},
			Mount:  "mount /blog http://{origin} {\n\taware\n}",
		},
		{
			Name: "aware-stripped", Public: public,
			Site:   SiteOptions{Name: "stripped_" + scheme, Home: public, Config: aware + StrippedConfig},
			Origin: &OriginOptions{Name: "_"},
			Mount:  "mount /blog http://{origin} {\n\taware strip_prefix\n}",
		},
		{
			Name: "same-machine", Public: public, Site: transparent,
			Mount: "mount /blog {\n\tsite http://" + OriginHost + "\n\thandle {\n\t\troot * {files}\n\t\tphp_fastcgi unix/{php}\n\t\tfile_server\n\t}\n}",
		},
		{
			Name: "managed", Public: public,
			Site:   SiteOptions{Name: "managed", Home: managed, Config: gzipConfig},
			Origin: &OriginOptions{Name: OriginHost, TLS: true, Gzip: true, Port: managedPort},
			Mount: "mount /blog " + managed + " {\n\ttransport http {\n\t\tresolvers {resolver}\n\t\t" +
				"tls_trust_pool file {cert}\n\t}\n}",
		},
	}
}

// Running is a topology at work: a site, its origin server and the front.
type Running struct {
	Topology
	*Site
	Front         *Front
	OriginAddress string // host and port of the origin server; "" without one
	closer        []func() error
}

// Run starts a topology over an installed site. The caller closes it.
func (t Topology) Run(ctx context.Context, site *Site) (_ *Running, err error) {
	r := &Running{Topology: t, Site: site}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	words := []string{"{files}", site.Files(), "{php}", site.FPMSocket()}
	if t.Origin != nil {
		origin, err := site.Serve(ctx, *t.Origin)
		if err != nil {
			return nil, err
		}
		r.OriginAddress = origin.Address
		r.closer = append(r.closer, origin.Close)
		words = append(words, "{origin}", origin.Address, "{cert}", filepath.Join(origin.dir, "cert.pem"))
	}
	if strings.Contains(t.Mount, "{resolver}") {
		resolver, err := newResolver(OriginHost)
		if err != nil {
			return nil, err
		}
		r.closer = append(r.closer, resolver.close)
		words = append(words, "{resolver}", resolver.address())
	}
	dir, err := os.MkdirTemp(site.dir, "front-")
	if err != nil {
		return nil, err
	}
	public, err := url.Parse(t.Public)
	if err != nil {
		return nil, err
	}
	front, err := StartFront(ctx, dir, FrontOptions{
		Host: public.Hostname(), HTTP: t.Ports[0], HTTPS: t.Ports[1],
		Mount: strings.NewReplacer(words...).Replace(t.Mount),
	})
	if err != nil {
		return nil, err
	}
	r.Front = front
	r.closer = append(r.closer, front.Close)
	return r, nil
}

// Close stops what Run started, the front first.
func (r *Running) Close() error {
	var errs []error
	for i := len(r.closer) - 1; i >= 0; i-- {
		errs = append(errs, r.closer[i]())
	}
	r.closer = nil
	return errors.Join(errs...)
}

// NewVisitor returns a client that reaches the front and nothing else, and checks its certificate.
func (r *Running) NewVisitor() (*Client, error) {
	if !strings.HasPrefix(r.Public, "https:") {
		return NewClient(r.Front.Routes(), nil), nil
	}
	roots, err := r.Front.Roots()
	if err != nil {
		return nil, err
	}
	return NewClient(r.Front.Routes(), roots), nil
}
