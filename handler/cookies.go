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
	// CookieSession has a name that either site may use for its sessions: the
	// mounted site does not see it before it has set one itself, yet a request with
	// it is one visitor's own.
	CookieSession
)

// String returns the class's name in lower case.
func (c CookieClass) String() string {
	switch c {
	case CookieSite:
		return "site"
	case CookieHarmless:
		return "harmless"
	case CookieSession:
		return "session"
	default:
		return "main"
	}
}

// CookieClass classes a request cookie by its name. The patterns of
// Options.Cookies come first, then the harmless names, then WordPress's and the
// names that the site was seen to set, then those of sessions. With the pattern "*",
// and at the root, where no main site is beside the mount, every cookie that is not
// harmless is the site's. It does not allocate.
func (m *Mount) CookieClass(name string) CookieClass {
	all := m.prefix == ""
	for _, p := range m.cookiePatterns {
		switch {
		case p == "*":
			all = true
		case matchCookie(p, name):
			return CookieSite
		}
	}
	switch {
	case harmlessNames.has(name):
		return CookieHarmless
	case all || siteNames.has(name) || isLegacyAuth(name) || m.cookieNames.Has(name):
		return CookieSite
	case slices.Contains(sessionCookies, name):
		return CookieSession
	default:
		return CookieMain
	}
}

// SiteCookie reports whether a request cookie is, or may be, the mounted site's
// own, so that no other visitor may see the answer.
func (m *Mount) SiteCookie(name string) bool {
	class := m.CookieClass(name)
	return class == CookieSite || class == CookieSession
}

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
			if class := v.m.CookieClass(name); class == CookieSite || class == CookieHarmless {
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
// trailing "*" stands for any rest.
var siteCookies = []string{
	"wordpress_logged_in_*", "wordpress_sec_*", "wordpress_rec_*", "wp-resetpass-*",
	"wp-postpass_*", "wordpress_no_cache", "swpm_session", "age-verified*",
	"comment_author_*",
	"woocommerce_*", "wp_woocommerce_session_*", "wc_session_cookie_*",
	"edd_*", "give_wp_session", "wp-give_session_*", "charitable_session*",
	"yith_wcwl_*", "yith_wrvp_*", "wpsc_*", "ecwid*", "ec_*", "bookly*", "xf_*", "jetpack*",
	"wptouch_switch_toggle", "akm_mobile", "w3tc_logged_out", "w3tc_referrer",
	"litespeed_hash", "_lscache_vary*", "vip-go-cb",
}

// harmlessCookies are names on which no answer depends: switches of the admin
// screens' scripts, tests for cookie support, analytics. They win over siteCookies.
var harmlessCookies = []string{
	"wordpress_test_cookie", "wp-settings-*", "wp_lang", "has_js",
	"woocommerce_recently_viewed", "store_notice*",
	"__utm*", "_ga", "_ga_*", "_gid", "_gat*", "_gcl_*", "__qca", "_fbp", "_fbc", "wpl_*",
}

// sessionCookies are names that any application may use for its sessions.
var sessionCookies = []string{"PHPSESSID", "JSESSIONID"}

// DefaultSessionCookies returns the names of cookies that either site may have set.
// The slice is the caller's.
func DefaultSessionCookies() []string { return slices.Clone(sessionCookies) }

// DefaultSiteCookies returns the patterns of the site's cookies that hold without
// configuration. The slice is the caller's.
func DefaultSiteCookies() []string { return slices.Clone(siteCookies) }

// DefaultHarmlessCookies returns the patterns of harmless cookies. The slice is
// the caller's.
func DefaultHarmlessCookies() []string { return slices.Clone(harmlessCookies) }

var siteNames, harmlessNames = newNameSet(siteCookies), newNameSet(harmlessCookies)

// nameSet is a list of names in which a trailing "*" stands for any rest.
type nameSet struct {
	exact map[string]struct{}
	stems []string
}

func newNameSet(patterns []string) nameSet {
	s := nameSet{exact: make(map[string]struct{})}
	for _, p := range patterns {
		if stem, open := strings.CutSuffix(p, "*"); open {
			s.stems = append(s.stems, stem)
		} else {
			s.exact[p] = struct{}{}
		}
	}
	return s
}

// has reports whether name is in the list.
func (s *nameSet) has(name string) bool {
	if _, ok := s.exact[name]; ok {
		return true
	}
	for _, stem := range s.stems {
		if strings.HasPrefix(name, stem) {
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
	piece, pattern, open := strings.Cut(pattern, "*")
	name, ok := strings.CutPrefix(name, piece)
	for open && ok {
		if piece, pattern, open = strings.Cut(pattern, "*"); !open {
			return strings.HasSuffix(name, piece)
		}
		_, name, ok = strings.Cut(name, piece)
	}
	return ok && name == ""
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

	mu sync.Mutex // serialises replacement
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
	return !c.Has(name) && c.add([]string{name}) > 0
}

// Load adds names that were remembered from before, within the same bounds.
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
