package cache

import (
	"net/http"
	"strings"
	"testing"
)

// wordpressCookie takes WordPress's own names for the site's.
func wordpressCookie(name string) bool {
	return strings.HasPrefix(name, "wordpress_logged_in_") || strings.HasPrefix(name, "wp-postpass_") || name == "PHPSESSID"
}

func TestSiteCookie(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"none":                {nil, ""},
		"main and harmless":   {[]string{"session=1; _ga=2"}, ""},
		"first of two":        {[]string{"a=1; PHPSESSID=x; wp-postpass_y=1"}, "PHPSESSID"},
		"on a second line":    {[]string{"a=1", "wp-postpass_y=1"}, "wp-postpass_y"},
		"spaces":              {[]string{" ;\t PHPSESSID = x"}, "PHPSESSID"},
		"quotes mean nothing": {[]string{`a="b; PHPSESSID=x"`}, "PHPSESSID"},
		"a value, no name":    {[]string{"PHPSESSID; =PHPSESSID"}, ""},
		"in a value":          {[]string{"a=PHPSESSID=x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, r := &Cache{Options: Options{SiteCookie: wordpressCookie}}, &http.Request{Header: http.Header{"Cookie": test.lines}}
			got, ok := c.siteCookie(r)
			if got != test.want || ok != (test.want != "") {
				t.Errorf("%q, %v", got, ok)
			}
			c.SiteCookie = nil
			if _, ok := c.siteCookie(r); ok != (test.lines != nil) {
				t.Errorf("without rules: %v", ok)
			}
		})
	}
}

// TestNamelessCookie: what reaches the site without a name is asked about by the
// empty one, and an empty pair is none.
func TestNamelessCookie(t *testing.T) {
	asked := 0
	c := &Cache{Options: Options{SiteCookie: func(name string) bool { asked++; return name == "" }}}
	for line, want := range map[string]bool{";; ; =": false, "value": true, "=value": true, "a=": false} {
		if _, ok := c.siteCookie(&http.Request{Header: http.Header{"Cookie": {line}}}); ok != want {
			t.Errorf("%q: %v", line, ok)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

func TestDefaultListsAreCopies(t *testing.T) {
	for name, list := range map[string]func() []string{
		"paths": DefaultBypassPaths, "queries": DefaultBypassQueries, "dropped": DefaultDropQuery,
	} {
		a := list()
		if len(a) == 0 {
			t.Errorf("%s: empty", name)
			continue
		}
		a[0] = "changed"
		if list()[0] == "changed" {
			t.Errorf("%s: a caller can change the default", name)
		}
	}
}
