package cache

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// PolicySource names the field that a Policy's lifetime comes from.
type PolicySource uint8

const (
	// PolicyCacheControl is Cache-Control with Expires; also when there is neither.
	PolicyCacheControl PolicySource = iota
	// PolicyCDNCacheControl is CDN-Cache-Control (RFC 9213 section 3.1).
	PolicyCDNCacheControl
	// PolicySurrogateControl is Surrogate-Control.
	PolicySurrogateControl
)

var policySourceWords = [...]string{
	PolicyCacheControl:     "cache-control",
	PolicyCDNCacheControl:  "cdn-cache-control",
	PolicySurrogateControl: "surrogate-control",
}

// String returns the field's name in lower case.
func (s PolicySource) String() string {
	if int(s) >= len(policySourceWords) {
		return policySourceWords[PolicyCacheControl]
	}
	return policySourceWords[s]
}

// Policy is what this shared cache obeys of one response: the directives of
// the field that speaks to it, and the limits that other fields set. The zero
// value states nothing.
type Policy struct {
	ResponseDirectives

	// Source is where the lifetime comes from.
	Source PolicySource

	// IgnoreExpires means that a targeted field speaks in the place of both
	// Cache-Control and Expires (RFC 9213 section 2.1).
	IgnoreExpires bool

	// Limit, if stated, is an upper bound of the freshness lifetime that other
	// fields set. It never creates one.
	Limit Delta
}

// ResponsePolicy reads the one Policy of a response. The time now turns
// absolute times into durations.
//
//   - A valid, non-empty CDN-Cache-Control replaces Cache-Control and Expires in
//     both directions (RFC 9213 section 2.2). It is a Structured Field and is
//     ignored if it is invalid or gives a directive a value of the wrong type.
//   - Else Surrogate-Control, which page caches of WordPress send, states the
//     lifetime and the stale windows in the place of Cache-Control and Expires,
//     as surrogates have always read it. No RFC lets it lift a restriction, so
//     who may see the response (no-store, private, no-cache, the revalidate
//     family) is what both fields say together, and must-understand, which would
//     lift no-store, is read only if both fields say it.
//   - X-Accel-Expires, X-LiteSpeed-Cache-Control, and what plugins tell Cloudflare
//     and VCaching were made for other servers and may only restrict: they forbid
//     storing or bound the lifetime.
func ResponsePolicy(h http.Header, now time.Time) Policy {
	var p Policy
	if d, ok := parseTargeted(h["Cdn-Cache-Control"]); ok {
		p.ResponseDirectives, p.Source, p.IgnoreExpires = d, PolicyCDNCacheControl, true
	} else {
		p.ResponseDirectives = ParseResponseDirectives(h["Cache-Control"])
		p.obeySurrogateControl(h["Surrogate-Control"])
	}
	p.obeyAccelExpires(h["X-Accel-Expires"], now)
	p.obeyLiteSpeed(h["X-Litespeed-Cache-Control"])
	p.obeyPlugins(h)
	return p
}

// parseTargeted parses a targeted field (RFC 9213 section 2.1). A wrong type is
// treated like a parsing error: what its sender meant is not known, and the
// field would otherwise replace a Cache-Control that may be stricter.
func parseTargeted(lines []string) (ResponseDirectives, bool) {
	var d ResponseDirectives
	if len(lines) == 0 {
		return d, false
	}
	members, ok := parseDictionary(lines)
	if !ok || len(members) == 0 {
		return d, false
	}
	for _, m := range members {
		v := m.value
		if v.kind == kindBoolean && !v.boolean {
			continue // a false member is an absent directive
		}
		switch m.key {
		case "max-age", "s-maxage", "stale-while-revalidate", "stale-if-error":
			if v.kind != kindInteger {
				return ResponseDirectives{}, false
			}
			d.set(m.key, strconv.FormatInt(v.integer, 10), true)
		case "no-cache", "private":
			if v.kind != kindBoolean && v.kind != kindString && v.kind != kindToken {
				return ResponseDirectives{}, false
			}
			d.set(m.key, v.text, v.kind != kindBoolean)
		default:
			d.set(m.key, "", v.kind != kindBoolean)
		}
	}
	return d, true
}

