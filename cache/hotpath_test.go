package cache

import (
	"net/http"
	"testing"
	"time"
)

// TestHitDecisionsDoNotAllocate holds what a fresh hit asks of the rules, the
// key apart, to no allocation at all.
func TestHitDecisionsDoNotAllocate(t *testing.T) {
	client := header("Accept-Language", "de", "User-Agent", "x", "Cookie", "session=1; _ga=2", "Cache-Control", "max-age=0", "If-None-Match", `"a", "b"`)
	stored := header("ETag", `"b"`, "Date", at(0))
	bypass, drop := NewBypassRules([]string{"/members/*"}, true), NewDropQuery(DefaultDropQuery())
	c, r := &Cache{Options: Options{SiteCookie: wordpressCookie}}, &http.Request{Header: client}
	vary := ParseVary([]string{"User-Agent"})
	f, p := storedAt("max-age=60", time.Second)
	buf := make([]byte, 0, 512)
	n := testing.AllocsPerRun(100, func() {
		if bypass.Reason("/2024/01/hello-world/", "page=2", client) != ReasonStored {
			t.Error("bypass")
		}
		if _, ok := c.siteCookie(r); ok {
			t.Error("cookie")
		}
		drop.Apply("page=2")
		buf = vary.AppendVariant(buf[:0], client)
		request := ParseRequestDirectives(client)
		if use, _ := Reusable(f, p, request, StaleOptions{}, testNow); use != UseFresh {
			t.Error("not fresh")
		}
		if EvaluatePrecondition(client, http.StatusOK, stored, testNow) != PreconditionNotModified {
			t.Error("condition")
		}
		buf = Status{Hit: true, TTLKnown: true, TTL: time.Minute}.Append(buf[:0])
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
