package caddytest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// condition is the end of an expectation: "[OPERATOR] VALUE", or nothing, which
// asks for presence.
type condition struct {
	text  string
	match func(have string) bool
}

// parseCondition reads the words after the subject.
func parseCondition(args []string) (condition, error) {
	if len(args) == 0 {
		return condition{"present", func(string) bool { return true }}, nil
	}
	operator := "=="
	if len(args) == 2 {
		operator, args = args[0], args[1:]
	}
	if len(args) != 1 {
		return condition{}, fmt.Errorf("expected [==|~|contains|>|<] VALUE, have %q", args)
	}
	want := string(unescape(args[0]))
	c := condition{text: fmt.Sprintf("%s %q", operator, want)}
	switch operator {
	case "==":
		c.match = func(have string) bool { return have == want }
	case "contains":
		c.match = func(have string) bool { return strings.Contains(have, want) }
	case "~":
		pattern, err := regexp.Compile(args[0])
		if err != nil {
			return c, err
		}
		c.match = pattern.MatchString
	case ">", "<":
		bound, err := strconv.Atoi(want)
		if err != nil {
			return c, err
		}
		c.match = func(have string) bool {
			n, err := strconv.Atoi(have)
			return err == nil && (operator == ">" && n > bound || operator == "<" && n < bound)
		}
	default:
		return c, fmt.Errorf("unknown operator %s", operator)
	}
	return c, nil
}

// check compares what is there with the condition: some value must match, or
// with neg none.
func (c condition) check(subject string, neg bool, have ...string) error {
	found := slices.ContainsFunc(have, c.match)
	switch {
	case found == !neg:
		return nil
	case neg:
		return fmt.Errorf("%s is %s, want it not to be %s", subject, list(have), c.text)
	case len(have) == 0:
		return fmt.Errorf("there is no %s, want it to be %s", subject, c.text)
	}
	return fmt.Errorf("%s is %s, want it to be %s", subject, list(have), c.text)
}

func list(have []string) string {
	quoted := make([]string, len(have))
	for i, value := range have {
		quoted[i] = quote([]byte(value))
	}
	return strings.Join(quoted, ", ")
}

// cmdExpect checks one thing: "expect SUBJECT [KEY] [OPERATOR] [VALUE]".
func (s *script) cmdExpect(neg bool, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: expect SUBJECT [KEY] [OPERATOR] [VALUE]")
	}
	subject, args := args[0], args[1:]
	switch {
	case strings.HasPrefix(subject, "origin."):
		return s.expectOrigin(neg, subject, args)
	case subject == "log":
		return s.expectLog(neg, args)
	case subject == "logcount":
		return s.expectLogCount(args)
	case subject == "store":
		return s.expectStore(neg, args)
	case subject == "program":
		return s.expectProgram(neg, args)
	case subject == "same":
		return s.expectSame(neg, args)
	case subject == "error":
		c, err := parseCondition(args)
		if err != nil {
			return err
		}
		return c.check("error", neg, fmt.Sprint(s.lastErr))
	}
	client := s.current
	if name, field, named := strings.Cut(subject, "."); named {
		client, subject = s.clients[name], field
	}
	if client == nil {
		return errors.New("no answer to look at")
	}
	return s.expectAnswer(client, neg, subject, args)
}

func (s *script) expectAnswer(client *Client, neg bool, subject string, args []string) error {
	wait := client.Head
	switch subject {
	case "body", "bodybytes", "trailer", "complete":
		wait = client.Wait
	case "early":
		wait = client.Hints
	}
	if err := wait(); err != nil {
		return err
	}
	a := client.Snapshot()
	var have []string
	switch subject {
	case "status":
		have = []string{strconv.Itoa(a.Status)}
	case "proto":
		have = []string{a.Proto}
	case "body":
		have = []string{string(a.Body)}
	case "bodybytes":
		have = []string{strconv.Itoa(len(a.Body))}
	case "complete":
		have = []string{strconv.FormatBool(a.Err == nil)}
	case "hints":
		have = []string{strconv.Itoa(len(a.Early))}
	case "header", "trailer", "early":
		if len(args) == 0 {
			return fmt.Errorf("expect %s: name of a field expected", subject)
		}
		name := args[0]
		args = args[1:]
		switch subject {
		case "header":
			have = a.Header.Values(name)
		case "trailer":
			have = a.Trailer.Values(name)
		case "early":
			for _, h := range a.Early {
				have = append(have, h.Values(name)...)
			}
		}
		subject += " " + name
	case "headers":
		return expectList(a.Header, args)
	default:
		return fmt.Errorf("cannot expect %s", subject)
	}
	c, err := parseCondition(args)
	if err != nil {
		return err
	}
	err = c.check(client.name+"."+subject, neg, have...)
	if err != nil && a.Err != nil {
		return fmt.Errorf("%w (the request ended so: %w)", err, a.Err)
	}
	return err
}

