package main

import (
	"encoding/json"
	"fmt"
)

// A verdict is how one test ended, in one word.
type verdict string

const (
	pass       verdict = "pass"       // required or optimal, and so
	fail       verdict = "fail"       // required or optimal, and not so
	yes        verdict = "yes"        // a question (kind check), answered with yes
	no         verdict = "no"         // and with no
	setup      verdict = "setup"      // the test could not come to its question
	dependency verdict = "dependency" // a test that it builds on did not pass
	retry      verdict = "retry"      // the test's own client sent a request twice
	timeout    verdict = "timeout"    // no answer came in time
	untested   verdict = "untested"   // it did not run
)

// verdicts are all there are, for those who read them.
var verdicts = []verdict{pass, fail, yes, no, setup, dependency, retry, timeout, untested}

// The kinds of tests.
const (
	required = "required" // the RFC says must
	optimal  = "optimal"  // a good cache does so
	check    = "check"    // a question without a right answer
)

// test is one test of the suite.
type test struct {
	Group     string   `json:"group"`
	ID        string   `json:"id"`
	Kind      string   `json:"kind"`
	DependsOn []string `json:"dependsOn"`
}

// outcome is what the suite says of a test: true, or the name and the text of
// an error.
type outcome struct {
	ok         bool
	name, text string
}

// UnmarshalJSON reads true or ["name", "text"].
func (o *outcome) UnmarshalJSON(data []byte) error {
	*o = outcome{}
	if json.Unmarshal(data, &o.ok) == nil {
		return nil
	}
	var words []string
	if err := json.Unmarshal(data, &words); err != nil || len(words) == 0 {
		return fmt.Errorf("outcome %s: expected true or an error's name and text", data)
	}
	o.name = words[0]
	if len(words) > 1 {
		o.text = words[1]
	}
	return nil
}

// report is what one run of the suite printed.
type report struct {
	Tests   []test             `json:"tests"`
	Results map[string]outcome `json:"results"`
}

// verdicts judges every test of the report. A test counts only if all those that
// it depends on passed, theirs included.
func (r *report) verdicts() map[string]verdict {
	tests := make(map[string]test, len(r.Tests))
	for _, t := range r.Tests {
		tests[t.ID] = t
	}
	judged := make(map[string]verdict, len(r.Tests))
	var judge func(id string) verdict
	judge = func(id string) verdict {
		if v, ok := judged[id]; ok {
			return v
		}
		t, known := tests[id]
		if !known {
			return untested
		}
		judged[id] = untested // of tests that depend on each other none counts
		o, ran := r.Results[id]
		if !ran {
			return untested
		}
		v := o.verdict(t.Kind)
		for _, on := range t.DependsOn {
			if d := judge(on); d != pass && d != yes {
				v = dependency
			}
		}
		judged[id] = v
		return v
	}
	for _, t := range r.Tests {
		judge(t.ID)
	}
	return judged
}

// verdict judges the outcome of a test of the given kind by itself.
func (o outcome) verdict(kind string) verdict {
	switch {
	case o.name == "Setup" && o.text == "retry":
		return retry
	case o.name == "Setup":
		return setup
	case o.name == "AbortError":
		return timeout
	case kind == check && o.ok:
		return yes
	case kind == check:
		return no
	case o.ok:
		return pass
	}
	return fail
}
