package cache

import (
	"testing"
	"time"
)

// TestHeadThatPasses: what a HEAD brings past the cache shows that the stored
// response is out of date, and freshens nothing.
func TestHeadThatPasses(t *testing.T) {
	const old = "Thu, 01 Jan 1998 00:00:00 GMT"
	for _, test := range []struct {
		name   string
		answer []string // of the HEAD
		status int
		fresh  bool // the stored response stays what it was
	}{
		{"same tag", []string{"Etag", `"a"`}, 200, true},
		{"same but for weakness", []string{"Etag", `W/"a"`}, 200, true},
		{"same date", []string{"Last-Modified", old}, 200, true},
		{"same length", []string{"Content-Length", "4"}, 200, true},
		{"nothing said", nil, 200, true},
		{"other tag", []string{"Etag", `"b"`}, 200, false},
		{"other date", []string{"Etag", `"a"`, "Last-Modified", "Fri, 02 Jan 1998 00:00:00 GMT"}, 200, false},
		{"other length", []string{"Etag", `"a"`, "Content-Length", "5"}, 200, false},
		{"error", []string{"Etag", `"b"`}, 503, true},
		{"gone", []string{"Etag", `"b"`}, 410, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(o *Options) { o.MaxFlights = 1 }, func(s *stage) {
				s.seed("/page", "page", "Cache-Control", "max-age=60, stale-while-revalidate=86400", "Etag", `"a"`, "Last-Modified", old)
				// Another fetch takes the only room, so that the HEAD passes.
				s.visit("/other")
				other := s.call()
				s.cache.Stale.HonourRequest = true
				h := s.start("HEAD", "/page", nil, "Cache-Control", "no-cache")
				s.call().head(test.status, test.answer...).end()
				h.whole("")
				h.is(PhasePass, ReasonOverload)
				other.answer("other")
				f := s.cache.Store.Lookup(storedKey(s, "/page"), nil)
				if f.Stored == nil {
					t.Fatal("nothing is stored any more")
				}
				if got := f.Stored.MaxLifetime == 0; got != test.fresh {
					t.Errorf("as it was: %v, want %v", got, test.fresh)
				}
				if tag := entityTag(f.Stored.Header); tag != `"a"` {
					t.Errorf("the stored tag is %s", tag)
				}
			})
		})
	}
}

// storedKey returns the key under which a path is stored.
func storedKey(s *stage, path string) (key string) {
	s.cache.Store.Each(func(m *Meta) bool {
		if m.Path == path {
			key = m.Key
		}
		return true
	})
	return key
}

// TestHeadOfAnother: the answer to who could not have been answered by the stored
// response says nothing of it.
func TestHeadOfAnother(t *testing.T) {
	for _, test := range []struct {
		name, control string
		field, value  string
		outdated      bool
	}{
		{"cookie, lifetime of the origin", "max-age=60", "Cookie", "wordpress_logged_in_a=1", true},
		{"cookie, lifetime of the operator", "", "Cookie", "wordpress_logged_in_a=1", false},
		{"credentials", "max-age=60", "Authorization", "Basic eA==", false},
		{"credentials, public", "public, max-age=60", "Authorization", "Basic eA==", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, func(o *Options) {
				o.SiteCookie = wordpressCookie
				o.TTL = func(int, string) time.Duration { return time.Minute }
			}, func(s *stage) {
				fields := []string{"Etag", `"a"`}
				if test.control != "" {
					fields = append(fields, "Cache-Control", test.control)
				}
				s.seed("/page", "page", fields...)
				h := s.start("HEAD", "/page", nil, test.field, test.value)
				s.call().head(200, "Etag", `"b"`).end()
				h.whole("")
				f := s.cache.Store.Lookup(storedKey(s, "/page"), nil)
				if f.Stored == nil {
					t.Fatal("nothing is stored any more")
				}
				if got := f.Stored.MaxLifetime > 0; got != test.outdated {
					t.Errorf("out of date: %v, want %v", got, test.outdated)
				}
			})
		})
	}
}
