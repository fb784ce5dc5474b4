package handler

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestMapETag(t *testing.T) {
	for tag, want := range map[string]string{
		`"abc"`: `W/"abc-m6r"`, `W/"abc"`: `W/"abc-w6r"`, `""`: `W/"-m6r"`, `"a-m1"`: `W/"a-m1-m6r"`,
		`abc`: "", ``: "", `"a"b"`: "", `"`: "", `W/`: "",
	} {
		got := mapETag(tag, 0xf3)
		if got != want {
			t.Errorf("%s: %s, want %s", tag, got, want)
		}
		if got == "" {
			continue
		}
		if origin, mine, current := unmapETag(got, 0xf3); origin != tag || !mine || !current {
			t.Errorf("%s comes back as %s, %t, %t", tag, origin, mine, current)
		}
		if _, mine, current := unmapETag(got, 0xf4); !mine || current {
			t.Errorf("%s under another configuration: %t, %t", tag, mine, current)
		}
	}
	for _, tag := range []string{`"abc"`, `"abc-x1"`, `"abc-m"`, `"abc-m!"`, `"abc-m007"`, `x`, `*`} {
		if origin, mine, _ := unmapETag(tag, 7); mine || origin != tag {
			t.Errorf("%s is taken for one of ours: %s", tag, origin)
		}
	}
}

func TestUnmapValidators(t *testing.T) {
	const old, young = "Mon, 01 Jan 2024 00:00:00 GMT", "Wed, 01 Jan 2025 00:00:00 GMT"
	loaded := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, match, since         string
		wantMatch, wantSince, mine string
	}{
		{"ours", `W/"a-m6r"`, old, `"a"`, old, `"a"`},
		{"ours, weak at the site", `W/"a-w6r"`, "", `W/"a"`, "", `W/"a"`},
		{"stale", `W/"a-m1"`, old, "", "", ""},
		{"stale among others", `W/"a-m1", "b" , W/"c-m6r"`, "", `"b", "c"`, "", `"c"`},
		{"a comma in a tag", `"a,b", "c"`, "", `"a,b", "c"`, "", ""},
		{"any", `*`, "", `*`, "", ""},
		{"date before the configuration", "", old, "", "", ""},
		{"date after the configuration", "", young, "", young, ""},
		{"no date", "", "yesterday", "", "", ""},
	} {
		h := http.Header{}
		if c.match != "" {
			h.Set("If-None-Match", c.match)
		}
		if c.since != "" {
			h.Set("If-Modified-Since", c.since)
		}
		mine := strings.Join(UnmapValidators(h, 0xf3, loaded), " ")
		if h.Get("If-None-Match") != c.wantMatch || h.Get("If-Modified-Since") != c.wantSince || mine != c.mine {
			t.Errorf("%s: %q, %q, %q", c.name, h.Get("If-None-Match"), h.Get("If-Modified-Since"), mine)
		}
	}
}

func TestUnmapIfMatch(t *testing.T) {
	for in, want := range map[string]string{`W/"a-m6r"`: `"a"`, `W/"a-m1"`: `"a"`, `W/"a-w6r" , "b"`: `W/"a", "b"`, `*`: `*`, `"x"`: `"x"`} {
		h := http.Header{"If-Match": {in}}
		UnmapValidators(h, 0xf3, time.Time{})
		if got := h.Get("If-Match"); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

func FuzzETag(f *testing.F) {
	f.Add(`"abc"`, uint64(7))
	f.Add(`W/"a-m7, b"`, uint64(7))
	f.Fuzz(func(t *testing.T, tag string, fp uint64) {
		if m := mapETag(tag, fp); m != "" {
			if origin, mine, current := unmapETag(m, fp); origin != strings.TrimSpace(tag) || !mine || !current {
				t.Fatalf("%q became %q and comes back as %q", tag, m, origin)
			}
		}
		h := http.Header{"If-None-Match": {tag}}
		UnmapValidators(h, fp, time.Time{})
		once := h.Get("If-None-Match")
		if len(once) > 2*len(tag)+2 {
			t.Fatalf("%q became %q", tag, once)
		}
	})
}
