package handler

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// mapperVersion changes whenever the same answer maps to other bytes than
// before, so that nothing stored by an older mapper is reused.
const mapperVersion = "8"

// maxViews bounds the table of Views. A site block without host names meets as
// many public hosts as its visitors care to send.
const maxViews = 256

// Mount maps between one site and its place below a prefix. New makes one; it is
// immutable but for the learnt cookie names and the table of Views, and safe for
// concurrent use.
type Mount struct {
	mode     Mode
	prefix   string   // escaped, "" or "/blog"
	segments []string // decoded segments of prefix
	sites    []address
	site     address // the first of sites; zero where an aware mode has none
	pinned   *View   // of Options.Public; nil without it

	cookiePatterns []string
	cookieNames    *CookieNames
	authorization  string
	transform      Transform
	eligible       *eligibility
	requests       *requestPolicy
	loaded         time.Time // when this configuration came into force

	loopToken   string
	fingerprint uint64

	views  atomic.Pointer[map[Base]*View] // at most maxViews; replaced, never changed
	adding sync.Mutex                     // held while views is replaced
}

// New checks o and returns its Mount.
func New(o Options) (*Mount, error) {
	prefix, segments, err := parsePrefix(o.Prefix)
	if err != nil {
		return nil, err
	}
	if o.Mode > AwareStripped {
		return nil, fmt.Errorf("unknown mode %d", o.Mode)
	}
	if len(o.Sites) == 0 && o.Mode == Transparent {
		return nil, errors.New("no site: expected the base URL that the mounted site believes is its own, such as https://blog.example.net")
	}
	m := &Mount{
		mode:           o.Mode,
		prefix:         prefix,
		segments:       segments,
		cookiePatterns: slices.Clone(o.Cookies),
		cookieNames:    cmp.Or(o.CookieNames, new(CookieNames)),
		authorization:  o.Authorization,
		transform:      o.Transform.clone(),
		eligible:       newEligibility(o.Transform),
		requests:       newRequestPolicy(o.Transform),
		loaded:         time.Now(),
		loopToken:      loopPrefix + rand.Text(),
	}
	m.views.Store(new(map[Base]*View))
	for _, s := range o.Sites {
		a, ok := parseAddress(s)
		if !ok {
			return nil, fmt.Errorf("site %q: expected a base URL such as https://blog.example.net or https://example.net/wp, without user, query or fragment", s)
		}
		if o.Mode == Aware && a.path != "" {
			// The path is kept, so the site's own path can only be the prefix.
			if a.path != prefix {
				return nil, fmt.Errorf("site %q: an aware site is asked for the public path, so its path must be empty or %q", s, prefix)
			}
			a.path = ""
		}
		m.sites = append(m.sites, a)
	}
	if len(m.sites) > 0 {
		m.site = m.sites[0]
	}
	for _, p := range o.Cookies {
		if p == "" || strings.ContainsAny(p, "=;, \t\r\n\x00") {
			return nil, fmt.Errorf("cookie pattern %q: expected a cookie name in which * stands for any characters, such as shop_*", p)
		}
	}
	switch o.Authorization {
	case "", "pass", "drop":
	default:
		return nil, fmt.Errorf("authorization %q: expected pass or drop", o.Authorization)
	}
	if o.Public != "" {
		a, ok := parseAddress(o.Public)
		if !ok || a.path != "" {
			return nil, fmt.Errorf("public %q: expected a scheme and a host such as https://example.com", o.Public)
		}
		m.pinned = newView(m, Base{Scheme: a.scheme, Host: a.host()})
	}
	m.fingerprint = m.sum()
	return m, nil
}

// parsePrefix checks Options.Prefix and returns it escaped and as segments.
func parsePrefix(s string) (escaped string, segments []string, err error) {
	if s == "" || s == "/" {
		return "", nil, nil
	}
	bad := fmt.Errorf("path %q: expected an absolute path without a trailing slash, such as /blog", s)
	if s[0] != '/' {
		return "", nil, bad
	}
	segments = strings.Split(s[1:], "/")
	for _, segment := range segments {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "*?#{}\\") || hides(segment) {
			return "", nil, bad
		}
		for i := range len(segment) {
			if segment[i] < ' ' || segment[i] == 0x7f {
				return "", nil, bad
			}
		}
	}
	return (&url.URL{Path: s}).EscapedPath(), segments, nil
}

// clone returns a copy that shares no slice with t.
func (t Transform) clone() Transform {
	t.Types = slices.Clone(t.Types)
	t.Skip = slices.Clone(t.Skip)
	t.RequestsOffPaths = slices.Clone(t.RequestsOffPaths)
	return t
}

// Fingerprint returns a number that differs between any two mounts that might
// map the same answer to different bytes. It is stable over restarts.
func (m *Mount) Fingerprint() uint64 { return m.fingerprint }

