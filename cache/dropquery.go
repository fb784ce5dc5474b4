package cache

import (
	"net/http"
	"net/url"
	"strings"
)

// droppedQueries are the parameters that campaigns add to links and no page reads.
var droppedQueries = []string{
	"utm_*", "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "gad_source", "gad_campaignid", "msclkid", "ttclid", "twclid",
	"li_fat_id", "igshid", "igsh", "mc_cid", "mc_eid", "_ga", "_gl", "_ke", "_kx", "fb_action_ids", "fb_action_types", "fb_source",
	"mtm_*", "matomo_*", "pk_*", "piwik_*", "hsa_*", "epik", "srsltid", "mkt_tok", "usqp", "cn-reloaded", "campaignid", "adgroupid",
	"ScCid", "tblci", "yclid", "ysclid", "_openstat", "vero_id", "wickedid", "rb_clickid",
}

// DefaultDropQuery returns the patterns of parameters that are dropped without
// configuration. The slice is the caller's.
func DefaultDropQuery() []string { return append([]string(nil), droppedQueries...) }

// DropQuery removes query parameters that change no answer from the key and from
// the URL of a storable fetch. The zero value drops nothing. It is safe for
// concurrent use once made.
type DropQuery struct{ names names }

// NewDropQuery returns a DropQuery for the given patterns: a raw name, or a
// prefix and a final "*", in exact letter case.
func NewDropQuery(patterns []string) *DropQuery {
	d := &DropQuery{}
	d.names.add(patterns...)
	return d
}

// Apply returns rawQuery without the segments between "&" whose name matches.
// Names are compared as raw bytes and nothing is decoded, split at ";" or
// reordered: what the origin would read otherwise than this function stays. The
// remaining segments keep their bytes; rawQuery itself is returned, without
// allocating, if nothing is dropped.
func (d *DropQuery) Apply(rawQuery string) string {
	if d == nil || !d.drops(rawQuery) {
		return rawQuery
	}
	var b strings.Builder
	b.Grow(len(rawQuery))
	first := true
	for segment := range strings.SplitSeq(rawQuery, "&") {
		if d.dropsSegment(segment) {
			continue
		}
		if !first {
			b.WriteByte('&')
		}
		b.WriteString(segment)
		first = false
	}
	return b.String()
}

// Carry returns location, where a redirect leads, with the segments of rawQuery that
// Apply drops and whose names its own query does not have: behind that query, before
// a fragment.
func (d *DropQuery) Carry(location, rawQuery string) string {
	target, _, _ := strings.Cut(location, "#")
	_, own, hasQuery := strings.Cut(target, "?")
	has := make(map[string]bool)
	for segment := range strings.SplitSeq(own, "&") {
		has[segmentName(segment)] = true
	}
	var carried []string
	for segment := range strings.SplitSeq(rawQuery, "&") {
		if d.dropsSegment(segment) && !has[segmentName(segment)] {
			carried = append(carried, segment)
		}
	}
	if carried == nil {
		return location
	}
	separator := "&"
	switch {
	case !hasQuery:
		separator = "?"
	case own == "" || strings.HasSuffix(own, "&"):
		separator = ""
	}
	return target + separator + strings.Join(carried, "&") + location[len(target):]
}

// carryDropped gives a redirect on the same host what was dropped of the query: the
// page that it leads to, or a script there, may count a campaign by it. The slices in
// h are shared and stay as they are.
func (x *serving) carryDropped(h http.Header, status int) {
	if status < 300 || status > 399 || x.query == x.q.RawQuery || len(h["Location"]) != 1 {
		return
	}
	location := h["Location"][0]
	u, err := url.Parse(location)
	if err != nil || u.Host != "" && !strings.EqualFold(u.Host, x.q.Host) || u.Host == "" && u.Scheme != "" {
		return
	}
	h["Location"] = []string{x.c.DropQuery.Carry(location, x.q.RawQuery)}
}

func (d *DropQuery) drops(rawQuery string) bool {
	for rest := rawQuery; rest != ""; {
		var segment string
		segment, rest, _ = strings.Cut(rest, "&")
		if d.dropsSegment(segment) {
			return true
		}
	}
	return false
}

func (d *DropQuery) dropsSegment(segment string) bool {
	if segment == "" || strings.IndexByte(segment, ';') >= 0 {
		return false
	}
	name := segmentName(segment)
	return name != "" && d.names.match(name)
}

// segmentName is the name of a parameter as it is spelled.
func segmentName(segment string) string {
	name, _, _ := strings.Cut(segment, "=")
	return name
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
