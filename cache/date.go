package cache

import (
	"strings"
	"time"
)

// ParseDate parses an HTTP-date (RFC 9110 section 5.6.7) in its three forms:
//
//	Sun, 06 Nov 1994 08:49:37 GMT    IMF-fixdate
//	Sunday, 06-Nov-94 08:49:37 GMT   rfc850-date
//	Sun Nov  6 08:49:37 1994         asctime-date
//
// Names of days, months and GMT are read in any letter case, as recipients of
// old software learn to, and the name of the day need not be the right one.
// Nothing else is forgiven: no other time zone, no missing or doubled
// separator, no short number. The time now resolves the two-digit year: a date
// more than 50 years ahead is the last one past.
func ParseDate(s string, now time.Time) (time.Time, bool) {
	s = trimOWS(s)
	switch comma := strings.IndexByte(s, ','); {
	case comma == 3:
		return parseIMFFixdate(s)
	case comma > 0:
		return parseRFC850Date(s, comma, now)
	}
	return parseASCTimeDate(s)
}

func parseIMFFixdate(s string) (time.Time, bool) {
	const layout = "Sun, 06 Nov 1994 08:49:37 GMT"
	if len(s) != len(layout) || !isDayName(s[:3], 3) || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' || !isGMT(s[25:]) {
		return time.Time{}, false
	}
	year, ok := parseDigits(s[12:16])
	if !ok {
		return time.Time{}, false
	}
	return makeDate(year, s[8:11], s[5:7], s[17:25])
}

func parseRFC850Date(s string, comma int, now time.Time) (time.Time, bool) {
	const tail = ", 06-Nov-94 08:49:37 GMT"
	day, t := s[:comma], s[comma:]
	if len(t) != len(tail) || !isDayName(day, len(day)) || t[1] != ' ' || t[4] != '-' || t[8] != '-' || t[11] != ' ' || !isGMT(t[20:]) {
		return time.Time{}, false
	}
	year, ok := parseDigits(t[9:11])
	if !ok {
		return time.Time{}, false
	}
	now = now.UTC()
	year += now.Year() / 100 * 100
	date, ok := makeDate(year, t[5:8], t[2:4], t[12:20])
	switch {
	case !ok:
		return time.Time{}, false
	case date.After(now.AddDate(50, 0, 0)):
		year -= 100
	case !date.After(now.AddDate(-50, 0, 0)):
		year += 100
	}
	return makeDate(year, t[5:8], t[2:4], t[12:20])
}

func parseASCTimeDate(s string) (time.Time, bool) {
	const layout = "Sun Nov  6 08:49:37 1994"
	if len(s) != len(layout) || !isDayName(s[:3], 3) || s[3] != ' ' || s[7] != ' ' || s[10] != ' ' || s[19] != ' ' {
		return time.Time{}, false
	}
	year, ok := parseDigits(s[20:])
	if !ok {
		return time.Time{}, false
	}
	day := s[8:10]
	if day[0] == ' ' {
		day = "0" + day[1:]
	}
	return makeDate(year, s[4:7], day, s[11:19])
}

// makeDate checks and joins the parts; clock is hh:mm:ss.
func makeDate(year int, month, day, clock string) (time.Time, bool) {
	m := monthNumber(month)
	d, okDay := parseDigits(day)
	hour, okHour := parseDigits(clock[0:2])
	minute, okMinute := parseDigits(clock[3:5])
	second, okSecond := parseDigits(clock[6:8])
	if m == 0 || !okDay || !okHour || !okMinute || !okSecond || clock[2] != ':' || clock[5] != ':' ||
		hour > 23 || minute > 59 || second > 60 { // 60 is a leap second
		return time.Time{}, false
	}
	t := time.Date(year, m, d, hour, minute, second, 0, time.UTC)
	// time.Date carries 31 April into May; such a day does not exist.
	if first := time.Date(year, m, d, 0, 0, 0, 0, time.UTC); first.Day() != d || first.Month() != m {
		return time.Time{}, false
	}
	return t, true
}

func parseDigits(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

func isGMT(s string) bool { return len(s) == 4 && s[0] == ' ' && strings.EqualFold(s[1:], "GMT") }

// isDayName reports whether s is the first n letters of a day's name.
func isDayName(s string, n int) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := d.String()
		if n == 3 {
			name = name[:3]
		}
		if strings.EqualFold(s, name) {
			return true
		}
	}
	return false
}

func monthNumber(s string) time.Month {
	for m := time.January; m <= time.December; m++ {
		if strings.EqualFold(s, m.String()[:3]) {
			return m
		}
	}
	return 0
}
