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
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"

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

	directive caddyfile.Token     // the word mount, whose position errors carry
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
			return err
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
		var err error
		switch p.Val() {
		case "name":
			err = p.oneWord(&p.m.Name)
		case "site":
			args := p.RemainingArgs()
			if len(args) == 0 {
				return p.Err("site needs at least one base URL: site <base-url>...")
			}
			p.m.Site = append(p.m.Site, args...)
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
			if p.handle != nil {
				return p.Err("handle is given twice")
			}
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
	case p.m.Forward != nil:
		return p.Err("forward is given twice")
	case len(args) == 0:
		return p.Err("expected: forward strict, or forward <field>...")
	case len(args) == 1 && args[0] == "strict":
		p.m.Forward = new(Forward)
		return nil
	}
	p.m.Forward = &Forward{Fields: args}
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

// oneWord reads the single argument of a subdirective that may stand once.
func (p *mountParser) oneWord(into *string) error {
	word := p.Val()
	if *into != "" {
		return p.Errf("%s is given twice", word)
	}
	args := p.RemainingArgs()
	if len(args) != 1 || args[0] == "" {
		return p.Errf("%s needs exactly one value, got %d", word, len(args))
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
	at := caddyfile.NewDispenser([]caddyfile.Token{p.directive})
	at.Next()
	dynamic := slices.ContainsFunc(p.passed, func(s caddyfile.Segment) bool { return s.Directive() == "dynamic" })
	if err := p.finishSplit(dynamic); err != nil {
		return err
	}
	switch {
	case p.handle != nil && len(p.origins) > 0:
		return at.Err("a mount has either origins or a handle block, not both")
	case p.handle != nil && len(p.passed) > 0:
		return at.Errf("%s belongs to reverse_proxy; with a handle block, write it on the reverse_proxy in there", p.passed[0].Directive())
	case p.handle == nil && len(p.origins) == 0 && !dynamic:
		return at.Errf("mount %s has no origin; expected: mount %s https://blog.example.net, or a handle block", p.m.Path, p.m.Path)
	}
	if len(p.m.Site) == 0 && p.firstSite != "" {
		p.m.Site = []string{p.firstSite}
	}
	if err := p.m.check(); err != nil {
		return at.WrapErr(err)
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
	p.m.HandlersRaw = []json.RawMessage{caddyconfig.JSONModuleObject(sub, "handler", "subroute", nil)}
	return nil
}

// finishProxy hands all that is not ours to reverse_proxy's own parser, token
// by token, so that its errors carry their own file and line.
func (p *mountParser) finishProxy() error {
	tokens := p.proxyLine(p.origins)
	if len(p.passed) > 0 {
		brace := p.directive
		brace.Text = "{"
		tokens = append(tokens, brace)
		for _, seg := range p.passed {
			tokens = append(tokens, seg...)
		}
		brace = tokens[len(tokens)-1]
		brace.Text = "}"
		brace.Line++
		tokens = append(tokens, brace)
	}
	d := caddyfile.NewDispenser(tokens)
	rp := new(reverseproxy.Handler)
	if err := rp.UnmarshalCaddyfile(d); err != nil {
		return err
	}
	if err := rp.FinalizeUnmarshalCaddyfile(p.WithDispenser(d)); err != nil {
		return err
	}
	if len(p.groups) > 0 {
		rp.Upstreams = distinct(rp.Upstreams)
	}
	p.forward(rp)
	if err := p.serverName(rp); err != nil {
		return err
	}
	p.m.HandlersRaw = []json.RawMessage{caddyconfig.JSONModuleObject(rp, "handler", "reverse_proxy", nil)}
	return nil
}

// proxyLine returns the line of a reverse_proxy to the upstreams.
func (p *mountParser) proxyLine(upstreams []caddyfile.Token) []caddyfile.Token {
	word := p.directive
	word.Text = "reverse_proxy"
	tokens := []caddyfile.Token{word}
	for _, u := range upstreams {
		u.Line, u.File = word.Line, word.File // one line, wherever "to" or a variant stood
		tokens = append(tokens, u)
	}
	return tokens
}

// forward makes reverse_proxy send the fields as the mount has set them: it
// would else put the upstream's address into Host, append the peer to
// X-Forwarded-For a second time and send X-Forwarded-Host to a site that knows
// nothing of its public address.
func (p *mountParser) forward(rp *reverseproxy.Handler) {
	if rp.Headers == nil {
		rp.Headers = new(headers.Handler)
	}
	if rp.Headers.Request == nil {
		rp.Headers.Request = new(headers.HeaderOps)
	}
	ops := rp.Headers.Request
	if ops.Set == nil {
		ops.Set = make(map[string][]string)
	}
	ops.Set["Host"] = []string{"{http.request.hostport}"}
	ops.Set["X-Forwarded-For"] = []string{"{http.request.header.X-Forwarded-For}"}
	if !p.m.Aware {
		ops.Delete = append(ops.Delete, "X-Forwarded-Host")
	}
}

// serverName sets the TLS server name to the site's host where every https
// origin is an address, which can name no certificate. Origins with names are
// dialled with their own.
func (p *mountParser) serverName(rp *reverseproxy.Handler) error {
	if !p.https || !p.addressed || len(p.m.Site) == 0 {
		return nil
	}
	site, err := url.Parse(p.m.Site[0])
	if err != nil {
		return err
	}
	if _, err := netip.ParseAddr(site.Hostname()); err == nil {
		return nil
	}
	var transport map[string]json.RawMessage
	if err := json.Unmarshal(rp.TransportRaw, &transport); err != nil {
		return err
	}
	tls := make(map[string]json.RawMessage)
	if raw, ok := transport["tls"]; ok {
		if err := json.Unmarshal(raw, &tls); err != nil {
			return err
		}
	}
	if _, ok := tls["server_name"]; ok {
		return nil
	}
	tls["server_name"] = caddyconfig.JSON(site.Hostname(), nil)
	transport["tls"] = caddyconfig.JSON(tls, nil)
	rp.TransportRaw = caddyconfig.JSON(transport, nil)
	return nil
}

// ownFields are the request fields that the mount sets on the way to the site.
var ownFields = []string{
	"Accept-Encoding", "Cdn-Loop", "Cookie", "Destination", "Forwarded", "Host", "Origin", "Referer",
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto", splitField, "X-Real-Ip",
}

// refuseOwnField stops header_up from setting what the mount itself sets: the
// value would be keyed and mapped as one thing and sent as another.
func refuseOwnField(seg caddyfile.Segment) error {
	if seg.Directive() != "header_up" || len(seg) < 2 {
		return nil
	}
	field := strings.TrimLeft(seg[1].Text, "+-?>")
	if !slices.ContainsFunc(ownFields, func(own string) bool { return strings.EqualFold(own, field) }) {
		return nil
	}
	d := caddyfile.NewDispenser(seg)
	d.Next()
	return d.Errf("header_up %s: the mount sets this field from what it maps and keys, so another value would break links, logins or the cache; "+
		"say what the site believes its address is with site, aware or public", field)
}
