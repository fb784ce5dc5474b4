package balancer

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

func TestTried(t *testing.T) {
	one, again, two := upstream("one.test:80"), upstream("one.test:80"), upstream("two.test:80")
	many := make([]*reverseproxy.Upstream, maxTried+5)
	for i := range many {
		many[i] = upstream(strconv.Itoa(i) + ".test:80")
	}
	tests := []struct {
		name     string
		host     string // of the URL; empty before the first attempt
		add      []*reverseproxy.Upstream
		want     []*reverseproxy.Upstream
		replacer bool
	}{
		{"first attempt", "", []*reverseproxy.Upstream{one}, nil, true},
		{"none failed", "x.test", nil, nil, true},
		{"two failed", "x.test", []*reverseproxy.Upstream{one, two}, []*reverseproxy.Upstream{one, two}, true},
		{"one failed twice", "x.test", []*reverseproxy.Upstream{one, again}, []*reverseproxy.Upstream{one}, true},
		{"bounded", "x.test", many, many[:maxTried], true},
		{"not in Caddy", "x.test", []*reverseproxy.Upstream{one}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL.Host = tt.host
			if tt.replacer {
				r = r.WithContext(attemptContext(t.Context(), one))
			}
			for _, u := range tt.add {
				addTried(r.Context(), u)
			}
			if got := triedBy(r); !slices.Equal(got, tt.want) {
				t.Errorf("tried %v, want %v", got, tt.want)
			}
		})
	}
}
