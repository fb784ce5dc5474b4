package cache

import (
	"slices"
	"strings"
	"testing"
)

func TestAcceptEncoding(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		lines []string
		want  string // the codings, best first; "!" if identity is refused
		live  Coding
	}{
		{"absent", nil, "", Identity},
		{"empty", []string{""}, "", Identity},
		{"browser", []string{"gzip, deflate, br, zstd"}, "br zstd gzip", Zstd},
		{"one", []string{"gzip"}, "gzip", Gzip},
		{"x-gzip", []string{"x-gzip"}, "gzip", Gzip},
		{"letter case and blanks", []string{" \tBR ;Q=0.5 , GZip"}, "gzip br", Gzip},
		{"two lines", []string{"gzip", "br"}, "br gzip", Gzip},
		{"weights", []string{"gzip;q=1, zstd;q=0.8, br;q=0.9"}, "gzip br zstd", Gzip},
		{"refused", []string{"gzip, br;q=0"}, "gzip", Gzip},
		{"star", []string{"*"}, "br zstd gzip", Zstd},
		{"star but one", []string{"*, br;q=0"}, "zstd gzip", Zstd},
		{"star last", []string{"gzip, *;q=0.1"}, "gzip br zstd", Gzip},
		{"identity refused", []string{"gzip, identity;q=0"}, "! gzip", Gzip},
		{"all refused", []string{"*;q=0"}, "!", Identity},
		{"star refused, gzip not", []string{"gzip, *;q=0"}, "! gzip", Gzip},
		{"identity preferred", []string{"identity, gzip;q=0.5"}, "", Identity},
		{"identity as welcome", []string{"identity, gzip"}, "gzip", Gzip},
		{"least of several", []string{"br, br;q=0"}, "", Identity},
		{"weight zero in full", []string{"br;q=0.000"}, "", Identity},
		{"smallest weight", []string{"br;q=0.001"}, "br", Brotli},
		{"malformed weights", []string{"br;q=2, gzip;q=0.1234, zstd;q=, br;level=1"}, "", Identity},
		{"nonsense", []string{",,;;q=1,\x00\xff, =, gzip"}, "gzip", Gzip},
		{"others", []string{"compress, deflate, dcb"}, "", Identity},
		{"a megabyte of one", []string{strings.Repeat("x", 1<<20) + ", gzip"}, "", Identity},
		{"a megabyte of many", []string{"br," + strings.Repeat("x,", 1<<19) + "br;q=0"}, "br", Brotli},
		{"cut inside a member", []string{strings.Repeat("x,", 510) + "brotli"}, "", Identity},
		{"many lines", slices.Repeat([]string{"gzip"}, 100_000), "gzip", Gzip},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			accepted := parseAccept(test.lines)
			wanted := accepted.prefer(DefaultCodings())
			var words []string
			if wanted.coded {
				words = append(words, "!")
			}
			for _, k := range wanted.list() {
				words = append(words, k.String())
			}
			if got := strings.Join(words, " "); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if got := wanted.cheapest(&accepted); got != test.live {
				t.Errorf("live %v, want %v", got, test.live)
			}
		})
	}
}

func TestAcceptEncodingTakesNoMemory(t *testing.T) {
	lines := []string{"gzip, deflate, br;q=0.9, zstd", "*;q=0.1"}
	offered := DefaultCodings()
	if n := testing.AllocsPerRun(100, func() {
		accepted := parseAccept(lines)
		wanted := accepted.prefer(offered)
		wanted.cheapest(&accepted)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, seed := range []string{"", "gzip, deflate, br, zstd", "br;q=0.5,*;q=0", "identity;q=0", "gzip;q=1.0000", ";q=1,,\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		accepted := parseAccept([]string{line})
		for k, weight := range accepted {
			if weight < 0 || weight > weightFull {
				t.Fatalf("weight of %v is %d", Coding(k), weight)
			}
		}
		wanted := accepted.prefer(DefaultCodings())
		for i, k := range wanted.list() {
			if accepted[k] == 0 || accepted[k] < accepted[Identity] || i > 0 && accepted[k] > accepted[wanted.codings[i-1]] {
				t.Fatalf("%v at place %d of %v", k, i, accepted)
			}
			if !strings.Contains(line, "*") && !strings.Contains(strings.ToLower(line), k.String()) {
				t.Fatalf("%v, which %q does not name", k, line)
			}
		}
	})
}
