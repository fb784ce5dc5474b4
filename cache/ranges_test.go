package cache

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestRanges(t *testing.T) {
	const size = 11
	for name, test := range map[string]struct {
		value  string
		want   []ByteRange
		answer RangeAnswer
	}{
		"partial-store-complete-reuse-partial":         {"bytes=0-1", []ByteRange{{0, 2}}, RangePartial},
		"partial-store-complete-reuse-partial-no-last": {"bytes=1-", []ByteRange{{1, 10}}, RangePartial},
		"partial-store-complete-reuse-partial-suffix":  {"bytes=-1", []ByteRange{{10, 1}}, RangePartial},
		"unit in another case":                         {"BYTES=0-1", []ByteRange{{0, 2}}, RangePartial},
		"longer than the content":                      {"bytes=5-99", []ByteRange{{5, 6}}, RangePartial},
		"suffix longer than the content":               {"bytes=-99", []ByteRange{{0, 11}}, RangePartial},
		"overflow":                                     {"bytes=0-99999999999999999999", []ByteRange{{0, 11}}, RangePartial},
		"overflowing suffix":                           {"bytes=-99999999999999999999", []ByteRange{{0, 11}}, RangePartial},
		"overflowing start":                            {"bytes=99999999999999999999-", nil, RangeUnsatisfiable},
		"both overflow":                                {"bytes=9223372036854775807-9223372036854775807", nil, RangeUnsatisfiable},
		"several":                                      {"bytes=0-1, 4-5 ,-1", []ByteRange{{0, 2}, {4, 2}, {10, 1}}, RangePartial},
		"in the order asked":                           {"bytes=4-5,0-1", []ByteRange{{4, 2}, {0, 2}}, RangePartial},
		"adjacent":                                     {"bytes=0-1,2-3", []ByteRange{{0, 2}, {2, 2}}, RangePartial},
		"overlapping":                                  {"bytes=0-5,3-8", nil, RangeWhole},
		"one satisfiable":                              {"bytes=99-,0-0", []ByteRange{{0, 1}}, RangePartial},
		"none satisfiable":                             {"bytes=11-,99-100", nil, RangeUnsatisfiable},
		"empty suffix":                                 {"bytes=-0", nil, RangeUnsatisfiable},
		"too many":                                     {"bytes=" + strings.Repeat("0-0,", maxRanges+1), nil, RangeWhole},
		"ends before it begins":                        {"bytes=5-4", nil, RangeWhole},
		"another unit":                                 {"items=0-1", nil, RangeWhole},
		"no unit":                                      {"0-1", nil, RangeWhole},
		"nothing":                                      {"bytes=", nil, RangeWhole},
		"lone dash":                                    {"bytes=-", nil, RangeWhole},
		"signs":                                        {"bytes=+0-1", nil, RangeWhole},
		"space inside":                                 {"bytes=0 -1", nil, RangeWhole},
		"hex":                                          {"bytes=0x0-0x1", nil, RangeWhole},
		"too long":                                     {"bytes=0-" + strings.Repeat("0", maxRangeBytes), nil, RangeWhole},
	} {
		t.Run(name, func(t *testing.T) {
			got, answer := ResolveRanges(ParseRange(header("Range", test.value)), size)
			if diff := cmp.Diff(test.want, got); diff != "" || answer != test.answer {
				t.Errorf("%d, want %d\n%s", answer, test.answer, diff)
			}
		})
	}
	if ParseRange(header("Range", "bytes=0-1", "Range", "bytes=2-3")) != nil {
		t.Error("two Range lines are obeyed")
	}
	if _, answer := ResolveRanges(ParseRange(header("Range", "bytes=0-")), 0); answer != RangeUnsatisfiable {
		t.Errorf("a range of nothing: %d", answer)
	}
	if _, answer := ResolveRanges(ParseRange(header("Range", "bytes=0-")), -1); answer != RangeWhole {
		t.Errorf("a range of unknown length: %d", answer)
	}
	if got := (ByteRange{5, 6}).ContentRange(11); got != "bytes 5-10/11" {
		t.Error(got)
	}
	if got := UnsatisfiedRange(11); got != "bytes */11" {
		t.Error(got)
	}
}

func TestRangeApplies(t *testing.T) {
	h := header("Range", "bytes=0-")
	if !RangeApplies("GET", 200, h) || RangeApplies("HEAD", 200, h) || RangeApplies("GET", 404, h) || RangeApplies("GET", 200, header()) {
		t.Error("Range is for GET of a 200")
	}
}

