package cache

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// Inspection are the numbers of a Cache since it was made, for people.
type Inspection struct {
	Mount string `json:"mount"`
	// Requests counts answers by the word of their Phase.
	Requests map[string]int64 `json:"requests"`
	// Fetches counts flights, Stored those whose response was stored.
	Fetches int64 `json:"fetches"`
	Stored  int64 `json:"stored"`
	// Cut counts clients whose response was cut short.
	Cut int64 `json:"cut"`
	// Flights are the fetches that run now, FlightBytes the memory they hold.
	Flights     int   `json:"flights"`
	FlightBytes int64 `json:"flight_bytes"`
	// Marks are the keys whose requests are not collapsed.
	Marks int `json:"hit_for_miss"`
	// Cookies counts the site's cookies that requests carried, by name; the
	// empty name stands for those past the bound. CookieMisses counts the
	// requests that were not answered from the store for one.
	Cookies      map[string]int64 `json:"cookies,omitempty"`
	CookieMisses int64            `json:"cookie_misses"`
	// LastPurge is the number of the last purge of any mount of the ledger,
	// PurgeMarks how many paths, URLs and tags of this one are remembered singly.
	LastPurge  uint64 `json:"last_purge"`
	PurgeMarks int    `json:"purge_marks"`
	// Store are the numbers of the store, which other mounts may share.
	Store StoreStats `json:"store"`
}

// Flights returns how many fetches run now.
func (c *Cache) Flights() int { return c.flights.count() }

// Inspect returns the present numbers.
func (c *Cache) Inspect() Inspection {
	n := &c.counts
	return Inspection{
		Mount: c.Mount,
		Requests: map[string]int64{
			PhaseHit.String(): n.hits.Load(), PhaseStale.String(): n.stale.Load(),
			PhaseMiss.String(): n.misses.Load(), PhaseCollapsed.String(): n.collapsed.Load(),
			PhasePass.String(): n.passes.Load(), PhaseValidated.String(): n.validated.Load(),
			PhaseRefused.String(): n.refused.Load(),
		},
		Fetches: n.fetches.Load(), Stored: n.stored.Load(), Cut: n.cut.Load(),
		Flights: c.Flights(), FlightBytes: c.memory.used.Load(), Marks: c.marks.count(),
		Cookies: c.cookieNames.copy(), CookieMisses: n.cookieBlocked.Load(),
		LastPurge: c.Ledger.Last(), PurgeMarks: c.Ledger.Count(c.Mount),
		Store: c.Store.Stats(),
	}
}

// Listed is one stored response, for people.
type Listed struct {
	// URL is the public one, without its scheme.
	URL    string   `json:"url"`
	Status int      `json:"status"`
	Vary   []string `json:"vary,omitempty"`
	Tags   []string `json:"tags,omitempty"`
	Bytes  int64    `json:"bytes"`
	// Age and TTL are in seconds; a TTL below zero is for how long it has been stale.
	Age int64 `json:"age"`
	TTL int64 `json:"ttl"`
	// Source says who stated the lifetime, in a word.
	Source string `json:"lifetime"`
	// Purged: it is stale by a purge, or will not be used any more.
	Purged bool      `json:"purged,omitempty"`
	Stored time.Time `json:"stored"`
}

// List returns up to limit stored responses of this mount, in no order, that match
// accepts; nil accepts all. It ends early with ctx: a large store is read for long.
func (c *Cache) List(ctx context.Context, limit int, match func(*Meta) bool) []Listed {
	var list []Listed
	if limit <= 0 {
		return nil
	}
	c.Store.Each(func(m *Meta) bool {
		if m.Mount == c.Mount && (match == nil || match(m)) {
			list = append(list, c.listed(m))
		}
		return len(list) < limit && ctx.Err() == nil
	})
	return list
}

// listed describes m.
func (c *Cache) listed(m *Meta) Listed {
	now, j, cover := c.Clock(), c.judge(m), c.covered(m, m.Number)
	l := Listed{
		URL: m.Host + m.Path, Status: m.Status, Vary: slices.Clone(m.Vary), Tags: slices.Clone(m.Tags), Bytes: m.Length,
		Age: int64(j.fresh.Age(now) / time.Second), TTL: wholeSeconds(j.fresh.TTL(now)), Source: j.fresh.Source.String(),
		Purged: cover.hard || cover.soft, Stored: m.StoredTime,
	}
	if m.Query != "" {
		l.URL += "?" + m.Query
	}
	return l
}

// Explanation says what Serve would do with a request, and why.
type Explanation struct {
	// Phase and Reason are those that the request would begin with: of a fetch, why
	// it is needed; whether its answer is stored, only the answer can tell.
	Phase  string `json:"phase"`
	Reason string `json:"reason"`
	// Key is the hash of the cache key, empty if none is made.
	Key string `json:"key,omitempty"`
	// Stored is the response that key and Vary select, if there is one.
	Stored *Listed `json:"stored,omitempty"`
}

// Explain says what Serve would do with r. It counts nothing and asks nobody.
func (c *Cache) Explain(r *http.Request, q *Request) Explanation {
	if reason := c.passes(r, q); reason != ReasonUndecided {
		return Explanation{Phase: PhasePass.String(), Reason: reason.String()}
	}
	x := &serving{c: c, r: r, q: q}
	now := c.Clock()
	x.lookUp()
	e := Explanation{Key: x.key.String()}
	if s := x.found.Stored; s != nil {
		l := c.listed(s.Meta)
		e.Stored = &l
	}
	var phase Phase
	use, reason := x.judge(now)
	switch use {
	case UseFresh:
		phase = PhaseHit
	case UseValidate:
		phase, reason = x.forward(now)
	default:
		phase = PhaseStale
	}
	e.Phase, e.Reason = phase.String(), reason.String()
	return e
}
