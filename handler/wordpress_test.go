package handler

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// TestWatchEdit tells the answers that change what visitors of a WordPress see
// from those that do not, whatever a visitor pretends.
func TestWatchEdit(t *testing.T) {
	const (
		form     = "application/x-www-form-urlencoded"
		admin    = "https://example.com/blog/wp-admin/"
		login    = "https://example.com/blog/wp-login.php?redirect_to=x"
		editCall = `<?xml version="1.0"?><methodCall><methodName> wp.editPost </methodName><params/></methodCall>`
		cookie   = "wordpress_logged_in_0123456789abcdef=admin"
	)
	type answer struct {
		status   int
		location string
		public   bool // without "no-cache"
		body     string
	}
	for _, tt := range []struct {
		name, method, url, body string
		header                  map[string]string
		visitor                 bool // without a session
		answer                  answer
		want                    Change
	}{
		{name: "options", method: "POST", url: "/wp-admin/options.php", answer: answer{302, admin + "options-general.php?settings-updated=true", false, ""}, want: ChangeSite},
		{name: "privacy page", method: "POST", url: "/wp-admin/options-privacy.php", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "settings of a plugin", method: "POST", url: "/wp-admin/options-general.php?page=plugin", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "tool of a plugin", method: "POST", url: "/wp-admin/tools.php?page=plugin", answer: answer{302, admin + "tools.php?page=plugin", false, ""}, want: ChangeSite},
		{name: "menu", method: "POST", url: "/wp-admin/nav-menus.php", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "site of a network", method: "POST", url: "/site2/wp-admin/options.php", answer: answer{302, admin, false, ""}, want: ChangeSite},
		{name: "network", method: "POST", url: "/wp-admin/network/settings.php", answer: answer{302, admin, false, ""}, want: ChangeSite},
		{name: "session ran out", method: "POST", url: "/wp-admin/options.php", answer: answer{302, login, false, ""}},
		{name: "forbidden", method: "POST", url: "/wp-admin/options.php", answer: answer{403, "", false, ""}},
		{name: "no session", method: "POST", url: "/wp-admin/options.php", visitor: true, answer: answer{302, admin, false, ""}},
		{name: "script that asks nobody to log in", method: "POST", url: "/wp-admin/moderation.php", answer: answer{302, admin, true, ""}},
		{name: "helper", method: "POST", url: "/wp-admin/includes/noop.php", answer: answer{200, "", true, ""}},
		{name: "actions of visitors", method: "POST", url: "/wp-admin/admin-post.php", answer: answer{302, admin, false, ""}},
		{name: "not from the administration", method: "POST", url: "/wp-admin/options.php", answer: answer{200, "", true, ""}},
		{name: "theme", method: "GET", url: "/wp-admin/themes.php?action=activate&stylesheet=x&_wpnonce=1", answer: answer{302, admin + "themes.php?activated=true", false, ""}, want: ChangeSite},
		{name: "trash", method: "GET", url: "/wp-admin/post.php?post=1&action=trash&_wpnonce=1", answer: answer{302, admin + "edit.php?trashed=1", false, ""}, want: ChangeSite},
		{name: "update", method: "GET", url: "/wp-admin/update.php?action=upgrade-plugin&plugin=x", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "editor", method: "GET", url: "/wp-admin/post.php?post=1&action=edit", answer: answer{200, "", false, ""}},
		{name: "filter of a list", method: "GET", url: "/wp-admin/edit.php?_wpnonce=1&action=-1&action2=-1&m=0", answer: answer{302, admin + "edit.php?m=0", false, ""}},
		{name: "screen", method: "GET", url: "/wp-admin/edit.php", answer: answer{200, "", false, ""}},

		{name: "quick edit", method: "POST", url: "/wp-admin/admin-ajax.php", body: "post_title=a&action=inline-save&x=y", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "erasure of a commenter's name", method: "POST", url: "/wp-admin/admin-ajax.php", body: "action=wp-privacy-erase-personal-data&eraser=1&id=3&page=1", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "action at the end", method: "POST", url: "/wp-admin/admin-ajax.php", body: "x=" + strings.Repeat("y", 4000) + "&action=customize_save", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "action in the query", method: "POST", url: "/wp-admin/admin-ajax.php?action=inline-save", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "heartbeat", method: "POST", url: "/wp-admin/admin-ajax.php", body: "interval=60&action=heartbeat", answer: answer{200, "", false, ""}},
		{name: "action within a value", method: "POST", url: "/wp-admin/admin-ajax.php", body: "x=action=inline-save&action=heartbeat", answer: answer{200, "", false, ""}},
		{name: "long action", method: "POST", url: "/wp-admin/admin-ajax.php", body: "action=inline-save" + strings.Repeat("x", 100), answer: answer{200, "", false, ""}},
		{name: "refused call", method: "POST", url: "/wp-admin/admin-ajax.php", body: "action=inline-save", answer: answer{403, "", false, ""}},

		{name: "REST", method: "POST", url: "/wp-json/wp/v2/posts/1", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "REST without permalinks", method: "POST", url: "/?rest_route=%2Fwp%2Fv2%2Fposts%2F1", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "REST with a password", method: "DELETE", url: "/wp-json/wp/v2/posts/1", visitor: true, header: map[string]string{"Authorization": "Basic eDp5"}, answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "REST, method in a field", method: "POST", url: "/wp-json/wp/v2/posts/1", header: map[string]string{"X-HTTP-Method-Override": "PUT"}, answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "REST, method in the query", method: "GET", url: "/wp-json/wp/v2/posts/1?_method=DELETE", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "REST, reading in a POST", method: "POST", url: "/wp-json/wp/v2/posts", header: map[string]string{"X-HTTP-Method-Override": "GET"}, answer: answer{200, "", false, ""}},
		{name: "REST, reading", method: "GET", url: "/wp-json/wp/v2/posts", answer: answer{200, "", false, ""}},
		{name: "batch", method: "POST", url: "/wp-json/batch/v1", answer: answer{207, "", false, ""}, want: ChangeSite},
		{name: "batch of a visitor who says that he is logged in", method: "POST", url: "/wp-json/batch/v1", answer: answer{207, "", true, ""}},
		{name: "autosave", method: "POST", url: "/wp-json/wp/v2/posts/1/autosaves", answer: answer{200, "", false, ""}},
		{name: "preferences", method: "PUT", url: "/wp-json/wp/v2/users/me", answer: answer{200, "", false, ""}},
		{name: "product", method: "PUT", url: "/wp-json/wc/v3/products/1", answer: answer{200, "", false, ""}, want: ChangeSite},
		{name: "order", method: "PUT", url: "/wp-json/wc/v3/orders/1", answer: answer{200, "", false, ""}},
		{name: "cart", method: "POST", url: "/wp-json/wc/store/v1/cart/add-item", answer: answer{201, "", false, ""}},
		{name: "route of a plugin", method: "POST", url: "/wp-json/forms/v1/send", answer: answer{200, "", false, ""}},

		{name: "XML-RPC", method: "POST", url: "/xmlrpc.php", visitor: true, body: editCall, answer: answer{200, "", true, "<?xml version=\"1.0\"?>\n<methodResponse>\n  <params>"}, want: ChangeSite},
		{name: "refused XML-RPC", method: "POST", url: "/xmlrpc.php", visitor: true, body: editCall, answer: answer{200, "", true, "<?xml version=\"1.0\"?>\n<methodResponse>\n  <fault>"}},
		{name: "reading XML-RPC", method: "POST", url: "/xmlrpc.php", visitor: true, body: strings.Replace(editCall, "edit", "get", 1), answer: answer{200, "", true, "<methodResponse><params>"}},
		{name: "broken XML-RPC", method: "POST", url: "/xmlrpc.php", visitor: true, body: "<methodName>wp.editPost", answer: answer{500, "", true, ""}},

		{name: "comment", method: "POST", url: "/wp-comments-post.php", visitor: true, answer: answer{302, "https://example.com/blog/a/#comment-3", false, ""}, want: ChangeComment},
		{name: "comment that waits", method: "POST", url: "/wp-comments-post.php", visitor: true, answer: answer{302, "https://example.com/blog/a/?unapproved=3&moderation-hash=x#comment-3", false, ""}},
		{name: "comment that is refused", method: "POST", url: "/wp-comments-post.php", visitor: true, answer: answer{409, "", false, ""}},
		{name: "form of a page", method: "POST", url: "/contact/", answer: answer{200, "", false, ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, "https://example.com/blog"+tt.url, iotest.OneByteReader(strings.NewReader(tt.body)))
			r.Header.Set("Content-Type", form)
			if !tt.visitor {
				r.Header.Set("Cookie", cookie)
			}
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			e := WatchEdit(r, strings.TrimPrefix(r.URL.EscapedPath(), "/blog"), r.URL.RawQuery)
			if got, err := io.ReadAll(r.Body); err != nil || string(got) != tt.body {
				t.Fatalf("the body reads %q, %v", got, err)
			}
			h := http.Header{}
			if tt.answer.location != "" {
				h.Set("Location", tt.answer.location)
			}
			if !tt.answer.public {
				h.Set("Cache-Control", "no-cache, must-revalidate, max-age=0")
			}
			got := ChangeNone
			if e != nil {
				got = max(e.Answered(tt.answer.status, h), e.Told([]byte(tt.answer.body)))
			}
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
