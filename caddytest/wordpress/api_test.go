//go:build wordpress

package wordpress

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestClients goes through what programs ask of a WordPress: REST with an
// application password, XML-RPC, pingback, feeds with validators, ranges.
func TestClients(t *testing.T) {
	for _, topology := range Topologies("https://"+PublicHost, rig.managedPort) {
		t.Run(topology.Name, func(t *testing.T) {
			r := run(t, topology, BlockTheme)
			t.Run("rest", func(t *testing.T) { testREST(t, r) })
			t.Run("xmlrpc", func(t *testing.T) { testXMLRPC(t, r) })
			t.Run("pingback", func(t *testing.T) { testPingback(t, r) })
			t.Run("validators", func(t *testing.T) { testValidators(t, r) })
			t.Run("range", func(t *testing.T) { testRange(t, r) })
			t.Run("head", func(t *testing.T) { testHead(t, r) })
			t.Run("login", func(t *testing.T) { testLogin(t, r) })
			t.Run("sessions", func(t *testing.T) { testSessions(t, r) })
			t.Run("spoofed", func(t *testing.T) { testSpoofed(t, r) })
			if r.Transparent() {
				t.Run("traps", func(t *testing.T) { testTraps(t, r) })
			}
		})
	}
}

// stored returns the content of the post as the database holds it.
func stored(t *testing.T, r *Running, id int) string {
	t.Helper()
	content, err := r.SQL(t.Context(), fmt.Sprintf("SELECT post_content FROM wp_posts WHERE ID = %d", id))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(content)
}

// testREST creates a post with an application password and reads it back.
func testREST(t *testing.T, r *Running) {
	password, err := r.RunPHP(t.Context(), "application_password.php")
	if err != nil {
		t.Fatal(err)
	}
	client := visitor(t, r, false)
	body := fmt.Sprintf(`{"title":"By REST","status":"publish","content":"<a href=\"%s/about/\">about</a> <a href=\"%s\/about\/\">again</a>"}`,
		r.Public, strings.ReplaceAll(r.Public, "/", `\/`))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Public+"/wp-json/wp/v2/posts", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(AdminName, string(password))
	answer, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("got %s: %s", answer.Status, answer.Body)
	}
	if got := answer.Header.Get("Location"); !strings.HasPrefix(got, r.Public+"/wp-json/wp/v2/posts/") && !strings.HasPrefix(got, "/blog/wp-json/wp/v2/posts/") {
		t.Errorf("Location %q leaves the mount", got)
	}
	var post struct {
		ID      int
		Link    string
		Content struct{ Raw string }
	}
	if err := json.Unmarshal(answer.Body, &post); err != nil {
		t.Fatal(err)
	}
	if want := `<a href="` + r.Public + `/about/">about</a> <a href="` + r.Public + `/about/">again</a>`; post.Content.Raw != want {
		t.Errorf("the client reads back %s, want %s", post.Content.Raw, want)
	}
	if !strings.HasPrefix(post.Link, r.Public+"/") {
		t.Errorf("link %s leaves the mount", post.Link)
	}
	if want := `<a href="` + r.Home + `/about/">about</a> <a href="` + r.Home + `/about/">again</a>`; stored(t, r, post.ID) != want {
		t.Errorf("stored %s, want %s", stored(t, r, post.ID), want)
	}
}

// call makes a call of the site's XML-RPC interface with string parameters and XML ones.
func call(t *testing.T, r *Running, method string, params ...string) []byte {
	t.Helper()
	body := `<?xml version="1.0"?><methodCall><methodName>` + method + `</methodName><params>`
	for _, p := range params {
		body += "<param><value>" + p + "</value></param>"
	}
	answer, err := visitor(t, r, false).Post(t.Context(), r.Public+"/xmlrpc.php", "text/xml", []byte(body+"</params></methodCall>"))
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s", method, answer.Status)
	}
	var anything struct{ XMLName xml.Name }
	if err := xml.Unmarshal(answer.Body, &anything); err != nil || anything.XMLName.Local != "methodResponse" {
		t.Fatalf("%s answered no method response: %v\n%s", method, err, answer.Body)
	}
	return answer.Body
}

func xmlString(s string) string { return "<string>" + html.EscapeString(s) + "</string>" }

