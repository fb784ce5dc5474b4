# Varnish maps no bodies: it stores and sends what the site says, in gzip.
vcl 4.1;
backend default { .host = "{{.OriginHost}}"; .port = "{{.OriginPort}}"; }
sub vcl_backend_fetch {
	set bereq.http.Host = "blog.example.net";
	set bereq.url = regsub(bereq.url, "^/blog", "");
}
sub vcl_backend_response {
	set beresp.ttl = 1h;
	set beresp.do_gzip = true;
}
