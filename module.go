// Package mount puts another site, typically WordPress, under a subdirectory of
// the main site:
//
//	mount /blog https://blog.example.net
//
// The package holds Caddy's side: the handler http.handlers.mount, its
// Caddyfile directive and the app that owns what outlives a configuration. The
// mapping of URLs is in package handler, the shared cache in package cache,
// the load-balancing policies in package balancer.
package mount

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/balancer"
	"github.com/caddy-mount/mount/handler"
)

func init() {
	caddy.RegisterModule((*Mount)(nil))
}

// What a GET or HEAD request for the path of a mount without its slash gets.
const (
	bareRedirect = "redirect"
	bareServe    = "serve"
)

// Mount puts another site under a path of this one. It maps paths, header
// fields, cookies and bodies in both directions, so that the mounted site needs
// no change.
//
// A request whose path is the mount's or lies below it is served by the inner
// chain `handle`, mostly one `reverse_proxy`; every other request goes on to
// the next handler. Where the main site has rewritten the path (`try_files`),
// the path as the client sent it counts, so a rewrite meant for the main site
// does not swallow the mount.
//
// Placeholders that the mount sets:
//
// Placeholder | Description
// ------------|-------------
// `{http.mount.name}` | The label of the mount that served the request
// `{http.mount.cache.status}` | `hit`, `miss`, `pass`, ...
// `{http.mount.cache.reason}` | Why, in one word
// `{http.mount.cache.key}` | A number for the cache key; empty where the request was not looked up
// `{http.mount.split}` | The variant of the request, as `<split>=<variant>`
type Mount struct {
	// The path under which visitors see the site: `/blog`; `/` takes the whole
	// host. `/blog` and everything below `/blog/` belong to the mount,
	// `/blogger` does not. Letter case counts. Required.
	Path string `json:"path"`

	// The label of the mount in logs, metrics and the admin API.
	// Default: the first host of the site and the path (`example.com/blog`).
	Name string `json:"name,omitempty"`

	// The base URLs (scheme, host, port, path) that the mounted site believes
	// are its own. Requests are mapped to the first; links to any of them are
	// mapped back. Default in the Caddyfile: the first http or https origin.
	// Required, unless `aware` is set.
	Site []string `json:"site,omitempty"`

	// The mounted site is configured for its public address (WordPress: WP_HOME
	// and WP_SITEURL): the path is kept, Host is the public one and
	// X-Forwarded-Host is sent. Default: false, the site knows nothing and every
	// URL is mapped in both directions.
	Aware bool `json:"aware,omitempty"`

	// With `aware`: the origin serves its pages without the prefix. WordPress
	// then needs REQUEST_URI mended in its wp-config.php. Default: false.
	StripPrefix bool `json:"strip_prefix,omitempty"`

	// Pins the public address (`https://example.com`). Default: the scheme and
	// host that the visitor used, as told by Caddy's trusted proxies where one
	// stands in front.
	Public string `json:"public,omitempty"`

	// What a GET or HEAD for the bare path (`/blog`) gets: `redirect` (308 to
	// `/blog/`) or `serve` (the same page as `/blog/`). Other methods are always
	// served. Default: `redirect`.
	Bare string `json:"bare,omitempty"`

	// Patterns of cookie names that belong to the mounted site, besides
	// WordPress's own and those that it was seen to set: `shop_*`; `*` is every
	// cookie. All other cookies belong to the main site and are not sent.
	Cookies []string `json:"cookies,omitempty"`

	// What happens to the Authorization field: by default it is sent, but for
	// the credentials of a user whom the main site itself authenticated; `pass`
	// sends those too, `drop` sends none.
	Authorization string `json:"authorization,omitempty"`

	// Which bodies are mapped. Default: all text that a browser or a feed reader reads.
	Transform *Transform `json:"transform,omitempty"`

	// Reduces the request fields that reach the site on fetches that may be
	// stored. Default: all end-to-end fields, of which the site's Vary selects.
	Forward *Forward `json:"forward,omitempty"`

	// The shared cache. Default: on, for what the mounted site itself allows.
	Cache *Cache `json:"cache,omitempty"`

	// Divides the visitors between variants of the site (A/B). The variant is
	// part of the cache key and reaches the site as X-Mount-Split:
	// `<split>=<variant>`. Where the variants have `upstreams` of their own,
	// `handle` must hold one `reverse_proxy` whose upstreams are all of theirs;
	// its selection policy then chooses among those of the request's variant.
	// Excludes `cdn` of `cache`. Default: none.
	Split *balancer.SplitConfig `json:"split,omitempty"`

	// The handlers that answer for the mounted site. They see the site's own
	// URL, Host and scheme. Required.
	HandlersRaw []json.RawMessage `json:"handle" caddy:"namespace=http.handlers inline_key=handler"`

	shared  shared
	split   *split // nil: none
	mapping *handler.Mount
	cookies *cookieMemory // not nil: this configuration holds a reference to it
	learn   func(name string)
	fault   func(fault handler.RedirectFault, path string)
	inner   caddyhttp.Handler
	deeper  []deeperMount
	metrics *mountMetrics
	origins origins
	accept  []string // Accept-Encoding as the site is sent it; only read
	hosts   []string // names and patterns under which the site is reached; none: any
	// fieldsSet names the request fields that a handler before the mount sets on
	// every request, such as those that forward_auth copies: a visitor's own
	// claims to them are gone by then.
	fieldsSet []string
	told      toldFields
	logger    *zap.Logger
}