func TestIfRange(t *testing.T) {
	stored := header("ETag", `"a"`, "Last-Modified", at(-100), "Date", at(0))
	for name, test := range map[string]struct {
		request, stored http.Header
		want            bool
	}{
		"absent":                    {header(), stored, true},
		"the tag":                   {header("If-Range", `"a"`), stored, true},
		"another tag":               {header("If-Range", `"b"`), stored, false},
		"a weak tag":                {header("If-Range", `W/"a"`), header("ETag", `W/"a"`), false},
		"weak against strong":       {header("If-Range", `W/"a"`), stored, false},
		"the date":                  {header("If-Range", at(-100)), stored, true},
		"a later date":              {header("If-Range", at(-99)), stored, false},
		"a date that may be shared": {header("If-Range", at(0)), header("Last-Modified", at(0), "Date", at(0)), false},
		"without Date":              {header("If-Range", at(-100)), header("Last-Modified", at(-100)), false},
		"garbage":                   {header("If-Range", `a`), stored, false},
		"two":                       {header("If-Range", `"a"`, "If-Range", `"a"`), stored, false},
		"nothing stored to compare": {header("If-Range", `"a"`), header(), false},
		"no date stored to compare": {header("If-Range", at(0)), header(), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := IfRange(test.request, test.stored, testNow); got != test.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestMultipart(t *testing.T) {
	const content = "0123456789A"
	for _, contentType := range []string{"text/plain; charset=utf-8", ""} {
		m := NewMultipart([]ByteRange{{4, 2}, {0, 1}, {10, 1}}, int64(len(content)), contentType)
		var out bytes.Buffer
		if err := m.Write(&out, SectionsOf(strings.NewReader(content))); err != nil {
			t.Fatal(err)
		}
		if strconv.Itoa(out.Len()) != m.ContentLength() {
			t.Errorf("%d bytes, announced %s", out.Len(), m.ContentLength())
		}
		mediaType, params, err := mime.ParseMediaType(m.ContentType())
		if err != nil || mediaType != "multipart/byteranges" {
			t.Fatal(mediaType, err)
		}
		r := multipart.NewReader(&out, params["boundary"])
		for _, want := range []struct{ body, contentRange string }{{"45", "bytes 4-5/11"}, {"0", "bytes 0-0/11"}, {"A", "bytes 10-10/11"}} {
			part, err := r.NextRawPart()
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(part)
			if string(body) != want.body || part.Header.Get("Content-Range") != want.contentRange || part.Header.Get("Content-Type") != contentType {
				t.Errorf("%q %v", body, part.Header)
			}
		}
		if _, err := r.NextRawPart(); err != io.EOF {
			t.Errorf("after the last part: %v", err)
		}
	}
}

func TestMultipartIsCutWithItsContent(t *testing.T) {
	m := NewMultipart([]ByteRange{{0, 1}, {4, 5}}, 9, "")
	for name, test := range map[string]struct {
		open func(ByteRange) (io.Reader, error)
		want error
	}{
		"short":     {SectionsOf(strings.NewReader("01234")), io.ErrUnexpectedEOF},
		"broken":    {func(ByteRange) (io.Reader, error) { return iotest.ErrReader(io.ErrClosedPipe), nil }, io.ErrClosedPipe},
		"not there": {func(ByteRange) (io.Reader, error) { return nil, io.ErrNoProgress }, io.ErrNoProgress},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := m.Write(&out, test.open); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if strings.HasSuffix(out.String(), "--\r\n") {
				t.Error("ended as if it were whole")
			}
		})
	}
}

// FuzzRange: what is sent lies within the content, without overlap, and is never
// more than it.
func FuzzRange(f *testing.F) {
	f.Add("bytes=0-1,-5, 9-", int64(11))
	f.Add("bytes=99999999999999999999-", int64(1))
	f.Fuzz(func(t *testing.T, value string, size int64) {
		ranges, answer := ResolveRanges(ParseRange(header("Range", value)), size)
		if (answer == RangePartial) != (len(ranges) > 0) || len(ranges) > maxRanges {
			t.Fatalf("%d with %d ranges", answer, len(ranges))
		}
		var sum int64
		for _, r := range ranges {
			if r.Start < 0 || r.Length <= 0 || r.Start > size-r.Length {
				t.Fatalf("%+v outside of %d", r, size)
			}
			if sum += r.Length; sum > size {
				t.Fatalf("more than the whole: %v", ranges)
			}
		}
	})
}
