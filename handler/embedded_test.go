package handler

import (
	"strings"
	"testing"
)

func TestMapEmbedded(t *testing.T) {
	tests := []struct {
		name, site, in, want string
	}{
		{"plain", siteHTTP, "a http://blog.example.net/x b", "a https://example.com/blog/x b"},
		{"network path", siteHTTP, "a=//blog.example.net/x", "a=//example.com/blog/x"},
		{"once", siteHTTP, "u=http%3A%2F%2Fblog.example.net%2Fx&v", "u=https%3A%2F%2Fexample.com%2Fblog%2Fx&v"},
		{"once, lower", siteHTTP, "u=http%3a%2f%2fblog.example.net%2fx", "u=https%3a%2f%2fexample.com%2fblog%2fx"},
		{"colon plain", siteHTTP, "u=http:%2F%2Fblog.example.net&v", "u=https:%2F%2Fexample.com%2Fblog&v"},
		{"network path, once", siteHTTP, "u=%2F%2Fblog.example.net%2F", "u=%2F%2Fexample.com%2Fblog%2F"},
		{"after an escape", siteHTTP, "u%3Dhttp%3A%2F%2Fblog.example.net", "u%3Dhttps%3A%2F%2Fexample.com%2Fblog"},
		{"twice", siteHTTP, "u=http%253A%252F%252Fblog.example.net%252Fx", "u=https%253A%252F%252Fexample.com%252Fblog%252Fx"},
		{"after an escape, twice", siteHTTP, "u%253Dhttp%253A%252F%252Fblog.example.net", "u%253Dhttps%253A%252F%252Fexample.com%252Fblog"},
		{"json", siteHTTP, `{"a":"http:\/\/blog.example.net\/x","b":"\/\/blog.example.net","c":"https:\/\/i0.wp.com\/blog.example.net\/"}`, `{"a":"https:\/\/example.com\/blog\/x","b":"\/\/example.com\/blog","c":"https:\/\/i0.wp.com\/blog.example.net\/"}`},
		{"json, base path", siteHTTP + "/wp", `"http:\/\/blog.example.net\/wp\/x"`, `"https:\/\/example.com\/blog\/x"`},
		{"json, once", siteHTTP, "j=%22http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fx%22&k=%255c%252f%255c%252fblog.example.net&l=%5C%2F%2Fblog.example.net", "j=%22https%3A%5C%2F%5C%2Fexample.com%5C%2Fblog%5C%2Fx%22&k=%255c%252f%255c%252fexample.com%255c%252fblog&l=%5C%2F%2Fblog.example.net"},
		{"json, once, base path", siteHTTP + "/wp", "http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fwp%5C%2Fx", "https%3A%5C%2F%5C%2Fexample.com%5C%2Fblog%5C%2Fx"},
		{"json, twice", siteHTTP, "http%3A%5C%5C%5C%2F%5C%5C%5C%2Fblog.example.net", "https%3A%5C%5C%5C%2F%5C%5C%5C%2Fexample.com%5C%5C%5C%2Fblog"},
		{"behind a space of a query", siteHTTP, "q=see+http%3A%2F%2Fblog.example.net%2Fx+http://blog.example.net/", "q=see+https%3A%2F%2Fexample.com%2Fblog%2Fx+https://example.com/blog/"},
		{"several", siteHTTP, "http://blog.example.net,//blog.example.net,http://blog.example.net", "https://example.com/blog,//example.com/blog,https://example.com/blog"},
		{"port", "http://h.example:8080", "u=http%3A%2F%2Fh.example%3A8080%2F", "u=https%3A%2F%2Fexample.com%2Fblog%2F"},
		{"default port", siteHTTP, "http://blog.example.net:80/", "https://example.com/blog/"},
		{"other port", siteHTTP, "http://blog.example.net:81/", "http://blog.example.net:81/"},
		{"IPv6", "http://[::1]:81", "http://[::1]:81/", "https://example.com/blog/"},
		{"base path", siteHTTP + "/wp", "u=http%3A%2F%2Fblog.example.net%2Fwp%2Fx http://blog.example.net/wp", "u=https%3A%2F%2Fexample.com%2Fblog%2Fx https://example.com/blog"},
		{"beside the base path", siteHTTP + "/wp", "http://blog.example.net/wpx http://blog.example.net/ http://blog.example.net/wp%2Dx", "http://blog.example.net/wpx http://blog.example.net/ http://blog.example.net/wp%2Dx"},
		{"end of a sentence", siteHTTP, "see http://blog.example.net.", "see https://example.com/blog."},
		{"mail", siteHTTP, "a@blog.example.net", "a@blog.example.net"},
		{"longer host", siteHTTP, "http://blog.example.net.evil.example/ http://blog.example.network", "http://blog.example.net.evil.example/ http://blog.example.network"},
		{"longer host, escaped", siteHTTP, "u=http%3A%2F%2Fblog.example.net%2Eevil.example", "u=http%3A%2F%2Fblog.example.net%2Eevil.example"},
		{"sub host", siteHTTP, "http://x.blog.example.net/", "http://x.blog.example.net/"},
		{"user", siteHTTP, "http://blog.example.net@evil.example/ u=http%3A%2F%2Fblog.example.net%40evil", "http://blog.example.net@evil.example/ u=http%3A%2F%2Fblog.example.net%40evil"},
		{"password", siteHTTP, "http://blog.example.net:pw@evil.example/", "http://blog.example.net:pw@evil.example/"},
		{"other scheme", siteHTTP, "ftp://blog.example.net/ xhttp://blog.example.net/", "ftp://blog.example.net/ xhttp://blog.example.net/"},
		{"A5 64 path", siteHTTP, "https://i0.wp.com/blog.example.net/a.jpg", "https://i0.wp.com/blog.example.net/a.jpg"},
		{"URL in a path", siteHTTP, "https://web.archive.example/http://blog.example.net/", "https://web.archive.example/http://blog.example.net/"},
		{"three slashes", siteHTTP, "file:///blog.example.net", "file:///blog.example.net"},
		{"mixed slashes", siteHTTP, "http:/%2Fblog.example.net", "http:/%2Fblog.example.net"},
		{"case", siteHTTP, "HTTP://BLOG.Example.net/X", "https://example.com/blog/X"},
		{"nothing", siteHTTP, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := newTestView(t, Transparent, "/blog", tt.site)
			if got := mapEmbedded(tt.in, v.inbound); got != tt.want {
				t.Errorf("%s\nbecame %s\nwant   %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestMapEmbeddedBack(t *testing.T) {
	v := newMount(t, Transparent, "/café", "http://h.example:8080/wp").View(Base{"https", "example.com:8443"})
	for _, in := range []string{
		"http://h.example:8080/wp/x",
		"u=http%3A%2F%2Fh.example%3A8080%2Fwp%2Fx",
		"u=http%253a%252f%252fh.example%253a8080%252fwp%252fx",
		"u=%2F%2Fh.example%3A8080%2Fwp&v",
	} {
		public := mapEmbedded(in, v.inbound)
		if public == in || strings.Contains(public, "h.example") {
			t.Errorf("%s became %s", in, public)
		}
		if got := mapEmbedded(public, v.outbound); got != in {
			t.Errorf("%s\nbecame %s\nand    %s", in, public, got)
		}
	}
}

func TestMapEmbeddedIsLinear(t *testing.T) {
	v := newTestView(t, Transparent, "/blog", siteHTTP)
	for _, unit := range []string{"/", "//blog.example.net", "//blog.example", "http://", "%2F", "//a", "//[", "%25"} {
		testLinear(t, unit, func(n int) { mapEmbedded(strings.Repeat(unit, n), v.inbound) })
	}
}

func FuzzMapEmbedded(f *testing.F) {
	for _, seed := range []string{
		"http://blog.example.net/x", "u=http%3A%2F%2Fblog.example.net%2Fx", "%252F%252Fblog.example.net", "//blog.example.net:80:",
		"http://[::1]/", "%2F%2f", "http%3a//blog.example.net.", "/%2F//blog.example.net%",
	} {
		f.Add(seed)
	}
	v := newTestView(f, Transparent, "/blog", siteHTTP)
	f.Fuzz(func(t *testing.T, s string) {
		public := mapEmbedded(s, v.inbound)
		if again := mapEmbedded(public, v.inbound); again != public {
			t.Fatalf("%q became %q, then %q", s, public, again)
		}
		// There, back and there again changes nothing more.
		site := mapEmbedded(public, v.outbound)
		if again := mapEmbedded(site, v.inbound); again != public {
			t.Fatalf("%q became %q, back %q, there %q", s, public, site, again)
		}
	})
}