// CaddyModule returns the Caddy module information.
func (*Mount) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.mount",
		New: func() caddy.Module { return new(Mount) },
	}
}

// Provision sets the defaults, finds the mount's place in the site and loads
// the inner chain.
func (m *Mount) Provision(ctx caddy.Context) error {
	m.logger = ctx.Logger()
	if err := m.check(); err != nil {
		return err
	}
	chain := m.HandlersRaw
	m.origins = readOrigins(chain)
	var err error
	if m.cookies, err = m.rememberCookies(ctx); err != nil {
		return fmt.Errorf("mount %s: %w", m.Path, err)
	}
	m.learn, m.fault = m.cookies.learn, m.tellFault()
	m.accept = []string{m.origins.acceptEncoding()}
	options := m.options()
	options.CookieNames = m.cookies.names
	if !m.Aware {
		options.Sites = append(options.Sites[:len(options.Sites):len(options.Sites)], m.origins.aliases(m.Site[0])...)
	}
	if m.mapping, err = handler.New(options); err != nil {
		return fmt.Errorf("mount %s: %w", m.Path, err)
	}
	if m.Bare == "" {
		m.Bare = bareRedirect
	}

	place := findPlace(ctx, m)
	m.deeper = place.deeperMounts()
	m.fieldsSet = place.fieldsSet()
	m.told = place.toldFields(m.Forward.options())
	if err := place.passedBy(); err != nil {
		return fmt.Errorf("mount %s: %w", m.Path, err)
	}
	for _, warning := range place.warnings() {
		m.logger.Warn(warning, zap.String("mount", m.Path))
	}
	m.hosts = place.hosts()
	if m.Name == "" {
		m.Name = strings.TrimSuffix(strings.Join(m.hosts[:min(1, len(m.hosts))], "")+m.Path, "/")
		m.Name = cmp.Or(m.Name, "/")
	}

	if err := registerMetrics(ctx.GetMetricsRegistry()); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	m.metrics = newMountMetrics(m.Name)

	if len(m.HandlersRaw) == 0 {
		return fmt.Errorf("mount %s has no handlers: give it an origin or a handle block", m.Path)
	}
	if m.Split != nil {
		if m.split, err = newSplit(m); err != nil {
			return fmt.Errorf("mount %s: %w", m.Path, err)
		}
		if chain, err = grouped(chain, m.split.Groups()); err != nil {
			return fmt.Errorf("mount %s: split %q: %w", m.Path, m.Split.Name, err)
		}
	}
	route := caddyhttp.Route{HandlersRaw: chain}
	if err := route.ProvisionHandlers(ctx, nil); err != nil {
		return fmt.Errorf("mount %s: %w", m.Path, err)
	}
	m.HandlersRaw = nil
	adaptProxies(route.Handlers)
	m.inner = route.Compile(caddyhttp.HandlerFunc(unanswered))
	return m.provisionCache(ctx, chain)
}

// Cleanup gives back what the configuration holds. It also runs after a
// Provision that failed half-way.
func (m *Mount) Cleanup() error {
	if m.cookies == nil {
		return nil
	}
	// Requests of this configuration may still be running and learn names.
	_, err := cookieMemories.Delete(m.cookies.key)
	return err
}

// tellFault returns what tells the operator of each kind of fault in the site's
// redirects, once.
func (m *Mount) tellFault() func(handler.RedirectFault, string) {
	var told sync.Map
	return func(fault handler.RedirectFault, path string) {
		if _, again := told.LoadOrStore(fault, true); !again {
			m.logger.Warn(fault.String(), zap.String("mount", m.Name), zap.String("path", path))
		}
	}
}

