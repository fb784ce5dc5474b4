package cache

import (
	"net/http"
	"slices"
	"strings"
)

// Request is what the mount knows of a request beside the request itself. Its
// fields are set before Serve, which writes Result. It is used by one goroutine.
type Request struct {
	// Scheme and Host are the public ones, canonical.
	Scheme, Host string
	// Path is the canonical public path and RawQuery the raw query, without
	// "?", byte for byte as they decide what is forwarded. BareQuery marks a URL
	// that ends in "?".
	Path, RawQuery string
	BareQuery      bool
	// Rest is the part of Path below the mount, escaped as it is, for Options.Bypass.
	Rest string
	// Split is the variant of an A/B split, and Splits are all its variants;
	// empty without one.
	Split  string
	Splits []string
	// Extra are the evaluated placeholders of the key.
	Extra []string
	// Pass, if not ReasonUndecided, says why the request is to pass.
	Pass Reason
	// Surrogate says that the client is a cache of the operator's in front of this
	// one: where Options.CDN is set it is told the purge tags.
	Surrogate bool
	// WholeOnly says that Range does not reach the origin. A part of what it sends
	// is given from a fetch of the whole, or the whole is.
	WholeOnly bool
	// FastCGI says that the origin is reached through FastCGI: where the answer
	// has no Content-Length, a lost connection looks like its end.
	FastCGI bool
	// Detach returns the handler for a fetch that outlives the request. It is
	// called on the request's goroutine; what it returns is called on another
	// one, at most once, maybe after the request has ended. Nil: the handler
	// that Serve was given.
	Detach func() Handler

	// Answered, which may be nil, is told the final status and header that the
	// origin answers a request with that passes, before the client is.
	Answered func(status int, h http.Header)

	// Result says how the request was answered.
	Result Result
}

// Result is how a request was answered: the words of log, metrics and
// placeholders.
type Result struct {
	Phase  Phase
	Reason Reason // ReasonUndecided: not answered yet; of an answer that was cut, why
	// Status is this cache's member of Cache-Status, as it was sent.
	Status Status
	// Key is the cache key, zero if none was made.
	Key Key
}

// parts are the parts of the key of a URL of this mount as r asks for it.
func (c *Cache) parts(r *http.Request, q *Request) KeyParts {
	p := KeyParts{
		Mount:  c.Fingerprint,
		Scheme: q.Scheme, Host: q.Host,
		Path: q.Path, Query: q.RawQuery, BareQuery: q.BareQuery,
		Split: q.Split, Extra: q.Extra,
	}
	p.Query = c.DropQuery.Apply(p.Query)
	if c.Fetch.Strict {
		// A strict fetch tells the origin no more of the client than this.
		p.Extra = append(slices.Clone(p.Extra), DeviceClass(r.Header))
	}
	if o := r.Header["Origin"]; len(o) > 0 {
		// Byte for byte, as sites compare it (RFC 6454 section 7.3): it is no list.
		p.HasOrigin, p.Origin = true, strings.Join(o, "\n")
	}
	return p
}

// passes says why a request is neither looked up nor stored, or ReasonUndecided. It
// may read from the body of r, as hasBody says.
func (c *Cache) passes(r *http.Request, q *Request) Reason {
	switch {
	case q.Pass != ReasonUndecided:
		return q.Pass
	case len(r.Header["Upgrade"]) > 0:
		return ReasonUpgrade
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return ReasonMethod
	case hasBody(r):
		// The key does not hold a body.
		return ReasonBody
	case PassesPrecondition(r.Header):
		return ReasonPrecondition
	}
	if c.Bypass != nil {
		if reason := c.Bypass(r, q); reason != ReasonStored {
			return reason
		}
	}
	return ReasonUndecided
}
