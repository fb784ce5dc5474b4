package balancer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// variantSetter stands in for the mount: the variant is that of a request field.
type variantSetter struct{}

func init() { caddy.RegisterModule(variantSetter{}) }

func (variantSetter) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_variant", New: func() caddy.Module { return new(variantSetter) }}
}

func (variantSetter) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if label := r.Header.Get("X-Variant"); label != "" {
		r = r.WithContext(WithVariant(r.Context(), label))
	}
	return next.ServeHTTP(w, r)
}

// groupsJSON is a configuration with mount_split behind the stand-in.
func groupsJSON(policy, extra string, dials ...string) []byte {
	config := proxyJSON(fmt.Sprintf(`,"load_balancing":{"retries":1,"selection_policy":{"policy":"mount_split"%s}}%s`, policy, extra), dials...)
	return []byte(strings.Replace(string(config), `{"handler":"reverse_proxy"`, `{"handler":"test_variant"},{"handler":"reverse_proxy"`, 1))
}

func getVariant(tb testing.TB, url, label string) (int, string) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if label != "" {
		r.Header.Set("X-Variant", label)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	var body [64]byte
	n, _ := resp.Body.Read(body[:])
	return resp.StatusCode, string(body[:n])
}

func TestSplitGroups(t *testing.T) {
	var n atomic.Int64
	_, one := origin(t, slow("one", 0, &n))
	two, second := origin(t, slow("two", 0, &n))
	_, three := origin(t, slow("three", 0, &n))
	for _, within := range []string{"", `,"within":{"policy":"least_time"}`, `,"within":{"policy":"round_robin"}`} {
		policy := fmt.Sprintf(`,"groups":{"a":[%q],"b":[%q,%q]}%s`, one, second, three, within)
		base := load(t, groupsJSON(policy, "", one, second, three))
		seen := map[string]bool{}
		for range 20 {
			if status, body := getVariant(t, base, "a"); status != 200 || body != "one" {
				t.Errorf("%s: variant a got %d %q", within, status, body)
			}
			status, body := getVariant(t, base, "b")
			if status != 200 || body == "one" {
				t.Errorf("%s: variant b got %d %q", within, status, body)
			}
			seen[body] = true
		}
		if len(seen) != 2 {
			t.Errorf("%s: variant b is served by %v only", within, seen)
		}
		for _, label := range []string{"", "unknown"} {
			if status, _ := getVariant(t, base, label); status != http.StatusServiceUnavailable {
				t.Errorf("%s: variant %q got %d", within, label, status)
			}
		}
	}

	// A variant stays in its group when an upstream, then all of them fail.
	two.Close()
	dead := deadAddress(t)
	policy := fmt.Sprintf(`,"groups":{"a":[%q],"b":[%q,%q]},"within":{"policy":"least_time"}`, dead, second, three)
	base := load(t, groupsJSON(policy, "", dead, second, three))
	for range 10 {
		if status, body := getVariant(t, base, "b"); status != 200 || body != "three" {
			t.Errorf("variant b got %d %q", status, body)
		}
		if status, _ := getVariant(t, base, "a"); status != http.StatusBadGateway {
			t.Errorf("variant a got %d without any upstream", status)
		}
	}
}

func TestSplitGroupsInvalid(t *testing.T) {
	tests := []struct{ name, policy, extra, want string }{
		{"no groups", ``, ``, "has no groups"},
		{"empty group", `,"groups":{"a":[]}`, ``, "group a: it has no upstreams"},
		{"unknown upstream", `,"groups":{"a":["a.test:80","b.test:80","x.test:80"]}`, ``, "x.test:80 is not an upstream"},
		{"upstream in no group", `,"groups":{"a":["a.test:80"]}`, ``, "upstream b.test:80 is in no group"},
		{"unknown policy", `,"groups":{"a":["a.test:80","b.test:80"]},"within":{"policy":"luck"}`, ``, "loading the policy of group a"},
		{"dynamic upstreams", `,"groups":{"a":["a.test:80","b.test:80"]}`, `,"dynamic_upstreams":{"source":"a"}`, "dynamic upstream"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var parsed caddy.Config
			if err := json.Unmarshal(groupsJSON(tt.policy, tt.extra, "a.test:80", "b.test:80"), &parsed); err != nil {
				t.Fatal(err)
			}
			if err := caddy.Validate(&parsed); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("not in a reverse_proxy", func(t *testing.T) {
		ctx, cancel := caddy.NewContext(caddy.Context{Context: t.Context()})
		defer cancel()
		_, err := ctx.LoadModuleByID("http.reverse_proxy.selection_policies.mount_split", nil)
		if err == nil || !strings.Contains(err.Error(), "must stand in the configuration of a reverse_proxy") {
			t.Errorf("error %v", err)
		}
	})
}
