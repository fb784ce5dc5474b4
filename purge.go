package mount

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/handler"
)

// Purge says who may purge the mount by a request to it: PURGE, as caching
// plugins of WordPress send it. Without it nobody may, and such a request is
// refused: it never reaches the mounted site.
type Purge struct {
	// Addresses and ranges that may purge. The address is the client's as
	// Caddy's trusted proxies tell it. Default: none.
	From []string `json:"from,omitempty"`
	// A token that allows a purge from anywhere: in Authorization as Bearer, or
	// in X-Purge-Key, X-VC-Purge-Key or Fastly-Key. Default: none.
	Secret string `json:"secret,omitempty"`

	ranges []netip.Prefix
}

// minSecret is the least number of bytes that a secret of purges may have.
const minSecret = 16

// check parses the ranges.
func (p *Purge) check() error {
	if len(p.From) == 0 && p.Secret == "" {
		return errors.New("purge needs from or secret: nobody could purge")
	}
	if p.Secret != "" && len(p.Secret) < minSecret {
		return fmt.Errorf("the secret of purge has %d bytes; expected at least %d", len(p.Secret), minSecret)
	}
	p.ranges = nil
	for _, from := range p.From {
		prefix, err := parseRange(from)
		if err != nil {
			return err
		}
		p.ranges = append(p.ranges, prefix)
	}
	return nil
}

func parseRange(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return prefix, fmt.Errorf("purge from %q: expected an address or a range such as 10.0.0.0/8", s)
	}
	return prefix.Masked(), nil
}

