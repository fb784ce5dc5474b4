package handler

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Change is what the answer to a request to a WordPress has changed of what its
// visitors see.
type Change uint8

const (
	// ChangeNone: nothing.
	ChangeNone Change = iota
	// ChangeComment: a comment was published on the page that Location names.
	ChangeComment
	// ChangeSite: a post, a menu, an option, a theme. Which pages show it only the
	// site knows.
	ChangeSite
)

// Edit watches a request that may change what visitors of a WordPress see, until
// its answer shows whether it has. It is for one goroutine.
type Edit struct {
	kind editKind
	form *formAction // of an ajax call whose action stands in its form
	call *callMethod // of an XML-RPC call
}

type editKind uint8

const (
	editComment editKind = iota // wp-comments-post.php
	editScreen                  // a form of the administration
	editLink                    // a link of the administration, with a nonce; it redirects
	editUpdate                  // one whose answer shows how an update goes
	editAjax                    // admin-ajax.php
	editREST
	editXMLRPC // xmlrpc.php: the call says who sends it, and the answer's body whether it was accepted
)

// WatchEdit returns the Edit of a request for rest, the escaped path below the
// mount, with the query, or nil if the request can be none. A visitor who is not logged in can
// publish a comment and nothing else: whoever says that he is, and is not, gets an
// answer that changes nothing. WatchEdit may put a reader around the request's
// body.
func WatchEdit(r *http.Request, rest, query string) *Edit {
	path, err := url.PathUnescape(rest)
	if err != nil {
		return nil
	}
	path = strings.ToLower(path)
	if strings.HasSuffix(path, "/wp-comments-post.php") {
		if r.Method == http.MethodPost {
			return &Edit{kind: editComment}
		}
		return nil
	}
	if strings.HasSuffix(path, "/xmlrpc.php") {
		if r.Method == http.MethodPost && r.Body != nil {
			call := &callMethod{ReadCloser: r.Body}
			r.Body = call
			return &Edit{kind: editXMLRPC, call: call}
		}
		return nil
	}
	_, script, screen := strings.Cut(path, "/wp-admin/")
	if screen {
		script = strings.TrimPrefix(script, "network/")
	}
	switch {
	case script == "admin-ajax.php":
		if hasSession(r) {
			return watchAjax(r, query)
		}
	case editScreens[script]:
		if r.Method == http.MethodPost && hasSession(r) {
			return &Edit{kind: editScreen}
		}
		if r.Method == http.MethodGet && screenAction(query) && hasSession(r) {
			if strings.HasPrefix(script, "update") {
				return &Edit{kind: editUpdate}
			}
			return &Edit{kind: editLink}
		}
	case !screen && !safeMethod(r, query):
		if route := restRoute(path, query); editedRoute(route) && hasSession(r) {
			return &Edit{kind: editREST}
		}
	}
	return nil
}

// editScreens are the scripts of the administration that edit. All of them ask
// whoever is not logged in to do so.
var editScreens = map[string]bool{
	"post.php": true, "edit.php": true, "edit-tags.php": true, "term.php": true, "revision.php": true,
	"comment.php": true, "edit-comments.php": true, "link.php": true, "link-manager.php": true,
	"upload.php": true, "media.php": true, "media-new.php": true, "async-upload.php": true,
	"nav-menus.php": true, "widgets.php": true, "themes.php": true, "theme-editor.php": true,
	"plugins.php": true, "plugin-editor.php": true, "update.php": true, "update-core.php": true,
	"options.php": true, "options-general.php": true, "options-permalink.php": true, "options-privacy.php": true,
	"settings.php": true, "tools.php": true, "admin.php": true,
	"users.php": true, "user-edit.php": true, "profile.php": true, "user-new.php": true,
}

// parameter returns the last value that the query has under a name, as PHP reads it.
func parameter(query, name string) (value string) {
	for field := range strings.SplitSeq(query, "&") {
		if v, ok := strings.CutPrefix(field, name); ok && strings.HasPrefix(v, "=") {
			value, _ = url.QueryUnescape(v[1:])
		}
	}
	return value
}

