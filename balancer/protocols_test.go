package balancer

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/fcgi"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go/http3"
)

func startHTTP(tb testing.TB, h http.Handler) string {
	_, address := origin(tb, h.ServeHTTP)
	return address
}

func startHTTP2(tb testing.TB, h http.Handler) string {
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	tb.Cleanup(server.Close)
	return "https://" + server.Listener.Addr().String()
}

func startH2C(tb testing.TB, h http.Handler) string {
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	tb.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func startHTTP3(tb testing.TB, h http.Handler) string {
	certified := httptest.NewTLSServer(nil) // for its certificate
	certified.Close()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &http3.Server{
		Handler:   h,
		TLSConfig: http3.ConfigureTLSConfig(&tls.Config{Certificates: certified.TLS.Certificates}),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(socket)
	}()
	tb.Cleanup(func() { server.Close(); <-done; socket.Close() })
	return "https://" + socket.LocalAddr().String()
}

func startFastCGI(tb testing.TB, h http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = fcgi.Serve(listener, h)
	}()
	tb.Cleanup(func() { listener.Close(); <-done })
	return listener.Addr().String()
}

// TestProtocols shows that the same measuring works with every transport.
func TestProtocols(t *testing.T) {
	tests := []struct {
		name, transport string
		start           func(testing.TB, http.Handler) string
		proto           string // what the origin must see
	}{
		{"HTTP 1", "", startHTTP, "HTTP/1.1"},
		{"HTTP 2", "transport http {\n tls_insecure_skip_verify\n}", startHTTP2, "HTTP/2.0"},
		{"h2c", "transport http {\n versions h2c\n}", startH2C, "HTTP/2.0"},
		{"HTTP 3", "transport http {\n versions 3\n tls_insecure_skip_verify\n}", startHTTP3, "HTTP/3.0"},
		{"FastCGI", "transport fastcgi {\n root /srv\n}", startFastCGI, "HTTP/1.1"},
	}
	for _, tt := range tests {
		for _, measure := range []Measure{FirstByte, LastByte} {
			t.Run(fmt.Sprintf("%s %s", tt.name, measure), func(t *testing.T) {
				var fastCount, slowCount atomic.Int64
				sees := func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Proto != tt.proto {
							t.Errorf("the origin sees %s, want %s", r.Proto, tt.proto)
						}
						next.ServeHTTP(w, r)
					})
				}
				fast := tt.start(t, sees(slow("fast", 0, &fastCount)))
				lame := tt.start(t, sees(slow("slow", 300*ms, &slowCount)))
				base := serve(t, fmt.Sprintf("reverse_proxy %s %s {\n lb_policy least_time %s\n %s\n}", lame, fast, measure, tt.transport))
				for range 12 {
					mustGet(t, base)
				}
				if slowCount.Load() > 1 {
					t.Errorf("%d of 12 requests went to the slow origin", slowCount.Load())
				}
			})
		}
	}
}
