package wordpress

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Page is one line of a crawl list: who asks for which URL, and what status it has.
type Page struct {
	Admin  bool // the administrator asks, else an anonymous visitor
	Status int
	Path   string // below the base of the site, query included; {home} is the encoded base
}

func (p Page) String() string {
	who := "visitor"
	if p.Admin {
		who = "admin"
	}
	return fmt.Sprintf("%s %d %s", who, p.Status, p.Path)
}

// URL is the address of the page where the site has the given base.
func (p Page) URL(base string) string {
	return base + strings.ReplaceAll(p.Path, "{home}", url.QueryEscape(base))
}

// ReadPages reads a crawl list. Empty lines and lines that start with # are comments.
func ReadPages(r io.Reader) ([]Page, error) {
	var list []Page
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "visitor" && f[0] != "admin" || !strings.HasPrefix(f[2], "/") {
			return nil, fmt.Errorf("line %d: visitor or admin, status and path were expected", n)
		}
		status, err := strconv.Atoi(f[1])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, Page{Admin: f[0] == "admin", Status: status, Path: f[2]})
	}
	return list, lines.Err()
}

// Spider limits.
const (
	visitorPages = 430
	adminPages   = 170
	siblings     = 12 // pages of one script or REST route that differ in their query or id only
)

// visitorSeeds and adminSeeds are where the spider starts, and what no link leads to.
var (
	visitorSeeds = []string{
		"/", "/?p=1", "/?s=harbour", "/?s=nothing-like-it", "/feed/", "/feed/rdf/", "/feed/atom/", "/?feed=rss2", "/comments/feed/", "/2024/03/post-number-2/feed/",
		"/wp-sitemap.xml", "/wp-sitemap.xsl", "/wp-sitemap-index.xsl", "/wp-sitemap-posts-post-1.xml", "/wp-sitemap-posts-page-1.xml", "/wp-sitemap-users-1.xml", "/wp-sitemap-taxonomies-category-1.xml", "/sitemap.xml",
		"/robots.txt", "/favicon.ico", "/xmlrpc.php", "/xmlrpc.php?rsd", "/wp-includes/wlwmanifest.xml", "/wp-links-opml.php", "/wp-cron.php", "/wp-trackback.php",
		"/wp-login.php", "/wp-login.php?action=lostpassword", "/wp-login.php?action=register", "/wp-login.php?loggedout=true", "/wp-admin", "/wp-admin/", "/wp-admin/edit.php", "/login", "/admin", "/dashboard", "/wp-signup.php",
		"/2024/03/post-number-2", "/2024/03/post-number-2/embed/", "/2024/03/its-old-name/", "/2024/03/in-three-parts/2/", "/2024/03/in-three-parts/9/", "/?p=404404", "/2024/03/nothing/", "/no-such-page/", "/2024/", "/2024/03/", "/2024/03/05/", "/page/2/", "/page/99/",
		"/blog/", "/blog", "/about/team/", "/about", "/post-number-3", "/author/admin/", "/author/edith/", "/?author=1", "/?cat=1", "/?page_id=2", "/?attachment_id=8", "/category/recipes/soups/", "/tag/slow-food/",
		"/2024/03/post-number-4/?replytocom=3", "/wp-content/", "/wp-includes/", "/wp-content/uploads/2024/03/harbour.jpg", "/wp-content/uploads/2024/03/bell.wav",
		"/wp-json/", "/wp-json", "/index.php/wp-json/", "/?rest_route=/", "/?rest_route=/wp/v2/posts", "/wp-json/wp/v2/posts", "/wp-json/wp/v2/posts?per_page=3&page=2", "/wp-json/wp/v2/posts?_embed=1", "/wp-json/wp/v2/posts?search=trap", "/wp-json/wp/v2/pages", "/wp-json/wp/v2/media",
		"/wp-json/wp/v2/categories", "/wp-json/wp/v2/tags", "/wp-json/wp/v2/comments", "/wp-json/wp/v2/users", "/wp-json/wp/v2/users/1", "/wp-json/wp/v2/types", "/wp-json/wp/v2/statuses", "/wp-json/wp/v2/taxonomies", "/wp-json/wp/v2/search?search=post", "/wp-json/wp/v2/settings", "/wp-json/wp/v2/nothing",
		"/wp-json/oembed/1.0/embed?url={home}%2F2024%2F03%2Fpost-number-2%2F", "/wp-json/oembed/1.0/embed?url={home}%2F2024%2F03%2Fpost-number-2%2F&format=xml", "/wp-json/wp-block-editor/v1/url-details?url={home}",
		"/wp-login.php?redirect_to={home}%2Fwp-admin%2Fedit.php", "/wp-login.php?redirect_to=https%3A%2F%2Fwww.example.org%2F",
	}
	adminSeeds = []string{
		"/", "/2024/03/post-number-2/", "/2024/03/traps/", "/wp-admin/post.php?post=36&action=edit", "/wp-admin/post.php?post=30&action=edit", "/wp-admin/upload.php?item=8", "/wp-admin/term.php?taxonomy=category&tag_ID=3&post_type=post", "/wp-admin/comment.php?action=editcomment&c=3", "/wp-admin/user-edit.php?user_id=2", "/?p=33&preview=true", "/wp-login.php", "/wp-admin", "/wp-admin/", "/wp-admin/edit.php", "/wp-admin/edit.php?post_type=page", "/wp-admin/post-new.php", "/wp-admin/post-new.php?post_type=page", "/wp-admin/upload.php", "/wp-admin/upload.php?mode=list", "/wp-admin/upload.php?mode=grid", "/wp-admin/media-new.php",
		"/wp-admin/customize.php", "/wp-admin/site-editor.php", "/wp-admin/widgets.php", "/wp-admin/nav-menus.php", "/wp-admin/themes.php", "/wp-admin/theme-install.php", "/wp-admin/theme-editor.php", "/wp-admin/plugins.php", "/wp-admin/plugin-install.php", "/wp-admin/site-health.php", "/wp-admin/options.php", "/wp-admin/press-this.php",
		"/wp-admin/options-general.php", "/wp-admin/options-permalink.php", "/wp-admin/edit-comments.php", "/wp-admin/users.php", "/wp-admin/profile.php", "/wp-admin/tools.php", "/wp-admin/export.php", "/wp-admin/import.php", "/wp-admin/update-core.php",
		"/wp-admin/admin-ajax.php?action=rest-nonce-missing", "/wp-admin/admin-ajax.php?action=oembed-cache&post=41", "/wp-admin/media-upload.php", "/wp-admin/about.php", "/wp-admin/edit.php?post_status=draft&post_type=post", "/wp-admin/edit.php?orderby=title&order=asc",
		"/wp-json/wp/v2/users/me",
	}
)

