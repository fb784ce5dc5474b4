package wordpress

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
)

// The people of every site that this package installs.
const (
	AdminName     = "admin"
	AdminPassword = "admin-password"
)

// PostPassword opens the protected post.
const PostPassword = "open-sesame"

// SiteOptions says what WordPress to install.
type SiteOptions struct {
	// Name is a short word, unique on the machine: folder and database are called so.
	Name string

	// Release is where the files come from. Default: Debian.
	Release Release

	// Home is the base URL that WordPress believes to have, without a trailing
	// slash: http://blog.example.net, or https://example.com/blog where it is aware.
	Home string

	// Folder is the folder below the document root that holds WordPress:
	// "blog" where the origin serves it under /blog/. Default: the document root itself.
	Folder string

	// Config is PHP that wp-config.php gets before its end.
	Config string
}

// Site is one installed WordPress. It is for one goroutine at a time.
type Site struct {
	SiteOptions
	machine *Machine
	dir     string // all that is the site's, below the machine's folder
	saved   []byte // the database as Install left it
}

// Root is the document root for a web server.
func (s *Site) Root() string { return filepath.Join(s.dir, "root") }

// Files is the folder with WordPress's own files, the document root or below it.
func (s *Site) Files() string { return filepath.Join(s.Root(), s.Folder) }

// FPMSocket is the socket of the php-fpm that runs the site.
func (s *Site) FPMSocket() string { return s.machine.fpmSocket() }

// Install makes a new WordPress on the machine and fills it with the content of php/fill.php.
func (m *Machine) Install(ctx context.Context, o SiteOptions) (*Site, error) {
	if o.Release == "" {
		o.Release = Debian
	}
	s := &Site{SiteOptions: o, machine: m, dir: filepath.Join(m.dir, "site-"+o.Name)}
	if err := o.Release.extract(s.Files()); err != nil {
		return nil, err
	}
	if err := s.configure(); err != nil {
		return nil, err
	}
	create := "CREATE DATABASE `" + o.Name + "`"
	if _, err := m.sql(ctx, "", strings.NewReader(create)); err != nil {
		return nil, err
	}
	for _, script := range []string{"install.php", "fill.php"} {
		if _, err := s.RunPHP(ctx, script); err != nil {
			return nil, err
		}
	}
	var err error
	if s.saved, err = s.Dump(ctx); err != nil {
		return nil, err
	}
	return s, copyTree(s.savedUploads(), s.uploads())
}

func (s *Site) uploads() string      { return filepath.Join(s.Files(), "wp-content", "uploads") }
func (s *Site) savedUploads() string { return filepath.Join(s.dir, "uploads") }

// configTemplate is wp-config.php. The network is cut off, because the tests must
// depend on nothing outside; cron is off, because it would run at a time of its
// own; the environment is a local one, so that application passwords work over http too.
var configTemplate = template.Must(template.New("wp-config.php").Parse(`<?php
define( 'DB_NAME', '{{.Name}}' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:{{.Socket}}' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
{{range .Salts}}define( '{{.}}', '{{$.Secret}}{{.}}' );
{{end}}define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISABLE_WP_CRON', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_ENVIRONMENT_TYPE', 'local' );
$table_prefix = 'wp_';
{{.Config}}
/* That's all, stop editing! */
defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );
require_once ABSPATH . 'wp-settings.php';
`))

// configure writes wp-config.php and the must-use plugin that keeps the site offline.
func (s *Site) configure() error {
	var text bytes.Buffer
	err := configTemplate.Execute(&text, struct {
		SiteOptions
		Socket, Secret string
		Salts          []string
	}{
		SiteOptions: s.SiteOptions, Socket: s.machine.dbSocket(), Secret: rand.Text(),
		Salts: []string{
			"AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY",
			"AUTH_SALT", "SECURE_AUTH_SALT", "LOGGED_IN_SALT", "NONCE_SALT",
		},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.Files(), "wp-config.php"), text.Bytes(), 0o644); err != nil {
		return err
	}
	plugins := filepath.Join(s.Files(), "wp-content", "mu-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return err
	}
	return copyFile(filepath.Join(plugins, "offline.php"), filepath.Join(sourceDir(), "php", "offline.php"))
}

// RunPHP runs a script of the folder php inside the site and returns what it printed.
// Scripts find the address of the site in its environment (HOME_URL) and
// arguments in $argv.
func (s *Site) RunPHP(ctx context.Context, script string, args ...string) ([]byte, error) {
	home, err := url.Parse(s.Home)
	if err != nil {
		return nil, err
	}
	args = append([]string{
		"-d", "sendmail_path=/bin/true", "-d", "memory_limit=512M", "-d", "display_errors=stderr",
		filepath.Join(sourceDir(), "php", script),
	}, args...)
	cmd := exec.CommandContext(ctx, "php", args...)
	cmd.Dir = s.Files()
	cmd.Env = append(os.Environ(),
		"HOME_URL="+s.Home, "HOME_HOST="+home.Host, "HOME_SCHEME="+home.Scheme,
		"POST_PASSWORD="+PostPassword, "ADMIN_NAME="+AdminName, "ADMIN_PASSWORD="+AdminPassword,
	)
	return output(cmd)
}

// The themes of Debian's WordPress.
const (
	ClassicTheme = "twentytwentyone"
	BlockTheme   = "twentytwentythree"
)

// SwitchTheme activates an installed theme.
func (s *Site) SwitchTheme(ctx context.Context, name string) error {
	_, err := s.RunPHP(ctx, "theme.php", name)
	return err
}

// SQL runs a query on the site's database and returns its rows, tab-separated.
func (s *Site) SQL(ctx context.Context, query string) (string, error) {
	out, err := s.machine.sql(ctx, s.Name, strings.NewReader(query))
	return string(out), err
}

// Dump returns the site's database as SQL, one row a line.
func (s *Site) Dump(ctx context.Context) ([]byte, error) { return s.machine.dump(ctx, s.Name) }

// Reset brings database and uploads back to what Install left.
func (s *Site) Reset(ctx context.Context) error {
	if _, err := s.machine.sql(ctx, s.Name, bytes.NewReader(s.saved)); err != nil {
		return fmt.Errorf("restoring the database: %w", err)
	}
	err := errors.Join(os.RemoveAll(s.uploads()), copyTree(s.uploads(), s.savedUploads()))
	if err != nil {
		return fmt.Errorf("restoring the uploads: %w", err)
	}
	return nil
}
