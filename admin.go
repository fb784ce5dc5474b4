package mount

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/cache"
)

func init() {
	caddy.RegisterModule(adminAPI{})
}

// adminAPI serves the routes below /mount/ on Caddy's admin endpoint, under
// Caddy's own protection. It holds nothing: Caddy makes one for every
// configuration that is tried, also for those that are then rejected.
type adminAPI struct{}

// CaddyModule returns the Caddy module information.
func (adminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.mount",
		New: func() caddy.Module { return new(adminAPI) },
	}
}

// Routes returns the one prefix of the API.
func (adminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{{Pattern: "/mount/", Handler: caddy.AdminHandlerFunc(serveAdmin)}}
}

func serveAdmin(w http.ResponseWriter, r *http.Request) error {
	route, ok := map[string]struct {
		method string
		serve  func(http.ResponseWriter, *http.Request) error
	}{
		"/mount/status":  {http.MethodGet, serveStatus},
		"/mount/stored":  {http.MethodGet, serveStored},
		"/mount/explain": {http.MethodGet, serveExplain},
		"/mount/purge":   {http.MethodPost, servePurge},
	}[r.URL.Path]
	switch {
	case !ok:
		return caddy.APIError{HTTPStatus: http.StatusNotFound, Err: fmt.Errorf("there is no %s", r.URL.Path)}
	case r.Method != route.method:
		w.Header().Set("Allow", route.method)
		return caddy.APIError{HTTPStatus: http.StatusMethodNotAllowed, Err: fmt.Errorf("%s takes %s", r.URL.Path, route.method)}
	}
	return route.serve(w, r)
}

func badRequest(err error) error { return caddy.APIError{HTTPStatus: http.StatusBadRequest, Err: err} }

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// status is the answer of GET /mount/status.
type status struct {
	Mounts []mountStatus                          `json:"mounts"`
	Stores map[string]map[string]cache.StoreStats `json:"stores"`
}

type mountStatus struct {
	Name    string            `json:"name"`
	Path    string            `json:"path"`
	Hosts   []string          `json:"hosts,omitempty"`
	Site    []string          `json:"site,omitempty"`
	Aware   bool              `json:"aware,omitempty"`
	Cookies []string          `json:"cookie_names,omitempty"`
	Split   *splitStatus      `json:"split,omitempty"`
	Store   string            `json:"store,omitempty"`
	Cache   *cache.Inspection `json:"cache,omitempty"`
}

func serveStatus(w http.ResponseWriter, _ *http.Request) error {
	s := status{Mounts: []mountStatus{}, Stores: make(map[string]map[string]cache.StoreStats)}
	assigned, err := countAssigned()
	if err != nil {
		return err
	}
	for _, m := range live.all() {
		ms := mountStatus{Name: m.Name, Path: m.Path, Hosts: m.hosts, Site: m.Site, Aware: m.Aware, Cookies: m.cookies.names.Snapshot()}
		if m.Split != nil {
			ms.Split = newSplitStatus(m, assigned)
		}
		if c := m.shared.cache.Load(); c != nil {
			inspection := c.Inspect()
			ms.Store, ms.Cache = m.Cache.Store, &inspection
		}
		s.Mounts = append(s.Mounts, ms)
	}
	stores.Range(func(_, value any) bool {
		o := value.(*openStore)
		s.Stores[*o.name.Load()] = o.tiers()
		return true
	})
	return writeJSON(w, s)
}

// purgeRequest is the body of POST /mount/purge. URLs and prefixes are public.
type purgeRequest struct {
	// Mount limits the purge to mounts with this name. Required for tags and all.
	Mount string `json:"mount"`
	// URLs are purged with all their variants.
	URLs []string `json:"urls"`
	// Prefixes are purged with everything below them.
	Prefixes []string `json:"prefixes"`
	// Tags are purged in the whole mount.
	Tags []string `json:"tags"`
	// All purges the whole mount.
	All bool `json:"all"`
	// Soft keeps what is purged as stale: it is validated before it is used.
	Soft bool `json:"soft"`
}

// Bounds of one purge request.
const (
	maxPurgeBytes = 1 << 20
	maxPurges     = 10_000
)

