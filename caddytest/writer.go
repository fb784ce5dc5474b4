package caddytest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func init() {
	caddy.RegisterModule(new(writerCases))
	httpcaddyfile.RegisterHandlerDirective("writer_cases", parseWriterCases)
	httpcaddyfile.RegisterDirectiveOrder("writer_cases", httpcaddyfile.Before, "respond")
}

// writerPage is what the cases write, in two pieces.
var writerPage = [2]string{`<a href="/one">1</a>`, `<a href="http://blog.example.net/two">2</a>`}

// writerCases is a handler that answers by the last segment of the path, each
// time by another way of using a ResponseWriter. It stands in for the origin
// inside of a mount, where every way must come out as the same page.
type writerCases struct{}

// CaddyModule returns the Caddy module information.
func (*writerCases) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.caddytest_writer_cases",
		New: func() caddy.Module { return new(writerCases) },
	}
}

// parseWriterCases parses the directive writer_cases, which takes no words.
func parseWriterCases(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	h.Next()
	if h.NextArg() {
		return nil, h.ArgErr()
	}
	return new(writerCases), nil
}

// writerWays are the cases by name.
var writerWays = map[string]func(w http.ResponseWriter, r *http.Request) error{
	"write": func(w http.ResponseWriter, _ *http.Request) error {
		for _, piece := range writerPage {
			if _, err := io.WriteString(w, piece); err != nil {
				return err
			}
		}
		return nil
	},
	"length": func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Length", strconv.Itoa(len(writerPage[0]+writerPage[1])))
		_, err := io.WriteString(w, writerPage[0]+writerPage[1])
		return err
	},
	"copy": func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.Copy(w, strings.NewReader(writerPage[0]+writerPage[1]))
		return err
	},
	"mixed": func(w http.ResponseWriter, _ *http.Request) error {
		if _, err := io.WriteString(w, writerPage[0]); err != nil {
			return err
		}
		_, err := io.Copy(w, strings.NewReader(writerPage[1]))
		return err
	},
	"servecontent": func(w http.ResponseWriter, r *http.Request) error {
		http.ServeContent(w, r, "page.html", time.Time{}, strings.NewReader(writerPage[0]+writerPage[1]))
		return nil
	},
	"flushfirst": func(w http.ResponseWriter, _ *http.Request) error {
		control := http.NewResponseController(w)
		if err := control.Flush(); err != nil {
			return err
		}
		for _, piece := range writerPage {
			if _, err := io.WriteString(w, piece); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
		}
		return nil
	},
	"bytewise": func(w http.ResponseWriter, _ *http.Request) error {
		for _, b := range []byte(writerPage[0] + writerPage[1]) {
			if _, err := w.Write([]byte{b}); err != nil {
				return err
			}
		}
		return nil
	},
	"early": func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		_, err := io.WriteString(w, writerPage[0]+writerPage[1])
		return err
	},
	"twice": func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot)
		_, err := io.WriteString(w, writerPage[0]+writerPage[1])
		return err
	},
	"nothing":     func(http.ResponseWriter, *http.Request) error { return nil },
	"nocontent":   func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(http.StatusNoContent); return nil },
	"notmodified": func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(http.StatusNotModified); return nil },
	"partial": func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Range", "bytes 0-3/100")
		w.Header().Set("Content-Length", "4")
		w.WriteHeader(http.StatusPartialContent)
		_, err := io.WriteString(w, writerPage[0][:4])
		return err
	},
	"hijack": func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "echo")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = io.Copy(conn, buffered)
		return err
	},
	"errorbefore": func(http.ResponseWriter, *http.Request) error {
		return caddyhttp.Error(http.StatusBadGateway, errors.New("case errorbefore"))
	},
	"errorafter": func(w http.ResponseWriter, _ *http.Request) error {
		if _, err := io.WriteString(w, writerPage[0]); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		return errors.New("case errorafter")
	},
	"abort": func(w http.ResponseWriter, _ *http.Request) error {
		if _, err := io.WriteString(w, writerPage[0]); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
		panic(http.ErrAbortHandler)
	},
	"panic": func(http.ResponseWriter, *http.Request) error { panic("a bug of the chain") },
	"trailer": func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Trailer", "X-Announced")
		if _, err := io.WriteString(w, writerPage[0]+writerPage[1]); err != nil {
			return err
		}
		w.Header().Set("X-Announced", "yes")
		w.Header().Set(http.TrailerPrefix+"X-Late", "too")
		return nil
	},
}

// ServeHTTP answers by the case that the path names.
func (*writerCases) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	way, ok := writerWays[name]
	if !ok {
		known := make([]string, 0, len(writerWays))
		for name := range writerWays {
			known = append(known, name)
		}
		slices.Sort(known)
		return caddyhttp.Error(http.StatusNotFound, fmt.Errorf("no case %q; there are %v", name, known))
	}
	w.Header().Set("Content-Type", "text/html")
	return way(w, r)
}

var _ caddyhttp.MiddlewareHandler = (*writerCases)(nil)
