//go:build wordpress

package wordpress

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// crawlers is how many URLs are asked for at once.
const crawlers = 4

// otherStatus names the URLs whose status is not that of a WordPress at its own root, by topology.
var otherStatus = map[string]map[string]int{
	// WordPress makes these only where its home has no path.
	"aware":          {"/robots.txt": 404, "/favicon.ico": 404},
	"aware-stripped": {"/robots.txt": 404, "/favicon.ico": 404},
	// Caddy's php_fastcgi redirects to a folder by itself, and its file_server hides a folder's list as not found.
	// WordPress does not redirect this one where its address has a port.
	"managed":      {"/?feed=rss2": 200},
	"same-machine": {"/wp-admin": 308, "/wp-content/": 404, "/wp-includes/": 404},
}

// TestCrawl asks for every URL of the crawl lists through every topology and
// lets nothing pass that leads away from the mount.
func TestCrawl(t *testing.T) {
	for _, scheme := range []string{"https", "http"} {
		for _, topology := range Topologies(scheme+"://"+PublicHost, rig.managedPort) {
			t.Run(scheme+"/"+topology.Name, func(t *testing.T) {
				crawl(t, run(t, topology, BlockTheme), readList(t, "block"))
			})
		}
	}
	transparent := Topologies("https://"+PublicHost, rig.managedPort)[0]
	t.Run("classic", func(t *testing.T) {
		crawl(t, run(t, transparent, ClassicTheme), readList(t, "classic"))
	})
	t.Run("nightly", func(t *testing.T) {
		transparent.Site.Name, transparent.Site.Release = "nightly", Nightly
		crawl(t, run(t, transparent, ""), readList(t, "nightly"))
	})
}

// crawl asks for all pages of a list, a few at once.
func crawl(t *testing.T, r *Running, pages []Page) {
	g := gate(t, r)
	clients := map[bool]*Client{false: visitor(t, r, false)}
	if r.allowsLogin() {
		clients[true] = visitor(t, r, true)
	} else {
		pages = slices.DeleteFunc(pages, func(p Page) bool { return p.Admin })
	}
	queue := make(chan Page)
	var workers sync.WaitGroup
	for range crawlers {
		workers.Go(func() {
			for page := range queue {
				checkPage(t, r, g, clients[page.Admin], page)
			}
		})
	}
	for _, page := range pages {
		queue <- page
	}
	close(queue)
	workers.Wait()
}

// allowsLogin is false where visitors use http and the site https: its cookies
// are Secure, and the mount does not take that away.
func (r *Running) allowsLogin() bool {
	return strings.HasPrefix(r.Public, "https:") || strings.HasPrefix(r.Home, "http:")
}

// checkPage asks for one URL and judges its answer.
func checkPage(t *testing.T, r *Running, g *Gate, client *Client, page Page) {
	want := page.Status
	if status, ok := otherStatus[r.Topology.Name][page.Path]; ok {
		want = status
	}
	answer, err := client.Get(t.Context(), page.URL(r.Public))
	if err != nil {
		t.Errorf("%s: %v", page, err)
		return
	}
	if answer.StatusCode != want {
		t.Errorf("%s: got %s", page, answer.Status)
	}
	for _, leak := range g.Check(answer.Header, answer.Body) {
		t.Errorf("%s: %s", page, leak)
	}
}