// obeySurrogateControl merges Surrogate-Control as ResponsePolicy says.
func (p *Policy) obeySurrogateControl(lines []string) {
	if len(lines) == 0 {
		return
	}
	s := ParseResponseDirectives(lines)
	p.NoStore = p.NoStore || s.NoStore
	p.NoCache = p.NoCache || s.NoCache
	p.Private = p.Private || s.Private
	p.MustRevalidate = p.MustRevalidate || s.MustRevalidate
	p.ProxyRevalidate = p.ProxyRevalidate || s.ProxyRevalidate
	p.NoTransform = p.NoTransform || s.NoTransform
	p.MustUnderstand = p.MustUnderstand && s.MustUnderstand
	p.NoCacheFields = append(p.NoCacheFields, s.NoCacheFields...)
	if !s.MaxAge.Stated && !s.SMaxAge.Stated {
		return
	}
	p.Source, p.IgnoreExpires = PolicySurrogateControl, true
	if p.SMaxAge.Stated {
		// The lifetime of s-maxage is replaced; that it forbids stale reuse is a
		// restriction and stays (RFC 9111 section 5.2.2.10).
		p.ProxyRevalidate = true
	}
	p.MaxAge, p.SMaxAge = s.MaxAge, s.SMaxAge
	p.StaleWhileRevalidate, p.StaleIfError = s.StaleWhileRevalidate, s.StaleIfError
}

// obeyAccelExpires reads nginx's X-Accel-Expires: seconds, "@" and a Unix time,
// or "off"; zero and "off" mean not to cache. What is none of these is ignored.
func (p *Policy) obeyAccelExpires(lines []string, now time.Time) {
	for _, line := range lines {
		value := trimOWS(line)
		if strings.EqualFold(value, "off") {
			p.forbidStoring()
			continue
		}
		at, absolute := strings.CutPrefix(value, "@")
		limit, ok := parseEpochOrSeconds(at, absolute, now)
		if !ok {
			continue
		}
		if limit == 0 {
			p.forbidStoring()
		}
		p.Limit.restrict(limit)
	}
}

func parseEpochOrSeconds(s string, absolute bool, now time.Time) (time.Duration, bool) {
	if !absolute {
		return parseSeconds(s)
	}
	if s == "" || len(s) > 12 {
		return 0, false
	}
	var unix int64
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		unix = unix*10 + int64(s[i]-'0')
	}
	return clampDelta(time.Unix(unix, 0).Sub(now)), true
}

// obeyLiteSpeed reads X-LiteSpeed-Cache-Control, in which no-cache means not to
// store, private or shared,private means per user, and esi=on that the page is
// yet to be put together, which nobody does here.
func (p *Policy) obeyLiteSpeed(lines []string) {
	for element := range listElements(lines) {
		switch name, argument, _ := cutDirective(element); {
		case strings.EqualFold(name, "no-cache"), strings.EqualFold(name, "no-store"), strings.EqualFold(name, "esi"):
			p.forbidStoring()
		case strings.EqualFold(name, "private"), strings.EqualFold(name, "shared"):
			p.Private = true
		case strings.EqualFold(name, "max-age"):
			p.Limit.restrict(parseDelta(argument))
		}
	}
}

// obeyPlugins reads what WordPress plugins say of a page to other caches: no-cache
// in Cf-Edge-Cache, and NO with a reason in X-VC-Cacheable.
func (p *Policy) obeyPlugins(h http.Header) {
	for element := range listElements(h["Cf-Edge-Cache"]) {
		if strings.EqualFold(element, "no-cache") {
			p.forbidStoring()
		}
	}
	for _, line := range h["X-Vc-Cacheable"] {
		if word, _, _ := strings.Cut(line, ":"); strings.EqualFold(trimOWS(word), "no") {
			p.forbidStoring()
		}
	}
}

// forbidStoring makes no-store hold for every status code.
func (p *Policy) forbidStoring() { p.NoStore, p.MustUnderstand = true, false }

// clampDelta brings d into the range of a Delta.
func clampDelta(d time.Duration) time.Duration {
	return min(max(d, 0), maxDelta*time.Second)
}
