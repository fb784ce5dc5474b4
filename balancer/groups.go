package balancer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

func init() {
	caddy.RegisterModule((*SplitGroups)(nil))
}

type variantKey struct{}

// WithVariant returns a context that carries the label of the variant that its
// request belongs to. The mount puts it on the request before its inner chain.
func WithVariant(ctx context.Context, label string) context.Context {
	return context.WithValue(ctx, variantKey{}, label)
}

// VariantFrom returns the label that WithVariant put into ctx, and false if
// there is none.
func VariantFrom(ctx context.Context) (label string, ok bool) {
	label, ok = ctx.Value(variantKey{}).(string)
	return label, ok
}

// SplitGroups is the selection policy of a mount whose variants have upstreams
// of their own. It narrows the pool to the upstreams of the variant that the
// mount has chosen, and leaves the choice among them to another policy.
//
// It never leaves the group: if no upstream of the variant is available, or if
// the request belongs to no variant, none is selected and reverse_proxy answers
// 503. A page of one variant would otherwise be stored as one of another.
//
// The mount writes this policy into its reverse_proxy; it has no Caddyfile
// syntax of its own.
type SplitGroups struct {
	// Groups are the addresses of the upstreams by the label of the variant, as
	// they stand in the reverse_proxy (`blog.example.net:443`). Every address
	// must be one of its upstreams, and every upstream must be in a group.
	Groups map[string][]string `json:"groups,omitempty"`

	// The selection policy within each group; every group has its own.
	// Default: `random`
	WithinRaw json.RawMessage `json:"within,omitempty" caddy:"namespace=http.reverse_proxy.selection_policies inline_key=policy"`

	groups map[string]group
}

// group is the upstreams of a variant and the policy that chooses among them.
type group struct {
	pool   reverseproxy.UpstreamPool
	policy reverseproxy.Selector
}

// CaddyModule returns the Caddy module information.
func (*SplitGroups) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.reverse_proxy.selection_policies.mount_split",
		New: func() caddy.Module { return new(SplitGroups) },
	}
}

// Provision finds the upstreams of each group and loads their policies.
func (p *SplitGroups) Provision(ctx caddy.Context) error {
	proxy := enclosingProxy(ctx)
	switch {
	case proxy == nil:
		return errors.New("mount_split has no upstreams to group: it must stand in the configuration of a reverse_proxy")
	case proxy.DynamicUpstreamsRaw != nil:
		return errors.New("mount_split cannot tell which group a dynamic upstream belongs to")
	case len(p.Groups) == 0:
		return errors.New("mount_split has no groups")
	}
	within := p.WithinRaw
	if within == nil {
		within = caddyconfig.JSONModuleObject(reverseproxy.RandomSelection{}, "policy", "random", nil)
	}
	p.groups = make(map[string]group, len(p.Groups))
	grouped := make(map[string]bool)
	for label, dials := range p.Groups {
		pool, err := poolOf(proxy.Upstreams, dials)
		if err != nil {
			return fmt.Errorf("group %s: %w", label, err)
		}
		// Loading empties the raw field; each group loads a policy of its own.
		p.WithinRaw = within
		policy, err := ctx.LoadModule(p, "WithinRaw")
		if err != nil {
			return fmt.Errorf("loading the policy of group %s: %w", label, err)
		}
		p.groups[label] = group{pool, policy.(reverseproxy.Selector)}
		for _, dial := range dials {
			grouped[dial] = true
		}
	}
	for _, u := range proxy.Upstreams {
		if !grouped[u.Dial] {
			return fmt.Errorf("upstream %s is in no group", u.Dial)
		}
	}
	return nil
}

// poolOf returns the upstreams of all that have the given addresses.
func poolOf(all reverseproxy.UpstreamPool, dials []string) (reverseproxy.UpstreamPool, error) {
	if len(dials) == 0 {
		return nil, errors.New("it has no upstreams")
	}
	var pool reverseproxy.UpstreamPool
	for _, dial := range dials {
		before := len(pool)
		for _, u := range all {
			if u.Dial == dial {
				pool = append(pool, u)
			}
		}
		if len(pool) == before {
			return nil, fmt.Errorf("%s is not an upstream of the reverse_proxy", dial)
		}
	}
	return pool, nil
}

// Select returns an available upstream of the request's variant, or nil.
func (p *SplitGroups) Select(_ reverseproxy.UpstreamPool, r *http.Request, w http.ResponseWriter) *reverseproxy.Upstream {
	label, ok := VariantFrom(r.Context())
	if !ok {
		return nil
	}
	g, ok := p.groups[label]
	if !ok {
		return nil
	}
	return g.policy.Select(g.pool, r, w)
}

// Interface guards.
var (
	_ caddy.Provisioner     = (*SplitGroups)(nil)
	_ reverseproxy.Selector = (*SplitGroups)(nil)
)
