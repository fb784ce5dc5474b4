package cache

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFetchHeader(t *testing.T) {
	sent := header("User-Agent", "x", "Accept", "a", "Accept-Language", "de", "X-Unknown", "1", "X-Unknown", "2", "Origin", "https://o.example", "Sec-Fetch-Mode", "navigate")
	client := sent.Clone()
	for _, name := range []string{
		"Cookie", "Referer", "If-None-Match", "If-Modified-Since", "If-Match", "If-Range", "If-Anything", "Range", "Cache-Control", "Pragma",
		"Authorization", "Proxy-Authorization", "X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X-Original-URL", "X-Rewrite-URL",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Scheme",
		"X-Forwarded-User", "Forwarded", "X-Host", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Client-IP", "Proxy", "Remote-User",
		"X-Auth-Request-User", "X-LSCACHE", "X-LSCACHE-Vary-Value", "X-LiteSpeed-Purge", "X-Accel-Redirect", "Accept-Encoding", "CDN-Loop", "Host",
		"Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Content-Length", "Content-Type", "X-WP-Nonce", "X_Forwarded_Host",
	} {
		client.Set(name, "v")
	}
	if diff := cmp.Diff(sent, FetchHeader(client, FetchOptions{})); diff != "" {
		t.Error(diff)
	}
}

func TestFetchHeaderOptions(t *testing.T) {
	client := header("Authorization", "Basic YTpi", "Accept", "a", "User-Agent", "x", "X-Unknown", "1", "Cookie", "a=b", "Origin", "https://o.example",
		"Connection", "close, x-named", "X-Named", "1")
	for name, test := range map[string]struct {
		options FetchOptions
		want    http.Header
	}{
		"default":       {FetchOptions{}, header("Accept", "a", "User-Agent", "x", "X-Unknown", "1", "Origin", "https://o.example")},
		"authorization": {FetchOptions{Authorization: true}, header("Authorization", "Basic YTpi", "Accept", "a", "User-Agent", "x", "X-Unknown", "1", "Origin", "https://o.example")},
		"strict": {
			FetchOptions{Strict: true, Allow: []string{"Accept", "Cookie", "X-Named", "Authorization"}},
			header("Accept", "a", "User-Agent", "Mozilla/5.0 (compatible)", "Origin", "https://o.example"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, FetchHeader(client, test.options)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFetchHeaderDoesNotShareItsLists(t *testing.T) {
	values := make([]string, 1, 2)
	values[0] = "a"
	client := http.Header{"Accept": values}
	h := FetchHeader(client, FetchOptions{})
	h.Add("Accept", "b")
	if diff := cmp.Diff(http.Header{"Accept": {"a"}}, client); diff != "" || values[:2][1] != "" {
		t.Errorf("the client's header was written to:\n%s", diff)
	}
}

func TestSelecting(t *testing.T) {
	v := ParseVary([]string{"Accept, User-Agent, X-Unknown, Authorization"})
	if diff := cmp.Diff(v, (FetchOptions{}).Selecting(v)); diff != "" {
		t.Error(diff)
	}
	strict := FetchOptions{Strict: true, Allow: []string{"Accept", "User-Agent"}}
	if diff := cmp.Diff([]string{"Accept", "Authorization"}, strict.Selecting(v).Fields); diff != "" {
		t.Error(diff)
	}
}

func TestDeviceClass(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   string
	}{
		"none":    {header(), ""},
		"desktop": {header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"), ""},
		"phone":   {header("User-Agent", "Mozilla/5.0 (Linux; Android 14) Mobile Safari"), "mobile"},
		"hint":    {header("User-Agent", "Mozilla/5.0", "Sec-CH-UA-Mobile", "?1"), "mobile"},
		"no hint": {header("User-Agent", "Mozilla/5.0 (Android)", "Sec-CH-UA-Mobile", "?0"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := DeviceClass(test.header)
			if got != test.want {
				t.Errorf("%q", got)
			}
			if again := DeviceClass(http.Header{"User-Agent": deviceAgents[got]}); again != got {
				t.Errorf("what is sent for %q is taken for %q", got, again)
			}
		})
	}
}

func TestFieldNamesAreCanonical(t *testing.T) {
	for name := range fieldClasses {
		if http.CanonicalHeaderKey(name) != name {
			t.Errorf("%q is written %q in a header", name, http.CanonicalHeaderKey(name))
		}
	}
	for _, prefix := range neverPrefixes {
		if http.CanonicalHeaderKey(prefix+"a") != prefix+"A" && http.CanonicalHeaderKey(prefix+"a") != prefix+"a" {
			t.Errorf("prefix %q matches no canonical name", prefix)
		}
	}
}

// FuzzFetchHeader: no field that is never sent, configured or named by
// Connection comes through, and no field is made up.
func FuzzFetchHeader(f *testing.F) {
	f.Add("Cookie", "a=b", "accept-language", true)
	f.Add("X-Forwarded-Anything", "a", "x", false)
	f.Fuzz(func(t *testing.T, name, value, connection string, authorization bool) {
		client := http.Header{"Connection": {connection}, "Accept-Language": {"de"}}
		client.Add(name, value)
		client[name] = append(client[name], value)
		h := FetchHeader(client, FetchOptions{Authorization: authorization})
		for got := range h {
			lower := strings.ToLower(got)
			switch {
			case fieldClass(got) != classSelected && fieldClass(got) != classKeyed,
				lower == "cookie", lower == "referer", lower == "range", lower == "host", strings.HasPrefix(lower, "if-"),
				strings.HasPrefix(lower, "x-forwarded"), strings.HasPrefix(lower, "proxy"), strings.ContainsAny(lower, "_ :\r\n"),
				lower == "authorization" && !authorization:
				t.Fatalf("%q is sent", got)
			}
			for named := range strings.SplitSeq(connection, ",") {
				if !strings.Contains(connection, `"`) && strings.EqualFold(trimOWS(named), got) && fieldClass(got) != classKeyed {
					t.Fatalf("%q is sent though Connection names it", got)
				}
			}
			if !cmp.Equal(h[got], client[got]) {
				t.Fatalf("%q: %q from %q", got, h[got], client[got])
			}
		}
	})
}
