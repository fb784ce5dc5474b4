package handler

// scannerCase is one row of what a body may hold. Without want the text stays as it is.
type scannerCase struct {
	name  string
	kind  mediaKind
	in    string
	want  string
	sites []formBase // default: http://blog.example.net
	to    *formBase  // default: https://example.com/blog
	opts  formOptions
}

func (c scannerCase) tables() *forms {
	from := c.sites
	if from == nil {
		from = []formBase{{"http", "blog.example.net", ""}}
	}
	to := formBase{"https", "example.com", "/blog"}
	if c.to != nil {
		to = *c.to
	}
	return newForms(from, to, c.opts)
}

var (
	portSite  = []formBase{{"http", "blog.example.net:8080", ""}}
	wpSite    = []formBase{{"http", "blog.example.net", "/wp"}}
	labelSite = []formBase{{"http", "blog", ""}}
	idnSite   = []formBase{{"https", "bücher.example", ""}}
	atRoot    = &formBase{"https", "example.com", ""}
	toPort    = &formBase{"http", "example.com:8443", "/a/b"}

	// back maps what a visitor sends to the site.
	back   = []formBase{{"https", "example.com", "/blog"}}
	toSite = &formBase{"http", "blog.example.net", ""}
	toWP   = &formBase{"http", "blog.example.net", "/wp"}
)

