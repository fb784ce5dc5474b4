package mount

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/handler"
)

// Bounds of what a client may send to a mount. They lie below those of the web
// servers that sites run on, so that the mount refuses first and no error of
// the site's can be provoked for a URL that others ask for.
const (
	maxURLBytes    = 8 << 10
	maxHeaderBytes = 32 << 10
)

// claim is what makes a request the mount's.
type claim struct {
	v         *handler.View // nil where the host is not one
	place     handler.Place
	canonical string   // public path that is forwarded and keyed, escaped
	rest      string   // the part of it below the mount
	original  *url.URL // what was asked for, where a rewrite of the main site has changed it
}

// exchange is one request that the mount has claimed.
type exchange struct {
	claim
	m       *Mount
	r       *http.Request
	variant *splitVariant // nil without a split
	out     countWriter
	q       cache.Request // what the cache is asked, and its Result

	log *caddyhttp.ExtraLogFields // nil where no site of the server has an access log
}

// claim tells whether the request is the mount's: by its path as it is now,
// else by the one that the client sent, which a rewrite of the main site may
// have changed since. For a request of the main site it allocates nothing.
func (m *Mount) claim(r *http.Request) (c claim, ours bool) {
	c.place, c.canonical, c.rest = m.mapping.Locate(r.URL.EscapedPath())
	if c.place == handler.Outside {
		original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
		if !ok || original.URL == nil {
			return c, false
		}
		c.place, c.canonical, c.rest = m.mapping.Locate(original.URL.EscapedPath())
		if c.place == handler.Outside {
			return c, false
		}
		c.original = original.URL
	}
	for _, d := range m.deeper {
		if d.takes(r, c.canonical) {
			return c, false
		}
	}
	c.v = m.mapping.ViewFrom(publicBase(r))
	return c, true
}

// publicBase is the scheme and host that the visitor used: as a trusted proxy
// in front of Caddy tells, else those of the connection.
func publicBase(r *http.Request) (scheme, host string) {
	scheme, host = "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	toldScheme, toldHost := firstOfLast(r.Header["X-Forwarded-Proto"]), firstOfLast(r.Header["X-Forwarded-Host"])
	if toldScheme == "" && toldHost == "" || !trustedPeer(r) {
		return scheme, host
	}
	switch strings.ToLower(toldScheme) {
	case "http", "ws":
		scheme = "http"
	case "https", "wss":
		scheme = "https"
	}
	return scheme, cmp.Or(toldHost, host)
}

func trustedPeer(r *http.Request) bool {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted
}

// firstOfLast returns the first member of the last line of a field: the line
// that the nearest proxy wrote, and in it the end that the visitor saw.
func firstOfLast(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	first, _, _ := strings.Cut(lines[len(lines)-1], ",")
	return strings.TrimSpace(first)
}

// refuse stops what must not pass: a host that is none, dot segments that leave
// the mount, a request that has been here before, one beyond the bounds.
func (x *exchange) refuse() error {
	switch {
	case x.v == nil:
		return caddyhttp.Error(http.StatusBadRequest, errors.New("the host is not a host name"))
	case x.place == handler.Refused:
		return caddyhttp.Error(http.StatusBadRequest, errors.New("the path leaves the mount or cannot be read in one way only"))
	case len(x.canonical)+len(x.r.URL.RawQuery) > maxURLBytes:
		return caddyhttp.Error(http.StatusRequestURITooLong, errors.New("the URL is longer than 8 KiB"))
	case cache.HeaderBytes(x.r.Header) > maxHeaderBytes:
		return caddyhttp.Error(http.StatusRequestHeaderFieldsTooLarge, errors.New("the header is larger than 32 KiB"))
	case x.r.Method == http.MethodConnect && !websocketConnect(x.r):
		// RFC 9110 section 9.3.6: a 2xx would tell the client that a tunnel is open.
		return caddyhttp.Error(http.StatusMethodNotAllowed, errors.New("CONNECT opens no tunnel here, but for WebSocket (RFC 8441)"))
	case x.m.mapping.Looping(x.r.Header):
		return caddyhttp.Error(http.StatusLoopDetected, errors.New("the request has been through this mount before (CDN-Loop, RFC 8586)"))
	}
	return nil
}

// websocketConnect tells whether the request is an extended CONNECT for
// WebSocket: RFC 8441, and RFC 9220, where quic-go tells the protocol in Proto.
func websocketConnect(r *http.Request) bool {
	return r.ProtoMajor == 2 && r.Header.Get(":protocol") == "websocket" || r.ProtoMajor == 3 && r.Proto == "websocket"
}

// label names the mount in the access log and in placeholders.
func (x *exchange) label() {
	if repl, ok := x.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer); ok {
		repl.Map(x.placeholder)
	}
	if x.log = logFields(x.r); x.log != nil {
		x.log.Set(zap.String("mount", x.m.Name))
	}
}

