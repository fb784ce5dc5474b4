package mount

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/balancer"
	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/handler"
	"github.com/caddy-mount/mount/internal/testbounds"
)

// shared is the cache of a mount and what the mount knows for it.
type shared struct {
	cache atomic.Pointer[cache.Cache] // nil until the app has started
	// limits applies the store's new limits at the first request.
	limits      sync.Once
	applyLimits func() // set before cache is

	// keyed are the placeholders whose values the inner chain or the operator
	// makes an answer depend on.
	keyed []string
	// live: the inner chain reads what only the visitor's own request knows, so
	// nothing it answers may be stored.
	live bool

	bypass *cache.BypassRules
	drop   *cache.DropQuery
}

// provisionCache prepares the cache, unless it is off, and makes the mount known to
// the app. chain is the JSON of the inner chain.
func (m *Mount) provisionCache(ctx caddy.Context, chain []json.RawMessage) error {
	if m.Cache == nil {
		m.Cache = new(Cache)
	}
	if !m.Cache.Off && len(m.hosts) == 0 && m.Public == "" {
		m.logger.Warn("this site has no host names, so a visitor could fill the cache under any name; "+
			"nothing is cached until public says what the address is (public https://example.com)", zap.String("mount", m.Name))
		m.Cache.Off = true
	}
	if !m.Cache.Off {
		if err := m.prepareCache(ctx, chain); err != nil {
			return err
		}
	}
	app, err := ctx.App("mount")
	if err != nil {
		return fmt.Errorf("getting the app mount: %w", err)
	}
	return app.(*App).register(m)
}

// prepareCache sets what the cache is asked with.
func (m *Mount) prepareCache(ctx caddy.Context, chain []json.RawMessage) error {
	c := m.Cache
	for _, t := range c.TTL {
		for _, status := range t.Status {
			if cache.NeverStored(status) {
				m.logger.Warn("a ttl for a status that is never stored has no effect", zap.String("mount", m.Name), zap.Int("status", status))
			}
		}
	}
	if c.Store == "" {
		c.Store = defaultStore
	}
	if err := c.provision(ctx); err != nil {
		return err
	}
	text, fetch := fmt.Sprintf("%s", chain), m.Forward.options()
	m.shared.keyed = slices.Clone(c.Key)
	for _, name := range placeholders(text) {
		switch {
		case ofVisitor(name):
			m.shared.live = true
		// No Vary tells what the chain makes of a field that the visitor chooses.
		case !ofRequest(name), fetch.Sends(requestField(name)):
			m.shared.keyed = append(m.shared.keyed, "{"+name+"}")
		}
	}
	slices.Sort(m.shared.keyed)
	m.shared.keyed = slices.Compact(m.shared.keyed)
	m.shared.bypass = cache.NewBypassRules(c.BypassPath, true)
	drop := c.DropQuery
	if drop == nil {
		drop = cache.DefaultDropQuery()
	}
	m.shared.drop = cache.NewDropQuery(drop)
	return nil
}

// placeholder finds the placeholders in the JSON of handlers.
var placeholder = regexp.MustCompile(`\{([A-Za-z_$][^{}"\\\s]*)\}`)

func placeholders(chain string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(chain, -1) {
		names = append(names, match[1])
	}
	return names
}

// requestField is the field that a placeholder reads of the request, or "".
func requestField(name string) string {
	if field, ok := strings.CutPrefix(name, "http.request.header."); ok {
		return http.CanonicalHeaderKey(field)
	}
	return ""
}

// ofVisitor tells whether a placeholder reads what only the visitor's own request
// knows, and no fetch that others share.
func ofVisitor(name string) bool {
	switch requestField(name) {
	case "Authorization", "Cookie":
		return true
	}
	return strings.HasPrefix(name, "http.auth.") || strings.HasPrefix(name, "http.request.tls.client") || strings.HasPrefix(name, "http.request.cookie.")
}

