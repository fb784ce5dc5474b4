package caddytest

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// originScript is a parsed origin file.
type originScript struct {
	scheme   string   // http, https, fastcgi or unix
	names    []string // host:port that a Caddyfile dials it by
	handlers []*handlerScript
}

// handlerScript is one "on" block.
type handlerScript struct {
	line    int
	method  string // * for every method
	pattern string // as path.Match takes it, or * for every target
	nth     int    // 1 for the first request that pattern and method match; 0 for all
	steps   []step
}

// step is one statement of a handler.
type step struct {
	line int
	name string
	args []string
}

// stepArgs gives the least and the most number of words that follow the name of
// each statement; -1 is any number.
var stepArgs = map[string][2]int{
	"expect":     {2, -1},
	"stream":     {0, 0},
	"recv":       {1, 1},
	"continue":   {0, 0},
	"proto":      {1, 1},
	"status":     {1, -1},
	"header":     {1, 2},
	"headerlist": {3, 3},
	"date":       {1, 2},
	"close":      {0, 0},
	"send103":    {0, -1},
	"body":       {1, 1},
	"file":       {1, 1},
	"echo":       {0, 0},
	"send":       {1, 1},
	"sendfield":  {1, 1},
	"sendtarget": {0, 0},
	"repeat":     {2, 2},
	"pieces":     {3, 3},
	"gzip":       {0, 0},
	"raw":        {1, 1},
	"trailer":    {2, 2},
	"barrier":    {1, 2},
	"cut":        {0, 0},
	"rst":        {0, 0},
	"hang":       {0, 0},
	"websocket":  {0, 0},
}

// parseOrigin reads an origin file. Errors give the line.
func parseOrigin(text string) (*originScript, error) {
	script := &originScript{scheme: "http"}
	number := 0
	for line := range strings.Lines(text) {
		number++
		words, err := splitWords(strings.TrimRight(line, "\n"))
		if err == nil && len(words) > 0 {
			err = script.add(number, words)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return script, nil
}

func (s *originScript) add(line int, words []string) error {
	switch name, args := words[0], words[1:]; name {
	case "listen":
		if len(args) == 0 || len(s.handlers) > 0 {
			return fmt.Errorf("expected listen http|https|fastcgi|unix [host[:port]]... before the first on")
		}
		return s.listen(args[0], args[1:])
	case "on":
		h, err := parseOn(args)
		if err != nil {
			return err
		}
		h.line = line
		s.handlers = append(s.handlers, h)
		return nil
	default:
		count, known := stepArgs[name]
		switch {
		case !known:
			return fmt.Errorf("unknown statement %s", name)
		case len(s.handlers) == 0:
			return fmt.Errorf("%s before the first on", name)
		case len(args) < count[0] || count[1] >= 0 && len(args) > count[1]:
			return fmt.Errorf("%s with %d words", name, len(args))
		}
		h := s.handlers[len(s.handlers)-1]
		h.steps = append(h.steps, step{line, name, args})
		return nil
	}
}

func (s *originScript) listen(scheme string, names []string) error {
	port, known := map[string]string{"http": "80", "https": "443", "fastcgi": "9000", "unix": "80"}[scheme]
	if !known {
		return fmt.Errorf("cannot listen on %s: expected http, https, fastcgi or unix", scheme)
	}
	s.scheme = scheme
	for _, name := range names {
		if !strings.Contains(name, ":") {
			name += ":" + port
		}
		s.names = append(s.names, name)
	}
	return nil
}

// parseOn reads "on METHOD PATTERN [#N]" and "on * [#N]".
func parseOn(args []string) (*handlerScript, error) {
	if len(args) > 0 && args[0] == "*" && (len(args) == 1 || strings.HasPrefix(args[1], "#")) {
		args = append([]string{"*", "*"}, args[1:]...)
	}
	if len(args) < 2 || len(args) > 3 {
		return nil, fmt.Errorf("expected on METHOD PATTERN [#N] or on * [#N]")
	}
	h := &handlerScript{method: args[0], pattern: args[1]}
	if _, err := path.Match(h.pattern, ""); err != nil {
		return nil, fmt.Errorf("pattern %s: %w", h.pattern, err)
	}
	if len(args) == 3 {
		nth, err := strconv.Atoi(strings.TrimPrefix(args[2], "#"))
		if err != nil || nth < 1 {
			return nil, fmt.Errorf("expected #1 or more, have %s", args[2])
		}
		h.nth = nth
	}
	return h, nil
}

// matches tells whether h is for a request of that method and target. A pattern
// without a question mark is compared with the path, another one with the whole
// target; the stars of path.Match do not match a slash, except that a pattern
// that ends in /** matches everything below.
func (h *handlerScript) matches(method, target string) bool {
	if h.method != "*" && h.method != method {
		return false
	}
	if h.pattern == "*" || h.pattern == target {
		return true
	}
	if !strings.Contains(h.pattern, "?") {
		target, _, _ = strings.Cut(target, "?")
	}
	if prefix, below := strings.CutSuffix(h.pattern, "/**"); below {
		return target == prefix || strings.HasPrefix(target, prefix+"/")
	}
	if h.pattern == target {
		return true
	}
	matched, err := path.Match(h.pattern, target)
	return matched && err == nil && !strings.Contains(h.pattern, "?")
}
