package mount

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule((*PurgeHandler)(nil))
	httpcaddyfile.RegisterHandlerDirective("mount_purge", parsePurgeHandler)
	// Before redir, so that a purge by plain http is not sent to https.
	httpcaddyfile.RegisterDirectiveOrder("mount_purge", httpcaddyfile.Before, "redir")
}

// PurgeHandler purges mounts by requests that reach another address than the
// mount's own: plugins insist on port 80, on the root of the host (`GET
// /purge/<path>`), or name pages by the mounted site's own address. Everything
// that is not a purge goes on to the next handler.
type PurgeHandler struct {
	Purge
}

// CaddyModule returns the Caddy module information.
func (*PurgeHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.mount_purge",
		New: func() caddy.Module { return new(PurgeHandler) },
	}
}

// Provision reads the ranges.
func (h *PurgeHandler) Provision(caddy.Context) error { return h.check() }

// ServeHTTP answers purges.
func (h *PurgeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	target := *r.URL
	rooted, isRooted := strings.CutPrefix(r.URL.EscapedPath(), "/purge/")
	switch {
	case isPurge(r):
	case isRooted && r.Method == http.MethodGet:
		// The dialect of nginx's cache purge module.
		target.Path, target.RawPath = "/"+rooted, ""
		if path, err := url.PathUnescape("/" + rooted); err == nil {
			target.Path, target.RawPath = path, "/"+rooted
		}
	default:
		return next.ServeHTTP(w, r)
	}
	if !h.allows(r) {
		if isRooted && !isPurge(r) {
			return next.ServeHTTP(w, r) // a page of that name, for all we know
		}
		return refusePurge(nil, r, true)
	}
	target.Scheme, target.Host = "http", r.Host
	mounts, res, err := live.locate("", target.String())
	if err != nil {
		var path string
		if mounts, path = live.siteResource(&target); len(mounts) == 0 {
			return caddyhttp.Error(http.StatusNotFound, errors.New("no mount serves this URL"))
		}
		res = resource{path: path, query: target.RawQuery}
	}
	purges, err := readPurge(r, res, strings.TrimSuffix(mounts[0].Path, "/"))
	if err != nil {
		return caddyhttp.Error(http.StatusBadRequest, err)
	}
	return answerPurge(w, r, mounts, purges)
}

// parsePurgeHandler parses the directive. Syntax:
//
//	mount_purge [<matcher>] {
//	    from   <range>...
//	    secret <token>
//	}
func parsePurgeHandler(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	p := mountParser{Helper: h}
	c := new(Cache)
	if err := p.purge(c); err != nil {
		return nil, err
	}
	if err := c.Purge.check(); err != nil {
		return nil, h.WrapErr(err)
	}
	return &PurgeHandler{Purge: *c.Purge}, nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*PurgeHandler)(nil)
	_ caddyhttp.MiddlewareHandler = (*PurgeHandler)(nil)
)