// screenAction reports whether the query of a screen asks for an action. Lists are
// filtered with the action "-1".
func screenAction(query string) bool {
	for _, name := range [...]string{"action", "action2"} {
		if v := parameter(query, name); v != "" && v != "-1" {
			return true
		}
	}
	return false
}

// hasSession reports whether the request says that a user of the site sends it.
func hasSession(r *http.Request) bool {
	if len(r.Header["Authorization"]) > 0 {
		return true
	}
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, "wordpress_logged_in_") || strings.HasPrefix(c.Name, "wordpress_sec_") {
			return true
		}
	}
	return false
}

// restRoute returns the route of a call of the REST interface, by a pretty path or
// by the parameter rest_route; "" if it is none.
func restRoute(path, query string) string {
	if _, route, ok := strings.Cut(path, "/wp-json/"); ok {
		return "/" + route
	}
	return strings.ToLower(parameter(query, "rest_route"))
}

// safeMethod reports whether WordPress takes the request for one that only reads.
func safeMethod(r *http.Request, query string) bool {
	method := r.Method
	if r.Method == http.MethodPost {
		if m := r.Header.Get("X-HTTP-Method-Override"); m != "" {
			method = m
		}
	}
	if m := parameter(query, "_method"); m != "" {
		method = m
	}
	switch strings.ToUpper(method) {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// editedRoute reports whether a write to the route changes what visitors see.
// Editors save preferences of their user and unpublished copies all the time.
func editedRoute(route string) bool {
	switch {
	case strings.HasPrefix(route, "/batch/"):
		return true
	case strings.HasPrefix(route, "/wc/v"):
		return strings.Contains(route, "/products") // and not orders, which programs update all day
	case !strings.HasPrefix(route, "/wp/v2/"):
		return false
	}
	return !strings.Contains(route, "/autosaves") && !strings.HasPrefix(route, "/wp/v2/users/me") && !strings.HasPrefix(route, "/wp/v2/block-renderer/")
}

// ajaxEdits are the actions of admin-ajax.php with which WordPress itself edits.
var ajaxEdits = map[string]bool{
	"inline-save": true, "inline-save-tax": true, "delete-post": true, "trash-post": true, "untrash-post": true, "delete-page": true,
	"add-tag": true, "delete-tag": true, "add-category": true, "add-link-category": true, "add-meta": true, "delete-meta": true,
	"dim-comment": true, "delete-comment": true, "edit-comment": true, "replyto-comment": true,
	"image-editor": true, "crop-image": true, "save-attachment": true, "save-attachment-compat": true, "save-attachment-order": true,
	"upload-attachment": true, "set-post-thumbnail": true, "set-attachment-thumbnail": true,
	"menu-locations-save": true, "save-widget": true, "update-widget": true, "widgets-order": true, "delete-inactive-widgets": true,
	"customize_save": true, "edit-theme-plugin-file": true, "activate-plugin": true,
	"update-plugin": true, "update-theme": true, "delete-plugin": true, "delete-theme": true,
	"wp-privacy-erase-personal-data": true,
}

// watchAjax watches a call whose action stands in its query or in its form.
func watchAjax(r *http.Request, query string) *Edit {
	if action := parameter(query, "action"); action != "" {
		if !ajaxEdits[action] {
			return nil
		}
		return &Edit{kind: editAjax}
	}
	if r.Method != http.MethodPost || r.Body == nil || r.Body == http.NoBody || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	form := &formAction{ReadCloser: r.Body}
	r.Body = form
	return &Edit{kind: editAjax, form: form}
}

// Answered says what the answer with this status and header, as the visitor gets
// it, has changed. The form of the request has been read by then. WordPress marks
// what it answers to a user, and what it answers below wp-admin, as not to be kept.
func (e *Edit) Answered(status int, h http.Header) Change {
	redirect := status >= 300 && status < 400
	location := h.Get("Location")
	switch {
	case status < 200 || status >= 400 || redirect && strings.Contains(location, "wp-login.php"):
		return ChangeNone
	case e.kind == editXMLRPC, !strings.Contains(h.Get("Cache-Control"), "no-cache"):
		return ChangeNone
	case e.kind == editComment:
		if redirect && strings.Contains(location, "#comment-") && !strings.Contains(location, "unapproved=") {
			return ChangeComment
		}
		return ChangeNone
	case e.kind == editLink && !redirect, e.kind == editAjax && redirect:
		return ChangeNone
	case e.form != nil && !ajaxEdits[e.form.action()]:
		return ChangeNone
	}
	return ChangeSite
}

// Lasts reports whether the site may go on to change things while it sends its
// answer, as the screens of updates and imports do.
func (e *Edit) Lasts(status int) bool {
	return (e.kind == editScreen || e.kind == editUpdate) && status == http.StatusOK
}

// TellsBytes is how much of the answer's body Told needs; 0 where the header tells.
func (e *Edit) TellsBytes() int {
	if e.kind == editXMLRPC {
		return maxCallBytes
	}
	return 0
}

// Told says what the answer has changed whose body begins so. An XML-RPC interface
// answers 200 to what it refuses, too.
func (e *Edit) Told(body []byte) Change {
	if e.kind != editXMLRPC || !callEdits[e.call.method()] || !bytes.Contains(body, []byte("<methodResponse>")) || bytes.Contains(body, []byte("<fault>")) {
		return ChangeNone
	}
	return ChangeSite
}

// callEdits are the methods of XML-RPC that edit, for which WordPress wants a
// user and a password.
var callEdits = map[string]bool{
	"wp.newPost": true, "wp.editPost": true, "wp.deletePost": true, "wp.newPage": true, "wp.editPage": true, "wp.deletePage": true,
	"wp.restoreRevision": true, "wp.newTerm": true, "wp.editTerm": true, "wp.deleteTerm": true, "wp.newCategory": true, "wp.deleteCategory": true,
	"wp.newComment": true, "wp.editComment": true, "wp.deleteComment": true, "wp.setOptions": true, "wp.editProfile": true,
	"metaWeblog.newPost": true, "metaWeblog.editPost": true, "metaWeblog.deletePost": true,
	"blogger.newPost": true, "blogger.editPost": true, "blogger.deletePost": true, "mt.publishPost": true, "mt.setPostCategories": true,
}

// maxCallBytes is how much of a call and of its answer is looked at.
const maxCallBytes = 512

// callMethod is the body of an XML-RPC call. It remembers how it begins.
type callMethod struct {
	io.ReadCloser
	begin []byte
}

// Read implements io.Reader.
func (c *callMethod) Read(p []byte) (n int, err error) {
	n, err = c.ReadCloser.Read(p)
	c.begin = append(c.begin, p[:min(n, maxCallBytes-len(c.begin))]...)
	return n, err
}

func (c *callMethod) method() string {
	_, name, _ := bytes.Cut(c.begin, []byte("<methodName>"))
	name, _, _ = bytes.Cut(name, []byte("</methodName>"))
	return string(bytes.TrimSpace(name))
}

// formAction is the body of a request with an urlencoded form. It remembers the
// field "action", wherever it stands.
type formAction struct {
	io.ReadCloser
	field []byte // of the field that is being read, what may be "action=..."
	long  bool   // and it is too long for that
	found string
}

// maxActionBytes bounds a field that is remembered.
const maxActionBytes = 64

// Read implements io.Reader.
func (f *formAction) Read(p []byte) (n int, err error) {
	n, err = f.ReadCloser.Read(p)
	for _, c := range p[:n] {
		switch {
		case c == '&':
			f.close()
		case len(f.field) == maxActionBytes:
			f.long = true
		default:
			f.field = append(f.field, c)
		}
	}
	return n, err
}

// close ends the field that is being read.
func (f *formAction) close() {
	if value, ok := strings.CutPrefix(string(f.field), "action="); ok && !f.long {
		f.found = value // PHP keeps the last one
	}
	f.field, f.long = f.field[:0], false
}

func (f *formAction) action() string {
	f.close()
	return f.found
}