// allows tells whether the request may purge.
func (p *Purge) allows(r *http.Request) bool {
	if p == nil {
		return false
	}
	if p.allowsAddress(r) {
		return true
	}
	if p.Secret == "" {
		return false
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	for _, given := range []string{token, r.Header.Get("X-Purge-Key"), r.Header.Get("X-VC-Purge-Key"), r.Header.Get("Fastly-Key")} {
		if subtle.ConstantTimeCompare([]byte(given), []byte(p.Secret)) == 1 {
			return true
		}
	}
	return false
}

// allowsAddress tells whether the request comes from where one may purge.
func (p *Purge) allowsAddress(r *http.Request) bool {
	client, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	if !p.covers(client) {
		return false
	}
	server, _ := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !trustedPeer(r) || server != nil && server.TrustedProxiesStrict > 0 {
		return true
	}
	// Caddy took the first address that it was told, and proxies put theirs behind what
	// the client itself has sent.
	for _, line := range r.Header["X-Forwarded-For"] {
		for addr := range strings.SplitSeq(line, ",") {
			if !p.covers(strings.TrimSpace(addr)) {
				return false
			}
		}
	}
	return true
}

// covers tells whether an address is in one of the ranges.
func (p *Purge) covers(address string) bool {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(p.ranges, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// isPurge tells whether a request is one to a cache. None of these methods means
// anything to a site.
func isPurge(r *http.Request) bool {
	switch r.Method {
	case "PURGE", "BAN", "REFRESH":
		return true
	}
	return false
}

// purge answers a purge request for the URL that the exchange is for.
func (x *exchange) purge(w http.ResponseWriter) error {
	var allowed *Purge
	if x.m.Cache != nil {
		allowed = x.m.Cache.Purge
	}
	if !allowed.allows(x.r) {
		return refusePurge(x.m, x.r, allowed != nil)
	}
	raw, _ := x.query()
	purge, err := readPurge(x.r, resource{host: x.v.Public().Host, path: x.canonical, query: raw}, strings.TrimSuffix(x.m.Path, "/"))
	if err != nil {
		return caddyhttp.Error(http.StatusBadRequest, err)
	}
	return answerPurge(w, x.r, []*Mount{x.m}, purge)
}

func refusePurge(m *Mount, r *http.Request, configured bool) error {
	if m != nil {
		metrics.purgesDeny.WithLabelValues(m.Name).Inc()
		client, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
		m.logger.Warn("refused a purge", zap.String("mount", m.Name), zap.String("by", client))
	}
	if !configured {
		return caddyhttp.Error(http.StatusMethodNotAllowed, errors.New("purge is not configured"))
	}
	return caddyhttp.Error(http.StatusForbidden, errors.New("not allowed to purge"))
}

func answerPurge(w http.ResponseWriter, r *http.Request, mounts []*Mount, purges []cache.Purge) error {
	client, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	var bound []boundPurge
	for _, m := range mounts {
		for _, p := range purges {
			p.Mount = m.Name
			bound = append(bound, boundPurge{m, p})
		}
	}
	applied, err := applyPurges(bound, client)
	if err != nil {
		return caddyhttp.Error(http.StatusInternalServerError, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, map[string]any{"purges": applied})
}

// readPurge reads what a request asks to purge, in the dialects of the plugins
// that send it: tags in the header, everything below a path where a regular
// expression ends in ".*", else the URL. Nothing else of a regular expression is
// obeyed.
func readPurge(r *http.Request, res resource, prefix string) ([]cache.Purge, error) {
	soft := r.Header.Get("Fastly-Soft-Purge") == "1" || r.Method == "REFRESH"
	var purges []cache.Purge
	for _, dialect := range []struct{ field, separator string }{
		{"Surrogate-Key", " "}, {"Cache-Tag", ","}, {"X-Cache-Tags", ","}, {"X-Litespeed-Tag", ","},
	} {
		for _, line := range r.Header[dialect.field] {
			for tag := range strings.SplitSeq(line, dialect.separator) {
				if tag = strings.TrimSpace(tag); tag == "" {
					continue
				}
				if len(tag) > cache.MaxTagBytes || len(purges) >= maxPurges {
					return nil, errors.New("too many or too long tags")
				}
				purges = append(purges, cache.Purge{Scope: cache.ScopeTag, Tag: tag, Soft: soft})
			}
		}
	}
	if len(purges) > 0 {
		return purges, nil
	}
	purge := cache.Purge{Host: res.host, Path: res.path, Query: res.query, Soft: soft}
	below, wild := strings.CutSuffix(res.path, ".*")
	wild = wild || r.Method == "BAN" || isRegex(r.Header)
	if wild && r.Header.Get("X-Purge-Regex") == ".*" {
		below = prefix + "/"
	}
	switch below = strings.TrimSuffix(below, "/"); {
	case !wild:
	case below == prefix || below == "":
		return []cache.Purge{{Scope: cache.ScopeAll, Soft: soft}}, nil
	default:
		purge.Scope, purge.Path, purge.Query = cache.ScopePrefix, below, ""
	}
	return []cache.Purge{purge}, nil
}

func isRegex(h http.Header) bool {
	return strings.EqualFold(h.Get("X-Purge-Method"), "regex") || strings.EqualFold(h.Get("X-Vc-Purge-Method"), "regex") || h.Get("X-Purge-Regex") != ""
}

// siteResource finds the mounts whose site, in its own words, has the given URL:
// what a plugin of the mounted site purges is named so.
func (l *liveMounts) siteResource(u *url.URL) ([]*Mount, string) {
	var found []*Mount
	var path string
	for _, m := range l.all() {
		if len(m.hosts) == 0 && m.Public == "" {
			continue
		}
		for _, host := range append([]string{m.Public}, m.hosts...) {
			base, ok := handler.CanonicalBase("https", strings.TrimPrefix(strings.TrimPrefix(host, "https://"), "http://"))
			if !ok {
				continue
			}
			public, ok := m.mapping.View(base).PublicURL(u.String())
			if !ok {
				continue
			}
			if p, err := url.Parse(public); err == nil {
				found, path = append(found, m), p.EscapedPath()
			}
			break
		}
	}
	return found, path
}
