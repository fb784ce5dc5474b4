//go:build faults

package cache

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestModelFindsPlantedFaults builds the package with one fault at a time and
// demands that TestModel fails. Run it with -tags faults -timeout 20m.
func TestModelFindsPlantedFaults(t *testing.T) {
	for _, c := range []struct{ name, file, old, new string }{
		{"what is not storable is shared", "follow.go", "case a.reason != ReasonStored && !leads:", "case false:"},
		{"variants are mixed", "follow.go", "VariantKey(a.meta.Vary, x.r.Header) != a.meta.Variant:", "false:"},
		{"a short body passes for whole", "commit.go", "size != w.length && bodyAllowed", "false && bodyAllowed"},
		{"a cut body passes for whole", "commit.go", "	size, held := a.body.progress()\n", "	size, held := a.body.progress()\n	if err == http.ErrAbortHandler { err = nil; w.length = -1 }\n"},
		{"a fetch claims to be later than every purge", "flights.go", "f.number = f.c.Ledger.Last()", "f.number = 1 << 62"},
		{"a 304 revives what was purged", "answer.go", "case c.covered(base.Meta, base.Number).hard:", "case false:"},
		{"hits do not look for purges", "cache.go", "if s.checked.Load() == generation+1 {", "if true {"},
		{"a flight keeps its memory", "body.go", "	b.chunks = nil\n	b.memory.give(b.taken)\n", "	b.chunks = nil\n"},
		{"the end wakes nobody", "body.go", "	b.done, b.err = true, err\n	b.signal(&b.more)\n", "	b.done, b.err = true, err\n"},
		{"a reader of spilled bytes skips some", "bodyreader.go", "r.off += int64(k)", "r.off += int64(k) + int64(k)/4096"},
		{"an unsafe request leaves fetches under way", "flights.go", "f.doomed.Store(true)", "f.doomed.Store(false)"},
		{"a part begins elsewhere", "stream.go", "off, rest = part.Start, part.Length", "off, rest = part.Start+1, part.Length"},
		{"a cut is told as the end", "stream.go", "x.abort(ReasonIncomplete)", "return"},
		{"an expired response is a hit", "stale.go", "	if ttl > 0 {", "	if ttl > -time.Hour {"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(source), c.old) != 1 {
				t.Fatalf("%s does not hold %q once", c.file, c.old)
			}
			dir := t.TempDir()
			planted := filepath.Join(dir, c.file)
			if err := os.WriteFile(planted, []byte(strings.Replace(string(source), c.old, c.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			original, err := filepath.Abs(c.file)
			if err != nil {
				t.Fatal(err)
			}
			overlay, _ := json.Marshal(map[string]map[string]string{"Replace": {original: planted}})
			list := filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(list, overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("go", "test", "-overlay", list, "-run", "TestModel$", "-count=1", "-timeout=2m", ".").CombinedOutput()
			switch {
			case err == nil:
				t.Fatal("the model did not find it")
			case strings.Contains(string(out), "[build failed]"):
				t.Fatalf("the fault does not build: %s", out)
			}
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "_test.go:") {
					t.Log(strings.TrimSpace(line))
					break
				}
			}
		})
	}
}
