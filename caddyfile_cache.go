package mount

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"

	"github.com/caddy-mount/mount/handler"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("mount", parseGlobal)
}

// parseGlobal parses the global option. Syntax:
//
//	mount {
//	    store [<name>] {
//	        memory <size>
//	        disk   <size> [<folder>]
//	    }
//	}
func parseGlobal(d *caddyfile.Dispenser, existing any) (any, error) {
	d.Next()
	if existing != nil {
		return nil, d.Err("the global option mount is given twice")
	}
	app := App{Stores: make(map[string]*Store)}
	if d.NextArg() {
		return nil, d.ArgErr()
	}
	for d.NextBlock(0) {
		if d.Val() != "store" {
			return nil, d.Errf("unknown word %q in the global option mount; expected: store [<name>] { ... }", d.Val())
		}
		name := defaultStore
		if d.NextArg() {
			name = d.Val()
		}
		if d.NextArg() {
			return nil, d.ArgErr()
		}
		if app.Stores[name] != nil {
			return nil, d.Errf("store %s is given twice", name)
		}
		s := new(Store)
		if err := s.check(name); err != nil {
			return nil, d.WrapErr(err)
		}
		for nesting := d.Nesting(); d.NextBlock(nesting); {
			if err := parseStoreWord(d, s); err != nil {
				return nil, err
			}
			if err := s.check(name); err != nil {
				return nil, d.WrapErr(err)
			}
		}
		app.Stores[name] = s
	}
	return httpcaddyfile.App{Name: "mount", Value: caddyconfig.JSON(app, nil)}, nil
}

// parseStoreWord parses one line of a store block.
func parseStoreWord(d *caddyfile.Dispenser, s *Store) error {
	switch d.Val() {
	case "memory":
		if s.Memory != 0 {
			return d.Err("memory is given twice")
		}
		return sizeArg(d, &s.Memory)
	case "disk":
		if s.Disk != 0 {
			return d.Err("disk is given twice")
		}
		args := d.RemainingArgs()
		if len(args) < 1 || len(args) > 2 {
			return d.Err("expected: disk <size> [<folder>], as in disk 20GB")
		}
		size, err := parseSize(args[0])
		if err != nil {
			return d.Errf("disk: %v", err)
		}
		if size == 0 {
			return d.Err("disk must not be zero; leave the line out for a store in memory only")
		}
		s.Disk = size
		if len(args) == 2 {
			s.Folder = args[1]
		}
		return nil
	}
	return d.Errf("unknown word %q in store; expected: memory <size> or disk <size> [<folder>]", d.Val())
}

// cache parses the subdirective. Syntax:
//
//	cache off | {
//	    store <name>
//	    ttl [<status>...] <duration> [<path>...]
//	    stale_while_revalidate <duration>
//	    stale_if_error <duration>
//	    max_body <size>
//	    key <placeholder>...
//	    drop_query <pattern>...
//	    bypass <matcher>
//	    bypass_cookie <pattern>...
//	    bypass_path <path>...
//	    heuristic on|off
//	    browser <duration>
//	    cdn <duration>
//	    encodings br|zstd|gzip... | off
//	    purge {
//	        from <range>...
//	        secret <token>
//	    }
//	}
func (p *mountParser) cache() error {
	c := new(Cache)
	p.m.Cache = c
	if p.NextArg() {
		if p.Val() != "off" || p.NextArg() {
			return p.Errf("cache %s: expected cache off or a block", p.Val())
		}
		c.Off = true
		return nil
	}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		err := p.note("store", "stale_while_revalidate", "stale_if_error", "max_body", "heuristic", "browser", "cdn", "encodings", "purge")
		if err != nil {
			return err
		}
		word := p.Token()
		if err := p.cacheWord(c); err != nil {
			return err
		}
		if err := c.check(); err != nil {
			return at(word).WrapErr(err)
		}
	}
	return nil
}

