// Package handler is the mount itself: it maps between the public URLs that
// visitors use and the URLs that the mounted site believes it has, in both
// directions, in requests and in answers. It knows nothing of Caddy: the core
// runs under plain net/http.
//
// The words: the public base is the address of the mount as visitors see it
// (https://example.com/blog); a site base is an address that the mounted site
// believes is its own (https://blog.example.net). Outbound is a request on its
// way to the site, inbound is its answer on the way to the visitor.
package handler

// Mode says what the mounted site knows of its public address.
type Mode uint8

const (
	// Transparent: the site knows nothing. Its paths begin at its own base,
	// Host is its own, every URL form is mapped in both directions.
	Transparent Mode = iota
	// Aware: the site is configured for the public address and serves its
	// pages under the public prefix. Only safety nets are mapped.
	Aware
	// AwareStripped: as Aware, but the site serves its pages without the prefix.
	AwareStripped
)

// Options configures a Mount. New checks them.
type Options struct {
	// Prefix is the public path of the mount without a trailing slash, in
	// decoded form: "/blog". Empty mounts the site at the root of the host.
	Prefix string

	// Sites are the base URLs (scheme, host, optional port and path) that the
	// site believes are its own. The first is the one that requests are mapped
	// to; the others are mapped in answers only. At least one is required, but
	// for the aware modes, where they name the address that the site is reached
	// under.
	Sites []string

	// Mode is what the site knows. Default: Transparent.
	Mode Mode

	// Public pins the public base (scheme and host, "https://example.com").
	// Empty: what the visitor used.
	Public string

	// Cookies are patterns of further cookie names that belong to the site
	// ("shop_*"; "*" is every cookie that is not harmless).
	Cookies []string

	// CookieNames is the set of names that the site was seen to set, where it
	// shall outlive the Mount. Nil: an empty set of the Mount's own.
	CookieNames *CookieNames

	// Authorization is "" (the site's own credentials pass), "pass" (also
	// those of a user whom the main site authenticated) or "drop".
	Authorization string

	// Transform configures the mapping of bodies.
	Transform Transform
}

// Transform configures which bodies are mapped.
type Transform struct {
	// Off passes every body as it is. Header fields are still mapped.
	Off bool
	// Types are media types mapped besides the built-in list ("text/x-component", "application/*").
	Types []string
	// Skip are path patterns, relative to the mount, whose bodies pass unmapped in both directions.
	Skip []string
	// KeepRootRelative leaves root-relative URLs in bodies alone (root_relative off).
	KeepRootRelative bool
	// RequestsOff passes request bodies and queries unmapped, everywhere or,
	// with RequestsOffPaths, below these path patterns only.
	RequestsOff      bool
	RequestsOffPaths []string
	// MaxRequestBody bounds in bytes what is buffered of one request body so that
	// it can be mapped; longer ones pass unmapped. Zero: 1 MiB.
	MaxRequestBody int64
}