// testXMLRPC writes a post the way mobile applications do.
func testXMLRPC(t *testing.T, r *Running) {
	content := `<a href="` + r.Public + `/about/">about</a>`
	body := call(t, r, "metaWeblog.newPost", xmlString("1"), xmlString(AdminName), xmlString(AdminPassword),
		"<struct><member><name>title</name><value><string>By XML-RPC</string></value></member><member><name>description</name><value>"+xmlString(content)+"</value></member></struct>",
		"<boolean>1</boolean>")
	m := regexp.MustCompile(`<string>(\d+)</string>`).FindSubmatch(body)
	if m == nil {
		t.Fatalf("no id in %s", body)
	}
	var id int
	fmt.Sscan(string(m[1]), &id)
	if want := `<a href="` + r.Home + `/about/">about</a>`; stored(t, r, id) != want {
		t.Errorf("stored %s, want %s", stored(t, r, id), want)
	}
	back := html.UnescapeString(string(call(t, r, "metaWeblog.getPost", xmlString(string(m[1])), xmlString(AdminName), xmlString(AdminPassword))))
	if !strings.Contains(back, content) || r.Transparent() && strings.Contains(back, OriginHost) {
		t.Errorf("the client reads back %s", back)
	}
}

// testPingback names a post of the site by its public URL. The network is cut
// off, so the ping fails, but only once the site has found the post.
func testPingback(t *testing.T, r *Running) {
	answer, err := visitor(t, r, false).Get(t.Context(), r.Public+"/2024/03/post-number-2/")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := answer.Header.Get("X-Pingback"), r.Public+"/xmlrpc.php"; got != want {
		t.Errorf("X-Pingback: %q, want %q", got, want)
	}
	body := call(t, r, "pingback.ping", xmlString("http://192.0.2.1/a-link"), xmlString(r.Public+"/2024/03/post-number-2/"))
	// 16: the source does not exist; 33 would be: the target is none of the site's.
	if !strings.Contains(string(body), "<int>16</int>") {
		t.Errorf("pingback answered %s", body)
	}
}

// testValidators asks for a feed twice, the second time with what the first gave.
func testValidators(t *testing.T, r *Running) {
	client := visitor(t, r, false)
	first, err := client.Get(t.Context(), r.Public+"/feed/")
	if err != nil {
		t.Fatal(err)
	}
	tag := first.Header.Get("ETag")
	if tag == "" || first.Header.Get("Last-Modified") == "" {
		t.Fatalf("the feed has no validators: %v", first.Header)
	}
	for _, fields := range []map[string]string{
		{"If-None-Match": tag},
		{"If-None-Match": tag, "If-Modified-Since": first.Header.Get("Last-Modified")},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Public+"/feed/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			req.Header.Set(name, value)
		}
		again, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("with %v: got %s, want 304", fields, again.Status)
		}
	}
}

// testRange asks for a part of a file that is passed as it is.
func testRange(t *testing.T, r *Running) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Public+"/wp-content/uploads/2024/03/bell.wav", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", "bytes=0-3")
	answer, err := visitor(t, r, false).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusPartialContent || string(answer.Body) != "RIFF" {
		t.Errorf("got %s %q, want 206 RIFF", answer.Status, answer.Body)
	}
}

// testHead compares HEAD with GET.
func testHead(t *testing.T, r *Running) {
	client := visitor(t, r, false)
	for _, path := range []string{"/2024/03/post-number-3/", "/wp-content/uploads/2024/03/icon.png", "/wp-includes/css/dist/block-library/style.min.css"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, r.Public+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		head, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		get, err := client.Get(t.Context(), r.Public+path)
		if err != nil {
			t.Fatal(err)
		}
		if head.StatusCode != get.StatusCode || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
			t.Errorf("%s: HEAD %s %s, GET %s %s", path, head.Status, head.Header.Get("Content-Type"), get.Status, get.Header.Get("Content-Type"))
		}
		if n := head.ContentLength; n >= 0 && n != int64(len(get.Body)) && !get.Uncompressed {
			t.Errorf("%s: HEAD tells %d bytes, GET has %d", path, n, len(get.Body))
		}
	}
}

// testLogin logs in with targets inside and outside of the site.
func testLogin(t *testing.T, r *Running) {
	for _, tt := range []struct{ name, target, want string }{
		{"public", r.Public + "/wp-admin/edit.php?post_type=page", r.Public + "/wp-admin/edit.php?post_type=page"},
		{"path", "/blog/wp-admin/tools.php", r.Public + "/wp-admin/tools.php"},
		{"elsewhere", "https://www.example.org/", r.Public + "/wp-admin/"},
		{"main site", "https://" + PublicHost + "/account", r.Public + "/wp-admin/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer, err := visitor(t, r, false).LogIn(t.Context(), r.Public, tt.target)
			if err != nil {
				t.Fatal(err)
			}
			got, err := answer.Location()
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want && !(tt.name == "main site" && !r.Transparent()) {
				t.Errorf("Location %s, want %s", got, tt.want)
			}
		})
	}
}

