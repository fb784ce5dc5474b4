package handler

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// serve runs the site's answer behind a mount on a real server, as the root
// package does.
func serve(t *testing.T, site func(w http.ResponseWriter, r *http.Request) error) *httptest.Server {
	t.Helper()
	v := blogView(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rw := NewResponseWriter(w, v, r)
		defer rw.Close(http.ErrAbortHandler)
		if err := rw.Close(site(rw, r)); err != nil {
			panic(http.ErrAbortHandler)
		}
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, s *httptest.Server) *http.Response {
	t.Helper()
	client := s.Client()
	client.Transport.(*http.Transport).DisableCompression = true
	res, err := client.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// TestStreamOfPieces sends a page of 100 pieces, each only after the client has
// read the one before, plain and compressed.
func TestStreamOfPieces(t *testing.T) {
	for _, compressed := range []bool{false, true} {
		next := make(chan struct{})
		s := serve(t, func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Content-Type", "text/html")
			body, flush := io.Writer(w), func() error { return nil }
			if compressed {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				body, flush = z, z.Flush
				defer z.Close()
			}
			for range 100 {
				if _, err := io.WriteString(body, sitePage); err != nil {
					return err
				}
				if err := errors.Join(flush(), http.NewResponseController(w).Flush()); err != nil {
					return err
				}
				<-next
			}
			return nil
		})
		res := get(t, s)
		piece := make([]byte, len(publicPage))
		for i := range 100 {
			if _, err := io.ReadFull(res.Body, piece); err != nil || string(piece) != publicPage {
				t.Fatalf("piece %d: %q, %v", i, piece, err)
			}
			next <- struct{}{}
		}
		if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
			t.Fatalf("behind the last piece: %q, %v", rest, err)
		}
	}
}

// TestCutAnswers proves that a body that is not whole is never told as whole.
func TestCutAnswers(t *testing.T) {
	page := strings.Repeat(sitePage, 3000)
	coded := encoded(t, codingGzip, page)
	for name, site := range map[string]func(w http.ResponseWriter) error{
		"the handler fails": func(w http.ResponseWriter) error {
			io.WriteString(w, page)
			http.NewResponseController(w).Flush()
			return errors.New("origin is gone")
		},
		"the handler panics": func(w http.ResponseWriter) error {
			io.WriteString(w, page)
			panic(http.ErrAbortHandler)
		},
		"shorter than told": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Length", "1000000")
			io.WriteString(w, page)
			return nil
		},
		"cut in its coding": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, coded[:len(coded)-9])
			return nil
		},
		"broken in its coding": func(w http.ResponseWriter) error {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, coded[:len(coded)/2]+strings.Repeat("\xff", 1000))
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) error {
				w.Header().Set("Content-Type", "text/html")
				return site(w)
			})
			res, err := s.Client().Get(s.URL)
			if err != nil {
				return // cut before the header, which is plain enough
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err == nil {
				t.Errorf("%d bytes look whole", len(body))
			}
		})
	}
}

// TestServeContent keeps length and ranges of what is not mapped.
func TestServeContent(t *testing.T) {
	picture := bytes.Repeat([]byte("http://blog.example.net/"), 10_000)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "image/png")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(picture))
		return nil
	})
	res := get(t, s)
	body, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(body, picture) || res.ContentLength != int64(len(picture)) || res.Header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("%d bytes, %v, %v", len(body), err, res.Header)
	}
}

// TestHijack takes the connection over behind a 101, and not under a mapped body.
func TestHijack(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		rw.WriteString("http://blog.example.net/ ")
		line, _ := rw.ReadString('\n')
		rw.WriteString(line)
		return rw.Flush()
	})
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", res, err)
	}
	io.WriteString(conn, "echo\n")
	if got, _ := io.ReadAll(r); string(got) != "http://blog.example.net/ echo\n" {
		t.Errorf("got %q", got)
	}

	a := testAnswer(t, httptest.NewRecorder(), "GET", "/")
	a.Header().Set("Content-Type", "text/html")
	a.WriteHeader(200)
	if _, _, err := a.Hijack(); err == nil {
		t.Error("a mapped answer was hijacked")
	}
	a.Close(errors.New("done"))
}

// TestControllerReachesTheConnection sets deadlines through the writer.
func TestControllerReachesTheConnection(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) error {
		rc := http.NewResponseController(w)
		w.Header().Set("Content-Type", "text/html")
		_, err := io.WriteString(w, "ok")
		return errors.Join(err, rc.SetWriteDeadline(time.Now().Add(time.Hour)), rc.SetReadDeadline(time.Now().Add(time.Hour)), rc.EnableFullDuplex())
	})
	if body, err := io.ReadAll(get(t, s).Body); err != nil || string(body) != "ok" {
		t.Errorf("%q, %v", body, err)
	}
}

// TestFieldsOfBothSides adds the site's fields to those of the main site.
func TestFieldsOfBothSides(t *testing.T) {
	rec := httptest.NewRecorder()
	rec.Header()["Set-Cookie"] = []string{"main=1"}
	rec.Header()["Vary"] = []string{"Origin"}
	rec.Header()["X-Frame-Options"] = []string{"DENY"}
	a := testAnswer(t, rec, "GET", "/")
	a.Header()["Set-Cookie"] = []string{"wordpress_x=2; path=/"}
	a.Header()["Vary"] = []string{"Accept"}
	a.Header()["X-Frame-Options"] = []string{"SAMEORIGIN"}
	a.WriteHeader(404)
	a.Close(nil)
	h := rec.Result().Header
	if len(h["Set-Cookie"]) != 2 || len(h["Vary"]) != 2 || len(h["X-Frame-Options"]) != 1 || h.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("%v", h)
	}
}
