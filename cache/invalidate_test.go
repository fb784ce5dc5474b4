package cache

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInvalidationTargets(t *testing.T) {
	const target = "https://example.com/blog/a?x=1"
	for name, test := range map[string]struct {
		method string
		status int
		header http.Header
		want   []string
	}{
		"invalidate-POST":              {"POST", 200, nil, []string{target}},
		"invalidate-PUT":               {"PUT", 204, nil, []string{target}},
		"invalidate-DELETE":            {"DELETE", 200, nil, []string{target}},
		"invalidate-M-SEARCH":          {"M-SEARCH", 200, nil, []string{target}},
		"a redirect":                   {"POST", 303, nil, []string{target}},
		"invalidate-POST-failed":       {"POST", 500, nil, nil},
		"refused":                      {"POST", 403, nil, nil},
		"GET":                          {"GET", 200, nil, nil},
		"QUERY":                        {"QUERY", 200, nil, nil},
		"invalidate-POST-location":     {"POST", 201, header("Location", "location_target"), []string{target, "https://example.com/blog/location_target"}},
		"invalidate-POST-cl":           {"POST", 201, header("Content-Location", "/cl"), []string{target, "https://example.com/cl"}},
		"with a fragment":              {"POST", 302, header("Location", "/p/#comment-5"), []string{target, "https://example.com/p/"}},
		"the target itself":            {"POST", 302, header("Location", target+"#x"), []string{target}},
		"another host":                 {"POST", 302, header("Location", "https://evil.example/"), []string{target}},
		"another host, without scheme": {"POST", 302, header("Location", "//evil.example/"), []string{target}},
		"another port":                 {"POST", 302, header("Location", "https://example.com:444/"), []string{target}},
		"another scheme":               {"POST", 302, header("Location", "http://example.com/"), []string{target}},
		"the same origin, spelled out": {"POST", 302, header("Location", "HTTPS://EXAMPLE.com:443/b"), []string{target, "https://EXAMPLE.com:443/b"}},
		"two Locations":                {"POST", 302, http.Header{"Location": {"/b", "/c"}}, []string{target}},
		"no URL":                       {"POST", 302, header("Location", "http://[::1"), []string{target}},
		"with credentials":             {"POST", 302, header("Location", "https://u:p@example.com/b"), []string{target, "https://example.com/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range InvalidationTargets(test.method, u, test.status, test.header) {
				got = append(got, u.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
