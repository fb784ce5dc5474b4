package caddytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/caddy-mount/mount/cache"
	"github.com/caddy-mount/mount/internal/testbounds"
)

// script is the state of one running script. Its fields belong to the goroutine
// of the script, except failures and barriers.
type script struct {
	dir      string
	getenv   func(string) string
	server   *Server
	origins  map[string]*Origin
	clients  map[string]*Client
	jars     map[string]http.CookieJar
	current  *Client // whose answer expectations without a name are about
	barriers barriers
	lastErr  error // of the last load that was to fail
	bounds   map[string]string
	clock    clock
	programs map[string]*program // that run
	program  *program            // that was run last
	mounted  []string            // file systems

	mu       sync.Mutex
	failures []error // what origins did not foresee; guarded by mu
}

// commands are the words that Params adds to testscript's own.
var commands map[string]func(s *script, neg bool, args []string) error

func init() { // one of them runs others
	commands = map[string]func(s *script, neg bool, args []string) error{
		"caddy":   (*script).cmdCaddy,
		"origin":  (*script).cmdOrigin,
		"admin":   (*script).cmdAdmin,
		"request": (*script).cmdRequest,
		"stored":  (*script).cmdStored,
		"reach":   (*script).cmdReach,
		"client":  (*script).cmdClient,
		"head":    (*script).cmdHead,
		"chunk":   (*script).cmdChunk,
		"pieces":  (*script).cmdPieces,
		"eof":     (*script).cmdEOF,
		"cut":     (*script).cmdCut,
		"await":   (*script).cmdAwait,
		"write":   (*script).cmdWrite,
		"close":   (*script).cmdClose,
		"resume":  (*script).cmdResume,
		"leave":   (*script).cmdLeave,
		"wssend":  (*script).cmdWSSend,
		"wsrecv":  (*script).cmdWSRecv,
		"barrier": (*script).cmdBarrier,
		"expect":  (*script).cmdExpect,
		"save":    (*script).cmdSave,
		"bound":   (*script).cmdBound,
		"clock":   (*script).cmdClock,
		"each":    (*script).cmdEach,
		"program": (*script).cmdProgram,
		"patch":   (*script).cmdPatch,
		"tmpfs":   (*script).cmdTmpfs,
	}
}

type scriptKey struct{}

// Params returns the testscript parameters that run the scripts of dir.
//
// Caddy has one configuration a process, so scripts must run one after another:
// pass the parameters to [Run].
func Params(dir string) testscript.Params {
	p := testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setUp,
		Cmds:                make(map[string]func(*testscript.TestScript, bool, []string)),
	}
	for name, command := range commands {
		p.Cmds[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			s := ts.Value(scriptKey{}).(*script)
			s.getenv = ts.Getenv
			if err := command(s, neg, args); err != nil {
				ts.Fatalf("%v", errors.Join(err, s.failure()))
			}
			if err := s.failure(); err != nil {
				ts.Fatalf("%v", err)
			}
		}
	}
	return p
}

// setUp starts the origins of the archive: every file whose name is "origin" and
// a name.
func setUp(env *testscript.Env) error {
	s := &script{
		dir:      env.WorkDir,
		getenv:   env.Getenv,
		origins:  make(map[string]*Origin),
		clients:  make(map[string]*Client),
		jars:     make(map[string]http.CookieJar),
		bounds:   make(map[string]string),
		programs: make(map[string]*program),
	}
	testbounds.Set(func(o *cache.Options) { o.Clock = s.clock.now })
	s.server = NewServer(env.WorkDir, s.resolve)
	env.Values[scriptKey{}] = s
	captured.reset()
	env.Defer(func() {
		if err := s.tearDown(); err != nil {
			env.T().Log(err)
			env.T().FailNow()
		}
	})

	authority, err := originAuthority()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "origin-ca.pem"), authority.pem(), 0o600); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "origin *"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.Base(file), "origin ")
		o, err := StartOrigin(name, expand(string(text), env.Getenv), s.dir, &s.barriers, s.fail)
		if err != nil {
			return fmt.Errorf("origin %s: %w", name, err)
		}
		s.origins[name] = o
		env.Setenv(strings.ToUpper(name)+"_ADDR", o.DialAddress())
		if _, port, err := net.SplitHostPort(o.Address()); err == nil {
			env.Setenv(strings.ToUpper(name)+"_PORT", port)
		}
	}
	return nil
}

