// Command capture saves pages of a real, freshly installed WordPress as they
// leave the origin, for benchmarks and golden tests of the mapper. The
// pages name their origin as http://blog.example.net.
//
//	go run ./caddytest/wordpress/cmd/capture -out handler/testdata/corpus
package main

import (
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/caddy-mount/mount/caddytest/wordpress"
)

const home = "http://blog.example.net"

// page is one file of the corpus.
type page struct {
	file  string
	path  string // at the origin
	admin bool   // whether the administrator asks
}

// common are the pages of every release, with its block theme.
var common = []page{
	{"home.html", "/", false},
	{"post.html", "/2024/03/post-number-12/", false},
	{"traps.html", "/2024/03/traps/", false},
	{"archive.html", "/category/news/", false},
	{"404.html", "/no-such-page/", false},
	{"feed.rss", "/feed/", false},
	{"sitemap.xml", "/wp-sitemap-posts-post-1.xml", false},
	{"posts.json", "/wp-json/wp/v2/posts?per_page=20", false},
	{"index.json", "/wp-json/", false},
	{"oembed.json", "/wp-json/oembed/1.0/embed?url=http%3A%2F%2Fblog.example.net%2F2024%2F03%2Fpost-number-12%2F", false},
	{"login.html", "/wp-login.php", false},
	{"block-library.css", "/wp-includes/css/dist/block-library/style.css", false},
	{"dashboard.html", "/wp-admin/", true},
	{"posts-list.html", "/wp-admin/edit.php", true},
	{"editor.html", "/wp-admin/post-new.php", true},
	{"customizer.html", "/wp-admin/customize.php", true},
	{"settings.html", "/wp-admin/options-general.php", true},
}

// classic are further pages of Debian's release, with its classic theme.
var classic = []page{
	{"classic-home.html", "/", false},
	{"classic-post.html", "/2024/03/post-number-12/", false},
	{"classic-widgets.html", "/wp-admin/widgets.php", true},
	{"classic-customizer.html", "/wp-admin/customize.php", true},
	{"block-editor.js", "/wp-includes/js/dist/block-editor.js", false},
}

func main() {
	out := flag.String("out", "", "folder that gets a folder of pages for each WordPress `release`")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "capture:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string) (err error) {
	dir, err := os.MkdirTemp("", "mount-capture-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	machine, err := wordpress.NewMachine(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	for _, release := range []wordpress.Release{wordpress.Debian, wordpress.Nightly} {
		if err := capture(ctx, machine, release, filepath.Join(out, string(release))); err != nil {
			return fmt.Errorf("capturing %s: %w", release, err)
		}
	}
	return nil
}

// capture installs one release and saves its pages into the folder.
func capture(ctx context.Context, machine *wordpress.Machine, release wordpress.Release, folder string) (err error) {
	site, err := machine.Install(ctx, wordpress.SiteOptions{Name: string(release), Release: release, Home: home})
	if err != nil {
		return err
	}
	origin, err := site.Serve(ctx, wordpress.OriginOptions{Name: "blog.example.net"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.Close()) }()

	routes := wordpress.Routes{"blog.example.net:80": origin.Address}
	visitor, admin := wordpress.NewClient(routes, nil), wordpress.NewClient(routes, nil)
	defer visitor.Close()
	defer admin.Close()
	if _, err := admin.LogIn(ctx, home, home+"/wp-admin/"); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	save := func(pages []page) error {
		for _, p := range pages {
			client := visitor
			if p.admin {
				client = admin
			}
			if err := p.save(ctx, client, folder); err != nil {
				return err
			}
		}
		return nil
	}
	if err := save(common); err != nil || release != wordpress.Debian {
		return err
	}
	if err := site.SwitchTheme(ctx, wordpress.ClassicTheme); err != nil {
		return err
	}
	return save(classic)
}

// save fetches the page into its file.
func (p page) save(ctx context.Context, client *wordpress.Client, folder string) error {
	answer, err := client.Get(ctx, home+p.path)
	if err != nil {
		return err
	}
	want := http.StatusOK
	if p.file == "404.html" {
		want = http.StatusNotFound
	}
	if answer.StatusCode != want {
		return fmt.Errorf("%s answered %s", p.path, answer.Status)
	}
	fmt.Printf("%s/%s: %d bytes\n", filepath.Base(folder), p.file, len(answer.Body))
	return compress(filepath.Join(folder, p.file+".gz"), answer.Body)
}

// compress writes a body, compressed, without name and date: the same bytes make the same file.
func compress(path string, body []byte) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	return w.Close()
}
