//go:build wordpress

package wordpress

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The steps of a browser run, in the order in which a person would go them.
var (
	readerSteps  = []string{"read", "media", "links", "openProtected", "comment", "oEmbed"}
	writerSteps  = []string{"logInWhenAsked", "logIn", "publish", "editOld", "previewDraft", "embed", "upload", "uploadInGrid", "quickEdit", "trash", "moderate", "category"}
	classicSteps = []string{"widgets", "menus", "customizer"}
	blockSteps   = []string{"menu", "siteEditor"}
	ownerSteps   = []string{"profile", "permalinks", "generalSettings", "logOut"}

	// coreSteps are those in which the topologies differ.
	coreSteps = []string{"read", "links", "openProtected", "comment", "logIn", "publish", "editOld", "uploadInGrid", "quickEdit", "trash", "generalSettings", "logOut"}
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
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755)); err != nil {
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
	https := Topologies("https://"+PublicHost, rig.managedPort)
	t.Run("block", func(t *testing.T) { browse(t, https[0], BlockTheme, stepsOf(BlockTheme)) })
	t.Run("classic", func(t *testing.T) { browse(t, https[0], ClassicTheme, stepsOf(ClassicTheme)) })
	for _, topology := range https[1:] {
		t.Run(topology.Name, func(t *testing.T) { browse(t, topology, BlockTheme, coreSteps) })
	}
	t.Run("http", func(t *testing.T) {
		browse(t, Topologies("http://"+PublicHost, rig.managedPort)[0], BlockTheme, coreSteps)
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
	before := oldPost(t, r)
	drive(t, strings.TrimPrefix(t.Name(), "TestBrowser/"), r.Public, r.Front.Routes(), origins, steps)
	t.Run("database", func(t *testing.T) { checkDatabase(t, r, before) })
}

// oldPost is the content of the old post as the database holds it.
func oldPost(t *testing.T, r *Running) string {
	t.Helper()
	content, err := r.SQL(t.Context(), "SELECT post_content FROM wp_posts WHERE post_name = 'an-old-post'")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(content)
}

// storedPublic matches the rows that may hold public URLs. The form of
// Appearance > Menus is multipart/form-data, which passes unmapped.
var storedPublic = regexp.MustCompile(`'_menu_item_url'`)

// checkDatabase proves that the site's database is as if its people had worked
// at its own address: nobody's public URL was stored, an edited post differs in
// what was edited only, and the site's own address is what it was.
func checkDatabase(t *testing.T, r *Running, before string) {
	dump, err := r.Dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	foreign := []string{"//" + PublicHost}
	if !r.Transparent() {
		foreign = []string{r.OriginAddress, OriginHost}
	}
	for line := range strings.Lines(plain(string(dump))) {
		if storedPublic.MatchString(line) {
			continue
		}
		for _, word := range foreign {
			if i := strings.Index(line, word); i >= 0 {
				t.Errorf("stored %s: %s", word, around(line, i, len(word)))
			}
		}
	}
	if after := oldPost(t, r); !strings.HasPrefix(after, before) || !strings.Contains(after, "One more line.") {
		t.Errorf("the old post was stored as\n%s\nwant one line more than\n%s", after, before)
	}
	written, err := r.SQL(t.Context(), "SELECT post_content FROM wp_posts WHERE post_name = 'written-through-the-mount'")
	if err != nil {
		t.Fatal(err)
	}
	home, err := url.Parse(r.Home)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<a href="` + r.Home + `/about/">about</a>`,
		`<a href="` + home.Path + `/about/">by path</a>`,
		`src="` + r.Home + `/wp-content/uploads/2024/03/icon.png"`,
	} {
		if !strings.Contains(written, want) {
			t.Errorf("the new post was stored without %s:\n%s", want, written)
		}
	}
	addresses, err := r.SQL(t.Context(), "SELECT option_value FROM wp_options WHERE option_name IN ('home', 'siteurl')")
	if err != nil {
		t.Fatal(err)
	}
	if want := r.Home + "\n" + r.Home + "\n"; addresses != want {
		t.Errorf("home and siteurl are %q, want %q", addresses, want)
	}
}
