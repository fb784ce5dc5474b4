package mount

import (
	"slices"
	"strconv"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

	"github.com/caddy-mount/mount/balancer"
)

const variantForm = "variant <label> <weight> [<upstream>...]"

// split parses the subdirective. Syntax:
//
//	split <name> {
//	    variant     <label> <weight> [<upstream>...]
//	    by          cookie | ip | header <field>
//	    cookie_name <name>
//	    cookie_age  <duration>
//	    secret      <token>...
//	}
func (p *mountParser) split() error {
	token := p.Token()
	c := new(balancer.SplitConfig)
	p.m.Split = c
	args := p.RemainingArgs()
	if len(args) != 1 {
		return at(token).Errf("split needs exactly one name, got %d; expected: split <name> { %s ... }", len(args), variantForm)
	}
	c.Name = args[0]
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		if err := p.splitWord(c); err != nil {
			return err
		}
	}
	return p.checkSplit()
}

func (p *mountParser) splitWord(c *balancer.SplitConfig) error {
	if err := p.note("by", "cookie_name", "cookie_age"); err != nil {
		return err
	}
	switch p.Val() {
	case "variant":
		return p.variant(c)
	case "by":
		args := p.RemainingArgs()
		switch {
		case len(args) == 1 && args[0] != string(balancer.ByHeader):
			c.By = balancer.SplitBy(args[0])
		case len(args) == 2 && args[0] == string(balancer.ByHeader):
			c.By, c.Field = balancer.ByHeader, args[1]
		default:
			return p.Err("expected: by cookie, by ip, or by header <field>")
		}
		return nil
	case "cookie_name":
		return p.oneWord(&c.CookieName)
	case "cookie_age":
		if err := durationArg(p.Dispenser, &c.CookieAge); err != nil {
			return err
		}
		if c.CookieAge == 0 {
			return p.Err("cookie_age must not be zero")
		}
		return nil
	case "secret":
		return p.words(&c.Secrets, "secret <token>...")
	}
	return p.Errf("unknown word %q in split; expected one of variant, by, cookie_name, cookie_age, secret", p.Val())
}

// variant parses one variant. The tokens of its upstreams are kept until
// reverse_proxy's parser has said what they dial.
func (p *mountParser) variant(c *balancer.SplitConfig) error {
	var v balancer.SplitVariant
	p.variants = append(p.variants, p.Token())
	if !p.NextArg() {
		return p.Errf("expected: %s", variantForm)
	}
	v.Label = p.Val()
	if !p.NextArg() {
		return p.Errf("variant %s has no weight; expected: %s", v.Label, variantForm)
	}
	var err error
	if v.Weight, err = strconv.Atoi(p.Val()); err != nil {
		return p.Errf("variant %s: the weight %q is not a whole number; expected: %s", v.Label, p.Val(), variantForm)
	}
	before := len(p.origins)
	for p.NextArg() {
		if err := p.origin(); err != nil {
			return err
		}
		v.Upstreams = append(v.Upstreams, p.Val())
	}
	p.groups = append(p.groups, slices.Clone(p.origins[before:]))
	p.origins = p.origins[:before]
	c.Variants = append(c.Variants, v)
	return nil
}

// finishSplit says of each variant what its upstreams dial, and makes them the
// origins of the mount.
func (p *mountParser) finishSplit(dynamic bool) error {
	grouped := slices.Concat(p.groups...)
	if len(grouped) == 0 {
		return nil
	}
	switch {
	case p.handle != nil:
		return at(grouped[0]).Err("upstreams of a variant need the mount's own reverse_proxy; with a handle block, choose in there by {http.mount.split}")
	case dynamic:
		return at(grouped[0]).Err("upstreams of a variant and dynamic exclude each other: nothing says which variant a dynamic upstream belongs to")
	}
	var all []string
	for i, group := range p.groups {
		dials, err := p.dials(group)
		if err != nil {
			return err
		}
		p.m.Split.Variants[i].Upstreams = dials
		all = append(all, dials...)
	}
	for _, origin := range p.origins {
		dials, err := p.dials([]caddyfile.Token{origin})
		if err != nil {
			return err
		}
		for _, dial := range dials {
			if !slices.Contains(all, dial) {
				return at(origin).Errf("origin %s is in no variant of split %s and would get no request: give it to a variant, or leave it out", origin.Text, p.m.Split.Name)
			}
		}
	}
	p.origins = grouped
	return nil
}

// dials returns the addresses that reverse_proxy dials for upstreams.
func (p *mountParser) dials(upstreams []caddyfile.Token) ([]string, error) {
	rp := new(reverseproxy.Handler)
	tokens := p.proxyLine(upstreams)
	for i := range tokens {
		tokens[i].Line, tokens[i].File = upstreams[0].Line, upstreams[0].File // of the variant
	}
	if err := rp.UnmarshalCaddyfile(caddyfile.NewDispenser(tokens)); err != nil {
		return nil, err
	}
	var dials []string
	for _, u := range rp.Upstreams {
		dials = append(dials, u.Dial)
	}
	return dials, nil
}

// distinct returns the upstreams without those whose address came before: one
// that serves several variants has one health.
func distinct(upstreams reverseproxy.UpstreamPool) reverseproxy.UpstreamPool {
	var pool reverseproxy.UpstreamPool
	for _, u := range upstreams {
		if !slices.ContainsFunc(pool, func(other *reverseproxy.Upstream) bool { return other.Dial == u.Dial }) {
			pool = append(pool, u)
		}
	}
	return pool
}
