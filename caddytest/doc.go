// Package caddytest runs Caddy with the mount plugin against scripted origins.
//
// A script is a txtar archive: commands for rogpeppe/go-internal's testscript
// first, then files, among them the Caddyfile and one file for each origin.
// Everything runs in the test process on free loopback ports, so that a script
// needs no network, no fixed port and no sleep: barriers order what the origin
// sends and what the client has read. README.md describes the script language.
//
// [Server] loads Caddyfile text into the process's Caddy, [Origin] answers
// requests by script, [Client] follows one answer while it arrives, and
// [Params] ties the three together as testscript commands.
package caddytest
