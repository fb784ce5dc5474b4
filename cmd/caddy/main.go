// Command caddy is Caddy with its standard modules and mount, the same program
// that `xcaddy build --with github.com/caddy-mount/mount` makes.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/caddy-mount/mount"
)

func main() {
	caddycmd.Main()
}
