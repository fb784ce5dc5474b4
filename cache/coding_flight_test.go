package cache

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"
)

// begins fails unless what the client has got by now decodes to at least text.
func (v *visitor) begins(word, text string) {
	v.s.t.Helper()
	v.s.wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	if coding := v.sent.Get("Content-Encoding"); coding != word {
		v.s.t.Fatalf("coded as %q, want %s", coding, word)
	}
	if got, _ := decoded(word, v.body.Bytes()); got != text {
		v.s.t.Fatalf("client can read %.40q (%d bytes), want %.40q (%d bytes)", got, len(got), text, len(text))
	}
}

// says fails unless the client got a whole answer that says text.
func (v *visitor) says(word, text string) {
	v.s.t.Helper()
	v.begins(word, text)
	if _, err := decoded(word, v.body.Bytes()); err != nil || !v.done || v.panicked != nil || v.err != nil {
		v.s.t.Fatalf("not ended well: %v, done %v, panic %v, error %v", err, v.done, v.panicked, v.err)
	}
}

// playCoded is play with codings, made by a Coder of the stage's own.
func playCoded(t *testing.T, test func(*stage)) {
	coder := NewCoder(1, 0)
	play(t, func(o *Options) { o.Codings, o.Coder = DefaultCodings(), coder }, test)
	if n := coder.live.Load(); n != 0 {
		t.Errorf("%d bodies are still being coded", n)
	}
}

var page60 = []string{"Cache-Control", "max-age=60", "Content-Type", "text/html", "Etag", `"v"`}

// Everyone holds all that the origin has sent before it sends more, whatever the
// coding, and whenever he came; each coding is made once, and the origin asked once.
func TestCodedFlightHoldsNothingBack(t *testing.T) {
	playCoded(t, func(s *stage) {
		pieces := []string{prose(3000, 1), "x", prose(40_000, 2), prose(100, 3)}
		words := []string{"gzip", "zstd", "br"}
		clients := make(map[*visitor]string)
		come := func() {
			for _, word := range words {
				clients[s.visit("/a", "Accept-Encoding", word)] = word
			}
			clients[s.visit("/a")] = ""
		}
		come()
		c := s.call().head(200, page60...)
		text := ""
		for _, piece := range pieces {
			c.write(piece)
			text += piece
			come()
			for v, word := range clients {
				v.begins(word, text)
			}
		}
		if n := s.cache.Coder.live.Load(); n != int64(len(words)) {
			t.Errorf("%d bodies are being coded for %d codings", n, len(words))
		}
		c.end()
		for v, word := range clients {
			v.says(word, text)
		}
		s.quiet()
	})
}

// What was made for the miss is what the next client gets: a page that is asked for
// twice is coded once.
func TestFormOfAFlightIsStored(t *testing.T) {
	playCoded(t, func(s *stage) {
		text := prose(30_000, 1)
		miss := s.visit("/a", "Accept-Encoding", "zstd")
		s.call().answer(text, page60...)
		miss.says("zstd", text)
		hit := s.visit("/a", "Accept-Encoding", "zstd")
		hit.says("zstd", text)
		hit.is(PhaseHit, ReasonFresh)
		if miss.body.String() != hit.body.String() {
			t.Error("made once more")
		}
		if want := fmt.Sprint(hit.body.Len()); hit.sent.Get("Content-Length") != want {
			t.Errorf("Content-Length %s, want %s", hit.sent.Get("Content-Length"), want)
		}
	})
}

func TestCodedFlightIsCut(t *testing.T) {
	playCoded(t, func(s *stage) {
		first, second := s.visit("/a", "Accept-Encoding", "gzip"), s.visit("/a", "Accept-Encoding", "br")
		c := s.call().head(200, page60...).write(prose(3000, 1))
		c.cut()
		for _, v := range []*visitor{first, second} {
			v.wasCut()
			if _, err := decoded(v.sent.Get("Content-Encoding"), v.body.Bytes()); err == nil {
				t.Error("a cut body looks whole")
			}
		}
		if s.stored() != 0 {
			t.Error("stored")
		}
	})
}

// The client that started a coding leaves; who came later loses nothing, and when
// all have left it ends.
func TestCodedFlightLosesClients(t *testing.T) {
	playCoded(t, func(s *stage) {
		text := prose(3000, 1)
		leader, follower := s.visit("/a", "Accept-Encoding", "gzip"), s.visit("/a", "Accept-Encoding", "gzip")
		plain := s.visit("/a")
		c := s.call().head(200, page60...).write(text)
		leader.leave()
		c.write(text)
		follower.begins("gzip", text+text)
		follower.leave()
		s.wait()
		if n := s.cache.Coder.live.Load(); n != 0 {
			t.Errorf("%d bodies are being coded for nobody", n)
		}
		// It begins anew for who comes now.
		late := s.visit("/a", "Accept-Encoding", "gzip")
		late.begins("gzip", text+text)
		c.end()
		late.says("gzip", text+text)
		plain.whole(text + text)
	})
}

// An answer that is for one client only streams to him at his own speed, coded.
func TestUnstoredFlightIsCoded(t *testing.T) {
	playCoded(t, func(s *stage) {
		text := prose(3000, 1)
		v := s.visit("/a", "Accept-Encoding", "zstd")
		c := s.call().head(200, "Content-Type", "text/html", "Cache-Control", "private")
		for i := range 4 {
			c.write(text)
			v.begins("zstd", strings.Repeat(text, i+1))
		}
		c.end()
		v.says("zstd", strings.Repeat(text, 4))
	})
}

// A coded form that is too long for memory goes on in a file.
func TestLongCodedFlight(t *testing.T) {
	coder := NewCoder(1, 0)
	play(t, func(o *Options) {
		o.Codings, o.Coder, o.SpillBytes = DefaultCodings(), coder, 8<<10
	}, func(s *stage) {
		text := prose(200_000, 1)
		v := s.visit("/a", "Accept-Encoding", "gzip")
		c := s.call().head(200, page60...).write(text)
		late := s.visit("/a", "Accept-Encoding", "gzip")
		late.begins("gzip", text)
		c.end()
		v.says("gzip", text)
		late.says("gzip", text)
		hit := s.visit("/a", "Accept-Encoding", "gzip")
		hit.says("gzip", text)
	})
}

// A client that reads slowly keeps a flight for long. What the store drops meanwhile
// must not stay in memory for its sake.
func TestFlightKeepsNothingStored(t *testing.T) {
	f := new(flight)
	stored := func() weak.Pointer[Stored] {
		s := &Stored{Meta: new(Meta), Bytes: make([]byte, 1<<20)}
		f.keepForms(s)
		return weak.Make(s)
	}()
	runtime.GC()
	if stored.Value() != nil {
		t.Error("the stored response is still there")
	}
	runtime.KeepAlive(f)
}
