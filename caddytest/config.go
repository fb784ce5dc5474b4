package caddytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	// The adapter and the modules that Caddyfiles name.
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	// The plugin under test.
	_ "github.com/caddy-mount/mount"
)

// object is a JSON object of a configuration.
type object = map[string]any

// Adapt returns the JSON that Caddy's adapter makes of a Caddyfile, with its
// warnings. Errors and warnings name filename.
func Adapt(caddyfile, filename string) ([]byte, []caddyconfig.Warning, error) {
	return caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": filename})
}

// sandbox says where a configuration may listen, dial and store.
type sandbox struct {
	dir    string                                       // storage and the admin sockets
	loads  int                                          // configurations tried so far
	listen func(port string) (string, error)            // real address for a port of the configuration
	dial   func(hostport string) (addr string, ok bool) // real address of a scripted origin
}

// confine returns config changed so that it touches nothing outside of the
// sandbox: it listens on loopback addresses that the sandbox chooses, dials
// scripted origins by the names they answer to, stores in the sandbox, issues
// certificates by itself and logs to the captured log. What the configuration
// says of anything else is left as it is.
func (s sandbox) confine(config []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(config))
	decoder.UseNumber()
	var root object
	if err := decoder.Decode(&root); err != nil {
		return nil, fmt.Errorf("decoding the adapted configuration: %w", err)
	}

	admin := child(root, "admin")
	admin["listen"] = "unix/" + s.adminSocket(s.loads)
	child(admin, "config")["persist"] = false
	setDefault(root, "storage", object{"module": "file_system", "root": s.dir + "/storage"})
	s.confineLogs(root)

	apps := child(root, "apps")
	if http, ok := apps["http"].(object); ok {
		if err := s.confineServers(apps, http); err != nil {
			return nil, err
		}
	}
	s.redial(apps)
	return json.Marshal(root)
}

// adminSocket is the path of the unix socket that the admin API of a load listens
// on unless the Caddyfile says otherwise. Each load has its own: Caddy goes on to
// accept on the one before for a while, only to close what comes.
func (s sandbox) adminSocket(load int) string { return fmt.Sprintf("%s/admin%d.sock", s.dir, load) }

func (s sandbox) confineLogs(root object) {
	logs := child(child(root, "logging"), "logs")
	child(logs, "default")
	for name := range logs {
		log := child(logs, name)
		setDefault(log, "writer", object{"output": "caddytest"})
		setDefault(log, "encoder", object{"format": "json"})
	}
}

// confineServers moves every listener to loopback. Automatic HTTPS recognises
// plain servers by the HTTP port, which they no longer listen on, so it is
// switched off for them; for the others it goes on, without the redirecting
// server on port 80 that nobody asked for.
func (s sandbox) confineServers(apps, http object) error {
	servers, _ := http["servers"].(object)
	httpPort := "80"
	if n, ok := http["http_port"].(json.Number); ok {
		httpPort = n.String()
	}
	for name := range servers {
		server := child(servers, name)
		addresses, _ := server["listen"].([]any)
		plain := len(addresses) > 0
		for i, address := range addresses {
			real, port, err := s.listenAddress(fmt.Sprint(address))
			if err != nil {
				return fmt.Errorf("server %s: %w", name, err)
			}
			addresses[i] = real
			plain = plain && port == httpPort
		}
		wrappers, _ := server["listener_wrappers"].([]any)
		server["listener_wrappers"] = append(wrappers, object{"wrapper": "caddytest"})
		auto := child(server, "automatic_https")
		if plain {
			auto["disable"] = true
			continue
		}
		auto["disable_redirects"] = true
		local := child(child(child(apps, "pki"), "certificate_authorities"), "local")
		local["install_trust"] = false
		automation := child(child(apps, "tls"), "automation")
		setDefault(automation, "policies", []any{object{"issuers": []any{object{"module": "internal"}}}})
	}
	return nil
}

// listenAddress returns the real address for a listen address of the
// configuration, and the port that the configuration gave. Unix sockets stay.
func (s sandbox) listenAddress(address string) (real, port string, err error) {
	if strings.HasPrefix(address, "unix") {
		return address, "", nil
	}
	_, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", fmt.Errorf("listen address %s: one port expected", address)
	}
	real, err = s.listen(port)
	return real, port, err
}

// redial replaces the address of every scripted origin in the "dial" members
// below v, and in the "upstreams" that are plain addresses, as a variant's are.
func (s sandbox) redial(v any) {
	switch v := v.(type) {
	case object:
		if address, ok := v["dial"].(string); ok {
			if real, known := s.dial(address); known {
				v["dial"] = real
			}
		}
		upstreams, _ := v["upstreams"].([]any)
		for i, upstream := range upstreams {
			if address, ok := upstream.(string); ok {
				if real, known := s.dial(address); known {
					upstreams[i] = real
				}
			}
		}
		for _, member := range v {
			s.redial(member)
		}
	case []any:
		for _, element := range v {
			s.redial(element)
		}
	}
}

// child returns the object that is o's member of that name, making it if o has
// none.
func child(o object, name string) object {
	if c, ok := o[name].(object); ok {
		return c
	}
	c := object{}
	o[name] = c
	return c
}

func setDefault(o object, name string, value any) {
	if _, ok := o[name]; !ok {
		o[name] = value
	}
}
