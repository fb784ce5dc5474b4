package handler

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// CookieClass says whose a request cookie is.
type CookieClass uint8

const (
	// CookieMain is the main site's: the mounted site never sees it.
	CookieMain CookieClass = iota
	// CookieSite is the mounted site's: a request with it is one visitor's own.
	CookieSite
	// CookieHarmless is the mounted site's too, but no answer depends on it: it is
	// sent along and the cache ignores it.
	CookieHarmless
)

// String returns the class's name in lower case.
func (c CookieClass) String() string {
	switch c {
	case CookieSite:
		return "site"
	case CookieHarmless:
		return "harmless"
	default:
		return "main"
	}
}

// CookieClass classes a request cookie by its name. The patterns of
// Options.Cookies come first, then the harmless names, then WordPress's and the
// names that the site was seen to set. A mount at the root has no main site
// beside it: there every cookie that is not harmless is the site's.
func (m *Mount) CookieClass(name string) CookieClass {
	for _, p := range m.cookiePatterns {
		if matchCookie(p, name) {
			return CookieSite
		}
	}
	switch {
	case nameIn(name, harmlessCookies):
		return CookieHarmless
	case m.prefix == "" || nameIn(name, siteCookies) || isLegacyAuth(name) || m.cookieNames.Has(name):
		return CookieSite
	default:
		return CookieMain
	}
}

// SiteCookie reports whether a request cookie is the mounted site's own.
func (m *Mount) SiteCookie(name string) bool { return m.CookieClass(name) == CookieSite }

// CookieNames returns the names that the site was seen to set. MapHeader reports
// new ones to its caller, who adds them here with Learn.
func (m *Mount) CookieNames() *CookieNames { return m.cookieNames }

// filterCookies keeps the cookies that the site may see, in one field (RFC 9113
// section 8.2.3 allows several).
func (v *View) filterCookies(h http.Header) {
	lines := h["Cookie"]
	if len(lines) == 0 {
		return
	}
	var room [16]string // most browsers send fewer
	kept := room[:0]
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			pair = strings.Trim(pair, " \t")
			name, _, valued := strings.Cut(pair, "=")
			name = strings.TrimRight(name, " \t")
			if pair == "" {
				continue
			}
			// A pair without a name is nobody's; below a prefix it could be the
			// main site's.
			if (!valued || name == "") && v.m.prefix != "" {
				continue
			}
			if v.m.CookieClass(name) != CookieMain {
				kept = append(kept, pair)
			}
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = []string{strings.Join(kept, "; ")}
}

// siteCookies are names that WordPress and its widespread plugins set. A
// trailing "*" stands for any rest. Names that any application might use, such
// as PHPSESSID, are not among them: they are the main site's until the mounted
// site sets one itself.
var siteCookies = []string{
	"wordpress_logged_in_*", "wordpress_sec_*", "wordpress_rec_*", "wp-resetpass-*",
	"wp-postpass_*", "wordpress_no_cache", "swpm_session", "age-verified*",
	"comment_author_*",
	"woocommerce_*", "wp_woocommerce_session_*", "wc_session_cookie_*",
	"edd_*", "give_wp_session", "wp-give_session_*", "charitable_session*",
	"yith_wcwl_*", "yith_wrvp_*", "wpsc_*", "ecwid*", "ec_*", "bookly*", "jetpack*",
	"wptouch_switch_toggle", "akm_mobile", "w3tc_logged_out", "w3tc_referrer",
	"litespeed_hash", "_lscache_vary*", "vip-go-cb",
}

// harmlessCookies are names on which no answer depends: switches of the admin
// screens' scripts, tests for cookie support, analytics.
var harmlessCookies = []string{
	"wordpress_test_cookie", "wp-settings-*", "wp_lang", "has_js",
	"woocommerce_recently_viewed", "store_notice*",
	"__utm*", "_ga", "_ga_*", "_gid", "_gat*", "__qca", "_fbp", "wpl_*",
}

// nameIn reports whether name is in a list in which a trailing "*" stands for any
// rest.
func nameIn(name string, list []string) bool {
	for _, p := range list {
		if stem, open := strings.CutSuffix(p, "*"); name == stem || open && strings.HasPrefix(name, stem) {
			return true
		}
	}
	return false
}

// isLegacyAuth reports whether name is WordPress's plain authentication cookie:
// "wordpress_" and an MD5 sum.
func isLegacyAuth(name string) bool {
	sum, ok := strings.CutPrefix(name, "wordpress_")
	return ok && len(sum) == 32 && strings.Trim(sum, "0123456789abcdef") == ""
}

// matchCookie reports whether name matches a pattern in which "*" stands for any bytes.
func matchCookie(pattern, name string) bool {
	pieces := strings.Split(pattern, "*")
	if len(pieces) == 1 {
		return pattern == name
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(name, piece)
		if i < 0 {
			return false
		}
		name = name[i+len(piece):]
	}
	return strings.HasSuffix(name, last)
}

const (
	// maxCookieNames bounds how many names a site can teach.
	maxCookieNames = 512
	// maxCookieNameBytes bounds one of them.
	maxCookieNameBytes = 128
)

// CookieNames is the set of cookie names that a site was seen to set. Its zero
// value is empty and ready. It is safe for concurrent use; Has takes no lock.
// Once it holds 512 names it learns no more and forgets none: a visitor's
// session must not end because of other names.
type CookieNames struct {
	names atomic.Pointer[map[string]struct{}] // replaced, never changed

	mu      sync.Mutex    // serialises replacement
	changed chan struct{} // guarded by mu; nil until asked for
}

// Has reports whether the site was seen to set the name.
func (c *CookieNames) Has(name string) bool {
	names := c.names.Load()
	if names == nil {
		return false
	}
	_, ok := (*names)[name]
	return ok
}

// Learn adds a name and reports whether it is new. Empty names, names over 128
// bytes and names beyond the 512th are not added.
func (c *CookieNames) Learn(name string) bool {
	if c.Has(name) || c.add([]string{name}) == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.channel() <- struct{}{}:
	default:
	}
	return true
}

// Load adds names that were remembered from before, within the same bounds. It
// is no change that Changed reports.
func (c *CookieNames) Load(names []string) { c.add(names) }

// Snapshot returns the names in order. The slice is the caller's.
func (c *CookieNames) Snapshot() []string {
	names := c.names.Load()
	if names == nil {
		return nil
	}
	all := make([]string, 0, len(*names))
	for name := range *names {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// Changed returns the channel that holds a value while Learn added names that
// nobody was told of. One value stands for any number of names.
func (c *CookieNames) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.channel()
}

// channel returns the channel of Changed. The caller holds mu.
func (c *CookieNames) channel() chan struct{} {
	if c.changed == nil {
		c.changed = make(chan struct{}, 1)
	}
	return c.changed
}

// add adds what is new and within bounds and returns how many that were.
func (c *CookieNames) add(names []string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := make(map[string]struct{})
	if known := c.names.Load(); known != nil {
		if len(*known) >= maxCookieNames {
			return 0
		}
		next = maps.Clone(*known)
	}
	before := len(next)
	for _, name := range names {
		if len(next) < maxCookieNames && name != "" && len(name) <= maxCookieNameBytes {
			next[name] = struct{}{}
		}
	}
	if len(next) > before {
		c.names.Store(&next)
	}
	return len(next) - before
}
