package mount

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-mount/mount/cache"
)

// Cache configures the shared cache of a mount (RFC 9111). It is on by default
// and then stores only what the mounted site itself says may be stored; with
// `ttl`, also what says nothing, as WordPress pages do.
type Cache struct {
	// Off switches the cache off: every request is passed. Default: false.
	Off bool `json:"off,omitempty"`

	// The store of the app `mount` that keeps the responses. Default: `default`.
	Store string `json:"store,omitempty"`

	// Freshness lifetimes for responses whose origin states none. The first that
	// matches status and path holds. A change that does not pass the mount is
	// seen after at most that time, or when a purge names it. Default: none.
	TTL []TTL `json:"ttl,omitempty"`

	// How long past its lifetime a response is served while one request
	// validates it in the background, where the origin states no
	// stale-while-revalidate of its own (RFC 5861). Default: 0.
	StaleWhileRevalidate caddy.Duration `json:"stale_while_revalidate,omitempty"`

	// How long past its lifetime a response is served in the place of an error
	// (500, 502, 503, 504, no connection), where the origin states no
	// stale-if-error of its own (RFC 5861). Default: 0 for errors that the origin
	// answers with, 24h where it cannot be reached at all.
	StaleIfError *caddy.Duration `json:"stale_if_error,omitempty"`

	// Longer bodies pass without being stored. Default: 64MiB; 2GiB in a store
	// with a disk.
	MaxBody Size `json:"max_body,omitempty"`

	// Placeholders whose values are part of the cache key, each alone:
	// `{http.request.header.X-Region}`. Default: none.
	Key []string `json:"key,omitempty"`

	// Patterns of query parameters that are neither keyed nor sent on fetches
	// that may be stored; requests that pass keep them. Default: the parameters
	// of advertising and mail campaigns (`utm_*`, `fbclid`, `gclid`, ...).
	DropQuery []string `json:"drop_query,omitempty"`

	// Requests that match pass by the cache. Default: none.
	BypassRaw []caddy.ModuleMap `json:"bypass,omitempty" caddy:"namespace=http.matchers"`

	// Patterns of further cookie names that are the site's, as the mount's
	// `cookies`: a request with one is one visitor's own. Default: WordPress's
	// names, and those that the site was seen to set.
	BypassCookie []string `json:"bypass_cookie,omitempty"`

	// Path patterns, relative to the mount, that are not cached, besides those
	// of WordPress (`/wp-admin/*`, `/wp-login.php`, shop pages, ...).
	BypassPath []string `json:"bypass_path,omitempty"`

	// Estimates a lifetime from Last-Modified where nobody states one (RFC 9111
	// section 4.2.2). Default: false.
	Heuristic bool `json:"heuristic,omitempty"`

	// How long browsers may keep a response whose lifetime the origin did not
	// state. Default: 0, they ask each time.
	Browser caddy.Duration `json:"browser,omitempty"`

	// How long caches between browsers and Caddy may keep such a response
	// (CDN-Cache-Control, RFC 9213). Those that Caddy trusts are then told the
	// purge tags too. Excludes a `split`. Default: 0, they ask each time.
	CDN caddy.Duration `json:"cdn,omitempty"`

	// The content codings that visitors get, the most wanted first: any of `br`,
	// `zstd` and `gzip`, or `off` alone. Each is made once and kept with the
	// stored response; what passes is coded on its way. Bodies that are coded
	// already, media and short ones are sent as they are. Default: `br`, `zstd`,
	// `gzip`.
	Encodings []string `json:"encodings,omitempty"`

	// Who may purge by a request to the mount. Default: nobody.
	Purge *Purge `json:"purge,omitempty"`

	bypass caddyhttp.MatcherSets
}

// TTL is a freshness lifetime for some responses.
type TTL struct {
	// Status codes that it is for. Default: 200, 203, 301, 308.
	Status []int `json:"status,omitempty"`
	// The lifetime.
	Duration caddy.Duration `json:"duration"`
	// Path patterns, relative to the mount. Default: every path.
	Path []string `json:"path,omitempty"`
}

// defaultTTLStatus are the codes that a ttl without codes is for: the pages and
// their permanent redirects.
var defaultTTLStatus = []int{http.StatusOK, http.StatusNonAuthoritativeInfo, http.StatusMovedPermanently, http.StatusPermanentRedirect}

