//go:build wordpress

package wordpress

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The steps of a browser run, in the order in which a person would go them.
var (
	readerSteps  = []string{"read", "media", "links", "openProtected", "comment", "oEmbed"}
	writerSteps  = []string{"logInWhenAsked", "logIn", "publish", "editOld", "previewDraft", "embed", "upload", "quickEdit", "trash", "moderate", "category"}
	classicSteps = []string{"widgets", "menus", "customizer"}
	blockSteps   = []string{"menu", "siteEditor"}
	ownerSteps   = []string{"profile", "permalinks", "generalSettings", "logOut"}

	// coreSteps are those in which the topologies differ.
	coreSteps = []string{"read", "links", "openProtected", "comment", "logIn", "publish", "editOld", "upload", "quickEdit", "trash", "generalSettings", "logOut"}
)

// stepsOf returns all steps that a theme has.
func stepsOf(theme string) []string {
	own := blockSteps
	if theme == ClassicTheme {
		own = classicSteps
	}
	return slices.Concat(readerSteps, writerSteps, own, ownerSteps)
}

// drive goes the steps in a browser, each as a subtest. Screenshots go below out/wordpress of the repository.
func drive(t *testing.T, name, base string, routes Routes, origins, steps []string) {
	t.Helper()
	out := filepath.Join(sourceDir(), "..", "..", "out", "wordpress", filepath.FromSlash(name))
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	options, err := json.Marshal(map[string]any{
		"base": base + "/", "routes": routes, "origins": origins, "steps": steps, "out": out,
		"user": AdminName, "password": AdminPassword, "postPassword": PostPassword, "chromium": "/usr/bin/chromium",
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("browser", "run.mjs"), string(options))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := 0
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var result struct {
			Step   string
			Millis int `json:"ms"`
			Faults []string
		}
		if err := json.Unmarshal(lines.Bytes(), &result); err != nil {
			t.Errorf("reading the browser's report %q: %v", lines.Bytes(), err)
			continue
		}
		gone++
		t.Run(result.Step, func(t *testing.T) {
			t.Logf("%d ms", result.Millis)
			for _, fault := range result.Faults {
				t.Error(fault)
			}
		})
	}
	if err := cmd.Wait(); err != nil || lines.Err() != nil {
		t.Fatalf("running the browser: %v, %v\n%s", err, lines.Err(), &stderr)
	}
	if gone != len(steps) {
		t.Errorf("the browser went %d of %d steps", gone, len(steps))
	}
}

var control = flag.Bool("control", false, "go the browser's steps on a WordPress without a mount as well")

// TestBrowserWithoutMount goes every step on the bare WordPress with -control. A
// fault that it has too is WordPress's or the browser's, not the mount's.
func TestBrowserWithoutMount(t *testing.T) {
	if !*control {
		t.Log("only with -control")
		return
	}
	for _, theme := range []string{BlockTheme, ClassicTheme} {
		t.Run(theme, func(t *testing.T) {
			site := install(t, SiteOptions{Name: "transparent", Home: "http://" + OriginHost})
			if err := site.SwitchTheme(t.Context(), theme); err != nil {
				t.Fatal(err)
			}
			origin, err := site.Serve(t.Context(), OriginOptions{Name: OriginHost})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := origin.Close(); err != nil {
					t.Error(err)
				}
			})
			drive(t, "bare/"+theme, site.Home, Routes{OriginHost + ":80": origin.Address}, []string{}, stepsOf(theme))
		})
	}
}

// TestBrowser goes the steps through every topology, and looks into the database afterwards.
func TestBrowser(t *testing.T) {
	https := Topologies("https", rig.managedPort)
	t.Run("block", func(t *testing.T) { browse(t, https[0], BlockTheme, stepsOf(BlockTheme)) })
	t.Run("classic", func(t *testing.T) { browse(t, https[0], ClassicTheme, stepsOf(ClassicTheme)) })
	for _, topology := range https[1:] {
		t.Run(topology.Name, func(t *testing.T) { browse(t, topology, BlockTheme, coreSteps) })
	}
	t.Run("http", func(t *testing.T) {
		browse(t, Topologies("http", rig.managedPort)[0], BlockTheme, coreSteps)
	})
}

func browse(t *testing.T, topology Topology, theme string, steps []string) {
	t.Helper()
	r := run(t, topology, theme)
	home, err := url.Parse(r.Home)
	if err != nil {
		t.Fatal(err)
	}
	origins := []string{}
	if r.Transparent() {
		origins = append(origins, home.Host)
	}
	if r.OriginAddress != "" {
		origins = append(origins, r.OriginAddress)
	}
	drive(t, strings.TrimPrefix(t.Name(), "TestBrowser/"), r.Public, r.Front.Routes(), origins, steps)
}
