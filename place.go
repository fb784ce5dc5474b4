package mount

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-mount/mount/handler"
)

// place is where a mount stands in its site: the route lists that hold it, from
// the server's own to the innermost, each with the position of the mount. It is
// read while the configuration is being loaded, when all matchers are there,
// the handlers up to the mount are too, and the mount's own route and all later
// ones still have theirs as JSON.
type place struct {
	prefix string // path of the mount, "" for the root
	levels []level
}

type level struct {
	routes  []caddyhttp.Route
	current int // index of the route that holds the mount
}

// findPlace reads the place of m from the modules that are loading it.
func findPlace(ctx caddy.Context, m *Mount) place {
	p := place{prefix: strings.TrimSuffix(m.Path, "/")}
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok {
		p.add(server.Routes)
	}
	for _, module := range ctx.Modules() {
		if sub, ok := module.(*caddyhttp.Subroute); ok {
			p.add(sub.Routes)
		}
	}
	return p
}

// add appends the level of one route list. The route being loaded is the first
// that still has its handlers as JSON.
func (p *place) add(routes caddyhttp.RouteList) {
	for i, route := range routes {
		if len(route.HandlersRaw) > 0 {
			p.levels = append(p.levels, level{routes: routes, current: i})
			return
		}
	}
}

// innermost returns the list that holds the mount itself, split into the
// mount's own route and the later ones.
func (p place) innermost() (current caddyhttp.Route, later []caddyhttp.Route) {
	if len(p.levels) == 0 {
		return caddyhttp.Route{}, nil
	}
	l := p.levels[len(p.levels)-1]
	return l.routes[l.current], l.routes[l.current+1:]
}

// hosts returns the host names and patterns that lead to the mount.
func (p place) hosts() []string {
	for _, l := range p.levels {
		var hosts []string
		for _, set := range l.routes[l.current].MatcherSets {
			for _, matcher := range set {
				if m, ok := matcher.(*caddyhttp.MatchHost); ok {
					hosts = append(hosts, *m...)
				}
			}
		}
		if len(hosts) > 0 {
			return hosts
		}
	}
	return nil
}

// deeperMount is a mount of the same route list whose path lies below ours. A
// request that it takes is left to it, whatever the order they stand in.
type deeperMount struct {
	has      func(escapedPath string) bool
	matchers caddyhttp.MatcherSets
}

// takes tells whether the deeper mount serves r, whose canonical path is path.
func (d deeperMount) takes(r *http.Request, path string) bool {
	if !d.has(path) {
		return false
	}
	matches, err := d.matchers.AnyMatchWithError(r)
	return err == nil && matches
}

// deeperMounts finds the mounts below this one that stand after it.
func (p place) deeperMounts() []deeperMount {
	current, later := p.innermost()
	var deeper []deeperMount
	for _, route := range append([]caddyhttp.Route{current}, later...) {
		for _, raw := range route.HandlersRaw {
			path, ok := mountIn(raw)
			if ok && len(path) > len(p.prefix) && strings.HasPrefix(path, p.prefix+"/") {
				deeper = append(deeper, deeperMount{has: handler.Below(path), matchers: route.MatcherSets})
			}
		}
	}
	return deeper
}

// mountIn returns the path of the mount that the handler's JSON is.
func mountIn(raw json.RawMessage) (string, bool) {
	var h struct {
		Handler string `json:"handler"`
		Path    string `json:"path"`
	}
	if json.Unmarshal(raw, &h) != nil || h.Handler != "mount" {
		return "", false
	}
	path, err := mountPath(h.Path)
	return strings.TrimSuffix(path, "/"), err == nil
}

// warnings names, in sentences, what can never run.
func (p place) warnings() []string {
	return slices.Concat(p.outOfReach(), p.repeated(), p.unreachable())
}

// outOfReach is about the mount itself, in a route for other paths.
func (p place) outOfReach() (warnings []string) {
	for _, l := range p.levels {
		if p.elsewhere(l.routes[l.current].MatcherSets) {
			warnings = append(warnings, fmt.Sprintf(
				"mount %s/ stands in a route for other paths, so no visitor reaches it under that path, where its links lead: "+
					"write the whole path that visitors see, also within handle_path", p.prefix))
		}
	}
	return warnings
}

// repeated is about another mount with the same path after this one.
func (p place) repeated() (warnings []string) {
	current, later := p.innermost()
	if len(current.MatcherSets) > 0 {
		later = nil // they get what the matchers leave over
	}
	same := 0
	for _, route := range append([]caddyhttp.Route{current}, later...) {
		for _, raw := range route.HandlersRaw {
			if path, ok := mountIn(raw); ok && path == p.prefix {
				same++
			}
		}
	}
	if same > 1 {
		warnings = append(warnings, fmt.Sprintf(
			"a second mount %s/ can never run: the first takes every request; give the first a matcher (mount @matcher)", p.prefix))
	}
	return warnings
}

