package mount

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-mount/mount/handler"
)

func init() {
	httpcaddyfile.RegisterDirective("mount", parseMount)
	// After encode, so that authentication, request_header and encode of the
	// site apply; before push, intercept and templates, which must not touch
	// the mounted site's answers.
	httpcaddyfile.RegisterDirectiveOrder("mount", httpcaddyfile.After, "encode")
}

// parseMount parses the directive. Syntax:
//
//	mount [@matcher] <path> [<origin>...] {
//	    name    <label>
//	    site    <base-url>...
//	    aware   [strip_prefix]
//	    public  <base-url>
//	    bare    redirect|serve
//	    cookies all|<pattern>...
//	    authorization pass|drop
//	    transform off|{ ... }
//	    forward strict|<field>...
//	    cache   off|{ ... }
//	    split   <name> { ... }
//	    handle  { <directives> }
//	    # every other subdirective is reverse_proxy's own
//	}
//
// The route has no path matcher: the handler itself decides what is below
// <path>, on the same bytes that it forwards.
func parseMount(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	p := mountParser{Helper: h, m: new(Mount)}
	if err := p.line(); err != nil {
		return nil, err
	}
	if err := p.block(); err != nil {
		return nil, err
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return h.NewRoute(p.matcher, p.m), nil
}

// mountParser holds what one mount directive has said so far.
type mountParser struct {
	httpcaddyfile.Helper
	m       *Mount
	matcher caddy.ModuleMap

	directive caddyfile.Token            // the word mount
	places    map[string]caddyfile.Token // where words of the block stand
	sites     []siteLine
	variants  []caddyfile.Token   // the words variant of the split
	origins   []caddyfile.Token   // upstream addresses as reverse_proxy reads them
	groups    [][]caddyfile.Token // those of each variant of the split
	firstSite string              // base URL of the first http or https origin
	addressed bool                // every https origin is an IP address
	https     bool                // at least one origin is https
	passed    []caddyfile.Segment // subdirectives that are reverse_proxy's own
	handle    caddyfile.Segment
}

// line parses what stands on the directive's own line.
func (p *mountParser) line() error {
	p.Next()
	p.directive = p.Token()
	if !p.NextArg() {
		return p.Err("a mount needs a path: mount [@matcher] <path> [<origin>...]")
	}
	if strings.HasPrefix(p.Val(), "@") {
		p.Prev()
		set, _, err := p.MatcherToken()
		if err != nil {
			return p.WrapErr(err)
		}
		p.matcher = set
		if !p.NextArg() {
			return p.Err("a mount needs a path after its matcher: mount @matcher <path> [<origin>...]")
		}
	}
	path, err := mountPath(p.Val())
	if err != nil {
		return p.WrapErr(err)
	}
	p.m.Path = path
	p.addressed = true
	for p.NextArg() {
		if err := p.origin(); err != nil {
			return err
		}
	}
	return nil
}

// origin takes the current token as an origin: an upstream address as
// reverse_proxy knows it, or a URL that may have a path.
func (p *mountParser) origin() error {
	t := p.Token()
	scheme, _, isURL := strings.Cut(t.Text, "://")
	switch {
	case !isURL, scheme == "h2c":
		p.origins = append(p.origins, t)
		return nil
	case scheme != "http" && scheme != "https":
		return p.Errf("origin %q: expected https://host[:port][/path], http://..., h2c://..., unix//path or host:port", t.Text)
	}
	u, err := url.Parse(t.Text)
	switch {
	case err != nil:
		return p.Errf("origin %q is not a URL: %v", t.Text, err)
	case u.Hostname() == "":
		return p.Errf("origin %q has no host; expected %s://host[:port][/path]", t.Text, scheme)
	case u.User != nil:
		return p.Errf("origin %q must not hold credentials; send them with header_up Authorization", u.Redacted())
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return p.Errf("origin %q must not have a query or fragment; expected %s://host[:port][/path]", t.Text, scheme)
	}
	if scheme == "https" {
		p.https = true
		if _, err := netip.ParseAddr(u.Hostname()); err != nil {
			p.addressed = false
		}
	}
	base := u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/")
	if p.firstSite == "" {
		p.firstSite = base
	} else if first, _ := url.Parse(p.firstSite); first.EscapedPath() != strings.TrimRight(u.EscapedPath(), "/") {
		return p.Errf("origins of one mount must have the same path: %q and %q", p.firstSite, base)
	} else if first.Scheme != u.Scheme {
		return p.Errf("origins of one mount must have the same scheme: %q and %q", p.firstSite, base)
	}
	t.Text = u.Scheme + "://" + u.Host
	p.origins = append(p.origins, t)
	return nil
}

// block parses the subdirectives: ours here, all others are kept for reverse_proxy.
func (p *mountParser) block() error {
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		err := p.note("name", "aware", "public", "bare", "authorization", "transform", "forward", "cache", "split", "handle")
		if err != nil {
			return err
		}
		switch p.Val() {
		case "name":
			err = p.oneWord(&p.m.Name)
		case "site":
			token, args := p.Token(), p.RemainingArgs()
			if len(args) == 0 {
				return p.Err("site needs at least one base URL: site <base-url>...")
			}
			p.m.Site = append(p.m.Site, args...)
			p.sites = append(p.sites, siteLine{token, args})
			err = p.probe(handler.Options{Sites: args})
		case "aware":
			err = p.aware()
		case "public":
			if err = p.oneWord(&p.m.Public); err == nil {
				err = p.probe(handler.Options{Public: p.m.Public})
			}
		case "bare":
			err = p.oneOf(&p.m.Bare, bareRedirect, bareServe)
		case "cookies":
			args := p.RemainingArgs()
			if len(args) == 0 {
				return p.Err("cookies needs a name pattern: cookies all | <pattern>...")
			}
			if slices.Contains(args, "all") {
				args = []string{"*"}
			}
			p.m.Cookies = append(p.m.Cookies, args...)
			err = p.probe(handler.Options{Cookies: args})
		case "authorization":
			err = p.oneOf(&p.m.Authorization, "pass", "drop")
		case "transform":
			err = p.transform()
		case "forward":
			err = p.forwardFields()
		case "cache":
			err = p.cache()
		case "split":
			err = p.split()
		case "handle":
			p.handle = p.NextSegment()
		case "to":
			if !p.NextArg() {
				return p.ArgErr()
			}
			err = p.origin()
			for err == nil && p.NextArg() {
				err = p.origin()
			}
		default:
			seg := p.NextSegment()
			if err = refuseOwnField(seg); err == nil {
				p.passed = append(p.passed, seg)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// probe has one subdirective checked where it stands, so that the error carries
// its line.
func (p *mountParser) probe(o handler.Options) error {
	if len(o.Sites) == 0 {
		o.Sites = []string{"http://site.invalid"}
	}
	if _, err := handler.New(o); err != nil {
		return p.WrapErr(err)
	}
	return nil
}

// forwardFields parses forward strict | <field>...
func (p *mountParser) forwardFields() error {
	args := p.RemainingArgs()
	switch {
	case len(args) == 0 || len(args) > 1 && slices.Contains(args, "strict"):
		return p.Err("expected: forward strict, or forward <field>...")
	case args[0] == "strict":
		p.m.Forward = new(Forward)
		return nil
	}
	p.m.Forward = &Forward{Fields: args}
	if err := p.m.Forward.check(); err != nil {
		return p.WrapErr(err)
	}
	return nil
}

func (p *mountParser) aware() error {
	p.m.Aware = true
	args := p.RemainingArgs()
	switch {
	case len(args) == 0:
	case len(args) == 1 && args[0] == "strip_prefix":
		p.m.StripPrefix = true
	default:
		return p.Errf("expected: aware [strip_prefix], got %q", strings.Join(args, " "))
	}
	return nil
}

// oneWord reads the single argument of a subdirective.
func (p *mountParser) oneWord(into *string) error {
	word := p.Val()
	args := p.RemainingArgs()
	switch {
	case len(args) != 1:
		return p.Errf("%s needs exactly one value, got %d", word, len(args))
	case args[0] == "":
		return p.Errf("%s must not be empty", word)
	}
	*into = args[0]
	return nil
}

// oneOf is oneWord with a closed list of values.
func (p *mountParser) oneOf(into *string, values ...string) error {
	word := p.Val()
	if err := p.oneWord(into); err != nil {
		return err
	}
	if !slices.Contains(values, *into) {
		return p.Errf("%s %q: expected %s", word, *into, strings.Join(values, " or "))
	}
	return nil
}

// finish checks the whole and writes the inner chain.
func (p *mountParser) finish() error {
	dynamic := slices.ContainsFunc(p.passed, func(s caddyfile.Segment) bool { return s.Directive() == "dynamic" })
	if err := p.finishSplit(dynamic); err != nil {
		return err
	}
	switch {
	case p.handle != nil && len(p.origins) > 0:
		return at(p.directive).Err("a mount has either origins or a handle block, not both")
	case p.handle != nil && len(p.passed) > 0:
		return at(p.passed[0][0]).Errf("%s belongs to reverse_proxy; with a handle block, write it on the reverse_proxy in there", p.passed[0].Directive())
	case p.handle == nil && len(p.origins) == 0 && !dynamic:
		return at(p.directive).Errf("mount %s has no origin; expected: mount %s https://blog.example.net, or a handle block", p.m.Path, p.m.Path)
	}
	if len(p.m.Site) == 0 && p.firstSite != "" {
		p.m.Site = []string{p.firstSite}
	}
	if err := p.check(); err != nil {
		return err
	}
	if p.handle != nil {
		return p.finishHandle()
	}
	return p.finishProxy()
}

func (p *mountParser) finishHandle() error {
	sub, err := httpcaddyfile.ParseSegmentAsSubroute(p.WithDispenser(caddyfile.NewDispenser(p.handle)))
	if err != nil {
		return err
	}
	if chain, ok := sub.(*caddyhttp.Subroute); ok && len(chain.Routes) == 0 {
		return at(p.handle[0]).Err("handle is empty; expected the directives that answer for the site, such as php_fastcgi")
	}
	p.m.HandlersRaw = []json.RawMessage{caddyconfig.JSONModuleObject(sub, "handler", "subroute", nil)}
	return nil
}
