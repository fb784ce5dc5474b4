// Command wordpress starts a WordPress behind a mount for a person to click
// through. It prints the addresses and the password, and takes everything down
// again on Ctrl-C.
//
//	go run ./caddytest/wordpress/cmd/wordpress [-topology aware] [-release nightly] [-theme twentytwentyone]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/caddy-mount/mount/caddytest/wordpress"
)

// options are the command's flags.
type options struct {
	topology, theme string
	release         wordpress.Release
	http, https     int
}

func main() {
	var o options
	flag.StringVar(&o.topology, "topology", "transparent", "how the mount reaches the site: transparent, aware, aware-stripped, same-machine, managed")
	flag.StringVar((*string)(&o.release), "release", string(wordpress.Debian), "which WordPress: debian, nightly")
	flag.StringVar(&o.theme, "theme", "", "theme of the site, such as "+wordpress.ClassicTheme+" (default: the release's own)")
	flag.IntVar(&o.http, "http", 8080, "port of the main site")
	flag.IntVar(&o.https, "https", 8443, "port of the main site over https, with a certificate of Caddy's own authority")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "wordpress:", err)
		os.Exit(1)
	}
}

// run shows the site until the context ends.
func (o options) run(ctx context.Context) (err error) {
	topology, err := o.find()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mount-wordpress-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	fmt.Println("Starting MariaDB, php-fpm and WordPress ...")
	machine, err := wordpress.NewMachine(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, machine.Close()) }()
	site, err := machine.Install(ctx, topology.Site)
	if err != nil {
		return err
	}
	if o.theme != "" {
		if err := site.SwitchTheme(ctx, o.theme); err != nil {
			return err
		}
	}
	running, err := topology.Run(ctx, site)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, running.Close()) }()

	fmt.Printf("\n  The site       %s/\n  The dashboard  %[1]s/wp-admin/\n  User           %s\n  Password       %s\n", running.Public, wordpress.AdminName, wordpress.AdminPassword)
	fmt.Printf("  Protected post %s/2024/03/behind-a-password/ (%s)\n", running.Public, wordpress.PostPassword)
	if running.Transparent() {
		fmt.Printf("  Over https     https://localhost:%d/blog/ (a certificate of Caddy's own authority)\n", o.https)
	}
	fmt.Printf("  It believes    %s/\n\n%s\n\nCtrl-C stops it.\n", running.Home, running.Front.Mount)
	<-ctx.Done()
	fmt.Println("\nStopping ...")
	return nil
}

// find returns the topology of the flags.
func (o options) find() (wordpress.Topology, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port for an origin whose address must be known beforehand
	if err != nil {
		return wordpress.Topology{}, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return wordpress.Topology{}, err
	}
	var names []string
	for _, t := range wordpress.Topologies("http://"+net.JoinHostPort("localhost", strconv.Itoa(o.http)), port) {
		if t.Name == o.topology {
			t.Ports = [2]int{o.http, o.https}
			t.Site.Release = o.release
			return t, nil
		}
		names = append(names, t.Name)
	}
	return wordpress.Topology{}, fmt.Errorf("topology %q is none of %s", o.topology, strings.Join(names, ", "))
}
