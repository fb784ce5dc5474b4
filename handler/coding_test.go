package handler

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
)

func TestAcceptEncoding(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:80": "identity", "localhost": "identity", "localhost:8080": "identity", "[::1]:80": "identity", "10.1.2.3": "identity",
		"192.168.0.1:443": "identity", "[fe80::1]:80": "identity", "[fd00::1]:80": "identity", "unix//run/php.sock": "identity", "[::ffff:127.0.0.1]:80": "identity",
		"blog.example.net:443": "gzip", "203.0.113.7:80": "gzip", "[2001:db8::1]:443": "gzip", "": "gzip", "localhost.example.net": "gzip",
	} {
		if got := AcceptEncoding(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

// TestDecoderBroken decodes what is no body in the coding, cut and changed ones:
// an error or the text, never a short text that passes for whole.
func TestDecoderBroken(t *testing.T) {
	text := strings.Repeat(sitePage, 200)
	for _, c := range []coding{codingGzip, codingDeflate, codingBrotli, codingZstd} {
		body := []byte(encoded(t, c, text))
		for i := range len(body) {
			var out bytes.Buffer
			d := newDecoder(&out, c)
			_, err := d.Write(body[:i])
			if err = errors.Join(err, d.Close()); err == nil && i > 0 {
				t.Fatalf("coding %d cut at %d of %d: %d bytes without an error", c, i, len(body), out.Len())
			}
		}
	}
}

func FuzzDecoder(f *testing.F) {
	for _, c := range []coding{codingGzip, codingDeflate, codingBrotli, codingZstd} {
		f.Add([]byte(encoded(f, c, sitePage)), uint8(c), 3)
	}
	f.Fuzz(func(t *testing.T, body []byte, c uint8, size int) {
		if coding(c) <= codingIdentity || coding(c) > codingZstd || size < 1 || len(body) > 4096 {
			return
		}
		decode := func(size int) (string, bool) {
			var out bytes.Buffer
			d := newDecoder(&out, coding(c))
			for b := body; len(b) > 0; {
				k := min(size, len(b))
				if _, err := d.Write(b[:k]); err != nil {
					d.Close()
					return "", false
				}
				b = b[k:]
			}
			return out.String(), d.Close() == nil && out.Len() < 1<<20
		}
		whole, ok := decode(len(body))
		cut, cutOK := decode(size)
		if ok != cutOK || ok && whole != cut {
			t.Fatalf("%t and %t, %d and %d bytes", ok, cutOK, len(whole), len(cut))
		}
	})
}

// TestDecoderBytewise feeds bodies byte by byte, and cut close to their end.
func TestDecoderBytewise(t *testing.T) {
	for _, c := range []coding{codingGzip, codingDeflate, codingBrotli, codingZstd} {
		for n := range 100 {
			text := strings.Repeat(`<a href="/x">`, n)
			body := []byte(encoded(t, c, text))
			decode := func(parts iter.Seq[[]byte]) {
				var out bytes.Buffer
				d := newDecoder(&out, c)
				var errs []error
				for p := range parts {
					_, err := d.Write(p)
					errs = append(errs, err)
				}
				if err := errors.Join(append(errs, d.Close())...); err != nil || out.String() != text {
					t.Errorf("coding %d: %d of %d bytes, %v", c, out.Len(), len(text), err)
				}
			}
			decode(slices.Chunk(body, 1))
			for i := max(1, len(body)-8); i < len(body); i++ {
				decode(slices.Values([][]byte{body[:i], body[i:]}))
			}
		}
	}
}

// TestDecoderMembers reads a gzip body of several members, and what is behind them.
func TestDecoderMembers(t *testing.T) {
	body := encoded(t, codingGzip, "a") + encoded(t, codingGzip, "") + encoded(t, codingGzip, "b")
	for tail, whole := range map[string]bool{"": true, "\n": true, "\x00\x00\x00\x00": true, "more text": true, "\x1f": false, "\x1f\x8b\x08": false} {
		for _, size := range []int{1, 7, 1000} {
			var out bytes.Buffer
			d := newDecoder(&out, codingGzip)
			var errs []error
			for p := range slices.Chunk([]byte(body+tail), size) {
				_, err := d.Write(p)
				errs = append(errs, err)
			}
			if err := errors.Join(append(errs, d.Close())...); out.String() != "ab" || (err == nil) != whole {
				t.Errorf("%q by %d: %q, %v", tail, size, out.String(), err)
			}
		}
	}
}

// TestDecoderAborts leaves no coroutine behind, wherever it is.
func TestDecoderAborts(t *testing.T) {
	body := encoded(t, codingGzip, sitePage)
	for _, n := range []int{0, 1, 20, len(body)} {
		d := newDecoder(io.Discard, codingGzip)
		io.WriteString(d, body[:n])
		d.abort()
	}
}
