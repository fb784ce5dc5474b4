package handler

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// corpusFile is one answer of a real WordPress: "debian" is 6.1 from Debian,
// "nightly" a newer one. The site is http://blog.example.net.
type corpusFile struct {
	name string
	kind mediaKind
	body []byte
}

func corpus(t testing.TB) (files []corpusFile) {
	t.Helper()
	kinds := map[string]mediaKind{".html": kindHTML, ".json": kindJSON, ".css": kindCSS, ".js": kindScript, ".rss": kindXML, ".xml": kindXML}
	root := filepath.Join("testdata", "corpus")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, ok := strings.CutSuffix(path, ".gz")
		if err != nil || !ok {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return err
		}
		if b, err = io.ReadAll(r); err != nil {
			return err
		}
		kind, ok := kinds[filepath.Ext(name)]
		if !ok {
			return fmt.Errorf("no kind for %s", name)
		}
		name, err = filepath.Rel(root, name)
		files = append(files, corpusFile{filepath.ToSlash(name), kind, b})
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

// group is what the benchmarks call files of a kind together.
func (f corpusFile) group() string {
	base := f.name[strings.IndexByte(f.name, '/')+1:]
	switch {
	case f.kind == kindHTML && (strings.HasPrefix(base, "editor") || strings.Contains(base, "customizer") || strings.Contains(base, "widgets")):
		return "editor"
	case f.kind == kindHTML && (strings.HasPrefix(base, "dashboard") || strings.HasPrefix(base, "settings") || strings.HasPrefix(base, "posts-list") || strings.HasPrefix(base, "login")):
		return "admin"
	case f.kind == kindHTML:
		return "front"
	}
	return map[mediaKind]string{kindJSON: "rest", kindXML: "feed", kindCSS: "css", kindScript: "js"}[f.kind]
}
