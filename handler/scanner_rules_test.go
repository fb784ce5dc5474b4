package handler

import "testing"

// TestEachRuleIsNeeded removes each rule in turn: a named case must change.
func TestEachRuleIsNeeded(t *testing.T) {
	for r := range ruleCount {
		t.Run(r.String(), func(t *testing.T) {
			var changed []string
			for _, c := range scannerCases {
				f := c.tables()
				f.off = set(r)
				if scanCut(t, f, c.kind, c.in) != c.expected() {
					changed = append(changed, c.name)
				}
			}
			if len(changed) == 0 {
				t.Error("no case fails without this rule")
			}
			t.Log(changed)
		})
	}
}

// TestRuleNames keeps the names complete and distinct.
func TestRuleNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range ruleCount {
		if seen[r.String()] || r.String() == "" {
			t.Errorf("rule %d has the name %q", r, r)
		}
		seen[r.String()] = true
	}
	if got := ruleCount.String(); got != "unknown" {
		t.Errorf("a rule that is none is called %q", got)
	}
}
