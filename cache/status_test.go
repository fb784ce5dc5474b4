package cache

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStatus(t *testing.T) {
	for name, test := range map[string]struct {
		status Status
		want   string
	}{
		"zero":      {Status{}, "mount"},
		"hit":       {Status{Hit: true, TTL: 59*time.Second + 900*time.Millisecond, TTLKnown: true}, "mount; hit; ttl=60"},
		"stale hit": {Status{Hit: true, TTL: -time.Millisecond, TTLKnown: true, Detail: ReasonStaleWhileRevalidate}, "mount; hit; ttl=-1; detail=stale-while-revalidate"},
		"miss stored": {
			Status{Forward: ForwardURIMiss, ForwardStatus: 200, Stored: true, TTL: time.Minute, TTLKnown: true},
			"mount; fwd=uri-miss; fwd-status=200; ttl=60; stored",
		},
		"collapsed": {Status{Forward: ForwardMiss, Collapsed: true}, "mount; fwd=miss; collapsed"},
		"pass":      {Status{Forward: ForwardBypass, Detail: ReasonCookie}, "mount; fwd=bypass; detail=cookie"},
		"hit and fwd exclude each other": {
			Status{Hit: true, Forward: ForwardStale, ForwardStatus: 304, Stored: true, Collapsed: true}, "mount; hit",
		},
		"refused": {Status{Detail: ReasonOnlyIfCached}, "mount; detail=only-if-cached"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.status.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStatusAddToKeepsInnerCaches(t *testing.T) {
	stored := make([]string, 1, 4)
	stored[0] = "inner; hit"
	a, b := http.Header{"Cache-Status": stored}, http.Header{"Cache-Status": stored}
	Status{Hit: true}.AddTo(a)
	Status{Forward: ForwardMiss}.AddTo(b)
	if diff := cmp.Diff([]string{"inner; hit", "mount; hit"}, a["Cache-Status"]); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"inner; hit", "mount; fwd=miss"}, b["Cache-Status"]); diff != "" {
		t.Error(diff)
	}
}

func TestStatusAppendDoesNotAllocate(t *testing.T) {
	s := Status{Forward: ForwardStale, ForwardStatus: 304, TTLKnown: true, Stored: true, Detail: ReasonNotModified}
	buf := make([]byte, 0, 256)
	if n := testing.AllocsPerRun(100, func() { buf = s.Append(buf[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzStatus reads back what was written with the Structured Fields parser.
func FuzzStatus(f *testing.F) {
	f.Add(true, uint8(0), 0, int64(5), true, false, false, uint8(1))
	f.Add(false, uint8(3), 200, int64(-1), true, true, true, uint8(9))
	f.Fuzz(func(t *testing.T, hit bool, forward uint8, code int, ttl int64, known, stored, collapsed bool, detail uint8) {
		s := Status{
			Hit: hit, Forward: Forward(forward), ForwardStatus: code, TTL: time.Duration(ttl), TTLKnown: known,
			Stored: stored, Collapsed: collapsed, Detail: Reason(detail),
		}
		if Forward(forward) >= forwardCount || code > 999 {
			return
		}
		list, ok := parseList([]string{s.String()})
		if !ok || len(list) != 1 || list[0].kind != kindToken || list[0].text != statusIdentifier {
			t.Fatalf("%q is no member of Cache-Status", s)
		}
		var back Status
		var backTTL int64 // in seconds: rounded it may be too long for a Duration
		for _, p := range list[0].params {
			switch p.key {
			case "hit":
				back.Hit = p.value.boolean
			case "fwd":
				for back.Forward = ForwardNone; back.Forward.String() != p.value.text; back.Forward++ {
				}
			case "fwd-status":
				back.ForwardStatus = int(p.value.integer)
			case "ttl":
				backTTL, back.TTLKnown = p.value.integer, true
			case "stored":
				back.Stored = true
			case "collapsed":
				back.Collapsed = true
			case "detail":
				if p.value.text != s.Detail.String() || strings.ContainsAny(p.value.text, " ;") {
					t.Fatalf("detail %q", p.value.text)
				}
			default:
				t.Fatalf("unknown parameter %q", p.key)
			}
		}
		if back.Hit != s.Hit || back.TTLKnown != s.TTLKnown || known && backTTL != wholeSeconds(s.TTL) {
			t.Fatalf("%q read back as %+v", s, back)
		}
		if !hit && (back.Forward != s.Forward || s.Forward != ForwardNone && (back.Stored != stored || back.Collapsed != collapsed)) {
			t.Fatalf("%q read back as %+v", s, back)
		}
	})
}
