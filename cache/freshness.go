package cache

import (
	"net/http"
	"strings"
	"time"
)

// LifetimeSource says who stated a freshness lifetime. The zero value is nobody.
type LifetimeSource uint8

const (
	// LifetimeNone means that there is no lifetime.
	LifetimeNone LifetimeSource = iota
	// LifetimeOrigin was stated by the origin; requests with a site cookie may
	// be answered within it.
	LifetimeOrigin
	// LifetimeOperator comes from the operator's ttl.
	LifetimeOperator
	// LifetimeHeuristic was estimated from Last-Modified.
	LifetimeHeuristic
)

var lifetimeSourceWords = [...]string{
	LifetimeNone:      "none",
	LifetimeOrigin:    "origin",
	LifetimeOperator:  "ttl",
	LifetimeHeuristic: "heuristic",
}

// String returns one word.
func (s LifetimeSource) String() string {
	if int(s) >= len(lifetimeSourceWords) {
		return lifetimeSourceWords[LifetimeNone]
	}
	return lifetimeSourceWords[s]
}

// Lifetime is a freshness lifetime (RFC 9111 section 4.2.1).
type Lifetime struct {
	// Duration is at least zero and at most 2^31 s.
	Duration time.Duration
	Source   LifetimeSource
}

// FreshnessOptions are the operator's rules where the origin states no
// lifetime. The zero value adds none.
type FreshnessOptions struct {
	// TTL is the lifetime of the operator's ttl rule that fits status and path;
	// zero means that no rule does. It wins over Heuristic.
	TTL time.Duration
	// Heuristic estimates a lifetime from Last-Modified (RFC 9111 section 4.2.2).
	Heuristic bool
}

const (
	// heuristicFraction is the part of the time since Last-Modified that is
	// taken as lifetime: a tenth, the typical value of RFC 9111 section 4.2.2.
	heuristicFraction = 10
	// maxHeuristic bounds an estimated lifetime: beyond a day the RFC once asked
	// for a warning, which it has since withdrawn.
	maxHeuristic = 24 * time.Hour
	// maxErrorLifetime bounds how long a server error is stored, whatever the
	// origin states: it tells of a moment more than of a URL. A ttl rule, which
	// names the status code, is not bounded.
	maxErrorLifetime = time.Minute
)

// FreshnessLifetime computes the freshness lifetime of a response received at
// the given time (RFC 9111 section 4.2.1): s-maxage, else max-age, else Expires
// less Date, else the operator's ttl, else the heuristic.
func FreshnessLifetime(status int, h http.Header, p Policy, received time.Time, o FreshnessOptions) Lifetime {
	l := statedLifetime(status, h, p, received, o)
	if p.Limit.Stated {
		l.Duration = min(l.Duration, p.Limit.Duration)
	}
	if status >= 500 && l.Source != LifetimeOperator {
		l.Duration = min(l.Duration, maxErrorLifetime)
	}
	return l
}

func statedLifetime(status int, h http.Header, p Policy, received time.Time, o FreshnessOptions) Lifetime {
	switch expires := h["Expires"]; {
	case p.SMaxAge.Stated:
		return Lifetime{Duration: p.SMaxAge.Duration, Source: LifetimeOrigin}
	case p.MaxAge.Stated:
		return Lifetime{Duration: p.MaxAge.Duration, Source: LifetimeOrigin}
	case len(expires) > 0 && !p.IgnoreExpires:
		return Lifetime{Duration: expiresLifetime(expires, h, received), Source: LifetimeOrigin}
	case forbiddenByPragma(h):
		// An origin of the last century that says no-cache in its words; nobody
		// may invent a lifetime for it.
	case o.TTL > 0:
		return Lifetime{Duration: clampDelta(o.TTL), Source: LifetimeOperator}
	case o.Heuristic && (heuristicallyCacheable(status) || p.Public):
		if d, ok := heuristicLifetime(h, received); ok {
			return Lifetime{Duration: d, Source: LifetimeHeuristic}
		}
	}
	return Lifetime{}
}

func forbiddenByPragma(h http.Header) bool {
	for element := range listElements(h["Pragma"]) {
		if strings.EqualFold(element, "no-cache") {
			return true
		}
	}
	return false
}