func servePurge(w http.ResponseWriter, r *http.Request) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return caddy.APIError{HTTPStatus: http.StatusUnsupportedMediaType, Err: errors.New("expected Content-Type: application/json")}
	}
	var req purgeRequest
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPurgeBytes))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return badRequest(fmt.Errorf("reading the purge: %w", err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return badRequest(errors.New("reading the purge: expected one object and nothing behind it"))
	}
	purges, err := req.purges()
	if err != nil {
		return badRequest(err)
	}
	applied, err := applyPurges(purges, r.RemoteAddr)
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusInternalServerError, Err: err}
	}
	return writeJSON(w, map[string]any{"purges": applied})
}

// appliedPurge is how a purge is told to whoever asked for it.
type appliedPurge struct {
	Number uint64 `json:"number"`
	Mount  string `json:"mount"`
	Scope  string `json:"scope"`
	Host   string `json:"host,omitempty"`
	Path   string `json:"path,omitempty"`
	Query  string `json:"query,omitempty"`
	Tag    string `json:"tag,omitempty"`
	Soft   bool   `json:"soft,omitempty"`
}

// boundPurge is a purge and the mount that it is for.
type boundPurge struct {
	m *Mount
	cache.Purge
}

// purges resolves the request against the live mounts.
func (req *purgeRequest) purges() ([]boundPurge, error) {
	var purges []boundPurge
	add := func(m *Mount, p cache.Purge) {
		p.Mount, p.Soft = m.Name, req.Soft
		purges = append(purges, boundPurge{m, p})
	}
	if len(req.URLs)+len(req.Prefixes)+len(req.Tags) > maxPurges {
		return nil, fmt.Errorf("more than %d purges in one request", maxPurges)
	}
	for scope, list := range map[cache.Scope][]string{cache.ScopeURL: req.URLs, cache.ScopePrefix: req.Prefixes} {
		for _, public := range list {
			mounts, res, err := live.locate(req.Mount, public)
			if err != nil {
				return nil, err
			}
			for _, m := range mounts {
				p := cache.Purge{Scope: scope, Host: res.host, Path: res.path}
				if scope == cache.ScopeURL {
					p.Query = res.query
				}
				add(m, p)
			}
		}
	}
	if req.All || len(req.Tags) > 0 {
		if req.Mount == "" {
			return nil, errors.New("all and tags need the name of a mount, as in status")
		}
		mounts := live.named(req.Mount)
		if len(mounts) == 0 {
			return nil, fmt.Errorf("there is no mount named %q", req.Mount)
		}
		for _, m := range mounts {
			for _, tag := range req.Tags {
				if tag = strings.TrimSpace(tag); tag == "" || len(tag) > cache.MaxTagBytes {
					return nil, fmt.Errorf("a tag has from 1 to %d bytes", cache.MaxTagBytes)
				}
				add(m, cache.Purge{Scope: cache.ScopeTag, Tag: tag})
			}
			if req.All {
				add(m, cache.Purge{Scope: cache.ScopeAll})
			}
		}
	}
	if len(purges) == 0 {
		return nil, errors.New("nothing to purge; expected urls, prefixes, tags or all")
	}
	return purges, nil
}

// applyPurges applies the purges in order. Each is exact once this returns: none
// of the mount's visitors gets what was stored or asked for before it.
func applyPurges(purges []boundPurge, who string) ([]appliedPurge, error) {
	applied := make([]appliedPurge, 0, len(purges))
	for _, p := range purges {
		c := p.m.shared.cache.Load()
		if c == nil {
			continue // nothing is cached
		}
		number, err := c.Ledger.Purge(p.Purge, c.Clock())
		if err != nil {
			return applied, fmt.Errorf("saving a purge: %w", err)
		}
		metrics.purges.WithLabelValues(p.m.Name, p.Scope.String()).Inc()
		p.m.logger.Info("purged", zap.String("mount", p.m.Name), zap.Stringer("scope", p.Scope), zap.String("host", p.Host),
			zap.String("path", p.Path), zap.String("tag", p.Tag), zap.Bool("soft", p.Soft), zap.Uint64("number", number), zap.String("by", who))
		applied = append(applied, appliedPurge{
			Number: number, Mount: p.m.Name, Scope: p.Scope.String(),
			Host: p.Host, Path: p.Path, Query: p.Query, Tag: p.Tag, Soft: p.Soft,
		})
	}
	return applied, nil
}

// Interface guards
var _ caddy.AdminRouter = (*adminAPI)(nil)
