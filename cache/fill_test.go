package cache

import (
	"net/http"
	"strings"
	"testing"
)

// part answers a range request: bytes 2-5 of a body of 100.
func part(c *call, fields ...string) {
	c.head(http.StatusPartialContent, append([]string{"Content-Range", "bytes 2-5/100"}, fields...)...).write("2345").end()
}

func TestFill(t *testing.T) {
	play(t, nil, func(s *stage) {
		body := strings.Repeat("0123456789", 10)
		v := s.visit("/video", "Range", "bytes=2-5", "X-Mine", "1", "If-Range", `"other"`)
		p := s.call()
		if p.r.Header.Get("Range") != "bytes=2-5" {
			t.Fatal("Range did not reach the origin")
		}
		s.quiet()
		p.head(http.StatusPartialContent, "Cache-Control", "max-age=60", "Content-Range", "bytes 2-5/100")
		fill := s.call() // while the part is on its way
		if !fill.flight || fill.r.Header.Get("Range")+fill.r.Header.Get("If-Range") != "" {
			t.Fatalf("the whole is asked for with %v", fill.r.Header)
		}
		p.write("2345").end()
		v.whole("2345")
		v.is(PhasePass, ReasonRangeMiss)
		fill.head(200, "Cache-Control", "max-age=60", "Content-Length", "100").write(body[:50])
		// It is followed like any other.
		s.visit("/video", "Range", "bytes=40-44").whole("01234")
		whole := s.visit("/video")
		fill.write(body[50:]).end()
		whole.whole(body)
		late := s.visit("/video", "Range", "bytes=-3")
		late.whole("789")
		late.is(PhaseHit, ReasonFresh)
		s.quiet()
	})
}

// TestRangeOfWhole: where a range does not reach the origin, who asks for one
// shares the fetch of the whole.
func TestRangeOfWhole(t *testing.T) {
	for _, declared := range []bool{false, true} {
		play(t, nil, func(s *stage) {
			s.adjust = func(q *Request) { q.WholeOnly = true }
			body := strings.Repeat("0123456789", 1<<18)
			a := s.visit("/page", "Range", "bytes=0-4")
			c := s.call()
			fields := []string{"Cache-Control", "max-age=60"}
			if declared {
				fields = append(fields, "Content-Length", "2621440")
			}
			b := s.visit("/page", "Range", "bytes=2000000-2000004")
			s.quiet()
			c.head(200, fields...).write(body[:10])
			s.quiet()
			c.write(body[10:]).end()
			if declared {
				a.whole("01234")
				b.whole("01234")
			} else {
				a.whole(body)
				b.whole(body)
			}
			s.visit("/page", "Range", "bytes=2000000-2000004").whole("01234")
			s.quiet()
		})
	}
}

func TestFillOnlyWhatMayBeStored(t *testing.T) {
	for name, fields := range map[string][]string{
		"private":        {"Cache-Control", "private, max-age=60"},
		"no lifetime":    nil,
		"cookie":         {"Cache-Control", "max-age=60", "Set-Cookie", "a=b"},
		"too large":      {"Cache-Control", "max-age=60", "Content-Range", "bytes 2-5/101"},
		"unknown length": {"Cache-Control", "max-age=60", "Content-Range", "bytes 2-5/*"},
		"no range":       {"Cache-Control", "max-age=60", "Content-Range", ""},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(o *Options) { o.MaxBodyBytes = 100 }, func(s *stage) {
				v := s.visit("/video", "Range", "bytes=2-5")
				c := s.call()
				c.run(func(w http.ResponseWriter) (bool, error) {
					w.Header().Set("Content-Range", "bytes 2-5/100")
					for i := 0; i+1 < len(fields); i += 2 {
						w.Header().Set(fields[i], fields[i+1])
					}
					w.WriteHeader(http.StatusPartialContent)
					return false, nil
				})
				s.quiet()
				c.write("2345").end()
				v.whole("2345")
				s.quiet()
			})
		})
	}
}

func TestFillsAreBounded(t *testing.T) {
	play(t, func(o *Options) { o.MaxFills = 2 }, func(s *stage) {
		var fills []*call
		for _, target := range []string{"/1", "/2", "/3"} {
			v := s.visit(target, "Range", "bytes=2-5")
			part(s.call(), "Cache-Control", "max-age=60")
			v.whole("2345")
			if len(fills) < 2 {
				fills = append(fills, s.call())
			}
			s.quiet()
		}
		// The second part of one that runs is not another.
		v := s.visit("/1", "Range", "bytes=2-5")
		s.quiet()
		fills[0].answer("0123456789", "Cache-Control", "max-age=60", "Content-Length", "10")
		v.whole("2345")
		fills[1].answer("gone", "Cache-Control", "no-store")
		again := s.visit("/3", "Range", "bytes=2-5")
		part(s.call(), "Cache-Control", "max-age=60")
		again.whole("2345")
		s.call().answer("page")
		if s.stored() != 2 {
			t.Errorf("%d responses are stored", s.stored())
		}
	})
}

func TestWholeLength(t *testing.T) {
	for line, want := range map[string]int64{
		"bytes 0-1/2": 2, "bytes 0-1/ 2 ": 2, "bytes 0-1/*": 0, "bytes 0-1": 0, "": 0, "bytes 0-1/-2": 0,
		"bytes 0-1/0": 0, "bytes 0-1/9223372036854775807": 1<<63 - 1, "bytes 0-1/9223372036854775808": 0,
	} {
		if got, ok := wholeLength([]string{line}); ok != (want > 0) || ok && got != want {
			t.Errorf("%q: %d, %v", line, got, ok)
		}
	}
	if _, ok := wholeLength([]string{"bytes 0-1/2", "bytes 0-1/2"}); ok {
		t.Error("two fields are no length")
	}
}