// expiresLifetime is Expires less Date. An invalid Expires, "0" above all, is in
// the past (RFC 9111 section 5.3); of several the earliest holds.
func expiresLifetime(lines []string, h http.Header, received time.Time) time.Duration {
	date := DateOf(h, received)
	lifetime := time.Duration(maxDelta) * time.Second
	for _, line := range lines {
		expires, ok := ParseDate(line, received)
		if !ok {
			return 0
		}
		lifetime = min(lifetime, clampDelta(expires.Sub(date)))
	}
	return lifetime
}

// heuristicLifetime estimates from Last-Modified. An invalid or future
// Last-Modified estimates nothing.
func heuristicLifetime(h http.Header, received time.Time) (time.Duration, bool) {
	lines := h["Last-Modified"]
	if len(lines) != 1 {
		return 0, false
	}
	modified, ok := ParseDate(lines[0], received)
	if !ok {
		return 0, false
	}
	since := DateOf(h, received).Sub(modified)
	if since <= 0 {
		return 0, false
	}
	return min(since/heuristicFraction, maxHeuristic), true
}

// DateOf returns the Date of a response, or the time of its receipt if it has
// none or more than one meaning (RFC 9110 section 6.6.1).
func DateOf(h http.Header, received time.Time) time.Time {
	lines := h["Date"]
	if len(lines) == 0 {
		return received
	}
	date, ok := ParseDate(lines[0], received)
	if !ok {
		return received
	}
	return date
}

// ParseAge parses the lines of Age. The first member of the list holds and the
// others are discarded; one that is not a plain number is ignored (RFC 9111
// section 5.1). It saturates at 2^31 s.
func ParseAge(lines []string) (time.Duration, bool) {
	if len(lines) == 0 {
		return 0, false
	}
	first, _, _ := strings.Cut(lines[0], ",")
	return parseSeconds(trimOWS(first))
}

// InitialAge is the corrected_initial_age of RFC 9111 section 4.2.3: the age of
// a response when it was received, counting the time that it took to come.
func InitialAge(h http.Header, requested, received time.Time) time.Duration {
	// apparent_age; a Date of the future makes nothing younger than new. Date has
	// whole seconds, so a part of one says nothing.
	apparent := max(0, received.Sub(DateOf(h, received))).Truncate(time.Second)
	age, _ := ParseAge(h["Age"])
	corrected := age + max(0, received.Sub(requested))
	return clampDelta(max(apparent, corrected))
}

// Freshness is what a stored response keeps to compute its age: Lifetime,
// InitialAge and the time of receipt. The zero value is stale. It is a value
// without pointers and may be copied.
type Freshness struct {
	Lifetime
	// InitialAge is what InitialAge returned.
	InitialAge time.Duration
	// Received is when the response, or the last 304 that freshened it, came.
	Received time.Time
}

// NewFreshness computes the Freshness of a response whose request was sent at
// requested and whose header came at received.
func NewFreshness(status int, h http.Header, p Policy, requested, received time.Time, o FreshnessOptions) Freshness {
	return Freshness{
		Lifetime:   FreshnessLifetime(status, h, p, received, o),
		InitialAge: InitialAge(h, requested, received),
		Received:   received,
	}
}

// clockSlack is how far a time may lie ahead of another that was read after it,
// on another goroutine, without the clock having been set back.
const clockSlack = 5 * time.Second

// Age is the current_age (RFC 9111 section 4.2.3). Where the clock was set back
// since the receipt nobody can tell the resident_time: the age is the longest that
// there is, so that the response is validated before it is used.
func (f Freshness) Age(now time.Time) time.Duration {
	resident := now.Sub(f.Received)
	if resident < -clockSlack {
		return maxDelta * time.Second
	}
	return clampDelta(f.InitialAge + max(0, resident))
}

// TTL is the rest of the lifetime; zero or less is stale.
func (f Freshness) TTL(now time.Time) time.Duration { return f.Duration - f.Age(now) }

// Fresh reports whether the lifetime exceeds the age (RFC 9111 section 4.2).
func (f Freshness) Fresh(now time.Time) bool { return f.TTL(now) > 0 }

// Origin reports whether the origin itself stated the lifetime.
func (f Freshness) Origin() bool { return f.Source == LifetimeOrigin }
