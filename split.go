package mount

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/balancer"
)

// splitField is the request field that tells the site which variant a request
// belongs to. What a client sends of it is dropped.
const splitField = "X-Mount-Split"

// split is the A/B split of a provisioned mount. It is immutable.
type split struct {
	*balancer.Split
	variants map[string]*splitVariant // by label
	texts    []string                 // of all variants
	path     string                   // that the cookie is scoped to
}

// splitVariant is one variant of a split.
type splitVariant struct {
	label string
	// text is `<split>=<variant>`: the same in the cache key, the request field,
	// the placeholder and the log, so that none can be taken for another split's.
	text     string
	field    []string // text as a field's lines; only read
	requests [balancer.RecognitionCount]prometheus.Counter
}

// newSplit prepares the split of a mount that has one and whose name is known.
func newSplit(m *Mount) (*split, error) {
	draws, err := balancer.NewSplit(*m.Split)
	if err != nil {
		return nil, err
	}
	s := &split{
		Split:    draws,
		variants: make(map[string]*splitVariant),
		path:     (&url.URL{Path: m.Path}).EscapedPath(),
	}
	for _, v := range m.Split.Variants {
		text := m.Split.Name + "=" + v.Label
		variant := &splitVariant{label: v.Label, text: text, field: []string{text}}
		for by := range balancer.RecognitionCount {
			variant.requests[by] = metrics.splits.WithLabelValues(m.Name, m.Split.Name, v.Label, by.String())
		}
		s.variants[v.Label] = variant
		s.texts = append(s.texts, text)
	}
	return s, nil
}

// checkSplit finds what is wrong in the split by itself, and with the mount.
func (m *Mount) checkSplit() error {
	if m.Split == nil {
		return nil
	}
	s, err := balancer.NewSplit(*m.Split)
	switch {
	case err != nil:
		return err
	case m.Cache != nil && m.Cache.CDN > 0:
		return wordError{errors.New("cache cdn and split exclude each other: a cache in front of Caddy does not know the variants and would mix them"), "cdn"}
	case s.CookieName() != "" && strings.Contains(m.Path, ";"):
		return wordError{fmt.Errorf("split %q: no cookie can be scoped to a path with a semicolon; tell visitors apart by ip or header", m.Split.Name), "split"}
	}
	return nil
}

// grouped returns the inner chain in which each variant is served by its own
// upstreams: the selection policy of the reverse_proxy is put into one that first
// narrows the pool. Without upstreams of the variants' own it is the chain itself.
func grouped(chain []json.RawMessage, groups map[string][]string) ([]json.RawMessage, error) {
	if len(groups) == 0 {
		return chain, nil
	}
	at := -1
	var proxy map[string]json.RawMessage
	for i, raw := range chain {
		var h map[string]json.RawMessage
		if err := json.Unmarshal(raw, &h); err != nil {
			return nil, fmt.Errorf("reading handler %d: %w", i, err)
		}
		if string(h["handler"]) != `"reverse_proxy"` {
			continue
		}
		if at >= 0 {
			return nil, errors.New("variants with upstreams of their own need one reverse_proxy in handle, and there are several")
		}
		at, proxy = i, h
	}
	if at < 0 {
		return nil, errors.New("variants with upstreams of their own need a reverse_proxy in handle")
	}
	var balancing map[string]json.RawMessage
	if raw, ok := proxy["load_balancing"]; ok {
		if err := json.Unmarshal(raw, &balancing); err != nil {
			return nil, fmt.Errorf("reading load_balancing: %w", err)
		}
	}
	if balancing == nil {
		balancing = make(map[string]json.RawMessage)
	}
	policy := balancer.SplitGroups{Groups: groups, WithinRaw: balancing["selection_policy"]}
	balancing["selection_policy"] = caddyconfig.JSONModuleObject(policy, "policy", "mount_split", nil)
	proxy["load_balancing"] = caddyconfig.JSON(balancing, nil)
	chain = slices.Clone(chain)
	chain[at] = caddyconfig.JSON(proxy, nil)
	return chain, nil
}

// assign gives the request its variant, before the cache is asked: in its
// context and the log. It takes the cookie of the split out of
// the request, since it is neither site's: nothing is to be bypassed, keyed or
// sent because of it. It returns the writer for the answer, and a function that
// puts the request back as it was.
func (x *exchange) assign(w http.ResponseWriter) (http.ResponseWriter, func()) {
	s, r := x.m.split, x.r
	if s == nil {
		return w, func() {}
	}
	visitor := x.choose()
	x.variant.requests[visitor.By].Inc()
	if x.log != nil {
		x.log.Set(zap.String("split", x.variant.text))
	}
	answer := &splitWriter{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
	if visitor.Remember {
		answer.cookie = s.Cookie(visitor, s.path, x.v.Public().Scheme == "https").String()
	}
	outer := *r
	*r = *r.WithContext(balancer.WithVariant(r.Context(), x.variant.label))
	r.Header = withoutCookie(r.Header, s.CookieName())
	return answer, func() { *r = outer }
}

// choose sets the variant of the request, which has to have one.
func (x *exchange) choose() balancer.Visitor {
	client, _ := caddyhttp.GetVar(x.r.Context(), caddyhttp.ClientIPVarKey).(string)
	visitor := x.m.split.Visitor(x.r, client)
	x.variant = x.m.split.variants[x.m.split.Assign(visitor.ID).Label]
	return visitor
}

// withoutCookie returns the header without the cookies of that name: h itself if
// there are none, else a copy that shares its values.
func withoutCookie(h http.Header, name string) http.Header {
	var kept []string
	found := false
	for _, line := range h["Cookie"] {
		var pairs []string
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			has, _, _ := strings.Cut(pair, "=")
			if name != "" && strings.TrimRight(has, " \t") == name {
				found = true
			} else if pair != "" {
				pairs = append(pairs, pair)
			}
		}
		if len(pairs) > 0 {
			kept = append(kept, strings.Join(pairs, "; "))
		}
	}
	if !found {
		return h
	}
	h = maps.Clone(h)
	if h["Cookie"] = kept; len(kept) == 0 {
		delete(h, "Cookie")
	}
	return h
}
