package mount

import (
	"net/http"
	"net/url"
	"strings"

	"go.uber.org/zap"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/handler"
)

// edited is told how the site has answered a request that may be an edit, and
// purges what it has changed before the visitor hears of it.
type edited struct {
	x     *exchange
	edit  *handler.Edit
	lasts bool   // the site may go on to change things until its answer ends
	begin []byte // of the answer's body, where that tells
}

// watchEdit returns nil for a request that cannot be an edit.
func (x *exchange) watchEdit() *edited {
	query, _ := x.query()
	if edit := handler.WatchEdit(x.r, x.rest, query); edit != nil {
		return &edited{x: x, edit: edit}
	}
	return nil
}

// answered purges by the header of the answer.
func (e *edited) answered(status int, h http.Header) {
	change := e.edit.Answered(status, h)
	e.lasts = change == handler.ChangeSite && e.edit.Lasts(status)
	switch change {
	case handler.ChangeSite:
		e.purge(cache.Purge{Scope: cache.ScopeAll})
	case handler.ChangeComment:
		e.purge(e.commented(h.Get("Location"))...)
	}
}

// ended purges again what was fetched while the answer went on, and where only its
// body tells.
func (e *edited) ended() {
	if e.lasts || e.edit.Told(e.begin) == handler.ChangeSite {
		e.purge(cache.Purge{Scope: cache.ScopeAll})
	}
}

// commented is what shows a comment on the page at location: the page with all its
// pages and feeds, the list of comments, and the home page, where themes show the
// newest.
func (e *edited) commented(location string) []cache.Purge {
	host, prefix := e.x.v.Public().Host, strings.TrimSuffix(e.x.m.Path, "/")
	purges := []cache.Purge{
		{Scope: cache.ScopeURL, Host: host, Path: prefix + "/"},
		{Scope: cache.ScopePrefix, Host: host, Path: prefix + "/comments"},
		{Scope: cache.ScopePrefix, Host: host, Path: prefix + "/wp-json/wp/v2/comments"},
	}
	u, err := url.Parse(location)
	if err != nil {
		return purges
	}
	page, _, _ := strings.Cut(u.EscapedPath(), "/comment-page-")
	if page = strings.TrimSuffix(page, "/"); strings.HasPrefix(page, prefix+"/") {
		purges = append(purges, cache.Purge{Scope: cache.ScopePrefix, Host: host, Path: page})
	}
	return purges
}

func (e *edited) purge(purges ...cache.Purge) {
	bound := make([]boundPurge, len(purges))
	for i, p := range purges {
		p.Mount = e.x.m.Name
		bound[i] = boundPurge{e.x.m, p}
	}
	if _, err := applyPurges(bound, "edit"); err != nil {
		e.x.m.logger.Error("what an edit changed was not purged", zap.String("mount", e.x.m.Name), zap.Error(err))
	}
}

// tells returns the writer for an answer whose body tells.
func (e *edited) tells(w http.ResponseWriter) http.ResponseWriter {
	if e == nil || e.edit.TellsBytes() == 0 {
		return w
	}
	return &toldWriter{w, e}
}

// toldWriter remembers how the body begins.
type toldWriter struct {
	http.ResponseWriter
	e *edited
}

// Write implements io.Writer.
func (w *toldWriter) Write(p []byte) (int, error) {
	w.e.begin = append(w.e.begin, p[:min(len(p), w.e.edit.TellsBytes()-len(w.e.begin))]...)
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find the writer below.
func (w *toldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
