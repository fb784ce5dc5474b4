//go:build wordpress

package wordpress

import (
	"testing"
	"net/http"
	"io"
	"time"
	"os"
)

func TestSmoke(t *testing.T) {
	dir, _ := os.MkdirTemp("", "wp")
	t.Log(dir)
	t0 := time.Now()
	m, err := NewMachine(t.Context(), dir)
	if err != nil { t.Fatal(err) }
	t.Log("machine", time.Since(t0))
	defer m.Close()
	s, err := m.Install(t.Context(), SiteOptions{Name: "a", Home: "http://blog.example.net", Release: Release(os.Getenv("REL"))})
	if err != nil { t.Fatal(err) }
	t.Log("install", time.Since(t0))
	o, err := s.Serve(t.Context(), OriginOptions{Name: "blog.example.net"})
	if err != nil { t.Fatal(err) }
	defer o.Close()
	for _, u := range []string{"/", "/2024/03/traps/", "/wp-login.php", "/wp-json/", "/blog/"} {
	req, _ := http.NewRequest("GET", "http://"+o.Address+u, nil)
	req.Host = "blog.example.net"
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil { t.Fatal(err) }
	b, _ := io.ReadAll(res.Body)
	t.Log(res.Status, len(b))
	if u == "/2024/03/traps/" { os.WriteFile("/tmp/traps.html", b, 0644) }
	}
	t.Log("served", time.Since(t0))
	t0 = time.Now()
	if err := s.Reset(t.Context()); err != nil { t.Fatal(err) }
	t.Log("reset", time.Since(t0))
}
