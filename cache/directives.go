package cache

import (
	"net/http"
	"strings"
	"time"
)

// maxDelta is the largest delta-seconds that is kept; RFC 9111 section 1.2.2
// asks to read larger ones as this.
const maxDelta = 1 << 31

// maxQualifiedFields bounds the field names of one qualified no-cache; a longer
// list counts as the unqualified directive.
const maxQualifiedFields = 32

// Delta is the argument of a directive in delta-seconds.
type Delta struct {
	// Duration is at least zero and at most 2^31 s.
	Duration time.Duration
	// Stated tells a zero from no directive at all.
	Stated bool
}

// restrict lets d state v, or the lesser of both if it already states a value.
func (d *Delta) restrict(v time.Duration) {
	if !d.Stated || v < d.Duration {
		*d = Delta{Duration: v, Stated: true}
	}
}

// ResponseDirectives are the response directives of Cache-Control or of a
// targeted field (RFC 9111 section 5.2.2, RFC 5861). The zero value states nothing.
//
// What is repeated, conflicting or malformed never weakens a restriction: of
// several lifetimes the shortest holds, an invalid lifetime is zero (RFC 9111
// section 4.2.1), and a restriction holds whatever argument it is given.
type ResponseDirectives struct {
	NoStore         bool
	NoCache         bool // unqualified, or qualified in a way that is not kept apart
	Private         bool // also qualified: few origins mean the difference (RFC 9111 section 5.2.2.7)
	Public          bool
	MustRevalidate  bool
	ProxyRevalidate bool
	MustUnderstand  bool
	NoTransform     bool

	MaxAge               Delta
	SMaxAge              Delta
	StaleWhileRevalidate Delta // invalid: zero
	StaleIfError         Delta // invalid: zero

	// NoCacheFields are the fields of a qualified no-cache by canonical name.
	// They are not stored, so that reuse never sends them unvalidated
	// (RFC 9111 section 5.2.2.4).
	NoCacheFields []string
}

// ParseResponseDirectives parses all lines of a Cache-Control response field as
// one list.
func ParseResponseDirectives(lines []string) ResponseDirectives {
	var d ResponseDirectives
	for element := range listElements(lines) {
		name, argument, hasArgument := cutDirective(element)
		d.set(name, argument, hasArgument)
	}
	return d
}

// set applies one directive. The argument is unquoted.
func (d *ResponseDirectives) set(name, argument string, hasArgument bool) {
	switch {
	case strings.EqualFold(name, "no-store"):
		d.NoStore = true
	case strings.EqualFold(name, "no-cache"):
		d.setNoCache(argument, hasArgument)
	case strings.EqualFold(name, "private"):
		d.Private = true
	case strings.EqualFold(name, "public"):
		// Public loosens, so it counts only as the RFC spells it.
		d.Public = d.Public || !hasArgument
	case strings.EqualFold(name, "must-revalidate"):
		d.MustRevalidate = true
	case strings.EqualFold(name, "proxy-revalidate"):
		d.ProxyRevalidate = true
	case strings.EqualFold(name, "must-understand"):
		d.MustUnderstand = d.MustUnderstand || !hasArgument
	case strings.EqualFold(name, "no-transform"):
		d.NoTransform = true
	case strings.EqualFold(name, "max-age"):
		d.MaxAge.restrict(parseDelta(argument))
	case strings.EqualFold(name, "s-maxage"):
		d.SMaxAge.restrict(parseDelta(argument))
	case strings.EqualFold(name, "stale-while-revalidate"):
		d.StaleWhileRevalidate.restrict(parseDelta(argument))
	case strings.EqualFold(name, "stale-if-error"):
		d.StaleIfError.restrict(parseDelta(argument))
	}
}

