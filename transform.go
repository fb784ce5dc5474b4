package mount

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/handler"
)

// Transform configures which bodies are mapped.
type Transform struct {
	// Passes every body as it is. Header fields are still mapped. Default: false.
	Off bool `json:"off,omitempty"`

	// Media types that are mapped besides HTML, CSS, JavaScript, JSON and XML in
	// all their kinds: `text/x-component`, `application/*`. Default: none.
	Types []string `json:"types,omitempty"`

	// Path patterns, relative to the mount, whose bodies pass unmapped in both
	// directions. Default: none.
	Skip []string `json:"skip,omitempty"`

	// Leaves root-relative URLs in bodies alone (`href="/x"`). Default: false.
	KeepRootRelative bool `json:"keep_root_relative,omitempty"`

	// Passes queries and bodies of requests unmapped: everywhere, or below
	// `requests_off_paths` only. Default: false.
	RequestsOff bool `json:"requests_off,omitempty"`

	// Path patterns, relative to the mount, to which `requests_off` is limited.
	// Default: everywhere.
	RequestsOffPaths []string `json:"requests_off_paths,omitempty"`

	// How much of a request's body is held so that it can be mapped; longer ones
	// pass unmapped. File uploads are never held. Default: 1MiB.
	MaxRequestBody Size `json:"max_request_body,omitempty"`
}

// check finds what is wrong in the options by themselves.
func (t *Transform) check() error {
	for _, s := range t.Types {
		media, _, err := mime.ParseMediaType(s)
		if err != nil || !strings.Contains(media, "/") || strings.HasPrefix(media, "*") {
			return fmt.Errorf("transform types %q: expected a media type such as text/x-component or application/*", s)
		}
	}
	for _, list := range [][]string{t.Skip, t.RequestsOffPaths} {
		for _, path := range list {
			if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "*") {
				return fmt.Errorf("transform path %q: expected a path relative to the mount, such as /feed/*", path)
			}
		}
	}
	if t.MaxRequestBody < 0 || t.MaxRequestBody > maxRequestBody {
		return fmt.Errorf("max_request_body %s: expected at most %s; what is longer passes unmapped", t.MaxRequestBody, maxRequestBody)
	}
	return nil
}

// maxRequestBody bounds what may be held of one request.
const maxRequestBody Size = 64 << 20

func (t *Transform) options() handler.Transform {
	if t == nil {
		return handler.Transform{}
	}
	return handler.Transform{
		Off: t.Off, Types: t.Types, Skip: t.Skip, KeepRootRelative: t.KeepRootRelative,
		RequestsOff: t.RequestsOff, RequestsOffPaths: t.RequestsOffPaths, MaxRequestBody: int64(t.MaxRequestBody),
	}
}

// Forward reduces the request fields that a visitor chooses on fetches that may
// be stored, so that no field that the site looks at without saying so (Vary)
// can shape a page for others. Requests that pass keep theirs.
type Forward struct {
	// Fields that are forwarded. Default: Accept and Accept-Language;
	// User-Agent is reduced to mobile or not, which is then keyed.
	Fields []string `json:"fields,omitempty"`
}

func (f *Forward) check() error {
	for _, name := range f.Fields {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("forward %q is not a field name", name)
		}
	}
	return nil
}

func (f *Forward) options() cache.FetchOptions {
	if f == nil {
		return cache.FetchOptions{}
	}
	o := cache.FetchOptions{Strict: true}
	if len(f.Fields) == 0 {
		o.Allow = []string{"Accept", "Accept-Language"}
	}
	for _, name := range f.Fields {
		o.Allow = append(o.Allow, http.CanonicalHeaderKey(name))
	}
	return o
}
