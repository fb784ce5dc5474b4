// Command cachehandler is Caddy with the cache of caddyserver/cache-handler, for the
// benchmarks beside it. It is a module of its own, since it needs much that the
// mount does not.
package main

import (
	_ "github.com/caddyserver/cache-handler"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

func main() {
	caddycmd.Main()
}
