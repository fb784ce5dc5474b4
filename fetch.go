package mount

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddy-mount/mount/balancer"
	"github.com/caddy-mount/mount/handler"
)

// reader says who reads an answer of the site first.
type reader uint8

const (
	// readByVisitor: nothing that the site says to caches is in it.
	readByVisitor reader = iota
	// readByCache: the cache takes that out and passes the rest on.
	readByCache
	// readByStore: it answers a fetch of the cache's own.
	readByStore
)

// uncoded is the Accept-Encoding of a request that the site may answer with a part.
var uncoded = []string{"identity"}

// fetch maps the request to the site's, lets the inner chain answer it and maps
// the answer. The request is changed in place, since placeholders of the inner
// chain read this very request, and put back afterwards, since the main site's
// error routes and log read it too.
func (m *Mount) fetch(w http.ResponseWriter, r *http.Request, v *handler.View, rest, rawQuery string, peer handler.Peer, first reader) error {
	*r = *r.WithContext(httptrace.WithClientTrace(r.Context(), surplusTrace))
	outer := *r
	defer restore(r, &outer)

	site := new(url.URL)
	*site = *r.URL
	site.RawQuery = rawQuery
	r.URL = site
	r.Header = cloneHeader(r.Header)
	v.Outbound(r, rest, peer)
	r.Header["Accept-Encoding"] = m.accept
	if label, ok := balancer.VariantFrom(r.Context()); ok && m.split != nil {
		r.Header[splitField] = m.split.variants[label].field
	}
	r.TLS = nil
	if v.SiteScheme() == "https" {
		r.TLS = siteTLS
	}

	// FastCGI and file_server read the original request, not this one. It is
	// shared by pointer with the context, so it is set and put back too.
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok && original.URL != nil {
		before := *original.URL
		*original.URL = *r.URL
		defer func() { *original.URL = before }()
	}

	rw := handler.NewResponseWriter(w, v, &outer)
	rw.Learn, rw.Fault = m.learn, m.fault
	rw.KeepInternal = first != readByVisitor
	rw.Rest = rest
	since := r.Header["If-Modified-Since"]
	rw.Tags = v.Content(r, rest)
	if first == readByStore && len(since) > 0 {
		// The cache's own condition. What it holds was mapped by this very
		// configuration, which is part of its key.
		r.Header["If-Modified-Since"] = since
	}
	if len(r.Header["Range"]) > 0 {
		// Visitors count in the body as it is; of a coded one (RFC 9110 section 14.1)
		// they would get a part that nobody can decode.
		r.Header["Accept-Encoding"] = uncoded
	}
	start := time.Now()
	defer func() {
		_ = rw.Close(http.ErrAbortHandler) // does nothing after the one below
		m.metrics.fetched(rw, time.Since(start))
	}()

	err := m.ask(rw, r)
	if err == nil && rw.Status() == 0 {
		// net/http would make an empty 200 of it, which looks whole: as after a
		// 101 that nobody asked for, which reverse_proxy drops.
		err = caddyhttp.Error(http.StatusBadGateway, errors.New("the site answered nothing"))
	}
	switch broken := rw.Close(err); {
	case broken == nil:
	case rw.Sent():
		// Too late for an error page. Whoever reads the answer must see that it
		// is not whole.
		m.metrics.aborted.Inc()
		panic(http.ErrAbortHandler)
	case err == nil:
		err = caddyhttp.Error(http.StatusBadGateway, broken)
	}
	return err
}

// ask has the inner chain answer. reverse_proxy panics where an answer breaks off,
// which is an error like others if it had begun and nothing of it was sent.
func (m *Mount) ask(rw *handler.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			if rw.Status() == 0 || rw.Sent() || r.Context().Err() != nil {
				panic(p)
			}
			err = caddyhttp.Error(http.StatusBadGateway, errors.New("the answer of the site broke off"))
		default:
			panic(p)
		}
	}()
	return m.inner.ServeHTTP(rw, r)
}

// siteTLS marks the inner request as one over TLS, for handlers that ask.
var siteTLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true}

// restore puts back what fetch has changed of a request. It writes nothing else: a
// goroutine of the transport may outlive the answer and still read.
func restore(r, outer *http.Request) {
	r.URL, r.Header, r.Host, r.RequestURI, r.TLS = outer.URL, outer.Header, outer.Host, outer.RequestURI, outer.TLS
	if r.Body != outer.Body {
		r.Body, r.ContentLength, r.TransferEncoding = outer.Body, outer.ContentLength, outer.TransferEncoding
	}
}

// cloneHeader is Header.Clone with room for the fields that the mount adds.
func cloneHeader(h http.Header) http.Header {
	const added = 8
	lines := 0
	for _, values := range h {
		lines += len(values)
	}
	clone, all := make(http.Header, len(h)+added), make([]string, 0, lines)
	for name, values := range h {
		from := len(all)
		all = append(all, values...)
		clone[name] = all[from:len(all):len(all)]
	}
	return clone
}
