package wordpress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// startTimeout bounds the start of one daemon.
const startTimeout = 60 * time.Second

// Machine is what a WordPress runs on: MariaDB and php-fpm, each with its own
// data, configuration and socket below one folder. Sites share it. Its methods
// are safe for use by several goroutines.
type Machine struct {
	dir string
	log io.WriteCloser
	db  *process
	fpm *process
}

// NewMachine starts MariaDB and php-fpm below dir, which must exist and be
// empty. The caller closes the machine, then removes dir.
func NewMachine(ctx context.Context, dir string) (_ *Machine, err error) {
	log, err := os.Create(filepath.Join(dir, "daemons.log"))
	if err != nil {
		return nil, err
	}
	m := &Machine{dir: dir, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := m.startMariaDB(ctx); err != nil {
		return nil, err
	}
	if err := m.startPHP(ctx); err != nil {
		return nil, err
	}
	return m, nil
}

// Close stops the daemons. What they wrote stays in the folder.
func (m *Machine) Close() error {
	err := errors.Join(m.fpm.close(), m.db.close())
	return errors.Join(err, m.log.Close())
}

func (m *Machine) dbSocket() string  { return filepath.Join(m.dir, "db.sock") }
func (m *Machine) fpmSocket() string { return filepath.Join(m.dir, "fpm.sock") }

// startMariaDB makes a data folder and starts a server that only its socket reaches.
// Durability is given up for speed: the data does not outlive the folder.
func (m *Machine) startMariaDB(ctx context.Context) error {
	data := filepath.Join(m.dir, "db")
	init := exec.CommandContext(ctx, "mariadb-install-db", "--no-defaults", "--datadir="+data,
		"--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("making the database folder: %w\n%s", err, out)
	}
	args := []string{
		"--no-defaults", "--datadir=" + data, "--socket=" + m.dbSocket(), "--pid-file=" + filepath.Join(m.dir, "db.pid"),
		"--skip-networking", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
		"--innodb-buffer-pool-size=128M", "--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci",
	}
	if os.Getuid() == 0 {
		args = append(args, "--user=root") // said aloud, or mariadbd refuses to run as root
	}
	path, err := lookTool("mariadbd")
	if err != nil {
		return err
	}
	if m.db, err = startProcess("mariadbd", m.log, syscall.SIGTERM, path, args...); err != nil {
		return err
	}
	return m.db.ready(ctx, dialable("unix", m.dbSocket()))
}

// fpmConfig is php-fpm's configuration: log file, socket.
const fpmConfig = `[global]
error_log = %[1]s
daemonize = no

[www]
listen = %[2]s
pm = static
pm.max_children = 4
catch_workers_output = yes
php_admin_value[error_log] = %[1]s
php_admin_flag[log_errors] = on
php_admin_value[memory_limit] = 256M
php_admin_value[upload_max_filesize] = 64M
php_admin_value[post_max_size] = 64M
php_admin_value[sendmail_path] = /bin/true
php_admin_value[opcache.revalidate_freq] = 0
php_admin_value[max_execution_time] = 60
`

// startPHP starts a php-fpm that listens on a socket and runs as the calling user.
func (m *Machine) startPHP(ctx context.Context) error {
	conf := filepath.Join(m.dir, "fpm.conf")
	text := fmt.Sprintf(fpmConfig, filepath.Join(m.dir, "php.log"), m.fpmSocket())
	args := []string{"--nodaemonize", "--fpm-config", conf}
	if os.Getuid() == 0 {
		text += "user = root\n"
		args = append(args, "--allow-to-run-as-root")
	}
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return err
	}
	path, err := lookTool("php-fpm*")
	if err != nil {
		return err
	}
	if m.fpm, err = startProcess("php-fpm", m.log, syscall.SIGQUIT, path, args...); err != nil {
		return err
	}
	return m.fpm.ready(ctx, dialable("unix", m.fpmSocket()))
}

// sql runs statements from in on one database ("" for none) and returns their rows, tab-separated.
func (m *Machine) sql(ctx context.Context, database string, in io.Reader) ([]byte, error) {
	args := []string{"--no-defaults", "--socket=" + m.dbSocket(), "--user=root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4"}
	if database != "" {
		args = append(args, database)
	}
	cmd := exec.CommandContext(ctx, "mariadb", args...)
	cmd.Stdin = in
	return output(cmd)
}

// dump returns a database as SQL, one row a line, in an order that does not vary.
func (m *Machine) dump(ctx context.Context, database string) ([]byte, error) {
	return output(exec.CommandContext(ctx, "mariadb-dump", "--no-defaults", "--socket="+m.dbSocket(), "--user=root",
		"--order-by-primary", "--skip-extended-insert", "--skip-dump-date", "--default-character-set=utf8mb4", database))
}

// output runs cmd and returns its standard output; what it printed besides joins its error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("running %s: %w\n%s%s", filepath.Base(cmd.Path), err, out, stderr.Bytes())
	}
	return out, nil
}

// lookTool finds a daemon by its name or pattern in PATH or in the folders of system daemons.
func lookTool(pattern string) (string, error) {
	if path, err := exec.LookPath(pattern); err == nil {
		return path, nil
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/local/sbin", "/usr/sbin", "/usr/libexec") {
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run caddytest/wordpress/install.sh", pattern)
}