var scannerCases = []scannerCase{
	// Hosts and the spellings of their slashes.
	{name: "http", in: `see http://blog.example.net/a?b#c now`, want: `see https://example.com/blog/a?b#c now`},
	{name: "https", in: `https://blog.example.net/`, want: `https://example.com/blog/`},
	{name: "end of text", in: `http://blog.example.net`, want: `https://example.com/blog`},
	{name: "end of sentence", in: `At http://blog.example.net. Or`, want: `At https://example.com/blog. Or`},
	{name: "colon behind", in: `http://blog.example.net: home`, want: `https://example.com/blog: home`},
	{name: "query right behind", in: `http://blog.example.net?p=1`, want: `https://example.com/blog?p=1`},
	{name: "several", in: `http://blog.example.net/ http://blog.example.net/`, want: `https://example.com/blog/ https://example.com/blog/`},
	{name: "end to end", in: `"http://blog.example.net""http://blog.example.net"`, want: `"https://example.com/blog""https://example.com/blog"`},
	{name: "schemeless", kind: kindHTML, in: `<img src="//blog.example.net/x.png">`, want: `<img src="//example.com/blog/x.png">`},
	{name: "schemeless in css", kind: kindCSS, in: `a{background:url(//blog.example.net/x)}`, want: `a{background:url(//example.com/blog/x)}`},
	{name: "json", kind: kindJSON, in: `{"link":"http:\/\/blog.example.net\/a"}`, want: `{"link":"https:\/\/example.com\/blog\/a"}`},
	{name: "json schemeless", kind: kindJSON, in: `{"u":"\/\/blog.example.net\/a"}`, want: `{"u":"\/\/example.com\/blog\/a"}`},
	{name: "json in json", kind: kindJSON, in: `"http:\\/\\/blog.example.net\\/a"`, want: `"https:\\/\\/example.com\\/blog\\/a"`},
	{name: "json thrice", kind: kindJSON, in: `https:\\\/\\\/blog.example.net\\\/a`, want: `https:\\\/\\\/example.com\\\/blog\\\/a`},
	{name: "json behind a line break", kind: kindJSON, in: `"a\nhttp:\/\/blog.example.net\/"`, want: `"a\nhttps:\/\/example.com\/blog\/"`},
	{name: "percent", in: `?url=http%3A%2F%2Fblog.example.net%2Fa`, want: `?url=https%3A%2F%2Fexample.com%2Fblog%2Fa`},
	{name: "percent lower case", in: `?url=http%3a%2f%2fblog.example.net%2fa`, want: `?url=https%3a%2f%2fexample.com%2fblog%2fa`},
	{name: "percent mixed case", in: `?url=http%3A%2f%2Fblog.example.net`, want: `?url=https%3A%2f%2Fexample.com%2Fblog`},
	{name: "percent with plain colon", in: `u=http:%2F%2Fblog.example.net%2F`, want: `u=https:%2F%2Fexample.com%2Fblog%2F`},
	{name: "percent schemeless", in: `u=%2F%2Fblog.example.net%2F`, want: `u=%2F%2Fexample.com%2Fblog%2F`},
	{name: "percent twice", in: `u=http%253A%252F%252Fblog.example.net%252Fa`, want: `u=https%253A%252F%252Fexample.com%252Fblog%252Fa`},
	{name: "percent behind a quote", in: `%22http%3A%2F%2Fblog.example.net%22`, want: `%22https%3A%2F%2Fexample.com%2Fblog%22`},
	{
		name: "JSON in percent, as shops write it", kind: kindHTML, in: `JSON.parse(decodeURIComponent('%7B%22u%22%3A%22http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fa%22%2C%22v%22%3A%22%5c%2f%5c%2fblog.example.net%5c%2f'))`,
		want: `JSON.parse(decodeURIComponent('%7B%22u%22%3A%22https%3A%5C%2F%5C%2Fexample.com%5C%2Fblog%5C%2Fa%22%2C%22v%22%3A%22%5c%2f%5c%2fexample.com%5c%2fblog%5c%2f'))`,
	},
	{name: "JSON in JSON in percent", in: `http%3A%5C%5C%5C%2F%5C%5C%5C%2Fblog.example.net%5C%5C%5C%2Fa`, want: `https%3A%5C%5C%5C%2F%5C%5C%5C%2Fexample.com%5C%5C%5C%2Fblog%5C%5C%5C%2Fa`},
	{name: "JSON in percent twice", in: `http%253A%255C%252F%255C%252Fblog.example.net%255C%252Fa`, want: `https%253A%255C%252F%255C%252Fexample.com%255C%252Fblog%255C%252Fa`},
	{name: "JSON in percent, slashes that differ", in: `http%3A%5C%2F%2Fblog.example.net http%3A%5C%2F%5C%5C%2Fblog.example.net http%3A%255C%2F%255C%2Fblog.example.net %5C%5C%5C%5C%2F%5C%5C%5C%5C%2Fblog.example.net`},
	{name: "JSON in percent, one slash", in: `https%3A%5C%2F%5C%2Fi0.wp.com%5C%2Fblog.example.net%5C%2Fa`},
	{name: "unicode escape", kind: kindJSON, in: `"http:\u002F\u002Fblog.example.net\u002Fa"`, want: `"https:\u002F\u002Fexample.com\u002Fblog\u002Fa"`},
	{name: "unicode escape lower case", kind: kindJSON, in: `"http:\u002f\u002fblog.example.net"`, want: `"https:\u002f\u002fexample.com\u002fblog"`},
	{name: "unicode colon", kind: kindJSON, in: `"http\u003a\u002f\u002fblog.example.net"`, want: `"https\u003a\u002f\u002fexample.com\u002fblog"`},
	{name: "unicode quote before", kind: kindJSON, in: `\u0022http://blog.example.net\u0022`, want: `\u0022https://example.com/blog\u0022`},
	{name: "entity hex", kind: kindHTML, in: `http:&#x2F;&#x2F;blog.example.net&#x2F;a`, want: `https:&#x2F;&#x2F;example.com&#x2F;blog&#x2F;a`},
	{name: "entity decimal", kind: kindHTML, in: `http:&#47;&#47;blog.example.net`, want: `https:&#47;&#47;example.com&#47;blog`},
	{name: "entity three digits", kind: kindHTML, in: `http:&#047;&#047;blog.example.net`, want: `https:&#047;&#047;example.com&#047;blog`},
	{name: "entity name", kind: kindHTML, in: `http&colon;&sol;&sol;blog.example.net&sol;`, want: `https&colon;&sol;&sol;example.com&sol;blog&sol;`},
	{name: "entity amp behind", kind: kindHTML, in: `http://blog.example.net&amp;x`, want: `https://example.com/blog&amp;x`},
	{name: "entity quote before", kind: kindHTML, in: `&quot;http://blog.example.net&quot;`, want: `&quot;https://example.com/blog&quot;`},
	{name: "scheme in capitals", in: `HTTP://blog.example.net/`, want: `https://example.com/blog/`},
	{name: "host in capitals", kind: kindHTML, in: `<a href="http://Blog.Example.NET/a">`, want: `<a href="https://example.com/blog/a">`},
	{name: "host in capitals in json", kind: kindJSON, in: `"http:\/\/BLOG.example.net\/a"`, want: `"https:\/\/example.com\/blog\/a"`},
	{name: "port 80", in: `http://blog.example.net:80/a`, want: `https://example.com/blog/a`},
	{name: "port 443", in: `https://blog.example.net:443/a`, want: `https://example.com/blog/a`},
	{name: "port of the other scheme", in: `http://blog.example.net:443/a`},
	{name: "port percent", in: `http%3A%2F%2Fblog.example.net%3A80%2Fa`, want: `https%3A%2F%2Fexample.com%2Fblog%2Fa`},
	{name: "foreign port", in: `http://blog.example.net:8080/a`},
	{name: "empty port", in: `http://blog.example.net:/a //blog.example.net:/ http:\/\/blog.example.net:\/a http%3A%2F%2Fblog.example.net%3A%2Fa`, want: `https://example.com/blog/a //example.com/blog/ https:\/\/example.com\/blog\/a https%3A%2F%2Fexample.com%2Fblog%2Fa`},
	{name: "port glued", in: `http://blog.example.net:80a/`},
	{name: "text in pre", kind: kindHTML, in: `<pre>http://blog.example.net/a</pre>`, want: `<pre>https://example.com/blog/a</pre>`},
	{name: "css comment", kind: kindCSS, in: `/*# x */ /* http://blog.example.net/ */`, want: `/*# x */ /* https://example.com/blog/ */`},
	{name: "js comment", kind: kindScript, in: "//http://blog.example.net/\n", want: "//https://example.com/blog/\n"},
	{name: "view source", in: `view-source:http://blog.example.net/`, want: `view-source:https://example.com/blog/`},
	{
		name: "oembed", kind: kindHTML, in: `href="http://blog.example.net/wp-json/oembed/1.0/embed?url=http%3A%2F%2Fblog.example.net%2Fhello%2F"`,
		want: `href="https://example.com/blog/wp-json/oembed/1.0/embed?url=https%3A%2F%2Fexample.com%2Fblog%2Fhello%2F"`,
	},
	{
		name: "canonical of the admin list", kind: kindHTML, in: `<link id="wp-admin-canonical" rel="canonical" href="http://blog.example.net/wp-admin/edit.php" />`,
		want: `<link id="wp-admin-canonical" rel="canonical" href="https://example.com/blog/wp-admin/edit.php" />`,
	},
	{
		name: "srcset with hosts", kind: kindHTML, in: `srcset="http://blog.example.net/a.jpg 300w, http://blog.example.net/b.jpg 600w"`,
		want: `srcset="https://example.com/blog/a.jpg 300w, https://example.com/blog/b.jpg 600w"`,
	},

	// Hosts of others.
	{name: "mailbox", in: `mailto:admin@blog.example.net`},
	{name: "longer to the left", in: `http://notblog.example.net/ http://sub.blog.example.net/ http://a-blog.example.net/`},
	{name: "longer to the right", in: `http://blog.example.net.evil.com/ http://blog.example.network/ http://blog.example.net-old.com/ http://blog.example.net_x/`},
	{name: "longer by escape", in: `http://blog.example.net%2Eevil.com/ http://blog.example.net\u002eevil.com http://blog.example.net&#46;evil.com http://blog.example.net%2Dold.com`},
	{name: "trailing dot", in: `http://blog.example.net./x`},
	{name: "userinfo", in: `http://blog.example.net@evil.com/ http://blog.example.net:80@evil.com/`},
	{name: "userinfo without a password", in: `http://blog.example.net:@evil.com/`},
	{name: "userinfo of ours", in: `http://me@blog.example.net/`},
	{name: "one slash", in: `https://i0.wp.com/blog.example.net/a.jpg`},
	{name: "one slash json", kind: kindJSON, in: `"https:\/\/i0.wp.com\/blog.example.net\/a.jpg"`},
	{name: "archive", in: `https://web.archive.org/web/2020/http://blog.example.net/`},
	{name: "other scheme", in: `ftp://blog.example.net/ wss://blog.example.net/`},
	{name: "scheme in a variable", kind: kindHTML, in: `<script>u = p + "://blog.example.net/"</script>`},
	{name: "scheme of a longer word", in: `xhttp://blog.example.net/`},
	{name: "three slashes", in: `///blog.example.net/`},
	{
		name: "sources of a policy", kind: kindHTML, in: `<meta http-equiv="Content-Security-Policy" content="default-src 'self' http://blog.example.net; img-src https://blog.example.net:443 http://blog.example.net/a/ http://blog.example.net:* data:; script-src-elem 'sha256-ab=' http://blog.example.net">`,
		want: `<meta http-equiv="Content-Security-Policy" content="default-src 'self' https://example.com; img-src https://example.com https://example.com/blog/a/ https://example.com:* data:; script-src-elem 'sha256-ab=' https://example.com">`,
	},
	{
		name: "sources of a policy in single quotes", kind: kindHTML, to: toPort, in: "<meta content='img-src\n http://blog.example.net\n http://blog.example.net:*;base-uri https://blog.example.net' http-equiv=content-security-policy>",
		want: "<meta content='img-src\n http://example.com:8443\n http://example.com:*;base-uri http://example.com:8443' http-equiv=content-security-policy>",
	},
	{
		name: "no sources of a policy", kind: kindHTML, in: `<p>img-src; http://blog.example.net <b title="img-src"> http://blog.example.net</b><a href="http://blog.example.net">img-src: http://blog.example.net`,
		want: `<p>img-src; https://example.com/blog <b title="img-src"> https://example.com/blog</b><a href="https://example.com/blog">img-src: https://example.com/blog`,
	},
	{name: "bare", kind: kindHTML, in: `<b>blog.example.net</b> location.hostname === "blog.example.net"`},
	{name: "serialized", in: `a:1:{s:3:"url";s:26:"http://blog.example.net/ab";}`},
	{name: "serialized inside", in: `s:46:"<a href=\"http://blog.example.net/ab\">there</a>";`},
	{
		name: "serialized, root-relative", kind: kindXML, in: `<![CDATA[a:1:{s:1:"t";s:25:"<a href="/x">there</a> /y";}<a href="/z">]]>`,
		want: `<![CDATA[a:1:{s:1:"t";s:25:"<a href="/x">there</a> /y";}<a href="/blog/z">]]>`,
	},
	{name: "behind serialized", in: `s:3:"url"; http://blog.example.net/`, want: `s:3:"url"; https://example.com/blog/`},
	{name: "rest namespace", kind: kindJSON, in: `{"href":"https:\/\/api.w.org\/{rel}","templated":true}`},
	{name: "base64", kind: kindHTML, in: `<img src="data:image/jpeg;base64,/9j/4AAQSkZJRg/wp-admin/abc=">`},
	{name: "integrity", kind: kindHTML, in: `<script integrity="sha384-/wp-admin/abc" src="https://cdn.example.org/x.js"></script>`},
	{name: "integrity in no tag", kind: kindHTML, in: `script src=http://blog.example.net integrity=x`, want: `script src=https://example.com/blog integrity=x`},
	{
		name: "integrity of a mapped script", kind: kindHTML,
		in:   `<script src="http://blog.example.net/x.js" integrity="sha384-a/b=" crossorigin></script><p integrity="x">`,
		want: `<script src="https://example.com/blog/x.js" data-integrity="sha384-a/b=" crossorigin></script><p integrity="x">`,
	},
	{
		name: "integrity before the address", kind: kindHTML,
		in:   `<link rel=stylesheet integrity = 'sha384-ab' href="/x.css" data-u="http://blog.example.net/y"><a integrity="x" href="/y">`,
		want: `<link rel=stylesheet data-integrity = 'sha384-ab' href="/blog/x.css" data-u="https://example.com/blog/y"><a integrity="x" href="/blog/y">`,
	},
	{
		name: "integrity of others", kind: kindHTML,
		in:   `<link href="https://cdn.example.org/x.css" integrity="sha384-ab"><script>u="http://blog.example.net/" integrity="a"</script>`,
		want: `<link href="https://cdn.example.org/x.css" integrity="sha384-ab"><script>u="https://example.com/blog/" integrity="a"</script>`,
	},
	{
		name: "integrity as a part of words", kind: kindHTML,
		in:   `<script data-integrity="a" src="http://blog.example.net/x.js?integrity=b" x-integrity=c>`,
		want: `<script data-integrity="a" src="https://example.com/blog/x.js?integrity=b" x-integrity=c>`,
	},
	{name: "backslash runs without end", in: "http:" + `\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\/\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\/blog.example.net/`},
	{name: "NUL bytes", kind: kindHTML, in: "\x00/\x00\"/\x00http://blog.example.ne\x00"},

	// Several sites, ports, base paths, names.
	{name: "port of the site", sites: portSite, in: `http://blog.example.net:8080/a https://blog.example.net:8080/a`, want: `https://example.com/blog/a https://example.com/blog/a`},
	{name: "port of the site dropped", sites: portSite, kind: kindXML, in: `<atom:link href="http://blog.example.net/feed/" rel="self"/>`, want: `<atom:link href="https://example.com/blog/feed/" rel="self"/>`},
	{name: "longer port", sites: portSite, in: `http://blog.example.net:80801/`},
	{name: "port of the site in json", sites: portSite, in: `http:\/\/blog.example.net:8080\/`, want: `https:\/\/example.com\/blog\/`},
	{name: "name shared with the public side", sites: []formBase{{"http", "example.com:8080", ""}}, in: `http://example.com:8080/a http://example.com/a`, want: `https://example.com/blog/a http://example.com/a`},
	{
		name: "two sites", sites: []formBase{{"http", "blog.example.net", ""}, {"https", "www.blog.example.net", ""}, {"https", "cdn.example.org", "/s"}},
		in:   `http://blog.example.net/a //www.blog.example.net/b https://cdn.example.org/s/c https://cdn.example.org/d`,
		want: `https://example.com/blog/a //example.com/blog/b https://example.com/blog/c https://cdn.example.org/d`,
	},
	{name: "first site wins", sites: []formBase{{"http", "h.example", ""}, {"http", "h.example", "/wp"}}, in: `http://h.example/wp/a`, want: `https://example.com/blog/wp/a`},
	{
		name: "kept prefix", sites: []formBase{{"http", "h.example", "/blog"}, {"http", "h.example", ""}}, in: `http://h.example/blog/wp-admin/ http://h.example/x`,
		want: `https://example.com/blog/wp-admin/ https://example.com/blog/x`,
	},
	{name: "base path", sites: wpSite, in: `http://blog.example.net/wp/a http://blog.example.net/wp http://blog.example.net/wp?x`, want: `https://example.com/blog/a https://example.com/blog https://example.com/blog?x`},
	{name: "base path in json", sites: wpSite, in: `http:\/\/blog.example.net\/wp\/a`, want: `https:\/\/example.com\/blog\/a`},
	{name: "base path in percent", sites: wpSite, in: `http%3A%2F%2Fblog.example.net%2Fwp%2Fa`, want: `https%3A%2F%2Fexample.com%2Fblog%2Fa`},
	{
		name: "base path before punctuation", sites: wpSite, in: "„http://blog.example.net/wp“ http://blog.example.net/wp… http://blog.example.net/wp&#8221; http://blog.example.net/wp&#x2026; http://blog.example.net/wp\\u201d http://blog.example.net/wpé http://blog.example.net/wp&#233; http://blog.example.net/wp\\u00e9 http://blog.example.net/wp%E2%80%9D",
		want: "„https://example.com/blog“ https://example.com/blog… https://example.com/blog&#8221; https://example.com/blog&#x2026; https://example.com/blog\\u201d http://blog.example.net/wpé http://blog.example.net/wp&#233; http://blog.example.net/wp\\u00e9 http://blog.example.net/wp%E2%80%9D",
	},
	{
		name: "base path in JSON in percent", sites: wpSite, in: `http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fwp%5C%2Fa http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fwp%22 http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fwpx http%3A%5C%2F%5C%2Fblog.example.net%5C%22`,
		want: `https%3A%5C%2F%5C%2Fexample.com%5C%2Fblog%5C%2Fa https%3A%5C%2F%5C%2Fexample.com%5C%2Fblog%22 http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fwpx http%3A%5C%2F%5C%2Fblog.example.net%5C%22`,
	},
	{name: "outside the base path", sites: wpSite, in: `http://blog.example.net/ http://blog.example.net/wpx http://blog.example.net/wp.html http://blog.example.net/wp-x http://blog.example.net/wp%41`},
	{name: "base path root-relative", sites: wpSite, kind: kindHTML, in: `<a href="/wp/x"><a href="/wp"><a href="/x"><a href="/wpx">`, want: `<a href="/blog/x"><a href="/blog"><a href="/x"><a href="/wpx">`},
	{
		name: "base path before a script path", sites: wpSite, kind: kindHTML, in: `<script>var ajaxurl = "/wp/wp-admin/admin-ajax.php", b = "/wp-admin/x";</script>`,
		want: `<script>var ajaxurl = "/blog/wp-admin/admin-ajax.php", b = "/wp-admin/x";</script>`,
	},
	{name: "single label", sites: labelSite, in: `http://blog/a "//blog/a"`, want: `https://example.com/blog/a "//example.com/blog/a"`},
	{name: "single label is a word", sites: labelSite, kind: kindScript, in: "//blog posts\n  //blog\n a // blog http://blog.org blog/x", want: ""},
	{name: "punycode", sites: idnSite, in: `https://xn--bcher-kva.example/a`, want: `https://example.com/blog/a`},
	{name: "unicode name", sites: idnSite, in: `https://bücher.example/a`, want: `https://example.com/blog/a`},
	{name: "unicode name in json", sites: idnSite, in: `"https:\/\/b\u00fccher.example\/a"`, want: `"https:\/\/example.com\/blog\/a"`},
	{name: "address", sites: []formBase{{"http", "[::1]:8080", ""}}, in: `http://[::1]:8080/a`, want: `https://example.com/blog/a`},
	{
		name: "public port, colon as found", to: toPort, in: `http%3a%2f%2fblog.example.net %2f%2fblog.example.net %252F%252Fblog.example.net http:%2F%2Fblog.example.net http\u003A\u002F\u002Fblog.example.net`,
		want: `http%3a%2f%2fexample.com%3a8443%2fa%2fb %2f%2fexample.com%3a8443%2fa%2fb %252F%252Fexample.com%253A8443%252Fa%252Fb http:%2F%2Fexample.com:8443%2Fa%2Fb http\u003A\u002F\u002Fexample.com\u003A8443\u002Fa\u002Fb`,
	},
	{
		name: "public port in JSON in percent", to: toPort, in: `http%3A%5C%2F%5C%2Fblog.example.net%5C%2F %5C%2F%5C%2Fblog.example.net %255c%252f%255c%252fblog.example.net`,
		want: `http%3A%5C%2F%5C%2Fexample.com%3A8443%5C%2Fa%5C%2Fb%5C%2F %5C%2F%5C%2Fexample.com%3A8443%5C%2Fa%5C%2Fb %255c%252f%255c%252fexample.com%253a8443%255c%252fa%255c%252fb`,
	},
	{name: "public port and two segments", to: toPort, kind: kindHTML, in: `<a href="/x" data-u="http%3A%2F%2Fblog.example.net%2Fy">`, want: `<a href="/a/b/x" data-u="http%3A%2F%2Fexample.com%3A8443%2Fa%2Fb%2Fy">`},
	{name: "mount at the root", to: atRoot, kind: kindHTML, in: `<a href="/x"> http://blog.example.net/a http:\/\/blog.example.net`, want: `<a href="/x"> https://example.com/a https:\/\/example.com`},
	{name: "root-relative off", opts: formOptions{KeepRootRelative: true}, kind: kindHTML, in: `<a href="/x" title="http://blog.example.net">`, want: `<a href="/x" title="https://example.com/blog">`},

	// Root-relative attributes.
	{name: "attribute", kind: kindHTML, in: `<a class="b" href="/x">`, want: `<a class="b" href="/blog/x">`},
	{name: "attribute single quote", kind: kindHTML, in: `<a href='/x'>`, want: `<a href='/blog/x'>`},
	{name: "attribute in capitals", kind: kindHTML, in: `<A HREF="/x">`, want: `<A HREF="/blog/x">`},
	{name: "attribute with spaces", kind: kindHTML, in: `<a href = "/x">`, want: `<a href = "/blog/x">`},
	{name: "attribute with white space in front", kind: kindHTML, in: "<a href=\" /x\"><a href='\n\t/y'><a alt=\" /z\"><img src=\"\" /w>", want: "<a href=\" /blog/x\"><a href='\n\t/blog/y'><a alt=\" /z\"><img src=\"\" /w>"},
	{name: "attribute root", kind: kindHTML, in: `<base href="/">`, want: `<base href="/blog/">`},
	{
		name: "attributes", kind: kindHTML, in: `<form action="/a"><img src="/b" data-src="/c" data-lazy-src="/d"><video poster="/e"><use xlink:href="/f"><object data="/g">`,
		want: `<form action="/blog/a"><img src="/blog/b" data-src="/blog/c" data-lazy-src="/blog/d"><video poster="/blog/e"><use xlink:href="/blog/f"><object data="/blog/g">`,
	},
	{
		name: "attributes of htmx", kind: kindHTML, in: `<a hx-get="/a" hx-post='/b' hx-put=/c hx-patch="/d" data-hx-delete="/e" hx-push-url="/f" hx-replace-url="/g" hx-target="/h" data-get="/i">`,
		want: `<a hx-get="/blog/a" hx-post='/blog/b' hx-put=/blog/c hx-patch="/blog/d" data-hx-delete="/blog/e" hx-push-url="/blog/f" hx-replace-url="/blog/g" hx-target="/h" data-get="/i">`,
	},
	{name: "attributes of sliders", kind: kindHTML, in: `<img data-lazy="/a" data-lazyload="/b" data-thumb="/c" data-slide-thumbnail="/d">`, want: `<img data-lazy="/blog/a" data-lazyload="/blog/b" data-thumb="/blog/c" data-slide-thumbnail="/blog/d">`},
	{name: "attribute behind a bracket in a value", kind: kindHTML, in: `<a onclick="a>b" href="/x">`, want: `<a onclick="a>b" href="/blog/x">`},
	{name: "attribute in json", kind: kindJSON, in: `{"rendered":"<a href=\"\/x\">"}`, want: `{"rendered":"<a href=\"\/blog\/x\">"}`},
	{name: "attribute in json, slashes plain", kind: kindJSON, in: `{"rendered":"<a href=\"/x\">"}`, want: `{"rendered":"<a href=\"/blog/x\">"}`},
	{name: "attribute root in json", kind: kindJSON, in: `{"rendered":"<a href=\"\/\">"}`, want: `{"rendered":"<a href=\"\/blog\/\">"}`},
	{name: "attribute in a script", kind: kindHTML, in: `<script>x.innerHTML='<a href="/x">';location.href='/y';</script>`, want: `<script>x.innerHTML='<a href="/blog/x">';location.href='/blog/y';</script>`},
	{name: "attribute with hexed quotes", kind: kindHTML, in: `<script>var c="\u003ca href=\u0022/x\u0022\u003e"</script>`, want: `<script>var c="\u003ca href=\u0022/blog/x\u0022\u003e"</script>`},
	{name: "attribute in a script file", kind: kindScript, in: `e.innerHTML='<a class="b" href="/x">';i.href="/y";z=a+"/wp-admin/b"`, want: `e.innerHTML='<a class="b" href="/blog/x">';i.href="/y";z=a+"/wp-admin/b"`},
	{name: "attribute in escaped html in a feed", kind: kindXML, in: `<description>&lt;a href=&quot;/x&quot;&gt;</description>`, want: `<description>&lt;a href=&quot;/blog/x&quot;&gt;</description>`},
	{name: "attribute in twice escaped html", kind: kindXML, in: `&amp;lt;a href=&amp;quot;/x&amp;quot;`, want: `&amp;lt;a href=&amp;quot;/blog/x&amp;quot;`},
	{name: "attribute in cdata", kind: kindXML, in: `<content:encoded><![CDATA[<a href="/x">]]></content:encoded>`, want: `<content:encoded><![CDATA[<a href="/blog/x">]]></content:encoded>`},
	{name: "xml stylesheet", kind: kindXML, in: `<?xml-stylesheet type="text/xsl" href="/wp-sitemap.xsl" ?>`, want: `<?xml-stylesheet type="text/xsl" href="/blog/wp-sitemap.xsl" ?>`},
	{
		name: "attribute in a data attribute", kind: kindHTML, in: `<div data-x="&lt;a href=&quot;/x&quot;&gt;" data-y="{&quot;u&quot;:&quot;\/wp-content\/a&quot;}">`,
		want: `<div data-x="&lt;a href=&quot;/blog/x&quot;&gt;" data-y="{&quot;u&quot;:&quot;\/blog\/wp-content\/a&quot;}">`,
	},
	{
		name: "attribute in JSON in a data attribute", kind: kindHTML,
		in:   `<div data-x="{&quot;h&quot;:&quot;&lt;a href=\&quot;\/x\&quot; title=\&quot;\/x\&quot;&gt;&lt;img srcset=\&quot;\/a 1x, \/b 2x\&quot;&gt;&lt;a href=\&quot; \/y\&quot;&gt;&quot;}" data-y="{&quot;s&quot;:&quot;url(\&quot;\/z\&quot;)&quot;,&quot;h&quot;:&quot;&lt;a href=\\\&quot;/w\\\&quot;&gt;&quot;,&quot;v&quot;:&quot;&lt;a href=\&#039;/v\&#039;&gt;&quot;}">`,
		want: `<div data-x="{&quot;h&quot;:&quot;&lt;a href=\&quot;\/blog\/x\&quot; title=\&quot;\/x\&quot;&gt;&lt;img srcset=\&quot;\/blog\/a 1x, \/blog\/b 2x\&quot;&gt;&lt;a href=\&quot; \/blog\/y\&quot;&gt;&quot;}" data-y="{&quot;s&quot;:&quot;url(\&quot;\/blog\/z\&quot;)&quot;,&quot;h&quot;:&quot;&lt;a href=\\\&quot;/blog/w\\\&quot;&gt;&quot;,&quot;v&quot;:&quot;&lt;a href=\&#039;/blog/v\&#039;&gt;&quot;}">`,
	},
	{
		name: "attribute root in JSON in a data attribute", kind: kindHTML, in: `<div data-x="{&quot;h&quot;:&quot;&lt;a href=\&quot;\/\&quot;&gt;&lt;a href=\&quot;\/\/cdn.example.org\/\&quot;&gt;&lt;a href=\&quot;\/\\&amp;\&quot;&gt;&quot;}">`,
		want: `<div data-x="{&quot;h&quot;:&quot;&lt;a href=\&quot;\/blog\/\&quot;&gt;&lt;a href=\&quot;\/\/cdn.example.org\/\&quot;&gt;&lt;a href=\&quot;\/\\&amp;\&quot;&gt;&quot;}">`,
	},
	{name: "attribute in JSON in a feed", kind: kindXML, in: `{"h":"&lt;a href=\&quot;\/x\&quot;&gt;"}`, want: `{"h":"&lt;a href=\&quot;\/blog\/x\&quot;&gt;"}`},
	{name: "text in JSON in a data attribute", kind: kindHTML, in: `<p>href=\&quot;/x\&quot;</p><textarea>&lt;a href=\&quot;/x\&quot;&gt;</textarea><div data-x="{&quot;h&quot;:&quot;a=\&quot;\/x\&quot; value=\&quot;\/wp-admin\/x\&quot;&quot;}">`},
	{name: "attribute of the other host", kind: kindHTML, in: `<a href="//cdn.example.org/x"><a href="/\cdn.example.org">`},
	{name: "attribute of the other host in json", kind: kindJSON, in: `"<a href=\"\/\/cdn.example.org\/x\">"`},
	{name: "attribute of no URL", kind: kindHTML, in: `<a title="/x" alt='/x' data-path="/x" value="/x">`},
	{name: "comparison", kind: kindHTML, in: `<script>if(a.href=="/x"||a.href!="/x")b.href+="/x"</script>`},
	{name: "attribute as text", kind: kindHTML, in: `<p>Write href="/x" or <code>src='/y'</code>.</p><pre>&lt;a href="/x"&gt;</pre><p>it's > href="/x"`},
	{name: "attribute in a textarea", kind: kindHTML, in: `<textarea name="c"><a href="/x">&lt;a href=&quot;/x&quot;&gt;</textarea><title>href="/x"</title>`},
	{name: "attribute in a comment", kind: kindHTML, in: `<!-- <a href="/x"> --><a href="/y">`, want: `<!-- <a href="/x"> --><a href="/blog/y">`},
	{name: "unquoted", kind: kindHTML, in: `<a class=b href=/x><img src=/y>`, want: `<a class=b href=/blog/x><img src=/blog/y>`},
	{name: "unquoted in json", kind: kindJSON, in: `{"rendered":"<a href=\/x>","t":"set href=\/x"}`, want: `{"rendered":"<a href=\/blog\/x>","t":"set href=\/x"}`},
	{name: "unquoted in a feed", kind: kindXML, in: `<![CDATA[<a href=/x> or href=/x]]>`, want: `<![CDATA[<a href=/blog/x> or href=/x]]>`},
	{name: "unquoted in escaped html in a feed", kind: kindXML, in: `<description>&lt;a class=b href=/x&gt;href=/y&#60;img src=/z&#62; src=/w</description>`, want: `<description>&lt;a class=b href=/blog/x&gt;href=/y&#60;img src=/blog/z&#62; src=/w</description>`},
	{name: "unquoted in a script", kind: kindHTML, in: `<script>x='<a class="a" href=/x>', src =/x/</script>`, want: `<script>x='<a class="a" href=/blog/x>', src =/x/</script>`},
	{
		name: "unquoted behind white space", kind: kindHTML, in: "<a href= /x><img class=b src =/y><link href =\n\t/z><form action = / ><a title= /w><p>href= /v",
		want: "<a href= /blog/x><img class=b src =/blog/y><link href =\n\t/blog/z><form action = /blog/ ><a title= /w><p>href= /v",
	},
	{name: "unquoted behind white space in json", kind: kindJSON, in: `{"r":"<a href= \/x>","t":"href= \/x"}`, want: `{"r":"<a href= \/blog\/x>","t":"href= \/x"}`},
	{name: "regular expression behind a tag", kind: kindHTML, in: `<script>h='<a ';data = /x/;data =/y/;data= /z/</script>`},
	{
		name: "style and refresh unquoted", kind: kindHTML, in: `<div style=background:url(/x)><div style=background:url('/y');color:red><meta http-equiv=refresh content=5;url=/z>`,
		want: `<div style=background:url(/blog/x)><div style=background:url('/blog/y');color:red><meta http-equiv=refresh content=5;url=/blog/z>`,
	},
	{name: "unquoted in a query", kind: kindHTML, in: `<a href="http://h.example/?href=/x&action=/y">`},
	{name: "regular expression", kind: kindHTML, in: `<script>src =/x/;var src=/x/;while(i<n){var src=/x/;a[0]<b; src=/x/}</script>`},
	{name: "self-closing", kind: kindHTML, in: `<br /><img alt="" /><link / >`},

	// srcset.
	{name: "white space before a path", kind: kindHTML, in: `<a href=" /x"><img src='	/y.png'>`, want: `<a href=" /blog/x"><img src='	/blog/y.png'>`},
	{name: "white space before a srcset", kind: kindHTML, in: "<img srcset=\"\n\t/a.png 1x,\n\t/b.png 2x\">", want: "<img srcset=\"\n\t/blog/a.png 1x,\n\t/blog/b.png 2x\">"},
	{name: "white space before a path in json", kind: kindJSON, in: `{"r":"<a href=\" \/x\">"}`, want: `{"r":"<a href=\" \/blog\/x\">"}`},
	{name: "white space before a path in an attribute in entities", kind: kindHTML, in: `<i data-h="&lt;a href=&quot; /x&quot;&gt;">`, want: `<i data-h="&lt;a href=&quot; /blog/x&quot;&gt;">`},
	{name: "white space before what is no URL", kind: kindHTML, in: `<p title=" /x">" /x" and / <script>a = " /wp-admin/x"</script>`},
	{name: "srcset", kind: kindHTML, in: `<img srcset="/a.jpg 300w, /b.jpg 600w,/c.jpg 2x">`, want: `<img srcset="/blog/a.jpg 300w, /blog/b.jpg 600w,/blog/c.jpg 2x">`},
	{name: "srcset without descriptors", kind: kindHTML, in: `<source data-lazy-srcset="/a.jpg, /b.jpg 2x">`, want: `<source data-lazy-srcset="/blog/a.jpg, /blog/b.jpg 2x">`},
	{
		name: "srcset over lines", kind: kindHTML, in: "<img srcset='\n\t/a.jpg 1x,\n                        /b.jpg 2x\n'>",
		want: "<img srcset='\n\t/blog/a.jpg 1x,\n                        /blog/b.jpg 2x\n'>",
	},
	{name: "srcset in json", kind: kindJSON, in: `"<img srcset=\"\/a.jpg 1x, \/b.jpg 2x\">"`, want: `"<img srcset=\"\/blog\/a.jpg 1x, \/blog\/b.jpg 2x\">"`},
	{name: "srcset as a key", kind: kindJSON, in: `{"srcset":"\/a.jpg 1x, \/b.jpg 2x","image_srcset": "/c.jpg 1x","sizes":"/d"}`, want: `{"srcset":"\/blog\/a.jpg 1x, \/blog\/b.jpg 2x","image_srcset": "/blog/c.jpg 1x","sizes":"/d"}`},
	{name: "srcset escaped", kind: kindXML, in: `&lt;img srcset=&quot;/a.jpg 1x, /b.jpg 2x&quot;`, want: `&lt;img srcset=&quot;/blog/a.jpg 1x, /blog/b.jpg 2x&quot;`},
	{name: "comma in text", kind: kindHTML, in: `<p title="a, /b">At 480w, /x and</p><img srcset="a 1x" alt="b 1x, /c 2x">`},
	{name: "srcset with data", kind: kindHTML, in: `<img srcset="data:image/gif;base64,/9j/4AA 1x, /b.jpg 2x">`, want: `<img srcset="data:image/gif;base64,/9j/4AA 1x, /blog/b.jpg 2x">`},

	// CSS.
	{name: "css url", kind: kindCSS, in: `a{b:url(/x);c:url("/y");d:url( '/z' );e:URL(/w)}`, want: `a{b:url(/blog/x);c:url("/blog/y");d:url( '/blog/z' );e:URL(/blog/w)}`},
	{name: "css import", kind: kindCSS, in: `@import "/x.css";@import url(/y.css);`, want: `@import "/blog/x.css";@import url(/blog/y.css);`},
	{name: "css other functions", kind: kindCSS, in: `a{b:myurl(/x);c:calc(/y);d:url(data:image/svg+xml,/x);e:url(//cdn.example.org)}/* "/wp-admin/" */`},
	{name: "style element", kind: kindHTML, in: `<style>a{b:url(/x)}@import '/y';</style>`, want: `<style>a{b:url(/blog/x)}@import '/blog/y';</style>`},
	{name: "style attribute", kind: kindHTML, in: `<div style="background:url(/x)"><div style="background:url(&quot;/y&quot;)">`, want: `<div style="background:url(/blog/x)"><div style="background:url(&quot;/blog/y&quot;)">`},
	{name: "style in json", kind: kindJSON, in: `"<div style=\"background:url(\/x)\">"`, want: `"<div style=\"background:url(\/blog\/x)\">"`},
	{
		name: "css image set", kind: kindCSS, in: `a{b:image-set("/x" 1x,"/y" 2x, '/z' type("image/png"), url(/w));c:-webkit-image-set( "/v" 1x )}d{e:"/u" 1x, "/t"}`,
		want: `a{b:image-set("/blog/x" 1x,"/blog/y" 2x, '/blog/z' type("image/png"), url(/blog/w));c:-webkit-image-set( "/blog/v" 1x )}d{e:"/u" 1x, "/t"}`,
	},
	{
		name: "css image set in a style attribute", kind: kindHTML, in: `<p style="background:image-set('/a' 1x, '/b' 2x)"><p style="background:image-set(&quot;/c&quot; 1x, &#34;/d&#34; 2x);d:'a', '/e'">`,
		want: `<p style="background:image-set('/blog/a' 1x, '/blog/b' 2x)"><p style="background:image-set(&quot;/blog/c&quot; 1x, &#34;/blog/d&#34; 2x);d:'a', '/e'">`,
	},
	{
		name: "css selectors", kind: kindCSS, in: `a[href="/x"],a[href^='/y'],img[ src="/z"],img[data-src = "/w"]{}a[href$="/v"],a[href*="/u"],a[title="/t"],[value="/s"]{}`,
		want: `a[href="/blog/x"],a[href^='/blog/y'],img[ src="/z"],img[data-src = "/blog/w"]{}a[href$="/v"],a[href*="/u"],a[title="/t"],[value="/s"]{}`,
	},
	{
		name: "css selectors in a page", kind: kindHTML, in: `<style>a[href="/x"]{b:"/y"}</style><script>$('a[href^="/z"]');x ^= "/w"</script><p>a[href="/v"]`,
		want: `<style>a[href="/blog/x"]{b:"/y"}</style><script>$('a[href^="/blog/z"]');x ^= "/w"</script><p>a[href="/v"]`,
	},
	{name: "css selectors in a script file", kind: kindScript, in: `$('a[href="/x"]');$("a[href^='/y']");a["href"]="/z"`, want: `$('a[href="/blog/x"]');$("a[href^='/blog/y']");a["href"]="/z"`},
	{name: "url in text", kind: kindHTML, in: `<p>Write url(/x) or @import "/y".</p>`},

	// Head and scripts.
	{name: "refresh", kind: kindHTML, in: `<meta http-equiv=refresh content="5; url=/x"><meta content="0;URL='/y'">`, want: `<meta http-equiv=refresh content="5; url=/blog/x"><meta content="0;URL='/blog/y'">`},
	{name: "url in a query", kind: kindHTML, in: `<a title="?url=/x" data-q="a;url=/x">`},
	{name: "ajaxurl", kind: kindHTML, in: `<script>var ajaxurl = '/wp-admin/admin-ajax.php';</script>`, want: `<script>var ajaxurl = '/blog/wp-admin/admin-ajax.php';</script>`},
	{name: "ajaxurl escaped", kind: kindHTML, in: `<script>var x = {"ajaxurl":"\/wp-admin\/admin-ajax.php","p":["\/wp-includes\/js\/"]};</script>`, want: `<script>var x = {"ajaxurl":"\/blog\/wp-admin\/admin-ajax.php","p":["\/blog\/wp-includes\/js\/"]};</script>`},
	{name: "fetch", kind: kindHTML, in: `<script>fetch('/wp-json/wp/v2/posts');fetch("/wp-login.php");f( "/xmlrpc.php" )</script>`, want: `<script>fetch('/blog/wp-json/wp/v2/posts');fetch("/blog/wp-login.php");f( "/blog/xmlrpc.php" )</script>`},
	{
		name: "template literals", kind: kindHTML, in: "<script>fetch(`/wp-json/wp/v2/posts/${id}`);a={u:`/wp-admin/x`};location.href = `/y/${z}`;b=`/other`;c=m+`/wp-admin/`;d=\\`/wp-json/`</script><p>(`/wp-json/`)<a href=`/x`>",
		want: "<script>fetch(`/blog/wp-json/wp/v2/posts/${id}`);a={u:`/blog/wp-admin/x`};location.href = `/blog/y/${z}`;b=`/other`;c=m+`/wp-admin/`;d=\\`/wp-json/`</script><p>(`/wp-json/`)<a href=`/x`>",
	},
	{
		name: "module imports", kind: kindHTML, in: `<script type="module">import "/a.js";import*as b from '/b.js';export{c}from"/c.js";import("/d.js");import.meta.x("/e.js");xfrom "/f";x={from:"/g"}</script><p>from "/h"`,
		want: `<script type="module">import "/blog/a.js";import*as b from '/blog/b.js';export{c}from"/blog/c.js";import("/blog/d.js");import.meta.x("/e.js");xfrom "/f";x={from:"/g"}</script><p>from "/h"`,
	},
	{name: "module imports in a script file", kind: kindScript, in: `import"/a.js";import{b}from"/b.js";import( '/c.js' );import d from"./d.js";import "//cdn.example.org/e.js"`, want: `import"/blog/a.js";import{b}from"/blog/b.js";import( '/blog/c.js' );import d from"./d.js";import "//cdn.example.org/e.js"`},
	{name: "path in json", kind: kindJSON, in: `{"src":"\/wp-content\/a.png","b":"/wp-includes/x","c":"\/other"}`, want: `{"src":"\/blog\/wp-content\/a.png","b":"/blog/wp-includes/x","c":"\/other"}`},
	{name: "path in a data attribute", kind: kindHTML, in: `<div data-settings='{"u":"\/wp-content\/a"}' data-json="/wp-content/b">`, want: `<div data-settings='{"u":"\/blog\/wp-content\/a"}' data-json="/blog/wp-content/b">`},
	{name: "path in the onclick of a tag", kind: kindHTML, in: `<a onclick="location.href='/x'">`, want: `<a onclick="location.href='/blog/x'">`},
	{name: "path glued to a base", kind: kindHTML, in: `<script>a=m+"/wp-admin/options-general.php";b=c.concat("/wp-json/x")</script>`},
	{name: "path in a script in a feed", kind: kindXML, in: `<![CDATA[<script>a={"u":"/wp-admin/x"}</script>]]>`, want: `<![CDATA[<script>a={"u":"/blog/wp-admin/x"}</script>]]>`},
	{name: "path in a script file", kind: kindScript, in: `a={u:"/wp-admin/x"};fetch("/wp-json/")`},
	{
		name: "unquoted attribute in JSON of a page", kind: kindHTML, in: `<script>x = {"raw":"\u003Ca href=/about/\u003Ein\u003C\/a\u003E a href=/b/ \u003cimg src=/c.png\u003e"};</script>`,
		want: `<script>x = {"raw":"\u003Ca href=/blog/about/\u003Ein\u003C\/a\u003E a href=/b/ \u003cimg src=/blog/c.png\u003e"};</script>`,
	},
	{
		name: "WordPress in a folder of its own", kind: kindHTML, in: `<script>var x = {"ajaxurl":"/wp/wp-admin/admin-ajax.php","p":["\/site-2\/wp-includes\/js\/"],"l":"\/wp\/wp-login.php"};</script>`,
		want: `<script>var x = {"ajaxurl":"/blog/wp/wp-admin/admin-ajax.php","p":["\/blog\/site-2\/wp-includes\/js\/"],"l":"\/blog\/wp\/wp-login.php"};</script>`,
	},
	{
		name: "calls of the shop and of the API by query", kind: kindHTML, in: `<script>var p = {"wc_ajax_url":"\/?wc-ajax=%%endpoint%%","u":"/en/?wc-ajax=x"};fetch('/?rest_route=/wp/v2/posts')</script>`,
		want: `<script>var p = {"wc_ajax_url":"\/blog\/?wc-ajax=%%endpoint%%","u":"/blog/en/?wc-ajax=x"};fetch('/blog/?rest_route=/wp/v2/posts')</script>`,
	},
	{name: "other queries", kind: kindHTML, in: `<script>a=["/?","/?wc-ajax","/?s=","/?xwc-ajax=","/blog/?wc-ajax=x","//?wc-ajax=x",m+"/?wc-ajax=x","/?rest_route"]</script>"/?wc-ajax=x"`},
	{name: "base path before a query", sites: wpSite, kind: kindJSON, in: `{"a":"\/wp\/?wc-ajax=x","b":"\/?wc-ajax=x"}`, want: `{"a":"\/blog\/?wc-ajax=x","b":"\/?wc-ajax=x"}`},
	{name: "no folder of a WordPress", kind: kindHTML, in: `<script>a=["/wp/v2/posts","/wp/wp-foo/","/srv/www/wp-admin/","/blog/wp-admin/","/wp//wp-admin/","/wp"]</script>`},
	{name: "path of no WordPress", kind: kindHTML, in: `<script>a=["/wp-adminx/","/wp-foo/","/xmlrpc","/about/"]</script>`},
	{name: "path as text", kind: kindHTML, in: `<pre>fetch("/wp-json/")</pre><p>(&quot;/wp-admin/&quot;)</p><textarea>a = "/wp-admin/"</textarea>`},
	{name: "referer field", kind: kindHTML, in: `<input type="hidden" name="_wp_http_referer" value="/wp-admin/edit.php" />`},
	{name: "referer in json", kind: kindHTML, in: `<script>x={"_wp_http_referer":"\/wp-admin\/edit.php"}</script>`},
	{name: "user settings", kind: kindHTML, in: `<script>var userSettings = {"url":"\/","uid":"1"};var x={"url":"\/"}</script>`, want: `<script>var userSettings = {"url":"\/blog\/","uid":"1"};var x={"url":"\/"}</script>`},
	{name: "user settings plain", kind: kindHTML, in: `<script>var userSettings = {"url":"/","uid":"1"};</script>`, want: `<script>var userSettings = {"url":"/blog/","uid":"1"};</script>`},
	{name: "customizer preview", kind: kindHTML, in: `<script>var _wpCustomizeSettings = {"url":{"self":"\/2024\/x\/?a=b","allowed":["http:\/\/blog.example.net\/"]},"self":"\/y"}</script>`, want: `<script>var _wpCustomizeSettings = {"url":{"self":"\/blog\/2024\/x\/?a=b","allowed":["https:\/\/example.com\/blog\/"]},"self":"\/y"}</script>`},
	{
		name: "speculation rules", kind: kindHTML, in: `<script type="speculationrules">{"prefetch":[{"source":"document","where":{"and":[{"href_matches":"/*"},{"not":{"href_matches":["/wp-*.php","\/wp-admin\/*","/*\\?(.+)"]}},{"not":{"selector_matches":"a[rel~=\"nofollow\"]"}}]},"eagerness":"conservative"}]}</script><script>a={"b":"/c"}</script>`,
		want: `<script type="speculationrules">{"prefetch":[{"source":"document","where":{"and":[{"href_matches":"/blog/*"},{"not":{"href_matches":["/blog/wp-*.php","\/blog\/wp-admin\/*","/blog/*\\?(.+)"]}},{"not":{"selector_matches":"a[rel~=\"nofollow\"]"}}]},"eagerness":"conservative"}]}</script><script>a={"b":"/c"}</script>`,
	},
	{name: "import map", kind: kindHTML, in: `<script type="importmap">{"imports":{"a":"/x.js","/y/":"/z/"}}</script>`, want: `<script type="importmap">{"imports":{"a":"/blog/x.js","/blog/y/":"/blog/z/"}}</script>`},
	{name: "import map", kind: kindManifest, in: `{"imports":{"/a/":"/b/","x":"./c.js","//d":"//e"},"scopes":{"\/s\/":{"k":"\/v"}}}`, want: `{"imports":{"/blog/a/":"/blog/b/","x":"./c.js","//d":"//e"},"scopes":{"\/blog\/s\/":{"k":"\/blog\/v"}}}`},
	{name: "manifest", kind: kindManifest, in: `{"start_url":"/","scope":"\/","icons":[{"src":"/i.png"}],"x":"a/b"}`, want: `{"start_url":"/blog/","scope":"\/blog\/","icons":[{"src":"/blog/i.png"}],"x":"a/b"}`},
	{name: "plain text", kind: kindText, in: "Disallow: /wp-admin/\nSitemap: http://blog.example.net/wp-sitemap.xml\n", want: "Disallow: /wp-admin/\nSitemap: https://example.com/blog/wp-sitemap.xml\n"},

	// What visitors send, mapped back.
	{
		name: "back", kind: kindJSON, sites: back, to: toSite, in: `{"content":"<a href=\"https://example.com/blog/a\">https:\/\/example.com\/blog\/b https://example.com/blog"}`,
		want: `{"content":"<a href=\"http://blog.example.net/a\">http:\/\/blog.example.net\/b http://blog.example.net"}`,
	},
	{
		name: "back root-relative", kind: kindJSON, sites: back, to: toSite, in: `{"content":"<a href=\"/blog/x\"><a href=\"\/blog\"><a href=\"/x\"><a href=\"/blogger\"><a href=\"/blog//x.example\">"}`,
		want: `{"content":"<a href=\"/x\"><a href=\"\/\"><a href=\"/x\"><a href=\"/blogger\"><a href=\"/blog//x.example\">"}`,
	},
	{name: "back root-relative, quoted in JSON", kind: kindJSON, sites: back, to: toSite, in: `&lt;a href=\&quot;\/blog\/\&quot;&gt; &lt;a href=\&quot;\/blog\&quot;&gt; &lt;a href=\&quot;\/blog\/\/x.example\&quot;&gt;`, want: `&lt;a href=\&quot;\/\&quot;&gt; &lt;a href=\&quot;\/\&quot;&gt; &lt;a href=\&quot;\/blog\/\/x.example\&quot;&gt;`},
	{name: "back outside", kind: kindJSON, sites: back, to: toSite, in: `https://example.com/ https://example.com/blogger https://example.com/blog.html https://example.com/blog-2 https://example.com`},
	{name: "back at the end of a sentence", kind: kindJSON, sites: back, to: toSite, in: `At https://example.com/blog. Or https://example.com/blog, or`, want: `At http://blog.example.net. Or http://blog.example.net, or`},
	{
		name: "back before a mark", kind: kindJSON, sites: back, to: toSite, in: `<a href='https://example.com/blog'>https://example.com/blog,https://example.com/blog; https://example.com/blog!`,
		want: `<a href='http://blog.example.net'>http://blog.example.net,http://blog.example.net; http://blog.example.net!`,
	},
	{name: "back in percent", sites: back, to: toSite, in: `url=https%3A%2F%2Fexample.com%2Fblog%2Fa%2F&x=https%3A%2F%2Fexample.com%2Fblogger`, want: `url=http%3A%2F%2Fblog.example.net%2Fa%2F&x=https%3A%2F%2Fexample.com%2Fblogger`},
	{name: "back a query of the shop", kind: kindJSON, sites: back, to: toSite, in: `{"a":"\/blog\/?wc-ajax=x","b":"\/?wc-ajax=x"}`, want: `{"a":"\/?wc-ajax=x","b":"\/?wc-ajax=x"}`},
	{name: "back in JSON in percent", sites: back, to: toSite, in: `j=%22https%3A%5C%2F%5C%2Fexample.com%5C%2Fblog%5C%2Fa%22%2C%22https%3A%5C%2F%5C%2Fexample.com%5C%2Fblogger%22`, want: `j=%22http%3A%5C%2F%5C%2Fblog.example.net%5C%2Fa%22%2C%22https%3A%5C%2F%5C%2Fexample.com%5C%2Fblogger%22`},
	{name: "back to a base path", kind: kindJSON, sites: back, to: toWP, in: `"https://example.com/blog/a" href=\"/blog/b\" href=\"/blog\"`, want: `"http://blog.example.net/wp/a" href=\"/wp/b\" href=\"/wp\"`},
}
