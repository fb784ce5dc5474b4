package caddytest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
)

// programEnv makes the test program be Caddy with the plugin: its value is the
// folder of the process-wide paths.
const programEnv = "CADDYTEST_PROGRAM"

// namesEnv are the host names that the process resolves.
const namesEnv = "CADDYTEST_NAMES"

// runProgram is the main function of a process that is Caddy.
func runProgram(dir string) {
	if err := Isolate(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for name := range strings.FieldsSeq(os.Getenv(namesEnv)) {
		addName(name, 1)
	}
	caddycmd.Main()
}

// program is a process that is Caddy, or was.
type program struct {
	server *Server // finds its ports; it runs in the other process
	cmd    *exec.Cmd
	output logBuffer
	ended  chan struct{} // closed when it has ended
	err    error         // how; set before ended is closed
}

// startProgram starts Caddy with the arguments of its command line.
func startProgram(dir string, args ...string) (*program, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	p := &program{cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), programEnv+"="+dir, namesEnv+"="+strings.Join(knownNames(), " "))
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
		p.output.Lock()
		defer p.output.Unlock()
		p.output.broadcast()
	}()
	return p, nil
}

// text returns what the process has written.
func (p *program) text() string {
	p.output.Lock()
	defer p.output.Unlock()
	return string(p.output.text)
}

// serving waits until the process serves its configuration.
func (p *program) serving() error {
	ready := func(line []byte) bool { return strings.Contains(string(line), "serving initial configuration") }
	over := false
	p.output.await(context.Background(), func() bool {
		select {
		case <-p.ended:
			over = true
		default:
		}
		return over || p.output.count(ready) > 0
	})
	p.output.Lock()
	defer p.output.Unlock()
	if p.output.count(ready) == 0 {
		return fmt.Errorf("the process does not serve:\n%s", p.output.text)
	}
	return nil
}

// end sends a signal and waits for the end of the process.
func (p *program) end(signal os.Signal) error {
	err := p.cmd.Process.Signal(signal)
	<-p.ended
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return err
}

// stop ends the process as an operator does. Caddy begins to listen for signals in a
// goroutine, which on a machine under load may come last: then TERM itself ends it.
func (p *program) stop() error {
	if err := p.end(syscall.SIGTERM); err != nil {
		return err
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGTERM {
		return nil
	}
	return p.err
}

// confined writes the configuration in a Caddyfile or a JSON file of the script as
// one for a process of its own, and returns the name of the file.
func (s *script) confined(server *Server, name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return "", err
	}
	config := []byte(expand(string(content), s.getenv))
	if !strings.HasSuffix(name, ".json") {
		if config, _, err = Adapt(string(config), name); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(server.box.dir, 0o700); err != nil {
		return "", err
	}
	server.box.loads++
	if config, err = server.box.confine(config); err != nil {
		return "", err
	}
	file := filepath.Join(server.box.dir, "config.json")
	return file, os.WriteFile(file, config, 0o600)
}

// cmdProgram runs Caddy as a process of its own:
//
//	program run NAME FILE      serves the configuration
//	program stop|kill NAME     ends it, with or without asking
//	program validate FILE      "!": must fail; "expect program" looks at the output
func (s *script) cmdProgram(neg bool, args []string) error {
	usage := errors.New("usage: program run NAME FILE, program stop|kill NAME, program validate FILE")
	switch {
	case len(args) == 3 && args[0] == "run" && s.programs[args[1]] == nil:
		return s.runProgram(args[1], args[2])
	case len(args) == 2 && args[0] == "validate":
		return s.validate(neg, args[1])
	case len(args) == 2 && s.programs[args[1]] != nil:
		p := s.programs[args[1]]
		delete(s.programs, args[1])
		switch args[0] {
		case "stop":
			return p.stop()
		case "kill":
			return p.end(syscall.SIGKILL)
		}
	}
	return usage
}

func (s *script) runProgram(name, file string) error {
	server := NewServer(filepath.Join(s.dir, name), s.resolve)
	config, err := s.confined(server, file)
	if err != nil {
		return err
	}
	p, err := startProgram(server.box.dir, "run", "--config", config)
	if err != nil {
		return err
	}
	p.server = server
	s.programs[name], s.program = p, p
	return p.serving()
}

func (s *script) validate(neg bool, file string) error {
	server := NewServer(filepath.Join(s.dir, "validate"), s.resolve)
	config, err := s.confined(server, file)
	if err != nil {
		return err
	}
	p, err := startProgram(server.box.dir, "validate", "--config", config)
	if err != nil {
		return err
	}
	<-p.ended
	s.program = p
	if (p.err != nil) != neg {
		return fmt.Errorf("caddy validate: %w\n%s", p.err, p.text())
	}
	return nil
}

// expectProgram waits for a line of the process that was run last, or with neg makes
// sure that there is none yet: "expect program OPERATOR VALUE".
func (s *script) expectProgram(neg bool, args []string) error {
	c, err := parseCondition(args)
	if err != nil {
		return err
	}
	if s.program == nil {
		return errors.New("no process was run")
	}
	match := func(line []byte) bool { return c.match(string(line)) }
	if !neg {
		s.program.output.awaitLine(context.Background(), match)
	}
	s.program.output.Lock()
	defer s.program.output.Unlock()
	if found := s.program.output.count(match) > 0; found == neg {
		return fmt.Errorf("a line that is %s: %v; the output:\n%s", c.text, found, s.program.output.text)
	}
	return nil
}
