package cache

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// A Handler answers a request, as http.Handler does, or returns why it cannot. It
// has the shape of Caddy's handlers.
//
// How a call ends says whether its answer is whole. It is, if the call returned
// nil, did not panic, had set a final status that is not 499 and had written as
// many bytes as the Content-Length says that it declared. An error returned
// before a header was written is the origin's failure. A panic, always recovered
// in a flight, is a body that was cut.
type Handler interface {
	ServeHTTP(http.ResponseWriter, *http.Request) error
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(http.ResponseWriter, *http.Request) error

// ServeHTTP calls f.
func (f HandlerFunc) ServeHTTP(w http.ResponseWriter, r *http.Request) error { return f(w, r) }

// Defaults of Options.
const (
	DefaultMaxBodyBytes       = 64 << 20
	DefaultSpillBytes         = 1 << 20
	DefaultWindowBytes        = 1 << 20
	DefaultMaxFlightBytes     = 64 << 20
	DefaultMaxFlights         = 4096
	DefaultMaxFollowers       = 10_000
	DefaultStall              = 10 * time.Second
	DefaultHitForMiss         = time.Minute
	DefaultMaxMarks           = 100_000
	DefaultUnverifiedLifetime = time.Minute
	DefaultRangeAheadBytes    = 1 << 20
	DefaultMaxFills           = 4
)

// Options configures a Cache. New checks it and puts the defaults in the place of
// zero values.
type Options struct {
	// Mount is the name of the mount: purges name it. Required.
	Mount string
	// Fingerprint is part of every key: what shapes the stored bytes.
	Fingerprint string
	// Store keeps the responses. Required. It outlives the Cache.
	Store Store
	// Ledger knows the purges. It lives as long as Store. Nil: one of its own.
	Ledger *Ledger
	// Clock returns the time. Nil: time.Now.
	Clock func() time.Time
	// Hooks are told what happens. Each may be nil.
	Hooks Hooks

	// TTL returns the freshness lifetime for a response with this status under
	// this public path whose origin states none; zero is none. Nil: none.
	TTL func(status int, path string) time.Duration
	// Heuristic estimates a lifetime from Last-Modified where nobody states
	// one (RFC 9111 section 4.2.2).
	Heuristic bool
	// Stale says when a stale response may be served, and whether a client's
	// Cache-Control can force a fetch.
	Stale StaleOptions
	// Browser and CDN are how long clients and caches between may keep a
	// response whose lifetime the origin did not state. Zero: they validate it
	// on each use. With CDN, caches in front are told the purge tags
	// (Request.Surrogate).
	Browser, CDN time.Duration
	// Bypass reports why a request is to pass whatever is stored, or ReasonStored
	// (as BypassRules do) if it is not. It sees GET and HEAD without body. Nil:
	// none passes.
	Bypass func(r *http.Request, q *Request) Reason
	// SiteCookie reports whether a cookie of this name is the site's; a value
	// without a name has the empty one. A request with one is fetched alone and
	// answered from the store only within a lifetime that the origin stated. Nil:
	// every cookie is the site's.
	SiteCookie func(name string) bool
	// Authorization reports whether the request reaches the origin with
	// credentials. Nil: if it has the field Authorization.
	Authorization func(r *http.Request) bool
	// DropQuery removes from a query what is neither keyed nor forwarded by a
	// storable fetch. Nil: nothing.
	DropQuery *DropQuery
	// Fetch says which fields a storable fetch carries.
	Fetch FetchOptions

	// Codings are the content codings that clients get, the most wanted first,
	// each once. Nil: none, bodies are sent as they are.
	Codings []Coding
	// Coder makes the coded forms. Nil: the one of the process.
	Coder *Coder

	// MaxBodyBytes bounds a stored body. A response that declares more passes;
	// one that grows past it takes no new readers. Default 64 MiB.
	MaxBodyBytes int64
	// SpillBytes is up to where a flight's body stays in memory. Default 1 MiB.
	SpillBytes int64
	// WindowBytes is how much is kept of a body that cannot be held, hence how
	// far a slow reader of it may fall behind the fastest. Default 1 MiB.
	WindowBytes int64
	// MaxFlightBytes bounds the memory of all flights, unless the Store bounds
	// it; past it bodies spill at once. Default 64 MiB.
	MaxFlightBytes int64
	// MaxFlights bounds the fetches that run at once; past it requests pass.
	// Default 4096.
	MaxFlights int
	// MaxFollowers bounds the clients of one flight; further ones pass.
	// Default 10,000.
	MaxFollowers int
	// Stall is how long a flight may bring nothing before another one may take
	// its place. Default 10 s.
	Stall time.Duration
	// HitForMiss is how long requests for a key are not collapsed after an
	// answer said that it is for one user only. Default 1 min.
	HitForMiss time.Duration
	// MaxMarks bounds the keys that are marked so. Default 100,000.
	MaxMarks int
	// UnverifiedLifetime bounds the freshness lifetime of an answer that came
	// through FastCGI without Content-Length and whose end nothing proves: a
	// lost connection looks there like the end. HTML that does not end in
	// </html> is not stored at all. Default 1 min.
	UnverifiedLifetime time.Duration
	// RangeAheadBytes is how far ahead of what has arrived a range may begin
	// and still wait for the flight; others pass. Default 1 MiB.
	RangeAheadBytes int64
	// MaxFills bounds the bodies that are fetched whole at once because a part of
	// one was asked for, which itself passes. Default 4.
	MaxFills int
}

// Hooks are called on the goroutine where something happens and must not block.
type Hooks struct {
	// Unstored is called when a flight ends whose response is not stored.
	Unstored func(r Reason)
	// Cut is called for each client whose response was cut short.
	Cut func(r Reason)
	// Log is called for what an operator may want to know. err may be nil.
	Log func(event string, r Reason, err error)
}

func (h *Hooks) unstored(r Reason) {
	if h.Unstored != nil {
		h.Unstored(r)
	}
}

func (h *Hooks) cut(r Reason) {
	if h.Cut != nil {
		h.Cut(r)
	}
}

func (h *Hooks) log(event string, r Reason, err error) {
	if h.Log != nil {
		h.Log(event, r, err)
	}
}

// complete checks o and sets its defaults.
func (o *Options) complete() error {
	if o.Mount == "" {
		return errors.New("cache without the name of its mount")
	}
	if o.Store == nil {
		return errors.New("cache without a store")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Ledger == nil {
		o.Ledger, _ = NewLedger(nil, 0)
	}
	if o.Authorization == nil {
		o.Authorization = func(r *http.Request) bool { return len(r.Header["Authorization"]) > 0 }
	}
	if o.Coder == nil {
		o.Coder = processCoder()
	}
	for i, k := range o.Codings {
		if k == Identity || k >= codingCount || slices.Contains(o.Codings[:i], k) {
			return errors.New("content codings must be known, and each given once")
		}
	}
	for _, d := range []struct {
		name  string
		value *int64
		def   int64
	}{
		{"max_body", &o.MaxBodyBytes, DefaultMaxBodyBytes},
		{"spill threshold", &o.SpillBytes, DefaultSpillBytes},
		{"window", &o.WindowBytes, DefaultWindowBytes},
		{"flight memory", &o.MaxFlightBytes, DefaultMaxFlightBytes},
		{"range distance", &o.RangeAheadBytes, DefaultRangeAheadBytes},
		{"stall", (*int64)(&o.Stall), int64(DefaultStall)},
		{"hit-for-miss time", (*int64)(&o.HitForMiss), int64(DefaultHitForMiss)},
		{"unverified lifetime", (*int64)(&o.UnverifiedLifetime), int64(DefaultUnverifiedLifetime)},
	} {
		if *d.value < 0 {
			return errors.New(d.name + " must not be negative")
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	for _, d := range []struct {
		name  string
		value *int
		def   int
	}{
		{"flights", &o.MaxFlights, DefaultMaxFlights},
		{"followers", &o.MaxFollowers, DefaultMaxFollowers},
		{"background fetches", &o.MaxFills, DefaultMaxFills},
		{"hit-for-miss marks", &o.MaxMarks, DefaultMaxMarks},
	} {
		if *d.value < 0 {
			return errors.New(d.name + " must not be negative")
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	return nil
}
