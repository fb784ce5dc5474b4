package handler

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// What a client may not say in the header it does not say behind the body either,
// announced or not.
func TestRequestTrailer(t *testing.T) {
	tests := []struct {
		name, announced, sent string
		want                  []string
	}{
		{"none announced", "", "X-Sum: 1\r\n", nil},
		{"plain", "X-Sum", "X-Sum: 1\r\n", []string{"X-Sum"}},
		{"claims", "X-Sum, X-Forwarded-For, Cookie", "X-Sum: 1\r\nX-Forwarded-For: 6.6.6.6\r\nCookie: wordpress_logged_in_x=1\r\n", []string{"X-Sum"}},
		{"not announced", "X-Sum", "X-Sum: 1\r\nRemote-User: root\r\nAuthorization: Basic eDp5\r\nX_Forwarded_Host: evil\r\n", []string{"X-Sum"}},
		{"only claims", "Remote-User", "Remote-User: root\r\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan []string, 1)
			site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				got <- slices.Sorted(maps.Keys(r.Trailer))
			}))
			defer site.Close()
			v := newTestView(t, Transparent, "/blog", "https://blog.example.net")
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				v.Outbound(r, "/x", Peer{})
				r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", strings.TrimPrefix(site.URL, "http://")
				answer, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = answer.Body.Close()
			}))
			defer front.Close()

			r, err := http.NewRequest(http.MethodPost, front.URL+"/blog/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Trailer = make(http.Header)
			for name := range strings.SplitSeq(tt.announced, ", ") {
				if name != "" {
					r.Trailer[name] = nil
				}
			}
			r.Body = io.NopCloser(&trailingReader{r.Trailer, tt.sent})
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if names := <-got; !slices.Equal(names, tt.want) {
				t.Errorf("the site got the trailers %q, want %q", names, tt.want)
			}
		})
	}
}

// trailingReader is a body that sets trailers at its end.
type trailingReader struct {
	trailer http.Header
	lines   string
}

func (r *trailingReader) Read([]byte) (int, error) {
	for line := range strings.Lines(r.lines) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.trailer[name] = []string{value}
	}
	return 0, io.EOF
}
