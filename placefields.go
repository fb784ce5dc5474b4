package mount

import (
	"net/http"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-mount/mount/cache"
)

// toldFields are the request fields by which handlers before the mount tell the site
// what they found out of a request. The site need not name them in Vary: to it they
// are a part of what it was asked.
type toldFields struct {
	// visitor are those that say who the visitor is, by what forward_auth answered or
	// by a placeholder of his credentials or cookies. Such an answer is his own.
	visitor []string
	// keyed are those that are made of something else of the request, or set for some
	// requests only.
	keyed []string
}

// toldFields finds them in all routes before the mount. What is the same for all
// requests, and what differs for each (a placeholder such as
// {http.request.uuid}), tells no two visitors apart.
func (p place) toldFields(fetch cache.FetchOptions) toldFields {
	var t toldFields
	p.eachFieldOps(func(ops *headers.HeaderOps, always bool) {
		for _, set := range [...]map[string][]string{ops.Set, ops.Add} {
			for name, values := range set {
				t.add(name, strings.Join(values, " "), always, &fetch)
			}
		}
		for name, replacements := range ops.Replace {
			for _, r := range replacements {
				t.add(name, r.Replace, true, &fetch)
			}
		}
	})
	for _, names := range [...]*[]string{&t.visitor, &t.keyed} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return t
}

// add enters a field with its values as they are configured. always says that every
// request has it.
func (t *toldFields) add(name, text string, always bool, fetch *cache.FetchOptions) {
	name = http.CanonicalHeaderKey(name)
	keyed := !always
	for _, value := range placeholders(text) {
		switch {
		case name == "Cookie":
			// The name of a cookie says whose it is.
		case ofVisitor(value), strings.HasPrefix(value, "http.reverse_proxy."):
			t.visitor = append(t.visitor, name)
			return
		case requestField(value) != "", !ofRequest(value):
			keyed = true
		}
	}
	if keyed && fetch.Sends(name) {
		t.keyed = append(t.keyed, name)
	}
}

// namesVisitor tells whether one of the fields says who the visitor is.
func (t *toldFields) namesVisitor(h http.Header) bool {
	return slices.ContainsFunc(t.visitor, func(name string) bool { return len(h[name]) > 0 })
}

// key appends the values of the keyed fields, each as one text.
func (t *toldFields) key(extra []string, h http.Header) []string {
	for _, name := range t.keyed {
		extra = append(extra, strings.Join(h[name], "\n"))
	}
	return extra
}

// eachFieldOps calls f for what each handler before the mount does to request fields.
// always is false where only some requests come by.
func (p place) eachFieldOps(f func(ops *headers.HeaderOps, always bool)) {
	for _, l := range p.levels {
		for _, route := range l.routes[:l.current] {
			if group := l.routes[l.current].Group; group == "" || group != route.Group {
				fieldOpsOf(route, true, f)
			}
		}
		fieldOpsOf(caddyhttp.Route{Handlers: loaded(l.routes[l.current].HandlersRaw)}, true, f)
	}
}

// fieldOpsOf calls f for the handlers of a route, unless no request that has come by
// there goes on to the mount.
func fieldOpsOf(route caddyhttp.Route, always bool, f func(ops *headers.HeaderOps, always bool)) {
	if route.Terminal {
		return
	}
	always = always && len(route.MatcherSets) == 0
	for _, h := range route.Handlers {
		switch h := h.(type) {
		case *headers.Handler:
			if h.Request != nil {
				f(h.Request, always)
			}
		case *caddyhttp.Subroute:
			for _, inner := range h.Routes {
				fieldOpsOf(inner, always, f)
			}
		case *reverseproxy.Handler:
			for _, response := range h.HandleResponse {
				for _, inner := range response.Routes {
					fieldOpsOf(inner, false, f)
				}
			}
		}
	}
}