// tearDown ends everything that the script started, the clients first, and
// returns what went wrong on the origins' side until then.
func (s *script) tearDown() error {
	failed := s.failure()
	for _, c := range s.clients {
		c.Leave()
	}
	for _, p := range s.programs {
		failed = errors.Join(failed, p.end(os.Kill))
	}
	for _, o := range s.origins {
		o.Stop()
	}
	testbounds.Set(nil)
	return errors.Join(failed, s.server.Stop(), s.unmount())
}

// fail keeps what an origin reports until the next command.
func (s *script) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures = append(s.failures, err)
}

func (s *script) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := errors.Join(s.failures...)
	s.failures = nil
	return err
}

// resolve finds the origin that the script gave a name.
func (s *script) resolve(hostport string) (string, bool) {
	for _, o := range s.origins {
		if address, ok := o.Resolve(hostport); ok {
			return address, true
		}
	}
	return "", false
}

// cmdCaddy loads a Caddyfile, by default the one of that name, or Caddy's own form
// from a file whose name ends in .json. With "!", loading
// must fail, and "expect error" looks at why. "caddy recipe TEXT" loads the one
// that follows a paragraph of the README that begins with the text, "caddy
// example NAME" that of an example.
func (s *script) cmdCaddy(neg bool, args []string) error {
	var (
		name = "Caddyfile"
		text string
		err  error
	)
	switch {
	case len(args) == 1 && args[0] == "stop":
		return s.server.Stop()
	case len(args) == 2 && args[0] == "recipe":
		name = args[1]
		text, err = recipe(args[1])
	case len(args) == 2 && args[0] == "example":
		name = "examples/" + args[1] + "/Caddyfile"
		var content []byte
		content, err = os.ReadFile(name)
		text = string(content)
	case len(args) > 1:
		return errors.New("usage: caddy [FILE], caddy recipe TEXT, caddy example NAME or caddy stop")
	default:
		if len(args) == 1 {
			name = args[0]
		}
		var content []byte
		content, err = os.ReadFile(filepath.Join(s.dir, name))
		text = string(content)
	}
	if err != nil {
		return err
	}
	text = expand(text, s.getenv)
	if strings.HasSuffix(name, ".json") {
		s.lastErr = s.server.LoadJSON([]byte(text))
	} else {
		s.lastErr = s.server.Load(text, name)
	}
	switch {
	case neg && s.lastErr == nil:
		return fmt.Errorf("%s loads, want an error", name)
	case !neg:
		return s.lastErr
	}
	return nil
}

// recipe returns the first Caddyfile in the README after a paragraph that begins
// with title.
func recipe(title string) (string, error) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		return "", err
	}
	_, after, found := strings.Cut(string(readme), "\n\n"+title)
	_, after, fenced := strings.Cut(after, "\n```caddyfile\n")
	text, _, closed := strings.Cut(after, "\n```\n")
	if !found || !fenced || !closed {
		return "", fmt.Errorf("the README has no Caddyfile after a paragraph that begins with %q", title)
	}
	return text + "\n", nil
}

// cmdOrigin stops or restarts an origin.
func (s *script) cmdOrigin(_ bool, args []string) error {
	if len(args) != 2 || s.origins[args[1]] == nil {
		return errors.New("usage: origin stop|start NAME")
	}
	o := s.origins[args[1]]
	switch args[0] {
	case "stop":
		o.Stop()
		return nil
	case "start":
		return o.Restart()
	}
	return errors.New("usage: origin stop|start NAME")
}

// cmdBarrier meets at a barrier.
func (s *script) cmdBarrier(_ bool, args []string) error {
	parties := 2
	if len(args) == 2 {
		var err error
		if parties, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
	} else if len(args) != 1 {
		return errors.New("usage: barrier NAME [PARTIES]")
	}
	return s.barriers.meet(context.Background(), args[0], parties)
}

// jar returns the script's cookie jar of that name.
func (s *script) jar(name string) (http.CookieJar, error) {
	if jar, ok := s.jars[name]; ok {
		return jar, nil
	}
	jar, err := cookiejar.New(nil)
	s.jars[name] = jar
	return jar, err
}
