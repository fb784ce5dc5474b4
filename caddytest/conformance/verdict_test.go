package main

import (
	"encoding/json"
	"testing"
)

func TestVerdicts(t *testing.T) {
	const printed = `{
		"tests": [
			{"group": "a", "id": "must", "kind": "required"},
			{"group": "a", "id": "must-not-so", "kind": "required"},
			{"group": "a", "id": "should", "kind": "optimal"},
			{"group": "a", "id": "does", "kind": "check"},
			{"group": "a", "id": "does-not", "kind": "check"},
			{"group": "b", "id": "unready", "kind": "required"},
			{"group": "b", "id": "resent", "kind": "required"},
			{"group": "b", "id": "late", "kind": "required"},
			{"group": "b", "id": "on-check", "kind": "required", "dependsOn": ["does"]},
			{"group": "b", "id": "on-no", "kind": "required", "dependsOn": ["must", "does-not"]},
			{"group": "b", "id": "on-that", "kind": "required", "dependsOn": ["on-no"]},
			{"group": "b", "id": "on-nothing", "kind": "optimal", "dependsOn": ["gone"]},
			{"group": "c", "id": "round", "kind": "optimal", "dependsOn": ["about"]},
			{"group": "c", "id": "about", "kind": "optimal", "dependsOn": ["round"]},
			{"group": "c", "id": "left-out", "kind": "optimal"}
		],
		"results": {
			"must": true, "must-not-so": ["Assertion", "x"], "should": true, "does": true, "does-not": ["Assertion", "x"],
			"unready": ["Setup", "x"], "resent": ["Setup", "retry"], "late": ["AbortError", "x"],
			"on-check": true, "on-no": true, "on-that": true, "on-nothing": true, "round": true, "about": true
		}
	}`
	r := new(report)
	if err := json.Unmarshal([]byte(printed), r); err != nil {
		t.Fatal(err)
	}
	want := map[string]verdict{
		"must": pass, "must-not-so": fail, "should": pass, "does": yes, "does-not": no,
		"unready": setup, "resent": retry, "late": timeout,
		"on-check": pass, "on-no": dependency, "on-that": dependency, "on-nothing": dependency,
		"round": dependency, "about": dependency, "left-out": untested,
	}
	got := r.verdicts()
	for _, id := range r.Tests {
		if got[id.ID] != want[id.ID] {
			t.Errorf("%s is %s, want %s", id.ID, got[id.ID], want[id.ID])
		}
	}
	if extra := len(got) - len(want); extra != 0 {
		t.Errorf("%d verdicts too many: %v", extra, got)
	}
}

func TestOutcome(t *testing.T) {
	for text, want := range map[string]outcome{
		`true`:                   {ok: true},
		`["TypeError","broken"]`: {name: "TypeError", text: "broken"},
		`["TypeError"]`:          {name: "TypeError"},
	} {
		var o outcome
		if err := json.Unmarshal([]byte(text), &o); err != nil || o != want {
			t.Errorf("%s is %+v, %v; want %+v", text, o, err, want)
		}
	}
	for _, text := range []string{`[]`, `3`, `{}`, `[1]`} {
		if json.Unmarshal([]byte(text), new(outcome)) == nil {
			t.Errorf("%s was read", text)
		}
	}
}
