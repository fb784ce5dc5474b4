package cache

// Inspection is what a Cache has done since it was made, for its operator.
type Inspection struct {
	Hits          int64 `json:"hits"`
	Stale         int64 `json:"stale"`
	Misses        int64 `json:"misses"`
	Collapsed     int64 `json:"collapsed"`
	Passes        int64 `json:"passes"`
	Validated     int64 `json:"validated"`
	Refused       int64 `json:"refused"`
	Fetches       int64 `json:"fetches"`
	Stored        int64 `json:"stored"`
	Cut           int64 `json:"cut"`
	CookieBlocked int64 `json:"cookie_blocked"`
}

// Inspect returns the present numbers.
func (c *Cache) Inspect() Inspection {
	n := &c.counts
	return Inspection{
		Hits: n.hits.Load(), Stale: n.stale.Load(), Misses: n.misses.Load(), Collapsed: n.collapsed.Load(),
		Passes: n.passes.Load(), Validated: n.validated.Load(), Refused: n.refused.Load(), Fetches: n.fetches.Load(),
		Stored: n.stored.Load(), Cut: n.cut.Load(), CookieBlocked: n.cookieBlocked.Load(),
	}
}
