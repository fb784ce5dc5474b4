package mount

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestDocumentedMetrics holds docs/metrics.md to the metrics that there are, with
// their labels.
func TestDocumentedMetrics(t *testing.T) {
	data, err := os.ReadFile("docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `(caddy_mount_\\w+)` \\| \\w+ \\| ([^|]*) \\|").FindAllStringSubmatch(string(data), -1) {
		documented[row[1]] = strings.ReplaceAll(row[2], "`", "")
	}
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		for _, c := range collectors() {
			c.Describe(descs)
		}
	}()
	described := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	for desc := range descs {
		parts := described.FindStringSubmatch(desc.String())
		if parts == nil {
			t.Fatalf("cannot read %s", desc)
		}
		labels, ok := documented[parts[1]]
		if !ok {
			t.Errorf("%s is not documented", parts[1])
		} else if want := strings.ReplaceAll(parts[2], ",", ", "); labels != want {
			t.Errorf("%s: documented are the labels %s, it has %s", parts[1], labels, want)
		}
		delete(documented, parts[1])
	}
	for name := range documented {
		t.Errorf("%s is documented and not there", name)
	}
}

// TestDocumentedJSON decodes the JSON of the pages that show handlers and purges
// of ours: every word in it is one that is read.
func TestDocumentedJSON(t *testing.T) {
	type mount struct {
		Handler string `json:"handler"`
		*Mount
	}
	type purgeHandler struct {
		Handler string `json:"handler"`
		*PurgeHandler
	}
	type answer struct {
		Purges []appliedPurge `json:"purges"`
	}
	fenced := regexp.MustCompile("(?ms)^```json\n(.*?)^```")
	for page, shows := range map[string][]any{
		"docs/cache.md": {new(mount)},
		"docs/purge.md": {new(answer), new(mount), new(purgeHandler)},
		"docs/split.md": {new(mount)},
	} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := fenced.FindAllStringSubmatch(string(text), -1)
		if len(blocks) != len(shows) {
			t.Errorf("%s shows JSON %d times, the test knows %d", page, len(blocks), len(shows))
			continue
		}
		for i, into := range shows {
			d := json.NewDecoder(strings.NewReader(blocks[i][1]))
			d.DisallowUnknownFields()
			if err := d.Decode(into); err != nil {
				t.Errorf("%s: JSON %d: %v", page, i+1, err)
			}
		}
	}
}
