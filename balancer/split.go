package balancer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/http/httpguts"
)

const (
	maxVariants = 64
	maxLabel    = 64 // bytes of a label and of the name of a split
	maxWeight   = 1_000_000

	defaultCookieAge = 90 * 24 * time.Hour
)

// SplitBy says by what a visitor is known again.
type SplitBy string

const (
	// ByCookie: by a cookie that the mount sets.
	ByCookie SplitBy = "cookie"
	// ByIP: by the client's address; of IPv6 by its first 64 bits, since
	// devices change the rest by themselves.
	ByIP SplitBy = "ip"
	// ByHeader: by the value of a request field, without one by the address.
	ByHeader SplitBy = "header"
)

// SplitConfig describes an A/B split. The zero value of every optional field is
// its default.
type SplitConfig struct {
	// Name of the split: letters, digits, dot, dash and underscore, at most 64.
	// It seeds the assignment: another name draws all visitors anew.
	Name string `json:"name,omitempty"`

	// Variants, 2 to 64. Their order means nothing.
	Variants []SplitVariant `json:"variants,omitempty"`

	// By what a visitor is known again: `cookie`, `ip` or `header`.
	// Default: `cookie`
	By SplitBy `json:"by,omitempty"`

	// Field is the request field that `header` reads; required then and only
	// allowed then.
	Field string `json:"field,omitempty"`

	// CookieName, only with `cookie`. Default: `mount_split_` and the name
	CookieName string `json:"cookie_name,omitempty"`

	// Secrets sign the cookie, so that a visitor cannot choose a variant by
	// making one up: the first signs, the others still verify, each has at
	// least 16 bytes. Signing that is newly turned on or off draws all visitors
	// anew. Only with `cookie`. Default: not signed
	Secrets []string `json:"secrets,omitempty"`

	// CookieAge is how long the browser keeps the cookie, counted from the
	// visitor's first request. Only with `cookie`. Default: 90 days
	CookieAge caddy.Duration `json:"cookie_age,omitempty"`
}

// SplitVariant is one side of a split.
type SplitVariant struct {
	// Label names the variant in the cache key, in the request field that the
	// site sees, in logs and in metrics. Same form as the name of the split.
	Label string `json:"label,omitempty"`

	// Weight is its share of visitors in proportion to the other weights, from
	// 0 (none) to 1000000.
	Weight int `json:"weight"`

	// Upstreams that serve the variant, as reverse_proxy dials them. Either all
	// variants have some or none has.
	Upstreams []string `json:"upstreams,omitempty"`
}

// Split gives visitors their variants. It is immutable and safe for concurrent
// use.
type Split struct {
	config SplitConfig
	signer signer
	draws  rendezvous
}

// NewSplit checks the configuration.
func NewSplit(c SplitConfig) (*Split, error) {
	if c.By == "" {
		c.By = ByCookie
	}
	if c.By == ByCookie {
		if c.CookieName == "" {
			c.CookieName = "mount_split_" + c.Name
		}
		if c.CookieAge == 0 {
			c.CookieAge = caddy.Duration(defaultCookieAge)
		}
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("split %q: %w", c.Name, err)
	}
	c.Variants = slices.Clone(c.Variants)
	c.Secrets = slices.Clone(c.Secrets)
	var labels []string
	var weights []int
	for _, v := range c.Variants {
		labels = append(labels, v.Label)
		weights = append(weights, v.Weight)
	}
	return &Split{
		config: c,
		signer: signer{c.Name, c.Secrets},
		draws:  newRendezvous(c.Name, labels, weights),
	}, nil
}

func (c SplitConfig) check() error {
	if !isLabel(c.Name) {
		return fmt.Errorf("the name must be 1 to %d letters, digits, dots, dashes and underscores", maxLabel)
	}
	if err := checkVariants(c.Variants); err != nil {
		return err
	}
	hasCookie := c.CookieName != "" || len(c.Secrets) > 0 || c.CookieAge != 0
	switch c.By {
	case ByCookie, ByIP, ByHeader:
	default:
		return wrong("by", "visitors are told apart by cookie, ip or header, not %q", c.By)
	}
	switch {
	case c.By != ByCookie && hasCookie:
		return wrong("by", "a split by %s has no cookie to name, sign or keep", c.By)
	case c.By == ByHeader && !httpguts.ValidHeaderFieldName(c.Field):
		return wrong("by", "%q is not the name of a request field", c.Field)
	case c.By != ByHeader && c.Field != "":
		return wrong("by", "a split by %s reads no request field", c.By)
	case c.By == ByCookie && !httpguts.ValidHeaderFieldName(c.CookieName):
		return wrong("cookie_name", "%q is not the name of a cookie", c.CookieName)
	case c.CookieAge < 0 || c.CookieAge > 0 && time.Duration(c.CookieAge) < time.Second:
		return wrong("cookie_age", "the cookie must be kept for a second or more, not %s", time.Duration(c.CookieAge))
	}
	for _, secret := range c.Secrets {
		if len(secret) < minSecret {
			return wrong("secret", "a secret must have at least %d bytes", minSecret)
		}
	}
	return nil
}

func checkVariants(variants []SplitVariant) error {
	if len(variants) < 2 || len(variants) > maxVariants {
		return fmt.Errorf("there must be 2 to %d variants, not %d", maxVariants, len(variants))
	}
	labels := make(map[string]bool)
	weighty := false
	for i, v := range variants {
		switch {
		case !isLabel(v.Label):
			return wrongVariant(i, "label %q: must be 1 to %d letters, digits, dots, dashes and underscores", v.Label, maxLabel)
		case labels[v.Label]:
			return wrongVariant(i, "variant %s is given twice", v.Label)
		case v.Weight < 0 || v.Weight > maxWeight:
			return wrongVariant(i, "variant %s: the weight must be from 0 to %d, not %d", v.Label, maxWeight, v.Weight)
		case (len(v.Upstreams) > 0) != (len(variants[0].Upstreams) > 0):
			return wrongVariant(i, "variant %s: either all variants have upstreams of their own or none has", v.Label)
		}
		labels[v.Label] = true
		weighty = weighty || v.Weight > 0
		for j, dial := range v.Upstreams {
			if dial == "" || slices.Contains(v.Upstreams[:j], dial) {
				return wrongVariant(i, "variant %s: upstream %q is empty or given twice", v.Label, dial)
			}
		}
	}
	if !weighty {
		return errors.New("all weights are zero")
	}
	return nil
}

// isLabel reports whether s may stand in a cache key, a field, a cookie name and
// a metric label without quoting.
func isLabel(s string) bool {
	return s != "" && len(s) <= maxLabel && strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-", c)
	}) < 0
}

// Assign returns the variant of the visitor with the given id.
func (s *Split) Assign(id string) SplitVariant {
	return s.config.Variants[s.draws.assign(id)]
}

// Groups returns the upstreams of each variant by label, or nil if the variants
// have none of their own.
func (s *Split) Groups() map[string][]string {
	if len(s.config.Variants[0].Upstreams) == 0 {
		return nil
	}
	groups := make(map[string][]string)
	for _, v := range s.config.Variants {
		groups[v.Label] = slices.Clone(v.Upstreams)
	}
	return groups
}
