package cache

import "testing"

func TestReasonWordsAreDistinctTokens(t *testing.T) {
	seen := map[string]Reason{}
	for r := ReasonUndecided; r < reasonCount; r++ {
		word := r.String()
		if !isToken(word) || !isAlpha(word[0]) {
			t.Errorf("reason %d: %q is no token", r, word)
		}
		if other, ok := seen[word]; ok {
			t.Errorf("reasons %d and %d share the word %q", other, r, word)
		}
		seen[word] = r
	}
	if got := reasonCount.String(); got != "undecided" {
		t.Errorf("out of range = %q", got)
	}
	if got := reasonCount.Forward(); got != ForwardMiss {
		t.Errorf("out of range forwards as %q", got)
	}
}

func TestPhaseWordsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for p := PhasePass; p < PhaseCount; p++ {
		if word := p.String(); word == "" || seen[word] {
			t.Errorf("phase %d: word %q is empty or taken", p, word)
		}
		seen[p.String()] = true
	}
	if got := PhaseCount.String(); got != "pass" {
		t.Errorf("out of range = %q", got)
	}
}

func TestZeroValuesAreSafe(t *testing.T) {
	var phase Phase
	var reason Reason
	var use Use
	var answer RangeAnswer
	if phase != PhasePass || reason == ReasonStored || reason == ReasonFresh || use != UseValidate || answer != RangeWhole {
		t.Error("a zero value stores, reuses or cuts")
	}
	if forwardCount.String() != "" || ForwardNone.String() != "" {
		t.Error("a Forward that is none has a word")
	}
}

func TestForward(t *testing.T) {
	for reason, want := range map[Reason]string{
		ReasonFresh:                "",
		ReasonStaleWhileRevalidate: "",
		ReasonOnlyIfCached:         "",
		ReasonMethod:               "method",
		ReasonBypass:               "bypass",
		ReasonCookie:               "bypass",
		ReasonURIMiss:              "uri-miss",
		ReasonVaryMiss:             "vary-miss",
		ReasonExpired:              "stale",
		ReasonRequestDirective:     "request",
		ReasonRangeMiss:            "partial",
		ReasonPrivate:              "miss",
	} {
		if got := reason.Forward().String(); got != want {
			t.Errorf("%v forwards as %q, want %q", reason, got, want)
		}
	}
}

func TestHitForMissIsTheAnswersOwnWord(t *testing.T) {
	marks := map[Reason]bool{
		ReasonNoStore: true, ReasonPrivate: true, ReasonSetCookie: true, ReasonVaryStar: true, ReasonVaryClientAddress: true,
	}
	for r := ReasonUndecided; r < reasonCount; r++ {
		if r.HitForMiss() != marks[r] {
			t.Errorf("%v marks = %v", r, r.HitForMiss())
		}
	}
}
