package wordpress

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"text/template"
	"time"
)

// Origin is an nginx with php-fpm that serves one site, the way most hosts do.
type Origin struct {
	// Address is host and port, loopback.
	Address string
	dir     string
	server  *process
}

// OriginOptions says how an origin serves its site.
type OriginOptions struct {
	// TLS serves https, with a certificate of its own for Name.
	TLS bool
	// Name is the host name of the origin.
	Name string
	// Gzip compresses what the client lets it compress.
	Gzip bool
	// Port is the TCP port. Default: a free one.
	Port int
}

// nginxTemplate serves {{.Root}} as WordPress's own handbook advises. It sets
// HTTP_HOST as the client sent it, port included.
var nginxTemplate = template.Must(template.New("nginx.conf").Parse(`daemon off;
pid {{.Dir}}/nginx.pid;
error_log {{.Dir}}/nginx.log;
{{if .Superuser}}user root;
{{end}}worker_processes 1;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path {{.Dir}}/body;
	proxy_temp_path {{.Dir}}/proxy;
	fastcgi_temp_path {{.Dir}}/fastcgi;
	uwsgi_temp_path {{.Dir}}/uwsgi;
	scgi_temp_path {{.Dir}}/scgi;
	client_max_body_size 64m;
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	gzip {{if .Gzip}}on{{else}}off{{end}};
	gzip_types text/plain text/css text/javascript application/javascript application/json application/xml application/rss+xml text/xml image/svg+xml;
	gzip_proxied any;
	server {
		listen 127.0.0.1:{{.Port}}{{if .TLS}} ssl{{end}};
		server_name {{.Name}};
{{- if .TLS}}
		ssl_certificate {{.Dir}}/cert.pem;
		ssl_certificate_key {{.Dir}}/key.pem;
{{- end}}
		root {{.Root}};
		index index.php;
		location {{.Folder}}/ { try_files $uri $uri/ {{.Folder}}/index.php?$args; }
		location ~ \.php(/|$) {
			fastcgi_split_path_info ^(.+?\.php)(/.*)$;
			try_files $fastcgi_script_name =404;
			fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
			fastcgi_param SCRIPT_NAME $fastcgi_script_name;
			fastcgi_param PATH_INFO $fastcgi_path_info;
			fastcgi_param REQUEST_URI $request_uri;
			fastcgi_param DOCUMENT_URI $document_uri;
			fastcgi_param DOCUMENT_ROOT $document_root;
			fastcgi_param QUERY_STRING $query_string;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param CONTENT_TYPE $content_type;
			fastcgi_param CONTENT_LENGTH $content_length;
			fastcgi_param SERVER_PROTOCOL $server_protocol;
			fastcgi_param REQUEST_SCHEME $scheme;
			fastcgi_param HTTPS $https if_not_empty;
			fastcgi_param REMOTE_ADDR $remote_addr;
			fastcgi_param REMOTE_PORT $remote_port;
			fastcgi_param SERVER_ADDR $server_addr;
			fastcgi_param SERVER_PORT $server_port;
			fastcgi_param SERVER_NAME $server_name;
			fastcgi_param REDIRECT_STATUS 200;
			fastcgi_buffers 16 16k;
			fastcgi_buffer_size 32k;
			fastcgi_pass unix:{{.Socket}};
		}
	}
}
`))

// Serve starts an origin for the site. The caller closes it.
func (s *Site) Serve(ctx context.Context, o OriginOptions) (*Origin, error) {
	dir, err := os.MkdirTemp(s.dir, "nginx-")
	if err != nil {
		return nil, err
	}
	if o.Port == 0 {
		if o.Port, err = freePort(); err != nil {
			return nil, err
		}
	}
	if o.TLS {
		if err := writeCertificate(dir, o.Name); err != nil {
			return nil, fmt.Errorf("making a certificate for %s: %w", o.Name, err)
		}
	}
	folder := ""
	if s.Folder != "" {
		folder = "/" + s.Folder
	}
	var text bytes.Buffer
	err = nginxTemplate.Execute(&text, struct {
		OriginOptions
		Dir, Root, Folder, Socket string
		Superuser                 bool
	}{o, dir, s.Root(), folder, s.FPMSocket(), os.Getuid() == 0})
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, text.Bytes(), 0o644); err != nil {
		return nil, err
	}
	path, err := lookTool("nginx")
	if err != nil {
		return nil, err
	}
	origin := &Origin{dir: dir, Address: loopback(o.Port)}
	origin.server, err = startProcess("nginx", s.machine.log, syscall.SIGTERM, path,
		"-p", dir, "-c", conf, "-e", filepath.Join(dir, "nginx.log"))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := origin.server.ready(ctx, dialable("tcp", origin.Address)); err != nil {
		origin.server.close()
		return nil, err
	}
	return origin, nil
}

// Close stops the server.
func (o *Origin) Close() error { return o.server.close() }

// writeCertificate writes cert.pem and key.pem, self-signed for name, into dir.
func writeCertificate(dir, name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(48 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:         true, BasicConstraintsValid: true,
	}
	certDER, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(dir, map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: certDER},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: keyDER},
	})
}

func writePEM(dir string, files map[string]*pem.Block) error {
	for name, block := range files {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
