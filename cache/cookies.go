package cache

import (
	"iter"
	"strings"
)

// CookieClass says whose a cookie is. The zero value is the most careful one
// towards the site: a main cookie never reaches its origin.
type CookieClass uint8

const (
	// CookieMain belongs to the main site; the mounted site never sees it.
	CookieMain CookieClass = iota
	// CookieHarmless reaches the origin when a request passes, and means nothing
	// to the cache.
	CookieHarmless
	// CookieSite belongs to the mounted site: a request that carries it is
	// fetched alone and its answer not stored.
	CookieSite
)

var cookieClassWords = [...]string{CookieMain: "main", CookieHarmless: "harmless", CookieSite: "site"}

// String returns one word.
func (c CookieClass) String() string {
	if int(c) >= len(cookieClassWords) {
		return cookieClassWords[CookieMain]
	}
	return cookieClassWords[c]
}

// harmlessCookies are set for every visitor, or by scripts, and change no page.
// They win over siteCookies.
var harmlessCookies = []string{
	"wordpress_test_cookie", "wp-settings-*", "wp_lang", "has_js", "__utm*", "_ga*", "_gid", "_gat*", "_gcl_*", "__qca",
	"_fbp", "_fbc", "wpl_*", "woocommerce_recently_viewed", "store_notice*",
}

// siteCookies are the names by which WordPress, its shops and its plugins know
// a visitor. PHP and Java sessions are among them: they are by far most often
// the mounted site's, and where they are the main site's, harm is only a miss.
var siteCookies = []string{
	// Logged in, and behind a password.
	"wordpress_*", "wp-resetpass-*", "wp-postpass_*", "swpm_session", "age-verified*",
	"comment_author_*",
	// Shops, donations, wish lists, bookings.
	"woocommerce_*", "wp_woocommerce_session_*", "wc_session_cookie_*",
	"edd_*", "give_wp_session", "charitable_session*",
	"yith_wcwl_session_*", "yith_wrvp_*", "wpsc_*", "ecwid*", "ec_*", "bookly*", "xf_*", "jetpack*",
	// Sessions, and switches between versions of a page.
	"PHPSESSID", "JSESSIONID",
	"wptouch_switch_toggle", "akm_mobile", "w3tc_logged_out", "w3tc_referrer", "litespeed_hash", "_lscache_vary*", "vip-go-cb",
}

// DefaultSiteCookies returns the patterns of site cookies that hold without
// configuration. The slice is the caller's.
func DefaultSiteCookies() []string { return append([]string(nil), siteCookies...) }

// DefaultHarmlessCookies returns the patterns of harmless cookies. The slice is
// the caller's.
func DefaultHarmlessCookies() []string { return append([]string(nil), harmlessCookies...) }

// CookieRules classifies cookies by name. Make it with NewCookieRules; the zero
// value takes every cookie for a main one. It is safe for concurrent use as long
// as Learnt is.
type CookieRules struct {
	operator names
	site     names
	harmless names
	all      bool

	// Learnt, if not nil, reports whether the origin itself has set a cookie of
	// this name. It is asked about names that no pattern knows.
	Learnt func(name string) bool
}

// NewCookieRules returns the default rules with further site cookies. A pattern
// is a name, or a prefix and a final "*"; names are compared exactly, as
// RFC 6265 does. A pattern of the operator's also wins over the harmless names;
// "*" alone, or all, makes a site cookie of every name that is not harmless.
func NewCookieRules(patterns []string, all bool) *CookieRules {
	r := &CookieRules{all: all}
	r.site.add(siteCookies...)
	r.harmless.add(harmlessCookies...)
	for _, p := range patterns {
		if p == "*" {
			r.all = true
			continue
		}
		r.operator.add(p)
	}
	return r
}

// Class returns the class of a cookie by its name.
func (r *CookieRules) Class(name string) CookieClass {
	switch {
	case r.operator.match(name):
		return CookieSite
	case r.harmless.match(name):
		return CookieHarmless
	case r.all, r.site.match(name), r.Learnt != nil && r.Learnt(name):
		return CookieSite
	}
	return CookieMain
}

// Site returns the name of the first site cookie in the lines of a Cookie
// field: the one that makes the request a bypass and that is counted for it. It
// does not allocate.
func (r *CookieRules) Site(lines []string) (name string, ok bool) {
	for _, line := range lines {
		for line != "" {
			name, _, line = cutCookie(line)
			if name != "" && r.Class(name) == CookieSite {
				return name, true
			}
		}
	}
	return "", false
}

// Cookies yields name and value of each pair in the lines of a Cookie field, in
// their order. A pair without "=" is a nameless value, which no rule can know,
// and is yielded with an empty name (RFC 6265bis section 5.6).
func Cookies(lines []string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range lines {
			for line != "" {
				var name, value string
				name, value, line = cutCookie(line)
				if (name != "" || value != "") && !yield(name, value) {
					return
				}
			}
		}
	}
}

// cutCookie cuts the first pair from a Cookie field. Quotes mean nothing in it.
func cutCookie(line string) (name, value, rest string) {
	pair, rest, _ := strings.Cut(line, ";")
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return "", trimOWS(pair), rest
	}
	return trimOWS(name), trimOWS(value), rest
}

// names is a set of exact names and of prefixes, which are few.
type names struct {
	exact    map[string]struct{}
	prefixes []string
}

func (n *names) add(patterns ...string) {
	for _, p := range patterns {
		if prefix, ok := strings.CutSuffix(p, "*"); ok {
			n.prefixes = append(n.prefixes, prefix)
			continue
		}
		if n.exact == nil {
			n.exact = make(map[string]struct{})
		}
		n.exact[p] = struct{}{}
	}
}

func (n *names) match(name string) bool {
	if _, ok := n.exact[name]; ok {
		return true
	}
	for _, prefix := range n.prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
