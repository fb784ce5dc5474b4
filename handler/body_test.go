package handler

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sent returns the body, query and length that the site is sent.
func sent(t testing.TB, v *View, target, contentType, body string, change func(*http.Request)) (string, *http.Request) {
	t.Helper()
	r := httptest.NewRequest("POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	if change != nil {
		change(r)
	}
	v.Content(r, strings.TrimPrefix(r.URL.Path, "/blog"))
	got, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.ContentLength >= 0 && r.ContentLength != int64(len(got)) {
		t.Errorf("length %d of %d bytes", r.ContentLength, len(got))
	}
	return string(got), r
}

const form = "application/x-www-form-urlencoded"

func TestRequestBody(t *testing.T) {
	for _, c := range []struct {
		name, contentType, body, want string
		change                        func(*http.Request)
	}{
		{
			name: "form", contentType: form, body: "a=1&siteurl=https%3A%2F%2Fexample.com%2Fblog&home=https%3A%2F%2Fexample.com%2Fblog%2F&b=%7e",
			want: "a=1&siteurl=http%3A%2F%2Fblog.example.net&home=http%3A%2F%2Fblog.example.net%2F&b=%7e",
		},
		{name: "form, unescaped", contentType: form, body: "url=https://example.com/blog/x", want: "url=http%3A%2F%2Fblog.example.net%2Fx"},
		{name: "form, URL in a parameter", contentType: form, body: "u=%3Furl%3Dhttps%253A%252F%252Fexample.com%252Fblog%252F", want: "u=%3Furl%3Dhttp%253A%252F%252Fblog.example.net%252F"},
		{name: "form, JSON in a field", contentType: form, body: "customized=" + url.QueryEscape(`{"x":"https:\/\/example.com\/blog\/a"}`), want: "customized=" + url.QueryEscape(`{"x":"http:\/\/blog.example.net\/a"}`)},
		{name: "form, HTML in a field", contentType: form, body: "c=" + url.QueryEscape(`<a href="/blog/x">`), want: "c=" + url.QueryEscape(`<a href="/x">`)},
		{
			name: "form, paths", contentType: form, body: "_wp_http_referer=%2Fblog%2Fwp-admin%2Fedit.php%3Fa%3D1&redirect_to=/blog&path=%2Fblog%2Fx",
			want: "_wp_http_referer=%2Fwp-admin%2Fedit.php%3Fa%3D1&redirect_to=/&path=%2Fblog%2Fx",
		},
		{
			name: "form, path with a URL in it", contentType: form, body: "redirect_to=%2Fblog%2Fx%3Fu%3Dhttps%253A%252F%252Fexample.com%252Fblog%252Fy",
			want: "redirect_to=%2Fx%3Fu%3Dhttp%253A%252F%252Fblog.example.net%252Fy",
		},
		{name: "form, slashes as JSON escapes them", contentType: form, body: `j=%22https%3A%5Cu002f%5Cu002fexample.com%5Cu002fblog%22`, want: `j=%22http%3A%5Cu002f%5Cu002fblog.example.net%22`},
		{name: "form, paths of the site", contentType: form, body: "_wp_http_referer=%2Fwp-admin%2Fedit.php&redirect_to=%2Fblogger&return=https%3A%2F%2Fexample.com%2F"},
		{name: "form, path to another host", contentType: form, body: "redirect_to=%2Fblog%2F%2Fevil.example"},
		{name: "form, invalid escape", contentType: form, body: "a=%zz&u=https%3A%2F%2Fexample.com%2Fblog%2F"},
		{name: "form, empty fields", contentType: form, body: "&a&=&b=&"},
		{name: "form with a charset", contentType: form + "; charset=UTF-8", body: "u=https://example.com/blog/", want: "u=http%3A%2F%2Fblog.example.net%2F"},
		{name: "form in UTF-16", contentType: form + "; charset=utf-16", body: "u=https://example.com/blog/"},
		{
			name: "json", contentType: "application/json", body: `{"content":"<a href=\"https://example.com/blog/x\">","guid":"https:\/\/example.com\/blog\/?p=1","o":"https://example.com/"}`,
			want: `{"content":"<a href=\"http://blog.example.net/x\">","guid":"http:\/\/blog.example.net\/?p=1","o":"https://example.com/"}`,
		},
		{name: "json, cut", contentType: "application/json", body: `{"content":"https://example.com/blog/x`},
		{name: "json type", contentType: "application/activity+json", body: `["https://example.com/blog/x"]`, want: `["http://blog.example.net/x"]`},
		{
			name: "xml", contentType: "text/xml", body: `<?xml version="1.0"?><methodCall><string>https://example.com/blog/x</string><string>https:&#x2F;&#x2F;example.com&#x2F;blog&#x2F;</string></methodCall>`,
			want: `<?xml version="1.0"?><methodCall><string>http://blog.example.net/x</string><string>http:&#x2F;&#x2F;blog.example.net&#x2F;</string></methodCall>`,
		},
		{name: "xml, cut", contentType: "text/xml", body: `<methodCall>https://example.com/blog/x</metho`},
		{name: "xml in utf-16", contentType: "text/xml", body: `<?xml version="1.0" encoding="utf-16"?><a>https://example.com/blog/x</a>`},
		{name: "multipart", contentType: "multipart/form-data; boundary=x", body: "--x\r\n\r\nhttps://example.com/blog/x\r\n--x--"},
		{name: "binary", contentType: "application/octet-stream", body: "https://example.com/blog/x"},
		{name: "no type", contentType: "", body: "https://example.com/blog/x"},
		{name: "coded", contentType: "application/json", body: `"https://example.com/blog/x"`, change: func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }},
		{name: "signature", contentType: "application/json", body: `"https://example.com/blog/x"`, change: func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256=x") }},
		{name: "a part", contentType: "application/json", body: `"https://example.com/blog/x"`, change: func(r *http.Request) { r.Header.Set("Content-Range", "bytes 0-27/90") }},
		{name: "stripe", contentType: "application/json", body: `"https://example.com/blog/x"`, change: func(r *http.Request) { r.Header.Set("Stripe-Signature", "t=1") }},
		{name: "digest", contentType: "application/json", body: `"https://example.com/blog/x"`, change: func(r *http.Request) { r.Header.Set("Content-Digest", "sha-256=:x:") }},
		{name: "digest in a trailer", contentType: "application/json", body: `"https://example.com/blog/x"`, change: func(r *http.Request) { r.Trailer = http.Header{"Content-Digest": nil} }},
		{name: "path with mapping off", contentType: "application/json", body: `"https://example.com/blog/x"`, change: func(r *http.Request) { r.URL.Path = "/blog/hook/a" }},
		{name: "no length", contentType: "application/json", body: `"https://example.com/blog/x"`, want: `"http://blog.example.net/x"`, change: func(r *http.Request) {
			r.ContentLength, r.TransferEncoding = -1, []string{"chunked"}
			r.Header.Del("Content-Length")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := New(Options{Prefix: "/blog", Sites: []string{"http://blog.example.net"}, Transform: Transform{RequestsOff: true, RequestsOffPaths: []string{"/hook/*"}}})
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == "" {
				want = c.body
			}
			if got, _ := sent(t, m.View(Base{"https", "example.com"}), "/blog/x", c.contentType, c.body, c.change); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestRequestQuery(t *testing.T) {
	v := blogView(t)
	for query, want := range map[string]string{
		"redirect_to=%2Fblog%2Fwp-admin%2F&a=%zz": "redirect_to=%2Fwp-admin%2F&a=%zz",
		"_wp_http_referer=/blog/x?a=b":            "_wp_http_referer=/x?a=b",
		"return=%2fblog%3fx":                      "return=%2f%3fx",
		"redirect_to=%252Fblog%252Fx":             "redirect_to=%252Fblog%252Fx",
		"redirect_to=/wp-admin/":                  "redirect_to=/wp-admin/",
		"redirect_to=%2Fblo%zz":                   "redirect_to=%2Fblo%zz",
		"p=/blog/x":                               "p=/blog/x",
		"redirect_to":                             "redirect_to",
	} {
		_, r := sent(t, v, "/blog/?"+query, "", "", nil)
		if r.URL.RawQuery != want {
			t.Errorf("%s: %s, want %s", query, r.URL.RawQuery, want)
		}
	}
}

// TestRequestBodyLimit sends more than is mapped, with and without a length: it
// passes as it is, and no more than the limit is read ahead.
func TestRequestBodyLimit(t *testing.T) {
	m, err := New(Options{Prefix: "/blog", Sites: []string{"http://blog.example.net"}, Transform: Transform{MaxRequestBody: 100}})
	if err != nil {
		t.Fatal(err)
	}
	v := m.View(Base{"https", "example.com"})
	body := `["https://example.com/blog/` + strings.Repeat("x", 100) + `"]`
	for _, length := range []int64{int64(len(body)), -1} {
		got, r := sent(t, v, "/blog/", "application/json", body, func(r *http.Request) { r.ContentLength = length })
		if got != body || r.ContentLength != length {
			t.Errorf("length %d: %d bytes, length %d", length, len(got), r.ContentLength)
		}
	}
	r := httptest.NewRequest("POST", "/blog/", io.LimitReader(endless{}, 1<<30))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	before := r.Body
	v.Content(r, "/")
	if r.Body != before {
		t.Error("an upload was touched")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestRequestBodyError keeps what arrived and the error behind it.
func TestRequestBodyError(t *testing.T) {
	gone := errors.New("client is gone")
	r := httptest.NewRequest("POST", "/blog/", io.MultiReader(strings.NewReader(`"https://example.com/blog/`), failedReader{gone}))
	r.Header.Set("Content-Type", "application/json")
	blogView(t).Content(r, "/")
	got, err := io.ReadAll(r.Body)
	if !errors.Is(err, gone) || string(got) != `"https://example.com/blog/` {
		t.Errorf("%q, %v", got, err)
	}
}

// TestRequestBodyManyFields maps a form of 100,000 fields.
func TestRequestBodyManyFields(t *testing.T) {
	f := blogView(t).sent
	body := strings.Repeat("a=/&", 100_000)
	if got, ok := f.mapForm([]byte(body)); !ok || string(got) != body {
		t.Error("the form changed")
	}
}

// TestAwareRequests: a site that knows its public address is sent what came.
func TestAwareRequests(t *testing.T) {
	m, err := New(Options{Prefix: "/blog", Sites: []string{"http://blog.example.net"}, Mode: Aware})
	if err != nil {
		t.Fatal(err)
	}
	body := `"https://example.com/blog/x"`
	if got, _ := sent(t, m.View(Base{"https", "example.com"}), "/blog/?redirect_to=/blog/", "application/json", body, nil); got != body {
		t.Errorf("body %s", got)
	}
}

// roundTrip checks that what the public side shows is sent back as the site
// wrote it, and that mapping it back again changes nothing, for text in the
// site's form.
func roundTrip(t *testing.T, text []byte, show, back func([]byte) []byte) {
	t.Helper()
	for _, public := range []string{"example.com", "/blog"} {
		if bytes.Contains(bytes.ToLower(text), []byte(public)) {
			return // text that is public already is mapped back, as it should be
		}
	}
	if gluedHost.Match(text) {
		return // "http://host!x" is below the host, but "/blog!x" is not below /blog
	}
	site := back(text)
	if !bytes.Equal(site, text) {
		t.Fatalf("text without public URLs changed\nin   %q\nback %q", text, site)
	}
	if got := back(show(text)); !bytes.Equal(got, normalise(text)) {
		t.Fatalf("\nin     %q\npublic %q\nback   %q", text, show(text), got)
	}
}

var gluedHost = regexp.MustCompile(`(?i)blog\.example\.net(:[0-9]*)?([!*$~=+.:@%&\\]|[^\x00-\x7f])`)

// normalise writes the site's URLs with the site's own scheme, host and port,
// by mapping them to themselves.
func normalise(text []byte) []byte {
	f := newForms([]formBase{{"http", "blog.example.net", ""}}, formBase{"http", "blog.example.net", ""}, formOptions{})
	return f.mapText(text, kindJSON)
}

func FuzzRoundTripJSON(f *testing.F) {
	f.Add(`{"content":"<a href=\"http:\/\/blog.example.net\/x\" src=\"/y\">"}`)
	f.Add(`http%3A%2F%2Fblog.example.net%2F //blog.example.net &quot;http:&#x2F;&#x2F;blog.example.net`)
	show := newForms([]formBase{{"http", "blog.example.net", ""}}, formBase{"https", "example.com", "/blog"}, formOptions{})
	back := newForms([]formBase{{"https", "example.com", "/blog"}}, formBase{"http", "blog.example.net", ""}, formOptions{})
	f.Fuzz(func(t *testing.T, s string) {
		roundTrip(t, []byte(s), func(b []byte) []byte { return show.mapText(b, kindJSON) }, func(b []byte) []byte { return back.mapText(b, kindJSON) })
	})
}

func FuzzForm(f *testing.F) {
	f.Add("u=https%3A%2F%2Fexample.com%2Fblog%2Fx&redirect_to=%2Fblog&a=%zz")
	f.Add("&&=&a=/blog//x&_wp_http_referer=/blog/x")
	back := blogView(f).sent
	f.Fuzz(func(t *testing.T, s string) {
		out, ok := back.mapForm([]byte(s))
		if !ok {
			if _, err := url.ParseQuery(strings.ReplaceAll(s, ";", "")); err == nil {
				t.Fatalf("%q was refused", s)
			}
			return
		}
		if !strings.Contains(s, "b") && string(out) != s {
			t.Fatalf("%q became %q", s, out)
		}
		if strings.Count(string(out), "&") != strings.Count(s, "&") {
			t.Fatalf("%q has other fields: %q", s, out)
		}
		q := back.mapPathParameters(s)
		if strings.Count(q, "&") != strings.Count(s, "&") {
			t.Fatalf("%q has other parameters: %q", s, q)
		}
	})
}

func FuzzXML(f *testing.F) {
	f.Add(`<a href="/blog/x">https://example.com/blog/</a>`)
	f.Add(`<?xml version="1.0" encoding="utf-16"?><a/>`)
	back := blogView(f).sent
	f.Fuzz(func(t *testing.T, s string) {
		out, ok := back.mapXML([]byte(s))
		if ok && !strings.Contains(s, "example.com") && !strings.Contains(s, "blog") && string(out) != s {
			t.Fatalf("%q became %q", s, out)
		}
	})
}
