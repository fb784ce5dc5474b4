package cache

import (
	"net/http"
	"strconv"
	"time"
)

// statusIdentifier names this cache in Cache-Status (RFC 9211 section 2).
const statusIdentifier = "mount"

// Status is this cache's member of the Cache-Status field (RFC 9211). The zero
// value writes the bare identifier.
type Status struct {
	// Hit means that the request was satisfied without forwarding it.
	Hit bool
	// Forward says why the request was forwarded; it is not written for a Hit,
	// since hit and fwd exclude each other (RFC 9211 section 2.2).
	Forward Forward
	// ForwardStatus is the status code of the origin's answer; zero is not
	// written. It belongs to a forwarded request only.
	ForwardStatus int
	// TTL is the remaining freshness lifetime of what is served; negative when
	// stale, written as wholeSeconds. TTLKnown says whether there is one.
	TTL      time.Duration
	TTLKnown bool
	// Stored means that the forwarded answer was stored.
	Stored bool
	// Collapsed means that the request shared another request's flight.
	Collapsed bool
	// Detail is the reason of the decision; ReasonUndecided is not written.
	Detail Reason
}

// Append appends the member to dst. It allocates only when dst must grow.
func (s Status) Append(dst []byte) []byte {
	dst = append(dst, statusIdentifier...)
	if s.Hit {
		dst = append(dst, "; hit"...)
	} else if s.Forward != ForwardNone {
		dst = append(dst, "; fwd="...)
		dst = append(dst, s.Forward.String()...)
		if s.ForwardStatus > 0 {
			dst = append(dst, "; fwd-status="...)
			dst = strconv.AppendInt(dst, int64(s.ForwardStatus), 10)
		}
	}
	if s.TTLKnown {
		dst = append(dst, "; ttl="...)
		dst = strconv.AppendInt(dst, wholeSeconds(s.TTL), 10)
	}
	if !s.Hit && s.Forward != ForwardNone {
		if s.Stored {
			dst = append(dst, "; stored"...)
		}
		if s.Collapsed {
			dst = append(dst, "; collapsed"...)
		}
	}
	if s.Detail != ReasonUndecided {
		dst = append(dst, "; detail="...)
		dst = append(dst, s.Detail.String()...)
	}
	return dst
}

// String returns the member as text.
func (s Status) String() string {
	var buf [128]byte
	return string(s.Append(buf[:0]))
}

// AddTo adds the member to h after what caches nearer to the origin wrote, as
// RFC 9211 section 2 orders the list. The slice that h holds is not changed in
// place, so h may share its values with a stored header.
func (s Status) AddTo(h http.Header) {
	const field = "Cache-Status"
	inner := h[field]
	h[field] = append(inner[:len(inner):len(inner)], s.String())
}

// wholeSeconds rounds d away from zero: what is fresh has a positive ttl, which with
// the whole seconds of its Age makes up its lifetime, and what has just become stale
// a negative one.
func wholeSeconds(d time.Duration) int64 {
	s := int64(d / time.Second)
	switch rest := d % time.Second; {
	case rest > 0:
		s++
	case rest < 0:
		s--
	}
	return s
}
