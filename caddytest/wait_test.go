package caddytest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestBarrierMeets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b barriers
		for round := range 3 {
			var met sync.WaitGroup
			for range 3 {
				met.Go(func() {
					if err := b.meet(context.Background(), "a", 3); err != nil {
						t.Errorf("round %d: %v", round, err)
					}
				})
			}
			met.Wait()
		}
	})
}

func TestBarrierTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b barriers
		start := time.Now()
		err := b.meet(context.Background(), "a", 2)
		if err == nil || !strings.Contains(err.Error(), "barrier a: waited 20s for 1 more") {
			t.Errorf("meeting alone: %v", err)
		}
		if waited := time.Since(start); waited != limit {
			t.Errorf("waited %v, want %v", waited, limit)
		}
	})
}

func TestBarrierCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b barriers
		ctx, cancel := context.WithCancelCause(context.Background())
		stopped := errors.New("stopped")
		go cancel(stopped)
		if err := b.meet(ctx, "a", 2); !errors.Is(err, stopped) {
			t.Errorf("meeting under a cancelled context: %v", err)
		}
	})
}

func TestClientSaysWhatItAwaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{name: "c1"}
		c.update(func(a *Answer) { a.Status, a.Body = 200, []byte("ab") })
		for want, text := range map[string]string{
			"abc": `waited 20s for the bytes "abc", have status 200 and after the checked 0 bytes "ab"`,
			"x":   `the body goes on with "ab", want "x"`,
		} {
			if err := c.Chunk([]byte(want)); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("Chunk(%q) = %v, want %s", want, err, text)
			}
		}
		if err := c.Chunk([]byte("a")); err != nil {
			t.Error(err)
		}
		c.update(func(a *Answer) { a.Done = true })
		if err := c.End(true); err == nil {
			t.Error("a complete answer counts as cut")
		}
		if err := c.End(false); err == nil {
			t.Error("an unread byte is not missed")
		}
		if err := c.Chunk([]byte("b")); err != nil {
			t.Error(err)
		}
		if err := c.End(false); err != nil {
			t.Error(err)
		}
		if err := c.Chunk([]byte("c")); err == nil || !strings.Contains(err.Error(), "the answer ended") {
			t.Errorf("a chunk after the end: %v", err)
		}
	})
}
