package cache

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// storedAt is a response that came age ago with the given Cache-Control.
func storedAt(cc string, age time.Duration) (Freshness, Policy) {
	h := header("Cache-Control", cc)
	p := ResponsePolicy(h, testNow)
	received := testNow.Add(-age)
	return NewFreshness(200, h, p, received, received, FreshnessOptions{}), p
}

func TestReusable(t *testing.T) {
	operator := StaleOptions{WhileRevalidate: time.Minute, IfError: time.Hour, Disconnected: DefaultDisconnected}
	honour := StaleOptions{HonourRequest: true}
	for name, test := range map[string]struct {
		cc      string
		age     time.Duration
		request string
		options StaleOptions
		use     Use
		reason  Reason
	}{
		"fresh":                         {"max-age=10", 9 * time.Second, "", operator, UseFresh, ReasonFresh},
		"freshness-max-age-stale":       {"max-age=2", 3 * time.Second, "", StaleOptions{}, UseValidate, ReasonExpired},
		"at its last moment":            {"max-age=2", 2 * time.Second, "", StaleOptions{}, UseValidate, ReasonExpired},
		"cc-resp-no-cache":              {"max-age=10000, no-cache", 0, "", operator, UseValidate, ReasonNoCache},
		"cc-resp-must-revalidate-fresh": {"max-age=10000, must-revalidate", 0, "", operator, UseFresh, ReasonFresh},
		"stale-while-revalidate":        {"max-age=1, stale-while-revalidate=3600", 3 * time.Second, "", StaleOptions{}, UseStaleAndValidate, ReasonStaleWhileRevalidate},
		"stale-while-revalidate-window": {"max-age=1, stale-while-revalidate=4", 6 * time.Second, "", StaleOptions{}, UseValidate, ReasonExpired},
		"the operator's window":         {"max-age=1", 3 * time.Second, "", operator, UseStaleAndValidate, ReasonStaleWhileRevalidate},
		"the origin's window holds":     {"max-age=1, stale-while-revalidate=1", 3 * time.Second, "", operator, UseValidate, ReasonExpired},
		"must-revalidate":               {"max-age=1, must-revalidate, stale-while-revalidate=60", 3 * time.Second, "", operator, UseValidate, ReasonMustRevalidate},
		"proxy-revalidate":              {"max-age=1, proxy-revalidate", 3 * time.Second, "", operator, UseValidate, ReasonMustRevalidate},
		"s-maxage":                      {"s-maxage=1, stale-while-revalidate=60", 3 * time.Second, "", operator, UseValidate, ReasonMustRevalidate},

		"a client does not reach past the store": {"max-age=10", 0, "no-cache, no-store, max-age=0, min-fresh=99", operator, UseFresh, ReasonFresh},
		"ccreq-no-cache":                         {"max-age=3600", 0, "no-cache", honour, UseValidate, ReasonRequestDirective},
		"ccreq-no-store":                         {"max-age=3600", 0, "no-store", honour, UseValidate, ReasonRequestDirective},
		"ccreq-ma0":                              {"max-age=3600", 0, "max-age=0", honour, UseValidate, ReasonRequestDirective},
		"ccreq-ma1":                              {"max-age=3600", 3 * time.Second, "max-age=1", honour, UseValidate, ReasonRequestDirective},
		"young enough":                           {"max-age=3600", 3 * time.Second, "max-age=5", honour, UseFresh, ReasonFresh},
		"ccreq-min-fresh":                        {"max-age=1500", 0, "min-fresh=2000", honour, UseValidate, ReasonRequestDirective},
		"ccreq-max-stale":                        {"max-age=2", 4 * time.Second, "max-stale=1000", honour, UseStale, ReasonMaxStale},
		"staler than that":                       {"max-age=2", 4 * time.Second, "max-stale=1", honour, UseValidate, ReasonExpired},
		"max-stale forbidden":                    {"max-age=2, must-revalidate", 4 * time.Second, "max-stale", honour, UseValidate, ReasonMustRevalidate},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := storedAt(test.cc, test.age)
			request := ParseRequestDirectives(header("Cache-Control", test.request))
			use, reason := Reusable(f, p, request, test.options, testNow)
			if use != test.use || reason != test.reason {
				t.Errorf("%d %v, want %d %v", use, reason, test.use, test.reason)
			}
		})
	}
	if use, reason := Reusable(Freshness{}, Policy{}, RequestDirectives{}, StaleOptions{}, testNow); use != UseValidate || reason != ReasonExpired {
		t.Errorf("zero values: %d %v", use, reason)
	}
}

