package mount

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// passedBy refuses a site in which the mount would let requests past a security
// route. The mount claims a request by its original path even where the main
// site has rewritten it; a route that asks for a login below the mount by path
// and stands between the rewrite and the mount sees only the rewritten path.
//
// A rewrite counts if it may change a path below the mount, a security route
// if its matchers may tell paths below the mount from others.
func (p place) passedBy() error {
	walk := &securityWalk{place: p}
	for _, l := range p.levels {
		for _, route := range l.routes[:l.current] {
			walk.route(route)
		}
		// In the mount's own route, the handlers before it are still JSON.
		current := l.routes[l.current]
		for _, raw := range current.HandlersRaw {
			var h struct {
				Handler        string          `json:"handler"`
				HandleResponse json.RawMessage `json:"handle_response"`
			}
			if json.Unmarshal(raw, &h) != nil || h.Handler == "mount" || h.Handler == "subroute" {
				break
			}
			walk.handler(h.Handler, len(h.HandleResponse) > 0, current.MatcherSets)
		}
	}
	if walk.passed == "" {
		return nil
	}
	return fmt.Errorf("a path-scoped %s route stands after a rewrite of the main site (try_files, rewrite, uri), so requests below %s/ would pass it by: "+
		"put the rewrite, and the routes it is for, into a handle block of their own", walk.passed, p.prefix)
}

// securityWalk follows the routes in the order in which a request meets them.
type securityWalk struct {
	place
	rewritten bool
	passed    string // the first security handler that would be passed by
}

func (s *securityWalk) route(route caddyhttp.Route) {
	for _, h := range route.Handlers {
		switch h := h.(type) {
		case *caddyhttp.Subroute:
			if s.elsewhere(route.MatcherSets) {
				continue
			}
			for _, inner := range h.Routes {
				s.route(inner)
			}
		case *reverseproxy.Handler:
			s.handler("reverse_proxy", len(h.HandleResponse) > 0, route.MatcherSets)
		case caddy.Module:
			s.handler(h.CaddyModule().ID.Name(), false, route.MatcherSets)
		}
	}
}

// handler judges one handler by its module name. A reverse_proxy is a gate only
// if it handles responses, as forward_auth does.
func (s *securityWalk) handler(name string, handlesResponse bool, matchers caddyhttp.MatcherSets) {
	switch name {
	case "rewrite":
		s.rewritten = s.rewritten || !s.elsewhere(matchers)
		return
	case "authentication", "error", "static_response":
	case "reverse_proxy":
		if !handlesResponse {
			return
		}
	default:
		return
	}
	if s.rewritten && s.passed == "" && s.scoped(matchers) {
		s.passed = name
	}
}

// scoped tells whether the matchers choose by path in a way that a rewrite below
// the mount could change.
func (s *securityWalk) scoped(matchers caddyhttp.MatcherSets) bool {
	for _, set := range matchers {
		for _, matcher := range set {
			switch matcher := matcher.(type) {
			case *caddyhttp.MatchPath:
				if s.overlaps(*matcher) && !everything(*matcher) {
					return true
				}
			case *caddyhttp.MatchNot:
				for _, inner := range matcher.MatcherSets {
					if s.scoped(caddyhttp.MatcherSets{inner}) || len(pathPatterns(inner)) > 0 {
						return true
					}
				}
			case *caddyhttp.MatchPathRE, *caddyhttp.MatchExpression:
				return true // may look at the path
			}
		}
	}
	return false
}

// everything tells whether the patterns match every path.
func everything(patterns []string) bool {
	for _, pattern := range patterns {
		if pattern == "*" || pattern == "/*" {
			return true
		}
	}
	return false
}
