//go:build wordpress

package wordpress

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the crawl lists anew from a WordPress without a mount")

// rig is the machine of all tests with the sites installed so far, by name.
var rig struct {
	machine     *Machine
	sites       map[string]*Site
	managedPort int
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withRig(m.Run))
}

// withRig runs f while the machine is up.
func withRig(f func() int) int {
	dir, err := os.MkdirTemp("", "mount-wordpress-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	machine, err := NewMachine(context.Background(), dir)
	if err != nil {
		return fail(err)
	}
	rig.machine, rig.sites = machine, make(map[string]*Site)
	if rig.managedPort, err = freePort(); err != nil {
		return fail(err)
	}
	code := f()
	if err := machine.Close(); err != nil {
		return cmp.Or(code, fail(err))
	}
	return code
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// install returns the site of the options as a fresh installation left it.
func install(t *testing.T, o SiteOptions) *Site {
	t.Helper()
	if site := rig.sites[o.Name]; site != nil {
		if err := site.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		return site
	}
	site, err := rig.machine.Install(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	rig.sites[o.Name] = site
	return site
}

// run starts a topology for the length of a test.
func run(t *testing.T, topology Topology, theme string) *Running {
	t.Helper()
	site := install(t, topology.Site)
	if theme != "" {
		if err := site.SwitchTheme(t.Context(), theme); err != nil {
			t.Fatal(err)
		}
	}
	r, err := topology.Run(t.Context(), site)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// visitor returns a client of the running topology for the length of a test; a name logs it in.
func visitor(t *testing.T, r *Running, admin bool) *Client {
	t.Helper()
	client, err := r.NewVisitor()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if admin {
		if _, err := client.LogIn(t.Context(), r.Public, r.Public+"/wp-admin/"); err != nil {
			t.Fatal(err)
		}
	}
	return client
}

// gate makes the gate for a running topology.
func gate(t *testing.T, r *Running) *Gate {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "allowed.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	public, err := url.Parse(r.Public)
	if err != nil {
		t.Fatal(err)
	}
	home, err := url.Parse(r.Home)
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{Public: public, RootRelative: true}
	if r.Transparent() {
		g.Hosts = append(g.Hosts, home.Hostname())
	}
	if r.OriginAddress != "" {
		g.Hosts = append(g.Hosts, r.OriginAddress)
	}
	if g.Allowed, err = ReadAllowances(file, home.Hostname()); err != nil {
		t.Fatal(err)
	}
	if !r.Transparent() {
		g.Allowed = append(g.Allowed, Allowance{
			regexp.MustCompile(`href="/favicon\.ico" sizes="32x32"`),
			"an aware site that names the host's own icon in the customizer's preview, prefix or not",
		})
	}
	return g
}

// compare orders the lines of a crawl list.
func compare(a, b Page) int { return strings.Compare(a.String(), b.String()) }

// TestCrawlLists writes the crawl lists with -update, and otherwise checks that
// they are long enough for the gate.
func TestCrawlLists(t *testing.T) {
	for _, list := range []struct {
		name  string
		site  SiteOptions
		theme string
	}{
		{"block", SiteOptions{Name: "crawl", Home: "http://" + OriginHost}, BlockTheme},
		{"classic", SiteOptions{Name: "crawl", Home: "http://" + OriginHost}, ClassicTheme},
		{"nightly", SiteOptions{Name: "crawl_nightly", Home: "http://" + OriginHost, Release: Nightly}, ""},
	} {
		t.Run(list.name, func(t *testing.T) {
			if *update {
				writeList(t, list.name, install(t, list.site), list.theme)
			}
			if n := len(readList(t, list.name)); n < 400 {
				t.Errorf("the list has %d URLs, 400 are asked for", n)
			}
		})
	}
}

func listFile(name string) string { return filepath.Join("testdata", "crawl-"+name+".txt") }

func readList(t *testing.T, name string) []Page {
	t.Helper()
	file, err := os.Open(listFile(name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pages, err := ReadPages(file)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// writeList crawls a site at its own address.
func writeList(t *testing.T, name string, site *Site, theme string) {
	t.Helper()
	if theme != "" {
		if err := site.SwitchTheme(t.Context(), theme); err != nil {
			t.Fatal(err)
		}
	}
	origin, err := site.Serve(t.Context(), OriginOptions{Name: OriginHost})
	if err != nil {
		t.Fatal(err)
	}
	defer origin.Close()
	var pages []Page
	for _, admin := range []bool{false, true} {
		client := NewClient(Routes{OriginHost + ":80": origin.Address}, nil)
		defer client.Close()
		if admin {
			if _, err := client.LogIn(t.Context(), site.Home, site.Home+"/wp-admin/"); err != nil {
				t.Fatal(err)
			}
		}
		found, err := Crawl(t.Context(), client, site.Home, admin)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	slices.SortFunc(pages, compare)
	text := "# URLs of the crawl gate: who asks, status, path below the base. {home} is the encoded base.\n# Written by: go test -tags wordpress -run TestCrawlLists ./caddytest/wordpress -update\n"
	for _, p := range pages {
		text += p.String() + "\n"
	}
	if err := os.WriteFile(listFile(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
