package mount

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/headers"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

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
		// A line below the last token, which may be quoted, as no brace is.
		last := tokens[len(tokens)-1]
		brace.Text, brace.File, brace.Line = "}", last.File, last.Line+last.NumLineBreaks()+1
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
	if err := keepHost(rp); err != nil {
		return err
	}
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

// keepHost makes reverse_proxy send Host as the mount has set it: over TLS it
// would put the upstream's address there. The forwarded fields need no line: it
// adds the last hop to X-Forwarded-For and keeps or repeats the rest.
func keepHost(rp *reverseproxy.Handler) error {
	var transport struct {
		TLS json.RawMessage `json:"tls"`
	}
	if len(rp.TransportRaw) > 0 {
		if err := json.Unmarshal(rp.TransportRaw, &transport); err != nil {
			return err
		}
	}
	if transport.TLS == nil {
		return nil
	}
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
	return nil
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