// expectList compares all field lines of a name: "expect headers NAME VALUE...".
func expectList(h http.Header, args []string) error {
	if len(args) == 0 {
		return errors.New("expect headers: name of a field expected")
	}
	have, want := h.Values(args[0]), args[1:]
	if !slices.Equal(have, want) {
		return fmt.Errorf("header lines %s are %s, want %s", args[0], list(have), list(want))
	}
	return nil
}

// expectOrigin checks what an origin received: "origin.NAME.requests" and
// "origin.NAME.N.FIELD", where N counts from 1 or is "last".
func (s *script) expectOrigin(neg bool, subject string, args []string) error {
	parts := strings.Split(subject, ".")
	if len(parts) < 3 || s.origins[parts[1]] == nil {
		return fmt.Errorf("cannot expect %s", subject)
	}
	o := s.origins[parts[1]]
	if parts[2] == "requests" || parts[2] == "connections" {
		c, err := parseCondition(args)
		if err != nil {
			return err
		}
		count := func() string {
			if parts[2] == "connections" {
				return strconv.Itoa(o.dials)
			}
			return strconv.Itoa(len(o.seen))
		}
		if !neg {
			o.state.await(context.Background(), func() bool { return c.match(count()) })
		}
		o.state.Lock()
		defer o.state.Unlock()
		return c.check(subject, neg, count())
	}
	if len(parts) != 4 {
		return fmt.Errorf("cannot expect %s", subject)
	}
	seen := o.Requests()
	n := len(seen)
	if parts[2] != "last" {
		var err error
		if n, err = strconv.Atoi(parts[2]); err != nil {
			return fmt.Errorf("cannot expect %s", subject)
		}
	}
	if n < 1 || n > len(seen) {
		return fmt.Errorf("origin %s has %d requests", o.name, len(seen))
	}
	return expectRecord(&seen[n-1], neg, subject, parts[3], args)
}

func expectRecord(r *Record, neg bool, subject, field string, args []string) error {
	var have []string
	switch field {
	case "line":
		have = []string{r.Method + " " + r.Target + " " + r.Proto}
	case "method":
		have = []string{r.Method}
	case "target":
		have = []string{r.Target}
	case "body":
		have = []string{string(r.Body)}
	case "bodybytes":
		have = []string{strconv.Itoa(len(r.Body))}
	case "sni":
		have = []string{r.SNI}
	case "header":
		if len(args) == 0 {
			return errors.New("name of a field expected")
		}
		have = r.Values(args[0])
		subject += " " + args[0]
		args = args[1:]
	default:
		return fmt.Errorf("cannot expect %s", subject)
	}
	c, err := parseCondition(args)
	if err != nil {
		return err
	}
	return c.check(subject, neg, have...)
}

// expectLog waits for a log line, or with neg makes sure that there is none yet.
func (s *script) expectLog(neg bool, args []string) error {
	c, err := parseCondition(args)
	if err != nil {
		return err
	}
	match := func(line []byte) bool { return c.match(string(line)) }
	if neg {
		captured.Lock()
		defer captured.Unlock()
		if captured.count(match) > 0 {
			return fmt.Errorf("a log line is %s", c.text)
		}
		return nil
	}
	if !captured.awaitLine(context.Background(), match) {
		captured.Lock()
		defer captured.Unlock()
		return fmt.Errorf("waited %v for a log line that is %s; the log:\n%s", limit, c.text, captured.text)
	}
	return nil
}

// expectLogCount checks how many lines match: "expect logcount N OPERATOR VALUE".
func (s *script) expectLogCount(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: expect logcount N [OPERATOR] VALUE")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	c, err := parseCondition(args[1:])
	if err != nil {
		return err
	}
	captured.Lock()
	defer captured.Unlock()
	have := captured.count(func(line []byte) bool { return c.match(string(line)) })
	if have != want {
		return fmt.Errorf("%d log lines are %s, want %d; the log:\n%s", have, c.text, want, captured.text)
	}
	return nil
}

// expectSame checks that two clients were told the same in a field, and something:
// "expect same NAME CLIENT CLIENT".
func (s *script) expectSame(neg bool, args []string) error {
	if len(args) != 3 || s.clients[args[1]] == nil || s.clients[args[2]] == nil {
		return errors.New("usage: expect same NAME CLIENT CLIENT")
	}
	var have [2][]string
	for i, name := range args[1:] {
		if err := s.clients[name].Head(); err != nil {
			return err
		}
		a := s.clients[name].Snapshot()
		have[i] = a.Header.Values(args[0])
	}
	if same := len(have[0]) > 0 && slices.Equal(have[0], have[1]); same == neg {
		return fmt.Errorf("%s of %s is %s, that of %s is %s", args[0], args[1], list(have[0]), args[2], list(have[1]))
	}
	return nil
}
