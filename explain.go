package mount

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-mount/mount/cache"
)

// Bounds of what GET /mount/stored lists.
const (
	defaultListed = 100
	maxListed     = 10_000
)

// serveStored answers GET /mount/stored: what is stored below a prefix.
func serveStored(w http.ResponseWriter, r *http.Request) error {
	q, err := parameters(r, "prefix", "mount", "limit")
	if err != nil {
		return err
	}
	limit := defaultListed
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxListed {
			return badRequest(fmt.Errorf("limit %q: expected a number from 1 to %d", text, maxListed))
		}
	}
	mounts := live.named(q.Get("mount"))
	var match func(*cache.Meta) bool
	switch {
	case q.Has("prefix"):
		var below resource
		if mounts, below, err = live.locate(q.Get("mount"), q.Get("prefix")); err != nil {
			return badRequest(err)
		}
		match = func(m *cache.Meta) bool { return m.Under(below.host, below.path) }
	case !q.Has("mount"):
		mounts = live.all()
	case len(mounts) == 0:
		return badRequest(fmt.Errorf("there is no mount named %q", q.Get("mount")))
	}
	answer := struct {
		Stored []cache.Listed `json:"stored"`
		// More says that the limit left some out.
		More bool `json:"more"`
	}{Stored: []cache.Listed{}}
	names := make(map[string]bool)
	for _, m := range mounts {
		c := m.shared.cache.Load()
		if c == nil || names[m.Name] {
			continue // mounts of one name share what is stored
		}
		names[m.Name] = true
		answer.Stored = append(answer.Stored, c.List(r.Context(), limit+1-len(answer.Stored), match)...)
	}
	if answer.More = len(answer.Stored) > limit; answer.More {
		answer.Stored = answer.Stored[:limit]
	}
	slices.SortFunc(answer.Stored, func(a, b cache.Listed) int { return strings.Compare(a.URL, b.URL) })
	return writeJSON(w, answer)
}

// explained is what becomes of a request in one mount.
type explained struct {
	Mount string `json:"mount"`
	// Refused says why the mount refuses the request.
	Refused string `json:"refused,omitempty"`
	// Redirect is where the bare path is redirected to.
	Redirect string `json:"redirect,omitempty"`
	// Split is the variant, as `<split>=<variant>`.
	Split string `json:"split,omitempty"`
	// Site is what the site is asked for.
	Site string `json:"site_url,omitempty"`
	*cache.Explanation
}

// serveExplain answers GET /mount/explain: what would become of a request.
func serveExplain(w http.ResponseWriter, r *http.Request) error {
	q, err := parameters(r, "url", "mount", "method", "header")
	if err != nil {
		return err
	}
	mounts, _, err := live.locate(q.Get("mount"), q.Get("url"))
	if err != nil {
		return badRequest(err)
	}
	asked, err := visitorRequest(q)
	if err != nil {
		return badRequest(err)
	}
	answer := struct {
		Mounts []explained `json:"mounts"`
	}{Mounts: []explained{}}
	for _, m := range mounts {
		visit := asked.Clone(r.Context())
		if e, ours := m.explain(caddyhttp.PrepareRequest(visit, caddy.NewReplacer(), w, new(caddyhttp.Server))); ours {
			answer.Mounts = append(answer.Mounts, e)
		}
	}
	return writeJSON(w, answer)
}

// visitorRequest is the request that the parameters describe, as the server reads it
// from a visitor on this machine.
func visitorRequest(q url.Values) (*http.Request, error) {
	r, err := http.NewRequest(q.Get("method"), q.Get("url"), nil)
	if err != nil {
		return nil, err
	}
	if r.URL.Scheme == "https" {
		r.TLS = new(tls.ConnectionState)
	}
	for _, line := range q["header"] {
		name, value, ok := strings.Cut(line, ":")
		switch {
		case !ok || name == "":
			return nil, fmt.Errorf("header %q: expected Name: value", line)
		case strings.EqualFold(name, "Host"):
			return nil, errors.New("header: the host is that of the URL")
		}
		r.Header.Add(name, strings.TrimSpace(value))
	}
	r.URL.Scheme, r.URL.Host, r.URL.User = "", "", nil
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	return r, nil
}

// explain says what would become of the request, and whether it is the mount's. It
// counts nothing and asks nobody.
func (m *Mount) explain(r *http.Request) (e explained, ours bool) {
	e.Mount = m.Name
	c, ours := m.claim(r)
	if !ours {
		return e, false
	}
	x := &exchange{claim: c, m: m, r: r}
	if err := x.refuse(); err != nil {
		e.Refused = err.Error()
		var status caddyhttp.HandlerError
		if errors.As(err, &status) {
			e.Refused = fmt.Sprintf("%d: %v", status.StatusCode, status.Err)
		}
		return e, true
	}
	if e.Redirect = x.bareLocation(); e.Redirect != "" {
		return e, true
	}
	if m.split != nil {
		x.choose()
		e.Split = x.variant.text
		r.Header = withoutCookie(r.Header, m.split.CookieName())
	}
	e.Explanation = &cache.Explanation{Phase: cache.PhasePass.String(), Reason: cache.ReasonOff.String()}
	if c := m.shared.cache.Load(); c != nil {
		*e.Explanation = c.Explain(r, x.asked())
	}
	site := r.Clone(r.Context())
	x.v.Outbound(site, x.rest, x.peer())
	e.Site = x.v.SiteScheme() + "://" + site.Host + site.URL.RequestURI()
	return e, true
}

// parameters reads the query of a request to the admin API, which has no others.
func parameters(r *http.Request, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest(err)
	}
	for name := range q {
		if !slices.Contains(known, name) {
			return nil, badRequest(fmt.Errorf("there is no parameter %q; expected %s", name, strings.Join(known, ", ")))
		}
	}
	return q, nil
}
