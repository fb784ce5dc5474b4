package caddytest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// TestDocumentedCaddyfiles adapts and provisions every Caddyfile of the README,
// the docs and the examples.
func TestDocumentedCaddyfiles(t *testing.T) {
	t.Setenv("PURGE_SECRET", "a-secret-of-your-own")
	// Provisioning binds no port, so each keeps the ports that it names.
	dir := t.TempDir()
	for name, text := range documentedCaddyfiles(t) {
		t.Run(name, func(t *testing.T) {
			config, warnings, err := Adapt(text, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range warnings {
				t.Errorf("warning: %s", w.String())
			}
			box := sandbox{
				dir:    dir,
				listen: func(port string) (string, error) { return "127.0.0.1:" + port, nil },
				dial:   func(string) (string, bool) { return "", false },
			}
			confined, err := box.confine(config)
			if err != nil {
				t.Fatal(err)
			}
			var parsed caddy.Config
			if err := json.Unmarshal(confined, &parsed); err != nil {
				t.Fatal(err)
			}
			process.Lock()
			defer process.Unlock()
			if err := caddy.Validate(&parsed); err != nil {
				t.Error(err)
			}
		})
	}
}

// documentedCaddyfiles returns texts by their place.
func documentedCaddyfiles(t *testing.T) map[string]string {
	texts := make(map[string]string)
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var pages, examples []string
	for pattern, files := range map[string]*[]string{"../*.md": &pages, "../docs/*.md": &pages, "../examples/*/Caddyfile": &examples} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		*files = append(*files, found...)
	}
	if len(examples) == 0 {
		t.Error("no examples")
	}
	for _, file := range examples {
		texts[strings.TrimPrefix(file, "../")] = read(file)
	}
	fenced := regexp.MustCompile("(?ms)^```caddyfile\n(.*?)^```")
	readme := 0
	for _, page := range pages {
		for i, match := range fenced.FindAllStringSubmatch(read(page), -1) {
			texts[fmt.Sprintf("%s/%d", strings.TrimPrefix(page, "../"), i+1)] = site(match[1])
			if page == "../README.md" {
				readme++
			}
		}
	}
	if readme == 0 {
		t.Error("no Caddyfile in the README")
	}
	return texts
}

// site makes a site of what a page shows of a mount's block alone.
func site(text string) string {
	if strings.Contains(text, "mount ") {
		return text
	}
	return "http://example.com {\n\tmount /blog http://blog.example.net {\n\t\t" +
		strings.TrimSpace(strings.ReplaceAll(text, "\n", "\n\t\t")) + "\n\t}\n}\n"
}

// TestReadmeCommands holds the README to the commands that a newcomer is told:
// the quickstart's configuration is there, and make has the target.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^(?:go run \./cmd/caddy run --config (\S+)|make (\S+))$`).FindAllStringSubmatch(string(readme), -1)
	if len(commands) < 2 {
		t.Fatalf("the README shows %d commands, want the quickstart and the tests", len(commands))
	}
	for _, command := range commands {
		if config := command[1]; config != "" {
			if _, err := os.Stat(filepath.Join("..", config)); err != nil {
				t.Errorf("%s: %v", command[0], err)
			}
			continue
		}
		if !strings.Contains("\n"+string(makefile), "\n"+command[2]+":") {
			t.Errorf("%s: no such target", command[0])
		}
	}
}
