package caddytest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files from what the adapter says now")

// TestAdapt compares what the adapter makes of a Caddyfile with the golden part
// of its file, in Caddy's own format: Caddyfile, ten dashes, JSON or error text.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".caddyfiletest")
		t.Run(name, func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			caddyfile, want, found := strings.Cut(string(content), "\n----------\n")
			if !found && !*update {
				t.Fatal("no line of ten dashes between Caddyfile and result")
			}
			caddyfile = strings.TrimSpace(caddyfile) + "\n"
			have := adaptResult(t, caddyfile)
			if *update {
				if err := os.WriteFile(file, []byte(caddyfile+"----------\n"+have+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.TrimSpace(want), have); diff != "" {
				t.Errorf("adapting differs from the golden file (-want +have):\n%s", diff)
			}
		})
	}
}

// adaptResult returns indented JSON, or the text of the error. A Caddyfile whose
// adapting warns is no example to keep.
func adaptResult(t *testing.T, caddyfile string) string {
	config, warnings, err := Adapt(caddyfile, "Caddyfile")
	if err != nil {
		return err.Error()
	}
	for _, w := range warnings {
		t.Errorf("warning: %s", w.String())
	}
	var out bytes.Buffer
	if err := json.Indent(&out, config, "", "\t"); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