// check finds what is wrong in the options by themselves.
func (c *Cache) check() error {
	for _, t := range c.TTL {
		if t.Duration < 0 {
			return errors.New("cache ttl must not be negative")
		}
		for _, status := range t.Status {
			if status < 200 || status > 599 {
				return fmt.Errorf("cache ttl %d: expected status codes from 200 to 599", status)
			}
		}
		for _, p := range t.Path {
			if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*") {
				return fmt.Errorf("cache ttl path %q: expected a path relative to the mount, such as /feed/*", p)
			}
		}
	}
	for _, p := range c.BypassPath {
		if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*") {
			return fmt.Errorf("cache bypass_path %q: expected a path relative to the mount, such as /cart/*", p)
		}
	}
	for _, k := range c.Key {
		if placeholder.FindString(k) != k {
			return fmt.Errorf("cache key %q: expected a placeholder such as {http.request.header.X-Region}", k)
		}
	}
	if _, err := c.codings(); err != nil {
		return err
	}
	if c.Purge != nil {
		if err := c.Purge.check(); err != nil {
			return err
		}
	}
	if c.StaleWhileRevalidate < 0 || c.StaleIfError != nil && *c.StaleIfError < 0 || c.Browser < 0 || c.CDN < 0 || c.MaxBody < 0 {
		return errors.New("cache durations and sizes must not be negative")
	}
	return nil
}

// codings are the encodings in the words of package cache.
func (c *Cache) codings() ([]cache.Coding, error) {
	switch {
	case len(c.Encodings) == 0:
		return cache.DefaultCodings(), nil
	case len(c.Encodings) == 1 && c.Encodings[0] == "off":
		return nil, nil
	}
	var codings []cache.Coding
	for _, word := range c.Encodings {
		coding, ok := cache.ParseCoding(word)
		switch {
		case !ok:
			return nil, fmt.Errorf("cache encodings %s: expected any of br, zstd, gzip, or off alone", word)
		case slices.Contains(codings, coding):
			return nil, fmt.Errorf("cache encodings: %s is given twice", word)
		}
		codings = append(codings, coding)
	}
	return codings, nil
}

// provision loads the bypass matchers.
func (c *Cache) provision(ctx caddy.Context) error {
	if len(c.BypassRaw) == 0 {
		return nil
	}
	sets, err := ctx.LoadModule(c, "BypassRaw")
	if err != nil {
		return fmt.Errorf("loading the matchers of cache bypass: %w", err)
	}
	return c.bypass.FromInterface(sets)
}

// options are the cache's options in the words of package cache, but for what
// only the mount knows.
func (c *Cache) options() cache.Options {
	stale := cache.StaleOptions{
		WhileRevalidate: time.Duration(c.StaleWhileRevalidate),
		Disconnected:    cache.DefaultDisconnected,
	}
	if c.StaleIfError != nil {
		stale.IfError = time.Duration(*c.StaleIfError)
		stale.Disconnected = stale.IfError
	}
	codings, _ := c.codings() // checked
	return cache.Options{
		Codings:      codings,
		TTL:          c.ttl(),
		Heuristic:    c.Heuristic,
		Stale:        stale,
		Browser:      time.Duration(c.Browser),
		CDN:          time.Duration(c.CDN),
		MaxBodyBytes: int64(c.MaxBody),
	}
}

// ttl returns the rule of lifetimes, or nil if there is none. Paths are those
// below the mount.
func (c *Cache) ttl() func(status int, path string) time.Duration {
	if len(c.TTL) == 0 {
		return nil
	}
	type rule struct {
		TTL
		paths *cache.BypassRules
	}
	rules := make([]rule, len(c.TTL))
	for i, t := range c.TTL {
		if len(t.Status) == 0 {
			t.Status = defaultTTLStatus
		}
		rules[i] = rule{TTL: t, paths: cache.NewBypassRules(t.Path, false)}
	}
	return func(status int, path string) time.Duration {
		for _, r := range rules {
			if slices.Contains(r.Status, status) && (len(r.Path) == 0 || r.paths.Reason(path, "", nil) == cache.ReasonPath) {
				return time.Duration(r.Duration)
			}
		}
		return 0
	}
}
