package wordpress

import (
	"context"
	"net"
	"testing"
)

func TestResolver(t *testing.T) {
	r, err := newResolver(OriginHost)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}()
	client := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", r.address())
	}}
	ips, err := client.LookupNetIP(t.Context(), "ip", OriginHost+".")
	if err != nil || len(ips) != 1 || ips[0].Unmap().String() != "127.0.0.1" {
		t.Errorf("%s is %v, %v, want 127.0.0.1", OriginHost, ips, err)
	}
	if ips, err := client.LookupNetIP(t.Context(), "ip", "other.example.net."); err == nil {
		t.Errorf("another name is %v, want an error", ips)
	}
}
