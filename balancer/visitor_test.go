package balancer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestVisitor(t *testing.T) {
	const secret, older = "0123456789abcdef", "fedcba9876543210"
	id := strings.Repeat("A", tokenLength)
	signed := signer{"test", []string{secret}}.encode(id)
	old := signer{"test", []string{older}}.encode(id)
	other := signer{"other", []string{secret}}.encode(id)
	flipped := signed[:len(signed)-2] + "xA"
	byCookie := SplitConfig{Secrets: []string{secret, older}}
	tests := []struct {
		name     string
		config   SplitConfig
		cookies  []string
		field    string
		client   string
		id       string // "" for a new one
		by       Recognition
		remember bool
	}{
		{"new", byCookie, nil, "", "", "", RecognizedNot, true},
		{"known", byCookie, []string{signed}, "", "", id, RecognizedCookie, false},
		{"known by an older secret", byCookie, []string{old}, "", "", id, RecognizedCookie, true},
		{"forged", byCookie, []string{flipped}, "", "", "", RecognizedInvalid, true},
		{"of another split", byCookie, []string{other}, "", "", "", RecognizedInvalid, true},
		{"not signed", byCookie, []string{id}, "", "", "", RecognizedInvalid, true},
		{"garbage before the right one", byCookie, []string{"x", signed}, "", "", id, RecognizedCookie, false},
		{"garbage without end", byCookie, []string{"1", "2", "3", "4", signed}, "", "", "", RecognizedInvalid, true},
		{"plain", SplitConfig{}, []string{id}, "", "", id, RecognizedCookie, false},
		{"plain but signed", SplitConfig{}, []string{signed}, "", "", "", RecognizedInvalid, true},
		{"plain garbage", SplitConfig{}, []string{"../../etc"}, "", "", "", RecognizedInvalid, true},
		{"address", SplitConfig{By: ByIP}, nil, "", "192.0.2.1:4711", "i192.0.2.1", RecognizedIP, false},
		{"mapped address", SplitConfig{By: ByIP}, nil, "", "::ffff:192.0.2.1", "i192.0.2.1", RecognizedIP, false},
		{"network of IPv6", SplitConfig{By: ByIP}, nil, "", "[2001:db8:1:2:3:4:5:6]:80", "i2001:db8:1:2::", RecognizedIP, false},
		{"zone", SplitConfig{By: ByIP}, nil, "", "fe80::1%eth0", "ife80::", RecognizedIP, false},
		{"no address", SplitConfig{By: ByIP}, nil, "", "@", "i@", RecognizedIP, false},
		{"field", SplitConfig{By: ByHeader, Field: "X-User"}, nil, " eve ", "192.0.2.1", "heve", RecognizedHeader, false},
		{"field absent", SplitConfig{By: ByHeader, Field: "X-User"}, nil, "", "192.0.2.1", "i192.0.2.1", RecognizedIP, false},
		{"field too long", SplitConfig{By: ByHeader, Field: "X-User"}, nil, strings.Repeat("x", 9999), "", "h" + strings.Repeat("x", maxVisitorID), RecognizedHeader, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSplit(t, tt.config)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			for _, c := range tt.cookies {
				r.Header.Add("Cookie", "mount_split_test="+c)
			}
			if tt.field != "" {
				r.Header.Set("X-User", tt.field)
			}
			v := s.Visitor(r, tt.client)
			if v.By != tt.by || v.Remember != tt.remember || tt.id != "" && v.ID != tt.id {
				t.Errorf("visitor %+v (%s), want %q, %s, remember %v", v, v.By, tt.id, tt.by, tt.remember)
			}
			if tt.id == "" && (!isToken(v.ID) || v.ID == id) {
				t.Errorf("the new id is %q", v.ID)
			}
		})
	}
}

// TestCookieComesBack gives a visitor the cookie and sees him again: with a new
// configuration of the same secret, as after a restart.
func TestCookieComesBack(t *testing.T) {
	for _, secrets := range [][]string{nil, {"0123456789abcdef"}} {
		c := SplitConfig{Secrets: secrets}
		first := newTestSplit(t, c)
		visitor := first.Visitor(httptest.NewRequest(http.MethodGet, "/", nil), "")
		cookie := first.Cookie(visitor, "/blog/", true)
		if !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/blog/" || cookie.MaxAge != int(defaultCookieAge/time.Second) || cookie.SameSite != http.SameSiteLaxMode {
			t.Errorf("cookie %s", cookie)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(cookie)
		again := newTestSplit(t, c).Visitor(r, "")
		if again.ID != visitor.ID || again.Remember {
			t.Errorf("recognized as %+v, was %+v", again, visitor)
		}
	}
	if c := newTestSplit(t, SplitConfig{By: ByIP}).Cookie(Visitor{}, "/", true); c != nil {
		t.Errorf("a split by address sets %s", c)
	}
}

// FuzzDecode reads any cookie value: only what encode has made is an id, and no
// two values are the same id.
func FuzzDecode(f *testing.F) {
	f.Add("")
	f.Add(".")
	f.Add(strings.Repeat("A", tokenLength))
	f.Add(strings.Repeat("A", tokenLength) + "." + strings.Repeat("A", tokenLength))
	f.Add(strings.Repeat("A", tokenLength-1) + "B")
	plain, signed := signer{name: "fuzz"}, signer{"fuzz", []string{"0123456789abcdef"}}
	f.Fuzz(func(t *testing.T, value string) {
		if id, is := plain.decode(value); is == genuine && plain.encode(id) != value {
			t.Errorf("%q decodes to %q, which encodes to %q", value, id, plain.encode(id))
		}
		if id, is := signed.decode(value); is == genuine && signed.encode(id) != value {
			t.Errorf("%q decodes to %q, which encodes to %q", value, id, signed.encode(id))
		}
		if id, is := signed.decode(signed.encode(newID())); is != genuine || id == "" {
			t.Error("an id does not survive")
		}
	})
}

func BenchmarkVisitor(b *testing.B) {
	s := newTestSplit(b, SplitConfig{Secrets: []string{"0123456789abcdef"}})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(s.Cookie(Visitor{ID: newID()}, "/", true))
	b.ReportAllocs()
	for b.Loop() {
		s.Visitor(r, "")
	}
}