func (p *mountParser) cacheWord(c *Cache) error {
	switch p.Val() {
	case "store":
		if err := p.oneWord(&c.Store); err != nil {
			return err
		}
		return p.checkStore(c.Store)
	case "ttl":
		return p.ttl(c)
	case "stale_while_revalidate":
		return durationArg(p.Dispenser, &c.StaleWhileRevalidate)
	case "stale_if_error":
		c.StaleIfError = new(caddy.Duration)
		return durationArg(p.Dispenser, c.StaleIfError)
	case "max_body":
		return sizeArg(p.Dispenser, &c.MaxBody)
	case "key":
		return p.words(&c.Key, "key <placeholder>...")
	case "drop_query":
		return p.words(&c.DropQuery, "drop_query <pattern>...")
	case "bypass":
		set, ok, err := p.MatcherToken()
		if err != nil {
			return p.WrapErr(err)
		}
		if !ok || set == nil {
			return p.Err("bypass needs a matcher: bypass @name, or bypass /path/*")
		}
		c.BypassRaw = append(c.BypassRaw, set)
		if p.NextArg() {
			return p.ArgErr()
		}
		return nil
	case "bypass_cookie":
		if err := p.words(&c.BypassCookie, "bypass_cookie <pattern>..."); err != nil {
			return err
		}
		return p.probe(handler.Options{Cookies: c.BypassCookie})
	case "bypass_path":
		return p.words(&c.BypassPath, "bypass_path <path>...")
	case "heuristic":
		var word string
		if err := p.oneOf(&word, "on", "off"); err != nil {
			return err
		}
		c.Heuristic = word == "on"
		return nil
	case "browser":
		return durationArg(p.Dispenser, &c.Browser)
	case "cdn":
		return durationArg(p.Dispenser, &c.CDN)
	case "encodings":
		return p.words(&c.Encodings, "encodings br|zstd|gzip... | off")
	}
	if p.Val() == "purge" {
		return p.purge(c)
	}
	return p.Errf("unknown word %q in cache; expected one of store, ttl, stale_while_revalidate, stale_if_error, max_body, key, drop_query, "+
		"bypass, bypass_cookie, bypass_path, heuristic, browser, cdn, encodings, purge", p.Val())
}

// checkStore looks for a store among those of the global option, which is parsed
// before any site.
func (p *mountParser) checkStore(name string) error {
	var app App
	if option, ok := p.Option("mount").(httpcaddyfile.App); ok {
		if err := json.Unmarshal(option.Value, &app); err != nil {
			return p.WrapErr(err)
		}
	}
	if err := app.checkStore(name); err != nil {
		return p.WrapErr(err)
	}
	return nil
}

// purge parses the block that says who may purge.
func (p *mountParser) purge(c *Cache) error {
	c.Purge = new(Purge)
	if p.NextArg() {
		return p.Err("purge takes a block: purge { from <range>... }, or { secret <token> }")
	}
	for nesting := p.Nesting(); p.NextBlock(nesting); {
		var err error
		switch p.Val() {
		case "from":
			err = p.words(&c.Purge.From, "from <range>...")
		case "secret":
			if c.Purge.Secret != "" {
				return p.Err("secret is given twice")
			}
			err = p.oneWord(&c.Purge.Secret)
		default:
			err = p.Errf("unknown word %q in purge; expected: from <range>... or secret <token>", p.Val())
		}
		if err != nil {
			return err
		}
		if err := c.Purge.check(); err != nil {
			return p.WrapErr(err)
		}
	}
	return nil
}

// ttl parses [<status>...] <duration> [<path>...].
func (p *mountParser) ttl(c *Cache) error {
	const form = "ttl [<status>...] <duration> [<path>...]"
	args := p.RemainingArgs()
	var t TTL
	for len(args) > 0 {
		status, err := strconv.Atoi(args[0])
		if err != nil {
			break
		}
		t.Status = append(t.Status, status)
		args = args[1:]
	}
	if len(args) == 0 {
		return p.Errf("ttl has no duration; expected: %s, as in ttl 5m", form)
	}
	d, err := caddy.ParseDuration(args[0])
	if err != nil {
		return p.Errf("ttl %q is not a duration; expected: %s, as in ttl 5m", args[0], form)
	}
	t.Duration, t.Path = caddy.Duration(d), args[1:]
	c.TTL = append(c.TTL, t)
	return nil
}

// words appends the arguments of a subdirective, of which there must be one.
func (p *mountParser) words(into *[]string, form string) error {
	args := p.RemainingArgs()
	if len(args) == 0 || slices.ContainsFunc(args, func(s string) bool { return strings.TrimSpace(s) == "" }) {
		return p.Errf("expected: %s", form)
	}
	*into = append(*into, args...)
	return nil
}

func durationArg(d *caddyfile.Dispenser, into *caddy.Duration) error {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) != 1 {
		return d.Errf("%s needs one duration, as in %s 10m", word, word)
	}
	v, err := caddy.ParseDuration(args[0])
	if err != nil || v < 0 || v > 100*365*24*time.Hour {
		return d.Errf("%s %q is not a duration; expected a number with a unit, as in %s 10m", word, args[0], word)
	}
	*into = caddy.Duration(v)
	return nil
}

func sizeArg(d *caddyfile.Dispenser, into *Size) error {
	word := d.Val()
	args := d.RemainingArgs()
	if len(args) != 1 {
		return d.Errf("%s needs one size, as in %s 64MiB", word, word)
	}
	size, err := parseSize(args[0])
	if err != nil {
		return d.Errf("%s: %v", word, err)
	}
	if size == 0 {
		return d.Errf("%s must not be zero", word)
	}
	*into = size
	return nil
}