// testSessions has the administrator and visitors ask for the same pages in
// turn: nobody gets what was made for another.
func testSessions(t *testing.T, r *Running) {
	admin := visitor(t, r, true)
	for _, path := range []string{"/", "/2024/03/post-number-5/", "/2024/03/behind-a-password/"} {
		for range 2 {
			for _, tt := range []struct {
				client  *Client
				session bool
			}{{admin, true}, {visitor(t, r, false), false}} {
				answer, err := tt.client.Get(t.Context(), r.Public+path)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Contains(string(answer.Body), `id="wpadminbar"`); got != tt.session {
					t.Errorf("%s: admin bar %t for a session %t", path, got, tt.session)
				}
			}
		}
	}
	opened := visitor(t, r, false)
	protected := r.Public + "/2024/03/behind-a-password/"
	if _, err := opened.PostForm(t.Context(), r.Public+"/wp-login.php?action=postpass", url.Values{"post_password": {PostPassword}, "Submit": {"Enter"}}, "Referer", protected); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		client *Client
		open   bool
	}{{opened, true}, {visitor(t, r, false), false}, {opened, true}} {
		answer, err := tt.client.Get(t.Context(), protected)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(answer.Body), "The treasure is buried."); got != tt.open {
			t.Errorf("the protected post is open: %t, want %t", got, tt.open)
		}
	}
}

// testSpoofed sends fields with which a visitor would have an origin believe in another host.
func testSpoofed(t *testing.T, r *Running) {
	client := visitor(t, r, false)
	for name, value := range map[string]string{
		"X-Forwarded-Host": "evil.example.org", "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/evil", "Forwarded": "host=evil.example.org;proto=http",
		"X-Original-Url": "/wp-admin/", "X-Rewrite-Url": "/wp-admin/", "X-Host": "evil.example.org", "X-Forwarded-Server": "evil.example.org", "X-Http-Host-Override": "evil.example.org",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Public+"/2024/03/post-number-1?"+url.QueryEscape(name), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(name, value)
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		location := answer.Header.Get("Location")
		if answer.StatusCode != http.StatusMovedPermanently || strings.Contains(location, "evil") || !strings.Contains(location, "/blog/2024/03/post-number-1/") {
			t.Errorf("%s: %s: got %s %s", name, value, answer.Status, location)
		}
	}
}

// trapElement cuts an element of the trap post out of a page.
var trapElement = regexp.MustCompile(`(?s)<(p|form|script) id="((?:map|keep)-[a-z-]+)".*?</(?:p|form|script)>`)

// testTraps compares each element of the trap post with what the origin sends.
func testTraps(t *testing.T, r *Running) {
	seen, err := visitor(t, r, false).Get(t.Context(), r.Public+"/2024/03/traps/")
	if err != nil {
		t.Fatal(err)
	}
	content, err := r.SQL(t.Context(), "SELECT TO_BASE64(post_content) FROM wp_posts WHERE post_name = 'traps'")
	if err != nil {
		t.Fatal(err)
	}
	written := make(map[string]string)
	for _, m := range trapElement.FindAllStringSubmatch(fromBase64(t, content), -1) {
		written[m[2]] = m[0]
	}
	found := make(map[string]string)
	for _, m := range trapElement.FindAllStringSubmatch(string(seen.Body), -1) {
		found[m[2]] = m[0]
	}
	if len(written) < 30 || len(found) != len(written) {
		t.Fatalf("the page has %d traps, %d are written", len(found), len(written))
	}
	for id, text := range written {
		switch {
		case strings.HasPrefix(id, "keep-") && found[id] != text:
			t.Errorf("%s:\n got %s\nwant %s", id, found[id], text)
		case strings.HasPrefix(id, "map-") && (found[id] == text || !strings.Contains(plain(found[id]), "/blog")):
			if id != "map-css" { // its rule stands in a style element
				t.Errorf("%s was not mapped: %s", id, found[id])
			}
		}
	}
}

