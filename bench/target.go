package main

import (
	"context"
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

// abilities are what a server can be asked for.
type abilities uint

const (
	small    abilities = 1 << iota // the small text
	page                           // the page, coded
	overTLS                        // the page over TLS and HTTP/2
	overQUIC                       // the page over HTTP/3
	fetching                       // pages that nobody asked for before
	storing                        // and keeps them
	file                           // the large file
)

// target is a server under load.
type target struct {
	name   string
	config string   // a file of conf
	run    []string // command; {} is the configuration's path
	maps   bool     // its page has the public URLs
	can    abilities
	folder string // where it stores on disk, below the run's; empty: nowhere

	ports ports
	cmd   *exec.Cmd
}

// ports are what a configuration is filled with.
type ports struct {
	Port, TLSPort, InnerPort       int
	Origin, OriginHost, OriginPort string
	Dir, Cert, Key, Small          string
}

// The targets that the tables compare with.
const (
	oursName    = "mount"
	floorName   = "floor"
	oneTierName = "nginx, one tier"
	proxyName   = "Caddy reverse_proxy, encode gzip"
)

func targets(dir string) []*target {
	caddy := func(binary string) []string {
		return []string{filepath.Join(dir, binary), "run", "--adapter", "caddyfile", "--config", "{}"}
	}
	nginx := []string{"nginx", "-c", "{}"}
	varnish := []string{"varnishd", "-F", "-a", "127.0.0.1:{port}", "-n", "{dir}/varnish", "-f", "{}", "-s", "malloc,512m"}
	return []*target{
		{name: oursName, config: "mount.Caddyfile", run: caddy("caddy"), maps: true, can: small | page | overTLS | overQUIC | fetching | storing | file},
		{name: floorName, config: "floor.Caddyfile", run: caddy("caddy"), maps: true, can: small | page | overTLS | overQUIC},
		{name: "mount, disk", config: "mount_disk.Caddyfile", run: caddy("caddy"), maps: true, can: file},
		{name: "Caddy respond", config: "respond.Caddyfile", run: caddy("caddy"), can: small},
		{name: "Caddy file_server, precompressed", config: "file_server.Caddyfile", run: caddy("caddy"), maps: true, can: small | page | overTLS | overQUIC | file},
		{name: proxyName, config: "reverse_proxy.Caddyfile", run: caddy("caddy"), can: small | page | overTLS | overQUIC | fetching | file},
		{name: "cache-handler (maps nothing)", config: "cachehandler.Caddyfile", run: caddy("cachehandler"), can: small | page | overTLS | overQUIC | fetching | storing | file},
		{name: oneTierName, config: "nginx1.conf", run: nginx, maps: true, can: small | page | overTLS | fetching | storing | file, folder: "n1cache"},
		{name: "nginx, two tiers", config: "nginx2.conf", run: nginx, maps: true, can: small | page | overTLS | fetching | storing | file, folder: "n2cache"},
		{name: "Varnish (maps nothing)", config: "varnish.vcl", run: varnish, can: small | page | fetching | storing | file},
	}
}

// start starts the server on one processor and waits until it accepts connections.
func (t *target) start(ctx context.Context, p ports) error {
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
	t.cmd.SysProcAttr = serverAttributes()
	t.cmd.Stdout, t.cmd.Stderr = log, log
	t.cmd.Env = append(os.Environ(), "HOME="+p.Dir, "XDG_DATA_HOME="+p.Dir, "XDG_CONFIG_HOME="+p.Dir)
	if err := t.cmd.Start(); err != nil {
		t.cmd = nil
		return fmt.Errorf("starting %s: %w", t.name, err)
	}
	for deadline := time.Now().Add(15 * time.Second); ; {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.Port))
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s does not listen: %s", t.name, said)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// stop ends the server with all its processes.
func (t *target) stop() {
	if t.cmd == nil {
		return
	}
	_ = t.cmd.Process.Signal(os.Interrupt)
	done := make(chan struct{})
	go func() { _ = t.cmd.Wait(); close(done) }()
	select {
	case <-done:
		killGroup(t.cmd.Process.Pid)
	case <-time.After(10 * time.Second):
		killGroup(t.cmd.Process.Pid)
		<-done
	}
}

// pause waits for d. It returns an error if the run is to end before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// freePorts finds ports that are free for TCP and UDP.
func freePorts(n int) (list []int, err error) {
	for len(list) < n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		packets, err := net.ListenPacket("udp", ln.Addr().String())
		if err != nil {
			continue
		}
		defer packets.Close()
		list = append(list, ln.Addr().(*net.TCPAddr).Port)
	}
	return list, nil
}
