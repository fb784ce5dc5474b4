package mount

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

// surplusOrigin sends a second answer with that to /surplus, which holds none.
func surplusOrigin(t *testing.T) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	t.Cleanup(func() { _ = ln.Close(); work.Wait() })
	work.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					answer := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
					if r.URL.Path == "/surplus" {
						answer = "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
					}
					if _, err := io.WriteString(conn, answer); err != nil {
						return
					}
				}
			})
		}
	})
	return ln.Addr().String()
}

// TestSurplusIsNobodysAnswer: a request that takes a connection at once gets its own
// answer, not what was left over from another one.
func TestSurplusIsNobodysAnswer(t *testing.T) {
	log.SetOutput(io.Discard) // net/http tells of each surplus
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	origin := surplusOrigin(t)
	transport := &http.Transport{DialContext: new(net.Dialer).DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	watchConnections(&reverseproxy.HTTPTransport{Transport: transport})
	ctx := httptrace.WithClientTrace(t.Context(), surplusTrace)
	ask := func(path string) string {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+origin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	for range 2000 {
		ask("/surplus")
		if got := ask("/page"); got != "good" {
			t.Fatalf("the answer is %q", got)
		}
	}
}
