// Package wordpress runs a real WordPress behind a mount: MariaDB, php-fpm, an
// origin web server and a Caddy with the mount in front, all below one folder,
// on loopback, as the calling user. The end-to-end tests drive it (build tag
// wordpress), and cmd/wordpress shows it to a person.
//
// The parts, from the inside out: a Machine holds MariaDB and php-fpm; a Site is
// one WordPress with its database; a Topology says how a mount reaches that site;
// a Front is the running Caddy.
//
// install.sh brings a Debian machine to the state that the package needs.
package wordpress
