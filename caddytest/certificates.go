package caddytest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/caddyserver/caddy/v2/modules/caddypki"
	"github.com/caddyserver/caddy/v2/modules/caddytls"
)

// cachedCertificates wakes who waits for a certificate. Caddy obtains them after
// a configuration has loaded and tells by an event.
var cachedCertificates signal

// certificateEvents is told of every certificate that becomes ready.
type certificateEvents struct{}

// subscribe makes the configuration that is being provisioned tell of its
// certificates. Subscriptions in the configuration itself would come too late:
// they begin when the events app starts, and Caddy starts apps in any order.
func (e certificateEvents) subscribe(ctx caddy.Context) error {
	app, err := ctx.App("events")
	if err != nil {
		return err
	}
	return app.(*caddyevents.App).On("cached_managed_cert", e)
}

// Handle wakes who waits for a certificate.
func (certificateEvents) Handle(context.Context, caddy.Event) error {
	cachedCertificates.Lock()
	defer cachedCertificates.Unlock()
	cachedCertificates.broadcast()
	return nil
}

// awaitCertificate waits until the running configuration can show a certificate
// for host, and returns the authority that signs those of the sites.
func awaitCertificate(host string) (*x509.CertPool, error) {
	app, err := caddy.ActiveContext().App("tls")
	if err != nil {
		return nil, err
	}
	certificates := app.(*caddytls.TLS)
	if !cachedCertificates.await(context.Background(), func() bool { return certificates.HasCertificateForSubject(host) }) {
		return nil, fmt.Errorf("waited %v for a certificate for %s", limit, host)
	}
	if app, err = caddy.ActiveContext().App("pki"); err != nil {
		return nil, err
	}
	authority, ok := app.(*caddypki.PKI).CAs["local"]
	if !ok {
		return nil, errors.New("the configuration has no local certificate authority")
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.RootCertificate())
	return roots, nil
}

var _ caddyevents.Handler = certificateEvents{}