// unanswered stands at the end of the inner chain: a chain that answers nothing
// must not become an empty 200.
func unanswered(http.ResponseWriter, *http.Request) error {
	return caddyhttp.Error(http.StatusNotFound, errors.New("no handler of the mount answered"))
}

// check finds what is wrong in the options by themselves. It runs when the
// Caddyfile is adapted, where the position is known, and again for JSON.
func (m *Mount) check() error {
	path, err := mountPath(m.Path)
	if err != nil {
		return err
	}
	m.Path = path
	switch {
	case m.StripPrefix && !m.Aware:
		return errors.New("strip_prefix needs aware: a site that knows nothing is always sent its own paths")
	case !m.Aware && len(m.Site) == 0:
		return errors.New("site is required where no origin is an http or https URL: say what the mounted site believes its address is, as in site https://blog.example.net")
	case m.Bare != "" && m.Bare != bareRedirect && m.Bare != bareServe:
		return fmt.Errorf("bare %q: expected redirect or serve", m.Bare)
	case m.Authorization != "" && m.Authorization != "pass" && m.Authorization != "drop":
		return fmt.Errorf("authorization %q: expected pass or drop", m.Authorization)
	}
	if m.Transform != nil {
		if err := m.Transform.check(); err != nil {
			return err
		}
		if m.Aware && m.Transform.KeepRootRelative {
			return wordError{errors.New("root_relative off has no meaning with aware: root-relative URLs are right there"), "root_relative"}
		}
	}
	if m.Forward != nil {
		if err := m.Forward.check(); err != nil {
			return err
		}
	}
	if m.Cache != nil {
		if err := m.Cache.check(); err != nil {
			return err
		}
	}
	if err := m.checkSplit(); err != nil {
		return err
	}
	_, err = handler.New(m.options())
	return err
}

// options are the mount's options in the words of package handler.
func (m *Mount) options() handler.Options {
	o := handler.Options{
		Prefix:        strings.TrimSuffix(m.Path, "/"),
		Sites:         m.Site,
		Public:        m.Public,
		Cookies:       slices.Clone(m.Cookies),
		Authorization: m.Authorization,
		Transform:     m.Transform.options(),
	}
	if m.Cache != nil {
		o.Cookies = append(o.Cookies, m.Cache.BypassCookie...)
	}
	switch {
	case m.StripPrefix:
		o.Mode = handler.AwareStripped
	case m.Aware:
		o.Mode = handler.Aware
	}
	return o
}

// mountPath reads the path of a mount in any of its spellings: /blog, /blog/
// and /blog/* mean the same. The result is in decoded form, without a trailing
// slash but for the root.
func mountPath(path string) (string, error) {
	const form = "expected an absolute path such as /blog"
	switch {
	case !strings.HasPrefix(path, "/"):
		return "", fmt.Errorf("mount path %q: %s", path, form)
	case strings.HasSuffix(path, "*") && !strings.HasSuffix(path, "/*"):
		return "", fmt.Errorf("mount path %q would take %sger too: write %s", path, strings.TrimSuffix(path, "*"), strings.TrimSuffix(path, "*"))
	}
	path = strings.TrimSuffix(path, "*")
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return "", fmt.Errorf("mount path %q: %w", path, err)
	}
	trimmed := strings.TrimRight(decoded, "/")
	for segment := range strings.SplitSeq(strings.TrimPrefix(trimmed, "/"), "/") {
		if segment == "." || segment == ".." || segment == "" && trimmed != "" {
			return "", fmt.Errorf("mount path %q has an empty or dot segment: %s", path, form)
		}
	}
	if strings.ContainsAny(trimmed, "*?#{}\\") || strings.ContainsFunc(trimmed, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", fmt.Errorf("mount path %q has a character that no path can have here: %s", path, form)
	}
	if trimmed == "" {
		return "/", nil
	}
	return trimmed, nil
}

// ServeHTTP serves what is below the mount and hands on everything else.
func (m *Mount) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	c, ours := m.claim(r)
	if !ours {
		return next.ServeHTTP(w, r)
	}
	x := &exchange{claim: c, m: m, r: r}
	if err := x.refuse(); err != nil {
		return err
	}
	x.label()
	if isPurge(r) {
		return x.purge(w)
	}
	if x.redirectBare(w) {
		return nil
	}
	if !r.ProtoAtLeast(1, 1) {
		defer resetCut(w)
	}
	w, restore := x.assign(w)
	defer restore()
	return x.answer(w)
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Mount)(nil)
	_ caddy.CleanerUpper          = (*Mount)(nil)
	_ caddyhttp.MiddlewareHandler = (*Mount)(nil)
)