func TestOnFailure(t *testing.T) {
	byDefault := StaleOptions{Disconnected: DefaultDisconnected}
	for name, test := range map[string]struct {
		cc      string
		age     time.Duration
		failure Failure
		options StaleOptions
		serve   bool
		reason  Reason
	}{
		"stale-close":                         {"max-age=2", 5 * time.Second, FailureDisconnected, byDefault, true, ReasonDisconnected},
		"stale-503":                           {"max-age=2", 5 * time.Second, FailureStatus, byDefault, false, ReasonError},
		"stale-sie-close":                     {"max-age=2, stale-if-error=60", 5 * time.Second, FailureDisconnected, byDefault, true, ReasonStaleIfError},
		"stale-sie-503":                       {"max-age=2, stale-if-error=60", 5 * time.Second, FailureStatus, byDefault, true, ReasonStaleIfError},
		"past the window, status":             {"max-age=2, stale-if-error=60", time.Hour, FailureStatus, byDefault, false, ReasonError},
		"past the window, disconnected":       {"max-age=2, stale-if-error=60", time.Hour, FailureDisconnected, byDefault, true, ReasonDisconnected},
		"past all":                            {"max-age=2", 48 * time.Hour, FailureDisconnected, byDefault, false, ReasonError},
		"the operator's window":               {"max-age=2", 5 * time.Second, FailureStatus, StaleOptions{IfError: time.Minute}, true, ReasonStaleIfError},
		"the origin's zero window":            {"max-age=2, stale-if-error=0", 5 * time.Second, FailureStatus, StaleOptions{IfError: time.Minute}, false, ReasonError},
		"switched off":                        {"max-age=2", 5 * time.Second, FailureDisconnected, StaleOptions{}, false, ReasonError},
		"stale-close-must-revalidate":         {"max-age=2, must-revalidate", 5 * time.Second, FailureDisconnected, byDefault, false, ReasonMustRevalidate},
		"stale-close-proxy-revalidate":        {"max-age=2, proxy-revalidate", 5 * time.Second, FailureDisconnected, byDefault, false, ReasonMustRevalidate},
		"stale-close-no-cache":                {"max-age=2, no-cache", 5 * time.Second, FailureDisconnected, byDefault, false, ReasonMustRevalidate},
		"stale-close-s-maxage=2":              {"max-age=2, s-maxage=2", 5 * time.Second, FailureDisconnected, byDefault, false, ReasonMustRevalidate},
		"must-revalidate over stale-if-error": {"max-age=2, must-revalidate, stale-if-error=60", 5 * time.Second, FailureStatus, byDefault, false, ReasonMustRevalidate},
		"no failure":                          {"max-age=2, stale-if-error=60", 5 * time.Second, FailureNone, byDefault, false, ReasonExpired},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := storedAt(test.cc, test.age)
			serve, reason := OnFailure(f, p, test.failure, test.options, testNow)
			if serve != test.serve || reason != test.reason {
				t.Errorf("%v %v, want %v %v", serve, reason, test.serve, test.reason)
			}
		})
	}
}

func TestFailureOf(t *testing.T) {
	refused := errors.New("connection refused")
	for _, test := range []struct {
		status int
		err    error
		want   Failure
	}{
		{500, nil, FailureStatus},
		{502, nil, FailureStatus},
		{503, nil, FailureStatus},
		{504, nil, FailureStatus},
		{200, nil, FailureNone},
		{304, nil, FailureNone},
		{401, nil, FailureNone},
		{403, nil, FailureNone},
		{404, nil, FailureNone},
		{410, nil, FailureNone},
		{429, nil, FailureNone},
		{501, nil, FailureNone},
		{0, refused, FailureDisconnected},
		{0, context.DeadlineExceeded, FailureDisconnected},
		{0, fmt.Errorf("fetching: %w", context.Canceled), FailureNone},
	} {
		if got := FailureOf(test.status, test.err); got != test.want {
			t.Errorf("%d, %v = %d, want %d", test.status, test.err, got, test.want)
		}
	}
}
