package caddytest

import (
	"context"
	"fmt"
	"strings"
)

// await waits for cond and otherwise says what was awaited and what is there.
func (c *Client) await(what string, cond func(*Answer) bool) error {
	if c.state.await(context.Background(), func() bool { return cond(&c.answer) || c.answer.Done }) {
		a := c.Snapshot()
		if cond(&a) {
			return nil
		}
		return fmt.Errorf("client %s: awaited %s, but the answer ended (%w) after %s", c.name, what, a.Err, a.describe())
	}
	a := c.Snapshot()
	return fmt.Errorf("client %s: waited %v for %s, have %s", c.name, limit, what, a.describe())
}

func (a *Answer) describe() string {
	if a.Status == 0 && len(a.Body) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("status %d and after the checked %d bytes %s", a.Status, a.consumed, quote(a.Body[a.consumed:]))
}

// Head waits for the answer's head.
func (c *Client) Head() error {
	return c.await("the head", func(a *Answer) bool { return a.Status != 0 })
}

// Hints waits for a 103 answer, or for the head.
func (c *Client) Hints() error {
	return c.await("early hints", func(a *Answer) bool { return len(a.Early) > 0 || a.Status != 0 })
}

// Wait waits for the end of the answer, whatever it is.
func (c *Client) Wait() error {
	return c.await("the end of the answer", func(a *Answer) bool { return a.Done })
}

// Chunk waits until the body goes on with want after what earlier chunks
// checked, and takes it as checked.
func (c *Client) Chunk(want []byte) error {
	what := "the bytes " + quote(want)
	err := c.await(what, func(a *Answer) bool {
		return len(a.Body)-a.consumed >= len(want) || !strings.HasPrefix(string(want), string(a.Body[a.consumed:]))
	})
	if err != nil {
		return err
	}
	c.state.Lock()
	defer c.state.Unlock()
	have := c.answer.Body[c.answer.consumed:]
	if !strings.HasPrefix(string(have), string(want)) {
		return fmt.Errorf("client %s: the body goes on with %s, want %s", c.name, quote(have), quote(want))
	}
	c.answer.consumed += len(want)
	return nil
}

// End waits for the end of the answer, which must be complete and hold nothing
// that no chunk has checked; if cut, it must instead be incomplete.
func (c *Client) End(cut bool) error {
	if err := c.Wait(); err != nil {
		return err
	}
	a := c.Snapshot()
	switch {
	case cut && a.Err == nil:
		return fmt.Errorf("client %s: the answer is complete, want it cut, with %s", c.name, a.describe())
	case !cut && a.Err != nil:
		return fmt.Errorf("client %s: the answer was cut (%w), with %s", c.name, a.Err, a.describe())
	case !cut && a.consumed < len(a.Body):
		return fmt.Errorf("client %s: the body goes on with %s, want its end", c.name, quote(a.Body[a.consumed:]))
	}
	return nil
}
