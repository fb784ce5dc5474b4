package mount

import (
	"net"
	"net/http"
)

// resetCut ends the connection of an answer over HTTP/1.0 that was cut by a reset.
// Such a client, nginx in front of Caddy often is one, takes an orderly end for that of
// a whole body whose length was not told (RFC 9112 section 8). Of a connection over TLS
// Caddy hides what would have to be reset; that one ends as before. It is to be deferred.
func resetCut(w http.ResponseWriter) {
	reason := recover()
	if reason == nil {
		return
	}
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
	}
	panic(reason)
}
