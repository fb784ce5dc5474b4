package cache

import (
	"net/http"
	"testing"
)

func TestBypass(t *testing.T) {
	rules := NewBypassRules([]string{"/Members/*", "*.pdf", "/x-*-y"}, true)
	for name, test := range map[string]struct {
		path, query string
		header      http.Header
		want        Reason
	}{
		"a page":                   {"/2024/01/hello/", "", nil, ReasonStored},
		"a page with a query":      {"/", "page=2&utm_source=x", nil, ReasonStored},
		"admin":                    {"/wp-admin/", "", nil, ReasonPath},
		"admin without slash":      {"/wp-admin", "", nil, ReasonPath},
		"admin in capitals":        {"/WP-Admin/index.php", "", nil, ReasonPath},
		"not admin":                {"/wp-administration/", "", nil, ReasonStored},
		"admin of a network site":  {"/site2/wp-admin/", "", nil, ReasonPath},
		"repeated slashes":         {"//wp-admin//x", "", nil, ReasonPath},
		"dot segments":             {"/a/../wp-login.php", "", nil, ReasonPath},
		"a clean directory":        {"/a//cart/../b/", "", nil, ReasonStored},
		"not exempt by climbing":   {"/wp-admin/css/../post.php", "", nil, ReasonPath},
		"not exempt by argument":   {"/wp-admin/post.php/wp-admin/css/a.css", "", nil, ReasonPath},
		"exempt at any depth":      {"/site2/wp-admin/css/a.css", "", nil, ReasonStored},
		"ajax":                     {"/wp-admin/admin-ajax.php", "", nil, ReasonPath},
		"load-scripts":             {"/wp-admin/load-scripts.php", "load=a", nil, ReasonStored},
		"load-styles":              {"/wp-admin/load-styles.php", "", nil, ReasonStored},
		"login":                    {"/wp-login.php", "", nil, ReasonPath},
		"login with a path":        {"/wp-login.php/x.css", "", nil, ReasonPath},
		"cron":                     {"/wp-cron.php", "", nil, ReasonPath},
		"xmlrpc":                   {"/xmlrpc.php", "", nil, ReasonPath},
		"cart":                     {"/cart/", "", nil, ReasonPath},
		"checkout step":            {"/checkout/order-received/5/", "", nil, ReasonPath},
		"a post about carts":       {"/cart-review/", "", nil, ReasonStored},
		"rest":                     {"/wp-json/wp/v2/posts", "", nil, ReasonStored},
		"rest with a nonce":        {"/wp-json/wp/v2/posts", "", header("X-WP-Nonce", "x"), ReasonNonce},
		"rest with a nonce in URL": {"/wp-json/wp/v2/posts", "_wpnonce=x", nil, ReasonQuery},
		"rest of the store":        {"/wp-json/wc/store/v1/cart", "", nil, ReasonPath},
		"cart token":               {"/wp-json/x", "", header("Cart-Token", "x"), ReasonNonce},
		"rest_route":               {"/", "rest_route=/wp/v2/posts", nil, ReasonQuery},
		"preview":                  {"/", "p=5&preview=true", nil, ReasonQuery},
		"add-to-cart":              {"/", "a&add-to-cart=5", nil, ReasonQuery},
		"search":                   {"/", "s=x", nil, ReasonQuery},
		"an escaped name":          {"/", "%70review=true", nil, ReasonQuery},
		"an array":                 {"/", "preview[]=true", nil, ReasonQuery},
		"a leading space":          {"/", "+preview=true", nil, ReasonQuery},
		"a name like it":           {"/", "previews=true&xs=1", nil, ReasonStored},
		"in a value":               {"/", "a=preview=true", nil, ReasonStored},
		"method override":          {"/", "", header("X-HTTP-Method-Override", "DELETE"), ReasonMethodOverride},
		"method override in URL":   {"/", "_method=DELETE", nil, ReasonMethodOverride},
		"method override escaped":  {"/", "%5fmethod=DELETE", nil, ReasonMethodOverride},
		"the operator's prefix":    {"/members/a", "", nil, ReasonPath},
		"the operator's suffix":    {"/a/b.PDF", "", nil, ReasonPath},
		"the operator's glob":      {"/x-5-y", "", nil, ReasonPath},
		"broken escapes":           {"/", "%zz=%&%7=&%", nil, ReasonStored},
	} {
		t.Run(name, func(t *testing.T) {
			h := test.header
			if h == nil {
				h = http.Header{}
			}
			if got := rules.Reason(test.path, test.query, h); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestBypassWithoutWordPress(t *testing.T) {
	rules := NewBypassRules([]string{"*"}, false)
	if got := rules.Reason("/anything", "", http.Header{}); got != ReasonPath {
		t.Errorf("everything: %v", got)
	}
	rules = NewBypassRules(nil, false)
	for _, path := range []string{"/wp-admin/", "/cart/"} {
		if got := rules.Reason(path, "preview=true", header("X-WP-Nonce", "x")); got != ReasonStored {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := rules.Reason("/", "_method=PUT", http.Header{}); got != ReasonMethodOverride {
		t.Errorf("a method override: %v", got)
	}
}

func TestPathPattern(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"/a", "/a", true},
		{"/a", "/a/", false},
		{"/a/*", "/a/", true},
		{"/a*", "/ab", true},
		{"*/b", "/a/b", true},
		{"*b*", "/abc", true},
		{"*", "/", true},
		{"**", "/", true},
		{"/a/*/c", "/a/b/c", true},
		{"/a/*/c", "/a/b/b/c", false},
		{"/[", "/[", false},
	} {
		if got := matchAny(newPathPatterns([]string{test.pattern}), test.path); got != test.want {
			t.Errorf("%q on %q = %v", test.pattern, test.path, got)
		}
	}
}

func TestDropQuery(t *testing.T) {
	d := NewDropQuery(append(DefaultDropQuery(), "x[]"))
	for name, test := range map[string]struct{ query, want string }{
		"none":                      {"a=1&b=2", "a=1&b=2"},
		"empty":                     {"", ""},
		"only":                      {"utm_source=x", ""},
		"first":                     {"fbclid=x&a=1", "a=1"},
		"last":                      {"a=1&gclid=x", "a=1"},
		"all":                       {"utm_source=x&utm_medium=y", ""},
		"without value":             {"gclid&a", "a"},
		"bytes are kept":            {"b=%7e&&utm_id=1&a=+%2f&", "b=%7e&&a=+%2f&"},
		"an empty segment first":    {"&utm_id=1&a", "&a"},
		"in a value":                {"a=utm_source=x", "a=utm_source=x"},
		"an escaped name stays":     {"%75tm_source=x", "%75tm_source=x"},
		"a semicolon hides nothing": {"utm_source=x;a=1", "utm_source=x;a=1"},
		"another letter case":       {"UTM_source=x", "UTM_source=x"},
		"an array":                  {"utm_x[]=1&x[]=2&a", "a"},
		"no name":                   {"=x&a", "=x&a"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := d.Apply(test.query); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	if n := testing.AllocsPerRun(100, func() { d.Apply("page=2&order=asc") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for _, test := range []struct{ location, query, want string }{
		{"/blog/x/", "utm_source=a", "/blog/x/?utm_source=a"},
		{"/blog/x/", "b=1&utm_source=a&gclid=%20&c", "/blog/x/?utm_source=a&gclid=%20"},
		{"https://example.com/x?b=1#more", "b=1&utm_source=a", "https://example.com/x?b=1&utm_source=a#more"},
		{"/x?", "utm_source=a", "/x?utm_source=a"},
		{"/x?b&", "utm_source=a", "/x?b&utm_source=a"},
		{"/x?utm_source=own", "utm_source=a&utm_term=b", "/x?utm_source=own&utm_term=b"},
		{"/x?utm_source=own#f", "utm_source=a", "/x?utm_source=own#f"},
		{"#f", "utm_source=a", "?utm_source=a#f"},
		{"/x", "b=1", "/x"},
	} {
		if got := d.Carry(test.location, test.query); got != test.want {
			t.Errorf("%s carries %s to %s, want %s", test.location, test.query, got, test.want)
		}
	}
	var none *DropQuery
	if none.Apply("utm_source=x") != "utm_source=x" || (&DropQuery{}).Apply("utm_source=x") != "utm_source=x" {
		t.Error("the zero value drops")
	}
}
