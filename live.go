package mount

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/caddy-mount/mount/handler"
)

// live are the mounts of the configurations that have been started, the newest
// configuration last. The admin API works on them: a module of its own would be
// bound to a configuration that may yet be rejected.
var live liveMounts

type liveMounts struct {
	mu   sync.Mutex
	apps []*App
}

func (l *liveMounts) add(a *App) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.apps = append(l.apps, a)
}

func (l *liveMounts) remove(a *App) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.apps = slices.DeleteFunc(l.apps, func(other *App) bool { return other == a })
}

// all returns the mounts of the newest configuration.
func (l *liveMounts) all() []*Mount {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.apps) == 0 {
		return nil
	}
	return l.apps[len(l.apps)-1].mounts
}

// named returns the mounts with the given label. Sites that share a label are
// purged together.
func (l *liveMounts) named(name string) []*Mount {
	var found []*Mount
	for _, m := range l.all() {
		if m.Name == name {
			found = append(found, m)
		}
	}
	return found
}

// resource is a public URL of a mount, as purges name it.
type resource struct {
	host, path, query string
}

// locate finds the mounts that a public URL belongs to, and what purges call it.
// name, if not empty, limits the search.
func (l *liveMounts) locate(name, public string) ([]*Mount, resource, error) {
	u, err := url.Parse(public)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, resource{}, fmt.Errorf("%q is not a public URL; expected https://example.com/blog/page", public)
	}
	base, ok := handler.CanonicalBase(u.Scheme, u.Host)
	if !ok {
		return nil, resource{}, fmt.Errorf("%q has no valid host", public)
	}
	var found []*Mount
	res := resource{host: base.Host, query: u.RawQuery}
	longest := -1
	for _, m := range l.all() {
		if name != "" && m.Name != name {
			continue
		}
		place, canonical, _ := m.mapping.Locate(u.EscapedPath())
		if place != handler.Inside && place != handler.Bare || !m.answersFor(base) {
			continue
		}
		// Of nested mounts the deepest serves the URL.
		switch n := len(strings.TrimSuffix(m.Path, "/")); {
		case n > longest:
			longest, found = n, []*Mount{m}
		case n == longest:
			found = append(found, m)
		}
		res.path = canonical
	}
	if len(found) == 0 {
		return nil, res, fmt.Errorf("no mount serves %s", public)
	}
	return found, res, nil
}

// answersFor tells whether the mount is reached under a public base.
func (m *Mount) answersFor(base handler.Base) bool {
	if m.Public != "" {
		return m.mapping.View(base).Public().Host == base.Host
	}
	if len(m.hosts) == 0 {
		return true
	}
	name := hostname(base.Host)
	return slices.ContainsFunc(m.hosts, func(pattern string) bool { return matchHost(pattern, name) })
}

func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	return strings.Trim(host, "[]")
}

// matchHost tells whether a host matches a pattern of Caddy's host matcher, in
// which an asterisk stands for one label.
func matchHost(pattern, name string) bool {
	p, n := strings.Split(strings.ToLower(pattern), "."), strings.Split(name, ".")
	if len(p) != len(n) {
		return false
	}
	for i := range p {
		if p[i] != "*" && p[i] != n[i] {
			return false
		}
	}
	return true
}