var (
	links = regexp.MustCompile(`(?i)(?:\b(?:href|src|action|data-src)\s*=\s*["']|\burl\(\s*["']?|"(?:link|source_url|href)":")([^"'\s<>)]+)`)
	// unsafeLink matches what changes something, needs a nonce, or is of the moment.
	unsafeLink = regexp.MustCompile(`(?i)_wpnonce|global-styles/\d|action=(?:[^er]|e[^d]|r[^p])|logout|delete|trash|spam|approve|activate|nonce|changeset|doing_wp_cron|autosave|download=|update\.php|/wp-cron|_wp_http_referer|return=|reauth|post-new\.php\?.*(wp_hidden|customizer)`)
	// asset matches what a visitor gets as well.
	asset  = regexp.MustCompile(`^/wp-(?:content|includes)/`)
	digits = regexp.MustCompile(`\d+`)
)

// Crawl makes a crawl list of a site: it follows links from the seeds, each
// kind of page a few times, and notes the status of every URL.
func Crawl(ctx context.Context, client *Client, base string, admin bool) ([]Page, error) {
	seeds, limit := visitorSeeds, visitorPages
	if admin {
		seeds, limit = adminSeeds, adminPages
	}
	queue := slices.Clone(seeds)
	seen := make(map[string]bool)
	kinds := make(map[string]int)
	for _, path := range queue {
		seen[path] = true
	}
	var list []Page
	for len(queue) > 0 && len(list) < limit {
		page := Page{Admin: admin, Path: queue[0]}
		queue = queue[1:]
		answer, err := client.Get(ctx, page.URL(base))
		if err != nil {
			return nil, err
		}
		page.Status = answer.StatusCode
		list = append(list, page)
		for _, m := range links.FindAllStringSubmatch(plain(string(answer.Body)), -1) {
			path, ok := below(base, page.URL(base), m[1])
			if !ok || seen[path] || unsafeLink.MatchString(path) || admin && asset.MatchString(path) {
				continue
			}
			seen[path] = true
			kind := digits.ReplaceAllString(path, "N")
			kind, _, _ = strings.Cut(kind, "?")
			if kinds[kind]++; kinds[kind] <= siblings {
				queue = append(queue, path)
			}
		}
	}
	return list, nil
}

// below resolves a link of a page and returns it as a path below the base.
func below(base, page, link string) (string, bool) {
	from, err := url.Parse(page)
	if err != nil {
		return "", false
	}
	to, err := from.Parse(link)
	if err != nil {
		return "", false
	}
	to.Fragment = ""
	path, ok := strings.CutPrefix(to.String(), base)
	path = strings.NewReplacer(base, "{home}", url.QueryEscape(base), "{home}").Replace(path)
	return path, ok && strings.HasPrefix(path, "/")
}