// setNoCache applies no-cache. A list of field names is kept apart only if each
// can be left out of the stored response without changing how it is selected,
// validated, framed or understood; any other list is the unqualified directive.
func (d *ResponseDirectives) setNoCache(argument string, hasArgument bool) {
	if !hasArgument || trimOWS(argument) == "" {
		d.NoCache = true
		return
	}
	for rest, more := argument, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, ",")
		if name = trimOWS(name); name == "" {
			continue
		}
		name = http.CanonicalHeaderKey(name)
		if !isToken(name) || needsStoring(name) || len(d.NoCacheFields) == maxQualifiedFields {
			d.NoCache = true
			return
		}
		d.NoCacheFields = append(d.NoCacheFields, name)
	}
}

// needsStoring reports whether a stored response cannot do without the field.
func needsStoring(name string) bool {
	switch name {
	case "Age", "Cache-Control", "Cdn-Cache-Control", "Date", "Etag", "Expires", "Last-Modified", "Location",
		"Surrogate-Control", "Vary":
		return true
	}
	return strings.HasPrefix(name, "Content-")
}

// RequestDirectives are the request directives of Cache-Control (RFC 9111
// section 5.2.1). They only express wishes; see StaleOptions.HonourRequest.
type RequestDirectives struct {
	NoStore      bool
	NoCache      bool // also by Pragma where there is no Cache-Control (RFC 9111 section 5.4)
	NoTransform  bool
	OnlyIfCached bool

	MaxAge   Delta
	MinFresh Delta
	// MaxStale without an argument states the largest Delta.
	MaxStale Delta
}

// ParseRequestDirectives parses the request directives of h.
func ParseRequestDirectives(h http.Header) RequestDirectives {
	var d RequestDirectives
	lines, ok := h["Cache-Control"]
	if !ok {
		for element := range listElements(h["Pragma"]) {
			d.NoCache = d.NoCache || strings.EqualFold(element, "no-cache")
		}
		return d
	}
	for element := range listElements(lines) {
		switch name, argument, hasArgument := cutDirective(element); {
		case strings.EqualFold(name, "no-store"):
			d.NoStore = true
		case strings.EqualFold(name, "no-cache"):
			d.NoCache = true
		case strings.EqualFold(name, "no-transform"):
			d.NoTransform = true
		case strings.EqualFold(name, "only-if-cached"):
			d.OnlyIfCached = true
		case strings.EqualFold(name, "max-age"):
			d.MaxAge.restrict(parseDelta(argument))
		case strings.EqualFold(name, "max-stale"):
			if hasArgument {
				d.MaxStale.restrict(parseDelta(argument))
			} else {
				d.MaxStale.restrict(maxDelta * time.Second)
			}
		case strings.EqualFold(name, "min-fresh"):
			// A higher wish is the stricter one; an invalid one asks for nothing.
			if v := parseDelta(argument); !d.MinFresh.Stated || v > d.MinFresh.Duration {
				d.MinFresh = Delta{Duration: v, Stated: true}
			}
		}
	}
	return d
}

// cutDirective splits one list element into the directive's name and its
// unquoted argument. The name ends at the first byte that is not of a token:
// "no-store;x" is no-store with a malformed argument, not something unknown.
func cutDirective(element string) (name, argument string, hasArgument bool) {
	i := 0
	for i < len(element) && isTokenByte(element[i]) {
		i++
	}
	name, argument = element[:i], element[i:]
	if argument == "" {
		return name, "", false
	}
	if argument[0] == '=' {
		argument = argument[1:]
		if s, ok := unquote(argument); ok {
			argument = s
		}
	}
	return name, argument, true
}

// parseDelta parses delta-seconds. What is not a plain number, negatives
// included, is zero: stale (RFC 9111 section 4.2.1). It saturates at maxDelta.
func parseDelta(s string) time.Duration {
	d, _ := parseSeconds(s)
	return d
}

// parseSeconds parses 1*DIGIT and saturates at maxDelta.
func parseSeconds(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		if n = n*10 + int64(s[i]-'0'); n > maxDelta {
			n = maxDelta
		}
	}
	return time.Duration(n) * time.Second, true
}