// unreachable is about what stands after the mount, for a path below it.
func (p place) unreachable() (warnings []string) {
	current, later := p.innermost()
	if len(current.MatcherSets) > 0 || p.prefix == "" {
		return nil // the mount leaves something over, or everything is below it
	}
	for _, route := range later {
		if len(route.HandlersRaw) == 1 {
			if _, ok := mountIn(route.HandlersRaw[0]); ok {
				continue
			}
		}
		for _, set := range route.MatcherSets {
			for _, pattern := range pathPatterns(set) {
				if strings.HasPrefix(strings.ToLower(pattern), strings.ToLower(p.prefix)+"/") {
					warnings = append(warnings, fmt.Sprintf(
						"a route for %[1]s can never run: it stands after mount %[2]s, which takes that path; "+
							"keep the path from the mount with a matcher (@rest not path %[1]s, then mount @rest %[2]s) or put both into a route block in the order they shall run",
						pattern, p.prefix))
				}
			}
		}
	}
	return warnings
}

// elsewhere tells whether the matchers keep a route away from the mount for certain.
func (p place) elsewhere(matchers caddyhttp.MatcherSets) bool {
	for _, set := range matchers {
		if patterns := pathPatterns(set); len(patterns) == 0 || p.overlaps(patterns) {
			return false
		}
	}
	return len(matchers) > 0
}

// overlaps tells whether a pattern could match a path below the mount. Caddy's
// path matcher does not look at letter case.
func (p place) overlaps(patterns []string) bool {
	below := strings.ToLower(p.prefix) + "/"
	for _, pattern := range patterns {
		fixed, _, wild := strings.Cut(strings.ToLower(pattern), "*")
		if strings.HasPrefix(fixed, below) || wild && strings.HasPrefix(below, fixed) {
			return true
		}
	}
	return false
}

// pathPatterns returns the patterns of the path matcher in set, if it has one.
func pathPatterns(set caddyhttp.MatcherSet) []string {
	for _, matcher := range set {
		if paths, ok := matcher.(*caddyhttp.MatchPath); ok {
			return *paths
		}
	}
	return nil
}

// fieldsSet names the request fields that the handlers before the mount set or
// remove on every request: with request_header, or copied by forward_auth.
func (p place) fieldsSet() []string {
	var names []string
	for _, l := range p.levels {
		for _, route := range l.routes[:l.current] {
			if len(route.MatcherSets) > 0 {
				continue
			}
			for _, h := range route.Handlers {
				names = append(names, fieldsSetBy(h)...)
			}
		}
		for _, h := range loaded(l.routes[l.current].HandlersRaw) {
			names = append(names, fieldsSetBy(h)...)
		}
	}
	return names
}

func fieldsSetBy(h caddyhttp.MiddlewareHandler) (names []string) {
	switch h := h.(type) {
	case *headers.Handler:
		if h.Request != nil {
			for name := range h.Request.Set {
				names = append(names, http.CanonicalHeaderKey(name))
			}
			for _, name := range h.Request.Delete {
				names = append(names, http.CanonicalHeaderKey(name))
			}
		}
	case *reverseproxy.Handler:
		for _, response := range h.HandleResponse {
			for _, route := range response.Routes {
				for _, inner := range route.Handlers {
					names = append(names, fieldsSetBy(inner)...)
				}
			}
		}
	}
	return names
}

// loaded makes the handlers that stand before the mount in its own route, which are not
// loaded yet, of their JSON: as much of them as tells which request fields they set.
func loaded(raws []json.RawMessage) (handlers []caddyhttp.MiddlewareHandler) {
	for _, raw := range raws {
		var h struct {
			Handler        string             `json:"handler"`
			Request        *headers.HeaderOps `json:"request"`
			HandleResponse []struct {
				Routes []struct {
					Handle []json.RawMessage `json:"handle"`
				} `json:"routes"`
			} `json:"handle_response"`
		}
		if json.Unmarshal(raw, &h) != nil || h.Handler == "mount" || h.Handler == "subroute" {
			break
		}
		if h.Handler == "headers" {
			handlers = append(handlers, &headers.Handler{Request: h.Request})
		}
		proxy := new(reverseproxy.Handler)
		for _, response := range h.HandleResponse {
			var routes caddyhttp.RouteList
			for _, route := range response.Routes {
				routes = append(routes, caddyhttp.Route{Handlers: loaded(route.Handle)})
			}
			proxy.HandleResponse = append(proxy.HandleResponse, caddyhttp.ResponseHandler{Routes: routes})
		}
		if len(proxy.HandleResponse) > 0 {
			handlers = append(handlers, proxy)
		}
	}
	return handlers
}
