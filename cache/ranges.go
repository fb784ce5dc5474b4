package cache

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxRanges bounds the ranges of one request; more are ignored and the whole
	// is sent, as RFC 9110 section 14.2 advises against abuse.
	maxRanges = 10
	// maxRangeBytes bounds the length of a Range field that is looked at.
	maxRangeBytes = 1024
)

// RangeSpec is one range as a client asks for it, before the length of the
// content is known.
type RangeSpec struct {
	// First is the first position, or -1 for a suffix.
	First int64
	// Last is the last position, -1 for an open end, or the length of a suffix.
	Last int64
}

// ParseRange parses the Range field of a request (RFC 9110 section 14.2). It
// returns nil if the field is to be ignored: it is absent, repeated, malformed,
// of another unit than bytes, or asks for too many ranges.
func ParseRange(request http.Header) []RangeSpec {
	lines := request["Range"]
	if len(lines) != 1 || len(lines[0]) > maxRangeBytes {
		return nil
	}
	unit, set, ok := strings.Cut(trimOWS(lines[0]), "=")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return nil
	}
	var specs []RangeSpec
	for member := range strings.SplitSeq(set, ",") {
		if member = trimOWS(member); member == "" {
			continue
		}
		spec, ok := parseRangeSpec(member)
		if !ok || len(specs) == maxRanges {
			return nil
		}
		specs = append(specs, spec)
	}
	return specs
}

func parseRangeSpec(s string) (RangeSpec, bool) {
	first, last, ok := strings.Cut(s, "-")
	if !ok || first == "" && last == "" {
		return RangeSpec{}, false
	}
	spec := RangeSpec{First: -1, Last: -1}
	if first != "" {
		if spec.First, ok = parsePosition(first); !ok {
			return RangeSpec{}, false
		}
	}
	if last != "" {
		if spec.Last, ok = parsePosition(last); !ok {
			return RangeSpec{}, false
		}
	}
	if spec.First >= 0 && spec.Last >= 0 && spec.Last < spec.First {
		// A range that ends before it begins is invalid (RFC 9110 section 14.1.1).
		return RangeSpec{}, false
	}
	return spec, true
}

// parsePosition parses 1*DIGIT and saturates at the largest int64.
func parsePosition(s string) (int64, bool) {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil || n > 0
}

// ByteRange is a part of a content whose length is known. Length is above zero.
type ByteRange struct{ Start, Length int64 }

// End is the first position after the range.
func (r ByteRange) End() int64 { return r.Start + r.Length }

// ContentRange returns the Content-Range value of the part of a content of size
// bytes (RFC 9110 section 14.4).
func (r ByteRange) ContentRange(size int64) string {
	b := make([]byte, 0, 64)
	b = append(b, "bytes "...)
	b = strconv.AppendInt(b, r.Start, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, r.End()-1, 10)
	b = append(b, '/')
	return string(strconv.AppendInt(b, size, 10))
}

// UnsatisfiedRange returns the Content-Range value of a 416.
func UnsatisfiedRange(size int64) string { return "bytes */" + strconv.FormatInt(size, 10) }

// RangeAnswer says how to answer a range request. The zero value is safe.
type RangeAnswer uint8

const (
	// RangeWhole means: ignore Range and send the whole with its own status.
	RangeWhole RangeAnswer = iota
	// RangePartial means: send a 206 with the ranges.
	RangePartial
	// RangeUnsatisfiable means: send a 416 with UnsatisfiedRange.
	RangeUnsatisfiable
)

// ResolveRanges applies ranges to a content of size bytes (RFC 9110 section
// 14.1.2). Ranges that begin behind the end are left out; if none is left the
// answer is RangeUnsatisfiable. Ranges that overlap, or that come to more than
// the whole, are answered by the whole: they serve no player and cost the most.
func ResolveRanges(specs []RangeSpec, size int64) ([]ByteRange, RangeAnswer) {
	if len(specs) == 0 || size < 0 {
		return nil, RangeWhole
	}
	ranges := make([]ByteRange, 0, len(specs))
	for _, s := range specs {
		var r ByteRange
		switch {
		case s.First < 0:
			r.Length = min(s.Last, size)
			r.Start = size - r.Length
		case s.First >= size:
			continue
		case s.Last < 0 || s.Last >= size:
			r = ByteRange{s.First, size - s.First}
		default:
			r = ByteRange{s.First, s.Last - s.First + 1}
		}
		if r.Length > 0 {
			ranges = append(ranges, r)
		}
	}
	if len(ranges) == 0 {
		return nil, RangeUnsatisfiable
	}
	if overlap(ranges) {
		return nil, RangeWhole
	}
	return ranges, RangePartial
}

func overlap(ranges []ByteRange) bool {
	if len(ranges) == 1 {
		return false
	}
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b ByteRange) int {
		switch {
		case a.Start < b.Start:
			return -1
		case a.Start > b.Start:
			return 1
		}
		return 0
	})
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Start < sorted[i-1].End() {
			return true
		}
	}
	return false
}

// IfRange reports whether the Range of a request holds for a response with this
// header: there is no If-Range, or it names the response's strong entity tag, or
// exactly its Last-Modified where that is a strong validator (RFC 9110 section
// 13.1.5, 8.8.2.2). If it does not hold, Range is ignored.
func IfRange(request, stored http.Header, received time.Time) bool {
	lines := request["If-Range"]
	if len(lines) == 0 {
		return true
	}
	if len(lines) > 1 {
		return false
	}
	condition := trimOWS(lines[0])
	if opaqueTag(condition) != "" {
		return strongMatch(condition, entityTag(stored))
	}
	asked, ok := ParseDate(condition, received)
	if !ok {
		return false
	}
	modified, ok := lastModified(stored, received)
	if !ok || !asked.Equal(modified) {
		return false
	}
	// Within the second of the response a second change may have gone unseen.
	return len(stored["Date"]) > 0 && DateOf(stored, received).Sub(modified) >= time.Second
}

// RangeApplies reports whether Range means anything for a request: on GET only
// (RFC 9110 section 14.2), and only for a stored 200.
func RangeApplies(method string, status int, request http.Header) bool {
	return method == http.MethodGet && status == http.StatusOK && len(request["Range"]) > 0
}
