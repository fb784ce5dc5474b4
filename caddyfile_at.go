package mount

import (
	"errors"
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddy-mount/mount/balancer"
	"github.com/caddy-mount/mount/handler"
)

// wordError is an error for which one word of a mount is to blame, though it only
// shows when the whole is known.
type wordError struct {
	error
	word string
}

// Unwrap returns the error without the word.
func (e wordError) Unwrap() error { return e.error }

// siteLine is one line of the subdirective site.
type siteLine struct {
	token caddyfile.Token
	bases []string
}

// at returns a dispenser whose errors carry the position of the token.
func at(token caddyfile.Token) *caddyfile.Dispenser {
	d := caddyfile.NewDispenser([]caddyfile.Token{token})
	d.Next()
	return d
}

// note remembers where the current word stands, and refuses it if it is one of once
// and has stood before. Of another that is repeated the last place counts.
func (p *mountParser) note(once ...string) error {
	word := p.Val()
	if _, again := p.places[word]; again && slices.Contains(once, word) {
		return p.Errf("%s is given twice", word)
	}
	if p.places == nil {
		p.places = make(map[string]caddyfile.Token)
	}
	p.places[word] = p.Token()
	return nil
}

// check checks the mount as a whole. An error carries the place of the word that
// is to blame, else that of the directive.
func (p *mountParser) check() error {
	o := p.m.options()
	for _, line := range p.sites {
		// Whether the path of a site is right depends on aware, which may come later.
		if _, err := handler.New(handler.Options{Sites: line.bases, Mode: o.Mode, Prefix: o.Prefix}); err != nil {
			return at(line.token).WrapErr(err)
		}
	}
	err := p.m.check()
	if err == nil {
		return nil
	}
	token := p.directive
	var blamed wordError
	if errors.As(err, &blamed) {
		if place, ok := p.places[blamed.word]; ok {
			token = place
		}
	}
	return at(token).WrapErr(err)
}

// checkSplit checks the split by itself. An error carries the place of the variant
// or word that is to blame, else that of the split.
func (p *mountParser) checkSplit() error {
	_, err := balancer.NewSplit(*p.m.Split)
	if err == nil {
		return nil
	}
	token := p.places["split"]
	var blamed *balancer.SplitError
	if errors.As(err, &blamed) {
		if place, ok := p.places[blamed.Word]; ok {
			token = place
		}
		if blamed.Word == "variant" {
			token = p.variants[blamed.Variant]
		}
	}
	return at(token).WrapErr(err)
}
