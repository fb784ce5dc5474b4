package cache

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// hookedStore is a store in which something happens just before a response becomes
// visible, or just after responses were deleted.
type hookedStore struct {
	*Memory
	putting, deleted func()
}

func (s *hookedStore) Put(m *Meta, body []byte) (*Stored, error) {
	if f := s.putting; f != nil {
		s.putting = nil
		f()
	}
	return s.Memory.Put(m, body)
}

func (s *hookedStore) Delete(key string) int {
	n := s.Memory.Delete(key)
	if f := s.deleted; f != nil {
		s.deleted = nil
		f()
	}
	return n
}

// TestOutdatedWhileStored: who comes while a complete answer is being stored gets it
// only if it could be reused; else it is asked for anew.
func TestOutdatedWhileStored(t *testing.T) {
	for _, test := range []struct {
		control string
		later   time.Duration
		shared  bool
	}{
		{"max-age=60", 30 * time.Second, true},
		{"max-age=60", 2 * time.Minute, false},
		{"max-age=60, no-cache", 0, false},
		{"max-age=0, must-revalidate", time.Second, false},
	} {
		t.Run(test.control, func(t *testing.T) {
			store := new(hookedStore)
			play(t, func(o *Options) {
				store.Memory = o.Store.(*Memory)
				o.Store = store
			}, func(s *stage) {
				first := s.visit("/page")
				fetch := s.call()
				fetch.head(200, "Cache-Control", test.control, "Etag", `"1"`).write("old")
				reached, release := make(chan struct{}), make(chan struct{})
				store.putting = func() { close(reached); <-release }
				fetch.end()
				<-reached
				first.whole("old")
				s.pass(test.later)
				late := s.visit("/page")
				if test.shared {
					late.whole("old")
				} else {
					s.call().answer("new")
					late.whole("new")
				}
				close(release)
				s.wait()
			})
		})
	}
}

// TestTrailersOfShortAnswer: trailers follow a short body that is all there when its
// client comes, too.
func TestTrailersOfShortAnswer(t *testing.T) {
	store := new(hookedStore)
	g := newRig(t, func(o *Options) {
		store.Memory = o.Store.(*Memory)
		o.Store = store
	}, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Write([]byte("page"))
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
		return nil
	})
	server := httptest.NewServer(g)
	defer server.Close()
	get := func() {
		answer, err := server.Client().Get(server.URL)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "page" || answer.Trailer.Get("X-Sum") != "1" {
			t.Errorf("body %q, %v, trailers %v", body, err, answer.Trailer)
		}
	}
	stored := make(chan struct{})
	store.putting = func() {
		get()
		close(stored)
	}
	get()
	<-stored
	g.wantAsked(1)
}

// TestInvalidationMeetsCommit: a page that is changed while its older form is being
// stored is not left in the store, wherever between the steps of the commit the
// invalidation falls.
func TestInvalidationMeetsCommit(t *testing.T) {
	for _, test := range []struct {
		name string
		// meet lets the unsafe request, which invalidate answers, and the end of the
		// fetch, which is commit, meet.
		meet func(s *stage, store *hookedStore, invalidate, commit func())
	}{
		{"before the commit", func(_ *stage, _ *hookedStore, invalidate, commit func()) {
			invalidate()
			commit()
		}},
		{"after the commit has looked for it", func(s *stage, store *hookedStore, invalidate, commit func()) {
			reached, release := make(chan struct{}), make(chan struct{})
			store.putting = func() { close(reached); <-release }
			commit()
			<-reached
			invalidate()
			close(release)
			s.wait()
		}},
		{"the commit between its steps", func(s *stage, store *hookedStore, invalidate, commit func()) {
			reached, release := make(chan struct{}), make(chan struct{})
			store.deleted = func() { close(reached); <-release }
			invalidate()
			<-reached
			commit()
			close(release)
			s.wait()
		}},
		{"after the commit", func(_ *stage, _ *hookedStore, invalidate, commit func()) {
			commit()
			invalidate()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := new(hookedStore)
			play(t, func(o *Options) {
				store.Memory = o.Store.(*Memory)
				o.Store = store
			}, func(s *stage) {
				get := s.visit("/page")
				fetch := s.call()
				fetch.head(200, "Cache-Control", "max-age=600").write("old")
				post := s.start("POST", "/page", nil)
				unsafe := s.call()
				test.meet(s, store, func() {
					unsafe.run(func(w http.ResponseWriter) (bool, error) { w.WriteHeader(204); return true, nil })
				}, fetch.end)
				get.whole("old")
				post.whole("")
				if n := s.stored(); n != 0 {
					t.Errorf("%d responses are stored", n)
				}
				after := s.visit("/page")
				s.call().answer("new")
				after.whole("new")
				s.visit("/page").is(PhaseHit, ReasonFresh)
			})
		})
	}
}
