package caddytest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/internal/testbounds"
)

// bounds sets the bounds of caches by the words of scripts.
var bounds = map[string]func(o *cache.Options, value string) error{
	"stall":       duration(func(o *cache.Options) *time.Duration { return &o.Stall }),
	"mark":        duration(func(o *cache.Options) *time.Duration { return &o.HitForMiss }),
	"unverified":  duration(func(o *cache.Options) *time.Duration { return &o.UnverifiedLifetime }),
	"spill":       size(func(o *cache.Options) *int64 { return &o.SpillBytes }),
	"window":      size(func(o *cache.Options) *int64 { return &o.WindowBytes }),
	"range-ahead": size(func(o *cache.Options) *int64 { return &o.RangeAheadBytes }),
	"flights":     number(func(o *cache.Options) *int { return &o.MaxFlights }),
	"followers":   number(func(o *cache.Options) *int { return &o.MaxFollowers }),
	"fills":       number(func(o *cache.Options) *int { return &o.MaxFills }),
	"marks":       number(func(o *cache.Options) *int { return &o.MaxMarks }),
}

func duration(field func(*cache.Options) *time.Duration) func(*cache.Options, string) error {
	return func(o *cache.Options, value string) (err error) {
		*field(o), err = time.ParseDuration(value)
		return err
	}
}

func size(field func(*cache.Options) *int64) func(*cache.Options, string) error {
	return func(o *cache.Options, value string) error {
		n, err := humanize.ParseBytes(value)
		*field(o) = int64(n)
		return err
	}
}

func number(field func(*cache.Options) *int) func(*cache.Options, string) error {
	return func(o *cache.Options, value string) (err error) {
		*field(o), err = strconv.Atoi(value)
		return err
	}
}

// cmdBound sets a bound of the caches that are loaded from then on: "bound NAME
// VALUE".
func (s *script) cmdBound(_ bool, args []string) error {
	if len(args) != 2 || bounds[args[0]] == nil {
		return fmt.Errorf("usage: bound %s VALUE", strings.Join(slices.Sorted(maps.Keys(bounds)), "|"))
	}
	if err := bounds[args[0]](new(cache.Options), args[1]); err != nil {
		return err
	}
	s.bounds[args[0]] = args[1]
	set := maps.Clone(s.bounds)
	testbounds.Set(func(o *cache.Options) {
		o.Clock = s.clock.now
		for name, value := range set {
			_ = bounds[name](o, value) // checked
		}
	})
	return nil
}

// clock is the time plus what a script has added to it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// cmdClock sets the clock of the caches, forward or back: "clock DURATION". An
// origin's own Date stays as it is, so that what bears one has aged.
func (s *script) cmdClock(_ bool, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: clock DURATION")
	}
	d, err := time.ParseDuration(args[0])
	s.clock.ahead.Add(int64(d))
	return err
}

// cmdEach runs a command so many times with each number in the place of {n}: "each N
// COMMAND [WORD]...".
func (s *script) cmdEach(neg bool, args []string) error {
	if len(args) < 2 || commands[args[1]] == nil {
		return errors.New("usage: each N COMMAND [WORD]..., one of the harness's own")
	}
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for n := 1; n <= count; n++ {
		words := make([]string, 0, len(args))
		for _, word := range args[2:] {
			words = append(words, numbered(word, n))
		}
		if err := commands[args[1]](s, neg, words); err != nil {
			return fmt.Errorf("number %d: %w", n, err)
		}
	}
	return nil
}
