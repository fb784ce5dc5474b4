package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTenThousandTags has the site send more tags than are kept: the answer goes to
// who asked, without the tags, and is not stored, so that no purge can miss it.
func TestTenThousandTags(t *testing.T) {
	tags := []string{"Surrogate-Key", manyTags(10_000), "Cache-Tag", "a,b", "X-Litespeed-Tag", "c"}
	t.Run("new", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			for n := range 2 {
				body := fmt.Sprint("page ", n)
				v := s.visit("/a")
				s.call().answer(body, append([]string{"Cache-Control", "max-age=600"}, tags...)...)
				v.whole(body)
				v.is(PhaseMiss, ReasonTooLarge)
				for _, name := range []string{"Surrogate-Key", "Cache-Tag", "X-Litespeed-Tag"} {
					if lines := v.sent[name]; lines != nil {
						t.Errorf("the visitor is shown %s: %.40q", name, lines)
					}
				}
			}
			if n := s.stored(); n != 0 {
				t.Errorf("%d responses are stored", n)
			}
		})
	})
	// A 304 that brings more tags than are kept is no reason to keep the old ones:
	// the page is fetched again, and not stored.
	t.Run("by a validation", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			s.seed("/a", "page", "Cache-Control", "max-age=600", "Etag", `"1"`, "Cache-Tag", "old")
			v := s.visit("/a")
			s.call().head(304, append([]string{"Cache-Control", "max-age=600", "Etag", `"1"`}, tags...)...).end()
			s.call().answer("page", append([]string{"Cache-Control", "max-age=600", "Etag", `"1"`}, tags...)...)
			v.whole("page")
			if n := s.stored(); n != 0 {
				t.Errorf("%d responses are stored", n)
			}
		})
	})
	t.Run("groups", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			groups := strings.TrimSuffix(strings.ReplaceAll(manyTags(10_000), " ", "\", \""), ", \"")
			v := s.visit("/a")
			s.call().answer("page", "Cache-Control", "max-age=600", "Cache-Groups", `"`+groups)
			v.whole("page")
			v.is(PhaseMiss, ReasonTooLarge)
			// What is no list of strings names no groups (RFC 9875 section 2).
			v = s.visit("/a")
			s.call().answer("page", "Cache-Control", "max-age=600", "Cache-Groups", strings.Repeat("a, ", 100)+"a")
			v.whole("page")
			if n := s.stored(); n != 1 {
				t.Errorf("%d responses are stored", n)
			}
		})
	})
	// As many as are kept: each of them purges.
	t.Run("as many as are kept", func(t *testing.T) {
		play(t, nil, func(s *stage) {
			for _, tag := range []int{0, MaxTags / 2, MaxTags - 1} {
				v := s.visit("/a")
				s.call().answer("page", "Cache-Control", "max-age=600", "Surrogate-Key", manyTags(MaxTags))
				v.whole("page")
				v = s.visit("/a")
				v.whole("page")
				v.is(PhaseHit, ReasonFresh)
				s.pass(2 * time.Second)
				s.purge(Purge{Scope: ScopeTag, Tag: fmt.Sprint("t", tag)})
			}
			s.visit("/a")
			s.call().answer("page")
		})
	})
}
