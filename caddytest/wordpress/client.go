package wordpress

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// requestTimeout bounds one request of a Client, body included.
const requestTimeout = 60 * time.Second

// ErrUnroutable is the error of a request to a host that the client was not
// told of: on a page of the mount, a link that leads there is an escape.
var ErrUnroutable = errors.New("host is not one of the test's")

// Routes tells where hosts are: "example.com:443" to "127.0.0.1:40123".
type Routes map[string]string

// Client is a visitor of its own: it keeps cookies, follows no redirect, and
// reaches only the hosts of its routes. It is safe for concurrent use.
type Client struct{ http *http.Client }

// NewClient makes a visitor. It trusts the certificates of roots; nil trusts any.
func NewClient(routes Routes, roots *x509.CertPool) *Client {
	jar, _ := cookiejar.New(nil) // no options, no error
	dialer := new(net.Dialer)
	return &Client{&http.Client{
		Jar:     jar,
		Timeout: requestTimeout,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				to, ok := routes[address]
				if !ok {
					return nil, fmt.Errorf("dialling %s: %w", address, ErrUnroutable)
				}
				return dialer.DialContext(ctx, network, to)
			},
			TLSClientConfig:     &tls.Config{RootCAs: roots, InsecureSkipVerify: roots == nil},
			MaxIdleConnsPerHost: 8,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close drops the client's idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Answer is a response with its whole body, content coding removed.
type Answer struct {
	*http.Response
	Body []byte
}

// Do sends a request and reads its answer.
func (c *Client) Do(req *http.Request) (*Answer, error) {
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", req.URL, err)
	}
	return &Answer{res, body}, nil
}

// Get fetches a URL.
func (c *Client) Get(ctx context.Context, address string) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return c.Do(req)
}

// Post sends a body of the given type; fields are further header fields, name and value in turn.
func (c *Client) Post(ctx context.Context, address, contentType string, body []byte, fields ...string) (*Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	return c.Do(req)
}

// PostForm sends form fields.
func (c *Client) PostForm(ctx context.Context, address string, form url.Values, fields ...string) (*Answer, error) {
	return c.Post(ctx, address, "application/x-www-form-urlencoded", []byte(form.Encode()), fields...)
}

// LogIn signs the administrator in through the login form of the site at base,
// asks to be sent to target, and returns the answer to the form.
func (c *Client) LogIn(ctx context.Context, base, target string) (*Answer, error) {
	login := base + "/wp-login.php"
	if _, err := c.Get(ctx, login); err != nil {
		return nil, err
	}
	answer, err := c.PostForm(ctx, login, url.Values{
		"log": {AdminName}, "pwd": {AdminPassword}, "wp-submit": {"Log In"}, "redirect_to": {target}, "testcookie": {"1"},
	})
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusFound {
		return nil, fmt.Errorf("login at %s answered %s: %s", login, answer.Status, loginError(answer.Body))
	}
	return answer, nil
}

// loginError is the message that the login form shows, for an error text.
func loginError(page []byte) string {
	_, after, found := strings.Cut(string(page), `id="login_error"`)
	if !found {
		return "no message"
	}
	message, _, _ := strings.Cut(after, "</div>")
	return strings.TrimSpace(message)
}
