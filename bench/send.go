package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// loadWord as the first argument makes this program a load itself: of HTTP/3, and of
// requests for a new URL each.
const loadWord = "load"

// sending is what such a load sends.
type sending struct {
	proto       protocol
	address     string // that all is sent to
	accept, url string
	new         string // not empty: begins the query that makes each URL another one
	requests    int64
}

// args are the arguments from which parse makes the sending again.
func (l sending) args() []string {
	return []string{loadWord, strconv.Itoa(int(l.proto)), l.address, l.accept, l.url, l.new, strconv.FormatInt(l.requests, 10)}
}

func parse(args []string) (l sending, err error) {
	if len(args) != 7 {
		return l, fmt.Errorf("%s is what this program starts itself with", loadWord)
	}
	proto, err := strconv.Atoi(args[1])
	if err != nil {
		return l, fmt.Errorf("reading the protocol: %w", err)
	}
	requests, err := strconv.ParseInt(args[6], 10, 64)
	if err != nil {
		return l, fmt.Errorf("reading the number of requests: %w", err)
	}
	return sending{protocol(proto), args[2], args[3], args[4], args[5], requests}, nil
}

// The connections of a load and the requests that each has under way: those of the
// other loads.
func (p protocol) concurrency() (connections, streams int) {
	if p == h1 {
		return 16, 1
	}
	return 4, 8
}

// send sends all requests and says at the end how many were answered with 200 and a
// whole body.
func (l sending) send() error {
	template, err := http.NewRequest(http.MethodGet, l.url, nil)
	if err != nil {
		return err
	}
	template.Header.Set("Accept-Encoding", l.accept)
	var asked, answered atomic.Int64
	var failed atomic.Pointer[error]
	var load sync.WaitGroup
	connections, streams := l.proto.concurrency()
	for range connections {
		transport := transport(l.proto, l.address)
		defer transport.CloseIdleConnections()
		for range streams {
			load.Go(func() {
				buffer := make([]byte, 32<<10)
				for failed.Load() == nil {
					n := asked.Add(1)
					if n > l.requests {
						return
					}
					request := template.Clone(context.Background())
					if l.new != "" {
						request.URL.RawQuery = "n=" + l.new + strconv.FormatInt(n, 10)
					}
					if err := ask(transport, request, buffer); err != nil {
						failed.Store(&err)
						return
					}
					answered.Add(1)
				}
			})
		}
	}
	load.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	fmt.Printf("status codes: %d 2xx\n", answered.Load())
	return nil
}

// ask sends the request once and reads the whole answer.
func ask(transport http.RoundTripper, request *http.Request, buffer []byte) error {
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	// Without ReadFrom, the buffer is used.
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, response.Body, buffer)
	return err
}

// transport speaks the protocol to address, whatever a URL says.
func transport(p protocol, address string) interface {
	http.RoundTripper
	CloseIdleConnections()
} {
	if p == h3 {
		return &http3.Transport{
			DisableCompression: true,
			TLSClientConfig:    clientTLS(),
			Dial: func(ctx context.Context, _ string, t *tls.Config, q *quic.Config) (*quic.Conn, error) {
				return quic.DialAddr(ctx, address, t, q)
			},
		}
	}
	return &http.Transport{
		DisableCompression: true, ForceAttemptHTTP2: true, TLSClientConfig: clientTLS(),
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
}

// clientTLS trusts any certificate: those of the servers are made for the run.
func clientTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: "example.com"}
}
