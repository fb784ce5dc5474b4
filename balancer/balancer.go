// Package balancer holds what load balancing lacks in Caddy: least_time, a
// selection policy that prefers the upstream that answers soonest, and the A/B
// split with the upstreams of its variants. Round robin, least connection,
// hashes, cookies, health checks and retries are Caddy's own and stay so.
//
// How least_time learns: the policy wraps the transport of the reverse_proxy
// that it stands in. Every attempt therefore passes by with its upstream, its
// time, its status and its error, whatever the protocol (HTTP/1, 2, 3,
// FastCGI), in a mount and in a plain reverse_proxy alike, and nothing has to
// be put on the request. The parts, from the inside out:
//
//   - waiting.go: how many attempts wait for an answer, and for how long;
//   - estimate.go: the moving averages of one upstream;
//   - meter.go and table.go: both together, shared over reloads, found by
//     upstream;
//   - choose.go: the choice among candidates;
//   - transport.go and body.go: the measuring; tried.go: what a retry avoids;
//   - leasttime.go and caddyfile.go: the Caddy module.
//
// How a split works: split.go is its configuration, visitor.go tells visitors
// apart (token.go is the value of their cookie), rendezvous.go gives each a
// variant, and groups.go is the selection policy that stays inside the variant's
// own upstreams.
package balancer
