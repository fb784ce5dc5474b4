package cache

import (
	"net/http"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	const invalid = ""
	for name, test := range map[string]struct{ value, want string }{
		"freshness-expires-32bit":                   {"Tue, 19 Jan 2038 14:14:08 GMT", "2038-01-19T14:14:08Z"},
		"freshness-expires-far-future":              {"Sun, 21 Nov 2286 04:46:39 GMT", "2286-11-21T04:46:39Z"},
		"freshness-expires-rfc850":                  {"Thursday, 18-Aug-50 02:01:18 GMT", "2050-08-18T02:01:18Z"},
		"freshness-expires-ansi-c":                  {"Thu Aug  8 02:01:18 2050", "2050-08-08T02:01:18Z"},
		"freshness-expires-wrong-case-weekday":      {"THU, 18 Aug 2050 02:01:18 GMT", "2050-08-18T02:01:18Z"},
		"freshness-expires-wrong-case-month":        {"Thu, 18 AUG 2050 02:01:18 GMT", "2050-08-18T02:01:18Z"},
		"freshness-expires-wrong-case-tz":           {"Thu, 18 Aug 2050 02:01:18 gMT", "2050-08-18T02:01:18Z"},
		"freshness-expires-invalid-utc":             {"Thu, 18 Aug 2050 02:01:18 UTC", invalid},
		"freshness-expires-invalid-aest":            {"Thu, 18 Aug 2050 02:01:18 AEST", invalid},
		"freshness-expires-invalid-2-digit-year":    {"Thu, 18 Aug 50 02:01:18 GMT", invalid},
		"freshness-expires-invalid-no-comma":        {"Thu 18 Aug 2050 02:01:18 GMT", invalid},
		"freshness-expires-invalid-multiple-spaces": {"Thu, 18  Aug  2050 02:01:18 GMT", invalid},
		"freshness-expires-invalid-date-dashes":     {"Thu, 18-Aug-2050 02:01:18 GMT", invalid},
		"freshness-expires-invalid-time-periods":    {"Thu, 18 Aug 2050 02.01.18 GMT", invalid},
		"freshness-expires-invalid-1-digit-hour":    {"Thu, 18 Aug 2050 2:01:18 GMT", invalid},
		"freshness-expires-invalid":                 {"0", invalid},

		"asctime with two digits":         {"Thu Aug 18 02:01:18 2050", "2050-08-18T02:01:18Z"},
		"asctime with a zero":             {"Thu Aug 08 02:01:18 2050", "2050-08-08T02:01:18Z"},
		"asctime with one space":          {"Thu Aug 8 02:01:18 2050", invalid},
		"asctime with a zone":             {"Thu Aug  8 02:01:18 GMT 2050", invalid},
		"rfc850 more than 50 years ahead": {"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
		"rfc850 50 years ahead":           {"Saturday, 21-Nov-76 12:00:00 GMT", "2076-11-21T12:00:00Z"},
		"rfc850 with a short day":         {"Thu, 18-Aug-50 02:01:18 GMT", invalid},
		"rfc850 with four digits":         {"Thursday, 18-Aug-2050 02:01:18 GMT", invalid},
		"white space around":              {" Thu, 18 Aug 2050 02:01:18 GMT\t", "2050-08-18T02:01:18Z"},
		"leap second":                     {"Sat, 31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00Z"},
		"leap day":                        {"Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00Z"},
		"no leap day":                     {"Sun, 29 Feb 2026 00:00:00 GMT", invalid},
		"no such day":                     {"Thu, 31 Apr 2050 00:00:00 GMT", invalid},
		"day 0":                           {"Thu, 00 Apr 2050 00:00:00 GMT", invalid},
		"hour 24":                         {"Thu, 18 Aug 2050 24:00:00 GMT", invalid},
		"minute 60":                       {"Thu, 18 Aug 2050 00:60:00 GMT", invalid},
		"no month":                        {"Thu, 18 Foo 2050 00:00:00 GMT", invalid},
		"no day name":                     {"Foo, 18 Aug 2050 00:00:00 GMT", invalid},
		"signed year":                     {"Thu, 18 Aug +050 00:00:00 GMT", invalid},
		"offset":                          {"Thu, 18 Aug 2050 02:01:18 +0000", invalid},
		"empty":                           {"", invalid},
		"foo":                             {"foo", invalid},
	} {
		t.Run(name, func(t *testing.T) {
			date, ok := ParseDate(test.value, testNow)
			got := invalid
			if ok {
				got = date.Format(time.RFC3339)
			}
			if got != test.want {
				t.Errorf("%q = %q, want %q", test.value, got, test.want)
			}
		})
	}
}

func TestTwoDigitYearsAcrossACentury(t *testing.T) {
	for _, test := range []struct {
		now  int
		yy   string
		want int
	}{{2099, "01", 2101}, {2099, "60", 2060}, {2026, "76", 2076}, {2026, "77", 1977}, {2001, "99", 1999}, {2001, "51", 2051}} {
		now := time.Date(test.now, time.December, 31, 0, 0, 0, 0, time.UTC)
		date, ok := ParseDate("Monday, 01-Jan-"+test.yy+" 00:00:00 GMT", now)
		if !ok || date.Year() != test.want {
			t.Errorf("%s in %d = %v, %v; want %d", test.yy, test.now, date, ok, test.want)
		}
	}
}

// FuzzDate: what is accepted is the date that net/http accepts, if it does, and
// survives being written in the preferred form.
func FuzzDate(f *testing.F) {
	f.Add("Sun, 06 Nov 1994 08:49:37 GMT")
	f.Add("Sunday, 06-Nov-94 08:49:37 GMT")
	f.Add("Sun Nov  6 08:49:37 1994")
	f.Fuzz(func(t *testing.T, s string) {
		date, ok := ParseDate(s, testNow)
		if !ok {
			return
		}
		again, ok := ParseDate(date.Format(http.TimeFormat), testNow)
		if date.Year() <= 9999 && (!ok || !again.Equal(date)) {
			t.Fatalf("%q = %v, written again %v, %v", s, date, again, ok)
		}
		if std, err := http.ParseTime(trimOWS(s)); err == nil && (std.Year()-date.Year())%100 != 0 {
			t.Fatalf("%q = %v, net/http reads %v", s, date, std)
		}
	})
}
