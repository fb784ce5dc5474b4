package wordpress

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// document returns the page about WordPress, and the text of all tests, scripts and browser steps of the repository.
func document(t *testing.T) (page, tests string) {
	t.Helper()
	root := filepath.Join(sourceDir(), "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "wordpress.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "out" || d.Name() == ".git"):
			return fs.SkipDir
		case strings.HasSuffix(path, ".txtar"):
			fmt.Fprintln(&all, "script", d.Name())
		case strings.HasSuffix(path, "_test.go"), filepath.Base(filepath.Dir(path)) == "browser" && strings.HasSuffix(path, ".mjs"):
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all.Write(source)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text), all.String()
}

// TestDocumentNamesTests looks for each test that the page names.
func TestDocumentNamesTests(t *testing.T) {
	page, tests := document(t)
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)(/[^` ]+)?`|`([a-z_0-9]+\\.txtar)`").FindAllStringSubmatch(page, -1)
	if len(names) < 100 {
		t.Fatalf("the page names %d tests", len(names))
	}
	for _, m := range names {
		function, path, script := m[1], m[2], m[3]
		if script != "" {
			if !strings.Contains(tests, "script "+script+"\n") {
				t.Errorf("there is no script %s", script)
			}
			continue
		}
		if !strings.Contains(tests, "func "+function+"(") {
			t.Errorf("there is no test %s", function)
		}
		last := path[strings.LastIndexByte(path, '/')+1:]
		switch {
		case path == "":
		case function == "TestBrowser":
			if last != "database" && !strings.Contains(tests, "export async function "+last+"(") {
				t.Errorf("the browser has no step %s", last)
			}
		case function == "TestClients":
			if !strings.Contains(tests, `t.Run("`+last+`", `) {
				t.Errorf("there is no test %s%s", function, path)
			}
		}
	}
}

// TestDocumentShowsTestedConfig compares the page's lines for wp-config.php with those that the tests install.
func TestDocumentShowsTestedConfig(t *testing.T) {
	page, _ := document(t)
	for _, lines := range []string{fmt.Sprintf(AwareConfig, "https://"+PublicHost+"/blog"), StrippedConfig} {
		if !strings.Contains(page, "```php\n"+lines+"```") {
			t.Errorf("the page does not show\n%s", lines)
		}
	}
}
