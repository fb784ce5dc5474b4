package caddytest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// forwarded is what the mount tells the site of a request, but for the fields that
// only Vary selects.
type forwarded struct {
	Method, Target, Host string
	Fields               http.Header // keyed and configured ones
	Never                []string    // fields that a storable fetch never has
}

// keyedFields are those of a storable fetch that Vary does not select; neverFields
// some of those that it never carries.
var (
	keyedFields = []string{"Origin", "Accept-Encoding", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"}
	neverFields = []string{
		"Cookie", "Referer", "Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Range", "Cache-Control", "Pragma", "Expect", "Forwarded",
		"X-Host", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X-Forwarded-Server", "X-Forwarded-Scheme", "Client-Ip",
		"True-Client-Ip", "Remote-User", "Proxy", "Proxy-Authorization", "Upgrade", "Te", "Trailer", "Content-Type", "X-Nextjs-Data",
	}
)

// FuzzKeyIsForwarded: where the answer to one request is given for another, the
// site would have been told the same of both; and no field that is never sent
// arrives.
func FuzzKeyIsForwarded(f *testing.F) {
	for _, seed := range [][8]string{
		{"/blog/a", "example.com", "X-A", "1", "/blog/a", "EXAMPLE.com:80", "X-A", "2"},
		{"/blog/a%2fb?", "example.com", "Origin", "http://a.test", "/blog/a/b", "example.com.", "Origin", ""},
		{"/blog/x/../a?utm_source=1&b", "example.com", "X-Forwarded-Host", "evil", "/%62log/a?b", "www.example.com", "Forwarded", "host=evil"},
		{"/blog/?a;b=%26", "example.com", "Accept-Encoding", "br", "/blog?a;b=&", "example.com", "Range", "bytes=0-1"},
		{"/blog//", "example.com", "Connection", "Host, Origin", "/blog/", "example.com", "X_Forwarded_Host", "evil"},
		{"http://example.com/blog/a", "www.example.com", "If-None-Match", `"x"`, "/blog/a", "example.com", "Cookie", "lang=x"},
		{"/blog/a?1", "example.com", "Origin", "http://a.test", "/blog/a?1", "example.com", "Origin", "http://b.test"},
		{"/blog/a?1", "example.com", "X-A", "1", "/blog/a?2", "example.com", "X-A", "1"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4], seed[5], seed[6], seed[7])
	}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told := forwarded{Method: r.Method, Target: r.RequestURI, Host: r.Host, Fields: http.Header{}}
		for _, name := range keyedFields {
			if values, ok := r.Header[name]; ok {
				told.Fields[name] = values
			}
		}
		for _, name := range neverFields {
			if _, ok := r.Header[name]; ok {
				told.Never = append(told.Never, name)
			}
		}
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Cache-Control", "max-age=600")
		_ = json.NewEncoder(w).Encode(told)
	}))
	f.Cleanup(origin.Close)
	address := strings.TrimPrefix(origin.URL, "http://")
	server := NewServer(f.TempDir(), func(string) (string, bool) { return address, true })
	f.Cleanup(func() {
		if err := server.Stop(); err != nil {
			f.Error(err)
		}
	})
	err := server.Load(`http://example.com, http://www.example.com {
		mount /blog http://blog.example.net {
			aware strip_prefix
			cache {
				key {http.request.header.X-Round}
			}
		}
	}`, "Caddyfile")
	if err != nil {
		f.Fatal(err)
	}
	round := 0
	f.Fuzz(func(t *testing.T, target1, host1, name1, value1, target2, host2, name2, value2 string) {
		round++
		first, _, ok := ask(t, server, target1, host1, name1, value1, fmt.Sprint(round, "a"))
		if !ok {
			return
		}
		second, status, ok := ask(t, server, target2, host2, name2, value2, fmt.Sprint(round, "a"))
		if !ok {
			return
		}
		if strings.Contains(status, "stored") && len(second.Never) > 0 {
			t.Fatalf("a storable fetch carries %v", second.Never)
		}
		if !strings.Contains(status, "; hit") && !strings.Contains(status, "collapsed") {
			return
		}
		alone, status, ok := ask(t, server, target2, host2, name2, value2, fmt.Sprint(round, "b"))
		if !ok || !strings.Contains(status, "stored") {
			t.Fatalf("%q %q was given a stored answer and would by itself be %q", target2, name2, status)
		}
		if diff := cmp.Diff(first, alone); diff != "" {
			t.Fatalf("%q %q: %q and %q %q: %q share a key: %s", target1, name1, value1, target2, name2, value2, diff)
		}
	})
}

// ask sends a raw request and returns what the site was told for its answer. ok is
// false if the site has not answered.
func ask(t *testing.T, server *Server, target, host, name, value, round string) (told forwarded, status string, ok bool) {
	t.Helper()
	head := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n%s: %s\r\nX-Round: %s\r\nConnection: close\r\n\r\n", target, host, name, value, round)
	if strings.EqualFold(name, "X-Round") || strings.EqualFold(name, "Transfer-Encoding") || strings.EqualFold(name, "Content-Length") || strings.Count(head, "\n") != 6 {
		return told, "", false
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := server.Dial(ctx, "example.com:80")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if _, err := io.WriteString(conn, head); err != nil {
		return told, "", false
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return told, "", false
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&told) != nil {
		return told, "", false
	}
	return told, response.Header.Get("Cache-Status"), true
}
