package mount

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImportDirection holds the lines of the design: the root imports handler,
// cache and balancer, these do not import each other, and handler and cache do
// not import Caddy, so that both run under plain net/http.
func TestImportDirection(t *testing.T) {
	const module = "github.com/caddy-mount/mount"
	forbidden := map[string][]string{
		module + "/handler":  {module, module + "/cache", module + "/balancer", "github.com/caddyserver/"},
		module + "/cache":    {module, module + "/handler", module + "/balancer", "github.com/caddyserver/"},
		module + "/balancer": {module, module + "/cache", module + "/handler"},
		module:               {module + "/caddytest"},
	}
	for pkg, banned := range forbidden {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", pkg, err)
		}
		for dep := range strings.Lines(string(out)) {
			dep = strings.TrimSpace(dep)
			if dep == pkg {
				continue
			}
			for _, ban := range banned {
				if dep == ban || strings.HasSuffix(ban, "/") && strings.HasPrefix(dep, ban) {
					t.Errorf("%s imports %s", pkg, dep)
				}
			}
		}
	}
}
