package cache

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func exchange(status int, h http.Header, o FreshnessOptions) Exchange {
	return Exchange{
		Method: http.MethodGet, Status: status, Header: h,
		Policy: ResponsePolicy(h, testNow), Freshness: freshnessOf(status, h, o),
	}
}

func TestStorable(t *testing.T) {
	ttl := FreshnessOptions{TTL: time.Minute}
	for name, test := range map[string]struct {
		header http.Header
		status int
		want   Reason
	}{
		"freshness-max-age":                   {header("Cache-Control", "max-age=60"), 200, ReasonStored},
		"cc-resp-private-shared":              {header("Cache-Control", "private, max-age=3600"), 200, ReasonPrivate},
		"private in a second line":            {header("Cache-Control", "max-age=3600", "Cache-Control", "Private"), 200, ReasonPrivate},
		"qualified private":                   {header("Cache-Control", `max-age=60, private="Set-Cookie"`), 200, ReasonPrivate},
		"cc-resp-no-store-fresh":              {header("Cache-Control", "max-age=10000, no-store", "Expires", at(10000)), 200, ReasonNoStore},
		"cdn-no-store-cc-fresh":               {header("Cache-Control", "max-age=10000", "CDN-Cache-Control", "no-store"), 200, ReasonNoStore},
		"cdn-fresh-cc-nostore":                {header("Cache-Control", "no-store", "CDN-Cache-Control", "max-age=10000"), 200, ReasonStored},
		"cc-resp-no-cache-revalidate":         {header("Cache-Control", "no-cache", "ETag", `"abcd"`), 200, ReasonStored},
		"cc-resp-no-cache":                    {header("Cache-Control", "max-age=10000, no-cache"), 200, ReasonNoValidator},
		"other-set-cookie":                    {header("Cache-Control", "max-age=60", "Set-Cookie", "a=b"), 200, ReasonSetCookie},
		"set-cookie with no-cache set-cookie": {header("Cache-Control", `max-age=60, no-cache="set-cookie"`, "Set-Cookie", "a=b"), 200, ReasonSetCookie},
		"headers-store-Set-Cookie2":           {header("Cache-Control", "max-age=60", "Set-Cookie2", "a=b"), 200, ReasonStored},
		"vary-syntax-foo-star":                {header("Cache-Control", "max-age=60", "Vary", "Foo, *"), 200, ReasonVaryStar},
		"vary-syntax-empty-star-lines":        {header("Cache-Control", "max-age=60", "Vary", "", "Vary", "*"), 200, ReasonVaryStar},
		"vary of the address":                 {header("Cache-Control", "max-age=60", "Vary", "x-forwarded-for"), 200, ReasonVaryClientAddress},
		"max-age=0 without validator":         {header("Cache-Control", "max-age=0"), 200, ReasonNoValidator},
		"max-age=0 with validator":            {header("Cache-Control", "max-age=0", "ETag", `"a"`), 200, ReasonStored},
		"stale-while-revalidate of stale":     {header("Cache-Control", "max-age=0, stale-while-revalidate=5"), 200, ReasonStored},
		"malformed validator":                 {header("Cache-Control", "no-cache", "ETag", "abcd"), 200, ReasonNoValidator},
		"event stream":                        {header("Cache-Control", "max-age=60", "Content-Type", "Text/Event-Stream; charset=utf-8"), 200, ReasonStream},
		"incremental":                         {header("Cache-Control", "max-age=60", "Incremental", "?1"), 200, ReasonStream},
		"incremental false":                   {header("Cache-Control", "max-age=60", "Incremental", "?0"), 200, ReasonStored},
		"incremental garbage":                 {header("Cache-Control", "max-age=60", "Incremental", "1"), 200, ReasonStored},
		"unbuffered":                          {header("Cache-Control", "max-age=60", "X-Accel-Buffering", "NO"), 200, ReasonStream},
		"partial":                             {header("Cache-Control", "max-age=60"), 206, ReasonPartial},
		"unsolicited 304":                     {header("Cache-Control", "max-age=60"), 304, ReasonStatus},
		"101":                                 {header("Cache-Control", "max-age=60"), 101, ReasonStatus},
		"status 2000":                         {header("Cache-Control", "max-age=60"), 2000, ReasonStatus},
		"error to be validated only":          {header("Cache-Control", "no-cache", "ETag", `"a"`), 404, ReasonStatus},
		"status-200-must-understand":          {header("Cache-Control", "max-age=3600, no-store, must-understand"), 200, ReasonStored},
		"status-599-must-understand":          {header("Cache-Control", "max-age=3600, no-store, must-understand"), 599, ReasonNoStore},
		"must-understand without no-store":    {header("Cache-Control", "max-age=3600, must-understand"), 599, ReasonNotUnderstood},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Storable(exchange(test.status, test.header, FreshnessOptions{})); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
	if got := Storable(exchange(200, header(), FreshnessOptions{})); got != ReasonNoLifetime {
		t.Errorf("freshness-none: %v", got)
	}
	if got := Storable(exchange(200, header(), ttl)); got != ReasonStored {
		t.Errorf("with ttl: %v", got)
	}
	for _, method := range []string{"HEAD", "POST", "OPTIONS", "QUERY"} {
		x := exchange(200, header("Cache-Control", "max-age=60"), FreshnessOptions{})
		x.Method = method
		if got := Storable(x); got != ReasonMethod {
			t.Errorf("%s: %v", method, got)
		}
	}
}

func TestStorableByStatus(t *testing.T) {
	// Statuses that the suite sends with explicit freshness (status-*-fresh), and
	// those that speak of the request.
	for status, want := range map[int]Reason{
		200: ReasonStored, 203: ReasonStored, 204: ReasonStored, 299: ReasonStored,
		301: ReasonStored, 302: ReasonStored, 303: ReasonStored, 307: ReasonStored, 308: ReasonStored,
		404: ReasonStored, 410: ReasonStored, 414: ReasonStatus, 499: ReasonStored,
		500: ReasonStored, 502: ReasonStored, 503: ReasonStored, 504: ReasonStored, 599: ReasonStored,
		400: ReasonStatus, 401: ReasonStatus, 403: ReasonStatus, 405: ReasonStatus, 407: ReasonStatus, 408: ReasonStatus,
		412: ReasonStatus, 413: ReasonStatus, 415: ReasonStatus, 416: ReasonStatus, 417: ReasonStatus, 421: ReasonStatus,
		426: ReasonStatus, 428: ReasonStatus, 429: ReasonStatus, 431: ReasonStatus, 451: ReasonStatus, 511: ReasonStatus,
	} {
		t.Run("status-"+strconv.Itoa(status)+"-fresh", func(t *testing.T) {
			if got := Storable(exchange(status, header("Cache-Control", "max-age=100000"), FreshnessOptions{})); got != want {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

func TestStorableByHeaderSize(t *testing.T) {
	for long, want := range map[int]Reason{maxStoredHeaderBytes - 100: ReasonStored, maxStoredHeaderBytes: ReasonTooLarge} {
		h := header("Cache-Control", "max-age=60", "X-Long", strings.Repeat("x", long))
		if got := Storable(exchange(200, h, FreshnessOptions{})); got != want {
			t.Errorf("a field of %d bytes: %v, want %v", long, got, want)
		}
	}
}

func TestStorableWithAuthorization(t *testing.T) {
	for name, test := range map[string]struct {
		cc   string
		want Reason
	}{
		"other-authorization":                 {"max-age=3600", ReasonAuthorization},
		"other-authorization-public":          {"max-age=3600, public", ReasonStored},
		"other-authorization-must-revalidate": {"max-age=3600, must-revalidate", ReasonStored},
		"other-authorization-smaxage":         {"s-maxage=3600", ReasonStored},
		"proxy-revalidate says nothing":       {"max-age=3600, proxy-revalidate", ReasonAuthorization},
	} {
		t.Run(name, func(t *testing.T) {
			x := exchange(200, header("Cache-Control", test.cc, "Date", at(0)), FreshnessOptions{})
			x.Authorization = true
			if got := Storable(x); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestStoredHeader(t *testing.T) {
	h := header("Connection", "a, b, keep-alive", "A", "1", "B", "2", "C", "3", "D", "4", "Keep-Alive", "x", "Proxy-Authenticate", "x", "Proxy-Authentication-Info", "x",
		"Proxy-Authorization", "x", "Proxy-Connection", "x", "Te", "x", "Transfer-Encoding", "x", "Upgrade", "x", "Trailer", "x",
		"Cache-Control", `no-cache="d", max-age=5`)
	want := header("C", "3", "Cache-Control", `no-cache="d", max-age=5`)
	if diff := cmp.Diff(want, StoredHeader(h, ResponsePolicy(h, testNow))); diff != "" {
		t.Error(diff)
	}
}

// FuzzStorable: whatever else a response says, no cookie, no private and no
// unselectable response is stored, nor one without a lifetime or validator.
func FuzzStorable(f *testing.F) {
	f.Add(200, "max-age=5, private", "", "", "")
	f.Add(200, "no-store", "max-age=5, no-store=?0", "max-age=9", "foo, *")
	f.Add(404, "s-maxage=5, must-understand", `max-age="5"`, "no-store", "cookie")
	f.Fuzz(func(t *testing.T, status int, cc, cdn, surrogate, vary string) {
		h := header("Cache-Control", cc, "Surrogate-Control", surrogate, "Vary", vary)
		_, targeted := parseTargeted([]string{cdn})
		if cdn != "" {
			h.Set("CDN-Cache-Control", cdn)
		}
		x := exchange(status, h, FreshnessOptions{})
		stored := Storable(x) == ReasonStored
		origin := ParseResponseDirectives([]string{cc})
		switch {
		case !stored:
		case !targeted && (origin.Private || origin.NoStore && !origin.MustUnderstand):
			t.Fatalf("stored though Cache-Control is %q", cc)
		case ParseVary([]string{vary}).Star:
			t.Fatalf("stored though Vary is %q", vary)
		case status == 206 || status == 304 || dependsOnRequest(status):
			t.Fatalf("stored a %d", status)
		case x.Freshness.Source == LifetimeNone:
			t.Fatal("stored without lifetime or validator")
		}
		h.Set("Set-Cookie", "a=b")
		if Storable(exchange(status, h, FreshnessOptions{TTL: time.Hour, Heuristic: true})) == ReasonStored {
			t.Fatal("stored a cookie")
		}
	})
}