func (m *Mount) sum() uint64 {
	d := xxhash.New()
	// Every member is written with its length, so that no two lists join alike.
	write := func(members ...string) {
		fmt.Fprintf(d, "%d;", len(members))
		for _, s := range members {
			fmt.Fprintf(d, "%d:%s", len(s), s)
		}
	}
	write(mapperVersion, m.prefix, fmt.Sprint(m.mode))
	for _, a := range m.sites {
		write(a.scheme, a.host(), a.path)
	}
	if m.pinned != nil {
		write(m.pinned.public.String())
	} else {
		write()
	}
	t := m.transform
	write(t.Types...)
	write(t.Skip...)
	write(t.RequestsOffPaths...)
	write(fmt.Sprint(t.Off, t.KeepRootRelative, t.RequestsOff, t.MaxRequestBody))
	return d.Sum64()
}

// View returns the mount as it is seen from a canonical public base. A pinned
// Options.Public wins over b. Views are kept in a bounded table; they are
// immutable and safe for concurrent use.
func (m *Mount) View(b Base) *View {
	if v := (*m.views.Load())[b]; v != nil {
		return v
	}
	m.adding.Lock()
	defer m.adding.Unlock()
	views := *m.views.Load()
	if v := views[b]; v != nil {
		return v
	}
	v := m.pinned
	if v == nil {
		v = newView(m, b)
	}
	if len(views) >= maxViews {
		// Made-up hosts fill the table only to empty it: those in use come back
		// at their next request.
		views = nil
	}
	more := make(map[Base]*View, len(views)+1)
	maps.Copy(more, views)
	more[b] = v
	m.views.Store(&more)
	return v
}

// ViewFrom is View for the scheme and Host field of a request, however they spell
// the base. It returns nil where they name none, as CanonicalBase says.
func (m *Mount) ViewFrom(scheme, host string) *View {
	// The table has canonical bases only, so what is found there is one.
	if v := (*m.views.Load())[Base{scheme, host}]; v != nil {
		return v
	}
	b, ok := CanonicalBase(scheme, host)
	if !ok {
		return nil
	}
	return m.View(b)
}

// View is a Mount bound to one public base. It maps URLs between the two sides.
type View struct {
	m      *Mount
	public Base
	home   address // the public base with the mount's prefix as its path
	host   string  // the Host field that the site is asked under

	inbound   []urlRule // site to public; the first that matches holds
	locations []urlRule // inbound, and what only a redirect may be taken for
	outbound  []urlRule // public to site; none in the aware modes

	answers *forms // for bodies of answers
	sent    *forms // for bodies of requests; nil in the aware modes
}

func newView(m *Mount, b Base) *View {
	name, port, _ := splitAuthority(b.Host)
	v := &View{m: m, public: b, home: address{scheme: b.Scheme, name: name, port: port, path: m.prefix}}
	v.host = b.Host
	if m.mode == Transparent {
		v.host = m.site.host()
	}
	v.inbound, v.locations, v.outbound = v.rules()
	v.answers, v.sent = v.bodyForms()
	return v
}

// Public returns the base that the view is bound to.
func (v *View) Public() Base { return v.public }

// SiteScheme returns the scheme of the request that the site is sent: its own
// where it knows nothing of the public address, else the public one.
func (v *View) SiteScheme() string {
	if v.m.mode == Transparent {
		return v.m.site.scheme
	}
	return v.public.Scheme
}

// Home returns the mount's public URL, with its slash.
func (v *View) Home() string { return v.home.origin() + v.home.path + "/" }

// SitePath returns the escaped path under which the site is asked for rest, the
// escaped part of a public path below the prefix, as Locate gives it.
func (v *View) SitePath(rest string) string {
	if v.m.mode == Aware {
		return v.m.prefix + rest
	}
	return v.m.site.path + rest
}

// SiteURL maps a public URL, absolute or root-relative, to the form in which the
// site knows it: a query or fragment in it too. What is not below the mount, and
// everything in the aware modes, whose sites know public URLs, is returned as it
// is.
func (v *View) SiteURL(public string) string {
	site, _ := v.siteURL(public)
	return site
}

// siteURL is SiteURL, and reports whether public lies below the mount.
func (v *View) siteURL(public string) (string, bool) {
	u := cutURL(public)
	switch u.kind {
	case absoluteURL, networkURL:
		if !v.home.at(u.name, u.port) {
			return public, false
		}
	case rootRelativeURL:
	default:
		return public, false
	}
	place, _, rest := v.m.Locate(u.path)
	if place != Inside && place != Bare {
		return public, false
	}
	if v.m.mode != Transparent {
		return public, true
	}
	site := v.m.site
	path := v.SitePath(rest)
	suffix := mapEmbedded(u.suffix, v.outbound)
	switch {
	case u.kind == absoluteURL:
		return site.origin() + path + suffix, true
	case u.kind == networkURL:
		return "//" + site.host() + path + suffix, true
	case leavesHost(path):
		return site.origin() + path + suffix, true
	default:
		return path + suffix, true
	}
}

// PublicURL maps a URL that the site wrote, absolute, network-path or
// root-relative, to its public form; URLs of the site in its query are mapped
// too. It reports false, and returns the URL as it is, where there is nothing to
// map: foreign hosts, paths outside the site's base, relative references.
func (v *View) PublicURL(site string) (string, bool) {
	return v.publicURL(site, v.inbound)
}
