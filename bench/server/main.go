// Command server is Caddy with mount, and with the floor that the benchmarks compare
// it with: a handler that writes whole prepared answers from memory.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-mount/mount"
)

func main() {
	caddy.RegisterModule(floor{})
	httpcaddyfile.RegisterHandlerDirective("bench_floor", func(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
		h.Next()
		f := new(floor)
		if !h.Args(&f.Folder) {
			return nil, h.ArgErr()
		}
		return f, nil
	})
	httpcaddyfile.RegisterDirectiveOrder("bench_floor", httpcaddyfile.After, "encode")
	caddycmd.Main()
}

// floor answers each path with the prepared answer of that name.
type floor struct {
	// Folder holds the answers as NAME.http, each as it is on the wire.
	Folder  string `json:"folder"`
	answers map[string]answer
}

type answer struct {
	header http.Header
	body   []byte
}

// CaddyModule returns the Caddy module information.
func (floor) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.bench_floor", New: func() caddy.Module { return new(floor) }}
}

// Provision reads the answers.
func (f *floor) Provision(caddy.Context) error {
	files, err := filepath.Glob(filepath.Join(f.Folder, "*.http"))
	if err != nil {
		return err
	}
	f.answers = make(map[string]answer)
	for _, file := range files {
		a, err := read(file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", file, err)
		}
		f.answers["/blog/"+strings.TrimSuffix(filepath.Base(file), ".http")] = a
	}
	return nil
}

func read(file string) (answer, error) {
	in, err := os.Open(file)
	if err != nil {
		return answer{}, err
	}
	defer in.Close()
	r, err := http.ReadResponse(bufio.NewReader(in), nil)
	if err != nil {
		return answer{}, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return answer{r.Header, body}, err
}

// ServeHTTP writes the answer.
func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	a, ok := f.answers[r.URL.Path]
	if !ok {
		return next.ServeHTTP(w, r)
	}
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	_, err := w.Write(a.body)
	return err
}