// placeholder is the value of a placeholder of ours. Few requests ask for one: they
// are looked up, not set. Those of the cache are known once it has decided, before
// the header is written, and empty until then.
func (x *exchange) placeholder(key string) (any, bool) {
	decided := x.q.Result.Reason != cache.ReasonUndecided
	switch {
	case key == "http.mount.name":
		return x.m.Name, true
	case key == "http.mount.split" && x.variant != nil:
		return x.variant.text, true
	case key == "http.mount.cache.status" && decided:
		return x.q.Result.Phase.String(), true
	case key == "http.mount.cache.reason" && decided:
		return x.q.Result.Reason.String(), true
	case key == "http.mount.cache.key" && decided:
		return x.q.Result.Key.String(), true
	}
	return "", strings.HasPrefix(key, "http.mount.")
}

// logFields are what handlers add to the access log, or nil where no site of the
// server has one.
func logFields(r *http.Request) *caddyhttp.ExtraLogFields {
	ctx := r.Context()
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok && server.Logs == nil {
		return nil
	}
	fields, _ := ctx.Value(caddyhttp.ExtraLogFieldsCtxKey).(*caddyhttp.ExtraLogFields)
	return fields
}

// query is the query as the client sent it, byte for byte.
func (x *exchange) query() (raw string, present bool) {
	u := x.r.URL
	if x.original != nil {
		u = x.original
	}
	return u.RawQuery, u.ForceQuery || u.RawQuery != ""
}

// redirectBare answers GET and HEAD for the bare path with a 308 to the path
// with its slash, which relative links need. It tells whether it answered.
func (x *exchange) redirectBare(w http.ResponseWriter) bool {
	location := x.bareLocation()
	if location == "" {
		return false
	}
	w.Header().Set("Location", location)
	// A redirect that a browser kept would outlive a change of mind.
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusPermanentRedirect)
	return true
}

// bareLocation is where the bare path is redirected to, or "".
func (x *exchange) bareLocation() string {
	if x.place != handler.Bare || x.m.Bare == bareServe || x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		return ""
	}
	location := x.canonical
	if raw, ok := x.query(); ok {
		location += "?" + raw
	}
	return location
}

// answer answers the request from the cache, or passes it where there is none,
// and counts it.
func (x *exchange) answer(w http.ResponseWriter) error {
	start := time.Now()
	x.out.ResponseWriter = w
	x.out.lengthens, x.out.head = x.r.ProtoMajor == 3, x.r.Method == http.MethodHead
	defer func() {
		x.report(time.Since(start))
		x.m.metrics.out.Add(float64(x.out.bytes))
	}()
	w = &x.out
	if c := x.m.shared.cache.Load(); c != nil {
		x.m.shared.limits.Do(x.m.shared.applyLimits)
		return x.fromCache(w, c)
	}
	return x.pass(w)
}

// report writes how the request was answered into the access log and the metrics.
func (x *exchange) report(took time.Duration) {
	if x.log != nil {
		x.log.Set(zap.Stringer("cache_status", x.q.Result.Phase))
		x.log.Set(zap.Stringer("cache_reason", x.q.Result.Reason))
	}
	x.m.metrics.served(x.q.Result.Phase, x.q.Result.Reason, took)
}

// pass lets the request through to the site and its answer back as it comes.
func (x *exchange) pass(w http.ResponseWriter) error {
	x.q.Result = cache.Result{Phase: cache.PhasePass, Reason: cache.ReasonOff}
	raw, _ := x.query()
	return x.m.fetch(w, x.r, x.v, x.rest, raw, x.peer(), readByVisitor)
}

// peer says who sent the request, for the forwarded fields.
func (x *exchange) peer() handler.Peer {
	ctx := x.r.Context()
	p := handler.Peer{
		Trusted:      trustedPeer(x.r),
		ForwardedFor: strings.Join(x.r.Header["X-Forwarded-For"], ", "),
		// php-fpm would take a field without a value for one that was sent.
		OmitHost:  !x.m.origins.fastCGI,
		FieldsSet: x.m.fieldsSet,
	}
	p.ClientIP, _ = caddyhttp.GetVar(ctx, caddyhttp.ClientIPVarKey).(string)
	p.RemoteIP, _, _ = net.SplitHostPort(x.r.RemoteAddr)
	p.UserAuthenticated = userAuthenticated(x.r)
	return p
}

// userAuthenticated tells whether a handler before the mount has authenticated
// the request by its Authorization, as basic_auth does.
func userAuthenticated(r *http.Request) bool {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok || len(r.Header["Authorization"]) == 0 {
		return false
	}
	user, _ := repl.GetString("http.auth.user.id")
	return user != ""
}