// fromBase64 decodes what the database client prints, line breaks and all.
func fromBase64(t *testing.T, text string) string {
	t.Helper()
	// The client writes the line breaks of a value as \n.
	out, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(strings.ReplaceAll(text, `\n`, " ")), ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestEdits caches every page, edits the site through the mount in the ways that
// people and programs do, and reads each time what a visitor gets.
func TestEdits(t *testing.T) {
	for _, topology := range Topologies("https://"+PublicHost, rig.managedPort) {
		t.Run(topology.Name, func(t *testing.T) {
			topology.Mount = strings.TrimSuffix(topology.Mount, "}") + "\tcache {\n\t\tttl 5m\n\t}\n}"
			testEdits(t, run(t, topology, BlockTheme))
		})
	}
}

func testEdits(t *testing.T, r *Running) {
	admin := visitor(t, r, true)
	password, err := r.RunPHP(t.Context(), "application_password.php")
	if err != nil {
		t.Fatal(err)
	}
	// seen asks as a visitor, so that the page is stored, and reports whether it holds the text.
	seen := func(path, text string) bool {
		t.Helper()
		answer, err := visitor(t, r, false).Get(t.Context(), r.Public+path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(answer.Body), text)
	}
	form := func(path string, values url.Values) *Answer {
		t.Helper()
		answer, err := admin.PostForm(t.Context(), r.Public+path, values)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	field := func(path, pattern string) string {
		t.Helper()
		answer, err := admin.Get(t.Context(), r.Public+path)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(pattern).FindSubmatch(answer.Body)
		if m == nil {
			t.Fatalf("%s: nothing on %s", pattern, path)
		}
		return html.UnescapeString(string(m[1]))
	}
	id, err := r.SQL(t.Context(), "SELECT ID FROM wp_posts WHERE post_name = 'post-number-20'")
	if err != nil {
		t.Fatal(err)
	}
	id = strings.TrimSpace(id)
	const post = "/2024/03/post-number-20/"

	for _, tt := range []struct {
		name, text string
		paths      []string
		edit       func()
	}{
		{"REST", "Edited by REST", []string{post, "/feed/", "/wp-json/wp/v2/posts"}, func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Public+"/wp-json/wp/v2/posts/"+id, strings.NewReader(`{"title":"Edited by REST"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			req.SetBasicAuth(AdminName, string(password))
			if answer, err := visitor(t, r, false).Do(req); err != nil || answer.StatusCode != http.StatusOK {
				t.Fatalf("%v: %v", answer, err)
			}
		}},
		{"XML-RPC", "Edited by XML-RPC", []string{post, "/feed/"}, func() {
			call(t, r, "metaWeblog.editPost", xmlString(id), xmlString(AdminName), xmlString(AdminPassword),
				"<struct><member><name>title</name><value><string>Edited by XML-RPC</string></value></member></struct>", "<boolean>1</boolean>")
		}},
		{"settings", "Edited by a form", []string{"/", "/about/"}, func() {
			const screen = "/wp-admin/options-general.php"
			nonce := field(screen, `name="_wpnonce" value="([0-9a-f]+)"`)
			form("/wp-admin/options.php", url.Values{
				"option_page": {"general"}, "action": {"update"}, "_wpnonce": {nonce},
				"blogname": {"Edited by a form"}, "siteurl": {r.Public}, "home": {r.Public}, "admin_email": {"admin@example.org"}, "new_admin_email": {"admin@example.org"},
			})
		}},
		{"comment", "Edited by a comment", []string{"/2024/03/post-number-4/", "/2024/03/post-number-4/feed/", "/comments/feed/"}, func() {
			post, err := r.SQL(t.Context(), "SELECT ID FROM wp_posts WHERE post_name = 'post-number-4'")
			if err != nil {
				t.Fatal(err)
			}
			answer, err := visitor(t, r, false).PostForm(t.Context(), r.Public+"/wp-comments-post.php", url.Values{
				"comment_post_ID": {strings.TrimSpace(post)}, "comment": {"Edited by a comment"}, "author": {"Vera"}, "email": {"vera@example.org"},
			})
			if err != nil || answer.StatusCode != http.StatusFound {
				t.Fatalf("%v: %v", answer, err)
			}
		}},
		{"theme", "twentytwentyone", []string{"/"}, func() {
			link := field("/wp-admin/themes.php", `"(?:[^"]*\\/|[^"]*/)(themes\.php\?action=activate[^"]*stylesheet=twentytwentyone[^"]*)"`)
			link = strings.NewReplacer(`\u0026`, "&").Replace(link)
			if answer, err := admin.Get(t.Context(), r.Public+"/wp-admin/"+link); err != nil || answer.StatusCode != http.StatusFound {
				t.Fatalf("%s: %v: %v", link, answer, err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range tt.paths {
				for range 2 {
					if seen(path, tt.text) {
						t.Fatalf("%s holds %q before the edit", path, tt.text)
					}
				}
			}
			tt.edit()
			for _, path := range tt.paths {
				if !seen(path, tt.text) {
					t.Errorf("%s does not hold %q after the edit", path, tt.text)
				}
			}
		})
	}
}
