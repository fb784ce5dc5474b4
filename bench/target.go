package main

import (
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed conf
var configurations embed.FS

// target is a server under load.
type target struct {
	name   string
	config string   // a file of conf
	run    []string // command; {} is the configuration's path
	tls    bool     // it speaks TLS
	maps   bool     // its page has the public URLs
	small  bool     // it serves the small text
	page   bool     // it serves the page
	codes  bool     // it serves the page coded
	misses bool     // it can be asked for pages that nobody asked for before

	ports ports
	cmd   *exec.Cmd
}

// ports are what a configuration is filled with.
type ports struct {
	Port, TLSPort, InnerPort       int
	Origin, OriginHost, OriginPort string
	Dir, Cert, Key, Small          string
}

func targets(dir string) []*target {
	caddy := []string{filepath.Join(dir, "caddy"), "run", "--adapter", "caddyfile", "--config", "{}"}
	return []*target{
		{name: "mount", config: "mount.Caddyfile", run: caddy, tls: true, maps: true, small: true, page: true, codes: true, misses: true},
		{name: "floor", config: "floor.Caddyfile", run: caddy, tls: true, maps: true, small: true, page: true, codes: true},
		{name: "Caddy respond", config: "respond.Caddyfile", run: caddy, tls: true, small: true},
		{name: "Caddy file_server, precompressed", config: "file_server.Caddyfile", run: caddy, tls: true, maps: true, small: true, page: true, codes: true},
		{name: "Caddy reverse_proxy, encode gzip", config: "reverse_proxy.Caddyfile", run: caddy, tls: true, small: true, page: true, codes: true, misses: true},
		{name: "nginx, one tier", config: "nginx1.conf", run: []string{"nginx", "-c", "{}"}, tls: true, maps: true, small: true, page: true, codes: true, misses: true},
		{name: "nginx, two tiers", config: "nginx2.conf", run: []string{"nginx", "-c", "{}"}, tls: true, maps: true, small: true, page: true, codes: true, misses: true},
		{name: "Varnish (maps nothing)", config: "varnish.vcl", run: []string{"varnishd", "-F", "-a", "127.0.0.1:{port}", "-n", "{dir}/varnish", "-f", "{}", "-s", "malloc,128m"}, small: true, page: true, codes: true, misses: true},
	}
}

// start starts the server on one processor and waits until it accepts connections.
func (t *target) start(p ports) error {
	free, err := freePorts(3)
	if err != nil {
		return err
	}
	p.Port, p.TLSPort, p.InnerPort = free[0], free[1], free[2]
	t.ports = p
	text, err := configurations.ReadFile("conf/" + t.config)
	if err != nil {
		return err
	}
	filled, err := template.New(t.config).Parse(string(text))
	if err != nil {
		return fmt.Errorf("reading %s: %w", t.config, err)
	}
	path := filepath.Join(p.Dir, t.config)
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := filled.Execute(out, p); err != nil {
		return fmt.Errorf("filling %s: %w", t.config, err)
	}
	args := []string{"-c", serverProcessor}
	for _, a := range t.run {
		args = append(args, strings.NewReplacer("{}", path, "{port}", strconv.Itoa(p.Port), "{dir}", p.Dir).Replace(a))
	}
	log, err := os.Create(path + ".log")
	if err != nil {
		return err
	}
	defer log.Close()
	t.cmd = exec.Command("taskset", args...)
	t.cmd.Stdout, t.cmd.Stderr = log, log
	t.cmd.Env = append(os.Environ(), "HOME="+p.Dir, "XDG_DATA_HOME="+p.Dir, "XDG_CONFIG_HOME="+p.Dir)
	if err := t.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", t.name, err)
	}
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.Port))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s does not listen: %s", t.name, said)
		}
	}
}

// stop ends the server.
func (t *target) stop() {
	if t.cmd == nil || t.cmd.Process == nil {
		return
	}
	_ = t.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = t.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = t.cmd.Process.Kill()
		<-done
	}
}

func freePorts(n int) (list []int, err error) {
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		list = append(list, ln.Addr().(*net.TCPAddr).Port)
	}
	return list, nil
}
