package handler

import "net/http"

// RedirectFault names what a redirect gives away of a site that does not know
// its own address. The faults cannot all be mended on the wire, so an operator
// should be told, once.
type RedirectFault uint8

const (
	// FaultNone: nothing is wrong.
	FaultNone RedirectFault = iota
	// FaultSelf: the redirect leads back to the URL that was asked for, and will
	// again. The site does not see the scheme or the path that visitors use.
	FaultSelf
	// FaultPrefixLost: an aware site left the prefix out of its own public URL. The
	// mount puts it back.
	FaultPrefixLost
	// FaultPort: an aware site's web server added its own port to the public host.
	// The mount takes it off.
	FaultPort
)

// String returns a sentence for logs.
func (f RedirectFault) String() string {
	switch f {
	case FaultSelf:
		return "the site redirects the URL to itself: it does not see the scheme or the path that visitors use"
	case FaultPrefixLost:
		return "the site redirects without its prefix: REQUEST_URI must be repaired in wp-config.php, or the prefix kept"
	case FaultPort:
		return "the site's web server redirects to its internal port"
	default:
		return "none"
	}
}

// RedirectFault examines the site's answer before MapHeader has changed it.
// canonical and rawQuery are the public path and query that were asked for. A
// redirect to itself that sets a cookie is none of the faults: the next request
// differs.
func (v *View) RedirectFault(h http.Header, status int, method, canonical, rawQuery string) RedirectFault {
	location := h.Get("Location")
	if status < 300 || status > 399 || location == "" {
		return FaultNone
	}
	u := cutURL(location)
	if v.m.mode != Transparent && u.kind == absoluteURL && u.name == v.home.name {
		_, inside := cutBase(u.path, v.m.prefix)
		switch {
		case inside && foldPort(u.port) != foldPort(v.home.port):
			return FaultPort
		case !inside && v.m.mode == AwareStripped && foldPort(u.port) == foldPort(v.home.port):
			return FaultPrefixLost
		case !inside && v.m.mode == AwareStripped && foldPort(u.port) == foldPort(v.m.site.port):
			return FaultPort
		}
	}
	safe := method == http.MethodGet || method == http.MethodHead
	if !safe || len(h["Set-Cookie"]) > 0 {
		return FaultNone
	}
	asked := canonical
	if rawQuery != "" {
		asked += "?" + rawQuery
	}
	switch mapped := v.mapLocation(location); mapped {
	case asked, v.home.origin() + asked:
		return FaultSelf
	default:
		return FaultNone
	}
}