// ofRequest tells whether a placeholder of the inner chain is answered by the
// fetch itself: by the request that is forwarded, which is what is keyed, by
// the chain's own handlers, or by the machine. The visitor's address and the name of
// a trace are those of who started the fetch, as in X-Forwarded-For and Traceparent,
// and are keyed no more than there.
func ofRequest(name string) bool {
	for _, prefix := range []string{
		"http.request.", "http.reverse_proxy.", "http.matchers.", "http.response.", "http.error.", "http.file_server.",
		"http.mount.", "http.vars.client_ip", "http.vars.trace_id", "http.vars.span_id",
		"http.shutting_down", "http.time_until_shutdown", "env.", "file.", "system.", "time.",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// maxBodyOnDisk is the default of max_body where the store has a disk.
const maxBodyOnDisk = 2 << 30

// openCache makes the cache over an open store.
func (m *Mount) openCache(s *openStore) error {
	o := m.Cache.options()
	o.Mount = m.Name
	o.Fingerprint = fmt.Sprintf("%016x", m.mapping.Fingerprint())
	o.Store = s.store
	if o.MaxBodyBytes == 0 && s.disk != nil {
		o.MaxBodyBytes = maxBodyOnDisk
	}
	o.Ledger = s.ledger
	if ttl := o.TTL; ttl != nil {
		o.TTL = func(status int, path string) time.Duration {
			_, _, rest := m.mapping.Locate(path)
			return ttl(status, rest)
		}
	}
	o.Bypass = m.bypasses
	o.SiteCookie = m.mapping.SiteCookie
	o.DropQuery = m.shared.drop
	o.Fetch = m.Forward.options()
	o.Fetch.Set = m.fieldsSet
	o.Hooks.Unstored = m.metrics.unstored
	o.Hooks.Cut = func(cache.Reason) { m.metrics.aborted.Inc() }
	o.Authorization = m.sendsCredentials
	o.Hooks.Log = func(event string, r cache.Reason, err error) {
		m.logger.Warn(event, zap.String("mount", m.Name), zap.Stringer("reason", r), zap.Error(err))
	}
	testbounds.Apply(&o)
	c, err := cache.New(o)
	if err != nil {
		return fmt.Errorf("making the cache: %w", err)
	}
	m.shared.cache.Store(c)
	return nil
}

// bypasses is Bypass of the cache's options.
func (m *Mount) bypasses(r *http.Request, q *cache.Request) cache.Reason {
	if reason := m.shared.bypass.Reason(q.Rest, q.RawQuery, r.Header); reason != cache.ReasonStored {
		return reason
	}
	if m.Cache.bypass != nil {
		if match, err := m.Cache.bypass.AnyMatchWithError(r); match || err != nil {
			return cache.ReasonBypass
		}
	}
	return cache.ReasonStored
}

// sendsCredentials tells whether the site is sent credentials with the request.
func (m *Mount) sendsCredentials(r *http.Request) bool {
	return len(r.Header["Authorization"]) > 0 && m.mapping.SendsAuthorization(userAuthenticated(r))
}

// fromCache answers the request by the shared cache and notes the result.
func (x *exchange) fromCache(w http.ResponseWriter, c *cache.Cache) error {
	err := c.Serve(w, x.r, x.asked(), (*passing)(x))
	if errors.Is(err, cache.ErrStalled) {
		return caddyhttp.Error(http.StatusGatewayTimeout, err)
	}
	return err
}

// asked is what the cache is asked for the request.
func (x *exchange) asked() *cache.Request {
	raw, present := x.query()
	base := x.v.Public()
	q := &x.q
	q.Scheme, q.Host = base.Scheme, base.Host
	q.Path, q.RawQuery, q.BareQuery = x.canonical, raw, present && raw == ""
	q.Rest = x.rest
	q.FastCGI = x.m.origins.fastCGI
	q.WholeOnly = !x.m.mapping.MayRange(x.rest)
	// Who may tell the visitor's address is a proxy of the operator's.
	q.Surrogate = x.m.Cache.CDN > 0 && trustedPeer(x.r)
	q.Detach = x.detach
	switch {
	case x.m.shared.live:
		q.Pass = cache.ReasonPlaceholder
	case x.identified():
		q.Pass = cache.ReasonAuthorization
	}
	if x.variant != nil {
		q.Split, q.Splits = x.variant.text, x.m.split.texts
	}
	if keyed := x.m.shared.keyed; len(keyed) > 0 {
		repl, _ := x.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
		for _, name := range keyed {
			q.Extra = append(q.Extra, repl.ReplaceAll(name, ""))
		}
	}
	q.Extra = x.m.told.key(q.Extra, x.r.Header)
	// What the site is told of the way here is keyed, as all that it is told.
	q.Extra = append(q.Extra, handler.LoopTokens(x.r.Header)...)
	return q
}

// passing is an exchange as the cache's way to the site for a request that passes.
type passing exchange

// ServeHTTP implements cache.Handler.
func (p *passing) ServeHTTP(w http.ResponseWriter, _ *http.Request) error {
	x := (*exchange)(p)
	edit := x.watchEdit()
	if edit != nil {
		x.q.Answered = edit.answered
		defer edit.ended()
	}
	raw, _ := x.query()
	return x.m.fetch(edit.tells(w), x.r, x.v, x.rest, raw, x.peer(), readByCache)
}

// identified tells whether a handler before the mount has said who the user is
// (forward_auth): the mounted site may answer each user in his own way, and need
// not say so.
func (x *exchange) identified() bool {
	if x.m.told.namesVisitor(x.r.Header) {
		return true
	}
	for _, name := range x.m.fieldsSet {
		if len(x.r.Header[name]) > 0 && handler.IsIdentity(name) {
			return true
		}
	}
	return false
}

// detach returns the handler for a fetch that outlives the request: with a
// replacer, variables and context of its own, which hold the values that the
// inner chain may ask for, taken now, on the request's goroutine.
func (x *exchange) detach() cache.Handler {
	ctx := x.r.Context()
	server, _ := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	vars, _ := ctx.Value(caddyhttp.VarsCtxKey).(map[string]any)
	vars = maps.Clone(vars)
	outer, _ := ctx.Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	values := make(map[string]any, len(x.m.shared.keyed))
	for _, name := range x.m.shared.keyed {
		values[strings.Trim(name, "{}")] = outer.ReplaceAll(name, "")
	}
	peer, rest, remote := x.peer(), x.rest, x.r.RemoteAddr
	m, v, variant := x.m, x.v, x.variant
	loop := handler.LoopTokens(x.r.Header)
	raw, _ := x.query()
	raw = m.shared.drop.Apply(raw) // what is keyed is what is forwarded

	return cache.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		repl := caddy.NewReplacer()
		for name, value := range values {
			repl.Set(name, value)
		}
		repl.Set("http.mount.name", m.Name)
		if variant != nil {
			repl.Set("http.mount.split", variant.text)
			r = r.WithContext(balancer.WithVariant(r.Context(), variant.label))
		}
		r.RemoteAddr = remote
		if len(loop) > 0 {
			r.Header = maps.Clone(r.Header) // the flight reads its own
			r.Header["Cdn-Loop"] = loop
		}
		r = caddyhttp.PrepareRequest(r.WithContext(caddyhttp.ContextWithIdleTimeouts(r.Context(), nil, nil)), repl, w, server)
		for name, value := range vars {
			caddyhttp.SetVar(r.Context(), name, value)
		}
		return m.fetch(w, r, v, rest, raw, peer, readByStore)
	})
}
