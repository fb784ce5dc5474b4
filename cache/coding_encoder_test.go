package cache

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// decoded returns what a body in a coding says. A body that is not whole is an error.
func decoded(word string, body []byte) (string, error) {
	var r io.Reader = bytes.NewReader(body)
	switch word {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			return "", err
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return "", err
		}
		defer z.Close()
		r = z
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

// prose is text of about n bytes that compresses as pages do, another one for each seed.
func prose(n int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("the quick brown fox jumps over the lazy dog <p> </p> <a href=\"/blog/ \"> class= and then again")
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[random.IntN(len(words))])
		fmt.Fprintf(&b, "%d ", random.IntN(50))
	}
	return b.String()
}

func TestEncodersMakeWhatDecodersRead(t *testing.T) {
	t.Parallel()
	for k := Gzip; k < codingCount; k++ {
		for e := effortLive; e < effortCount; e++ {
			for _, size := range []int{0, 1, 600, 60_000, 700_000} {
				if size > 60_000 && e == effortBest {
					continue
				}
				body := prose(size, uint64(size))
				if size == 0 {
					body = ""
				}
				coded, err := encodeWhole(k, e, []byte(body))
				if err != nil {
					t.Fatalf("%v effort %d of %d bytes: %v", k, e, size, err)
				}
				if got, err := decoded(k.String(), coded); err != nil || got != body {
					t.Errorf("%v effort %d of %d bytes: came back as %d bytes, %v", k, e, size, len(got), err)
				}
			}
		}
	}
}

func TestMoreEffortMakesShorterForms(t *testing.T) {
	t.Parallel()
	body := []byte(prose(60_000, 1))
	for k := Gzip; k < codingCount; k++ {
		before := len(body)
		for e := effortLive; e < effortCount; e++ {
			coded, err := encodeWhole(k, e, body)
			if err != nil {
				t.Fatal(err)
			}
			if len(coded) >= before {
				t.Errorf("%v: %d bytes by effort %d, %d by the one before", k, len(coded), e, before)
			}
			before = len(coded)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	body := []byte(prose(60_000, 1))
	for k := Gzip; k < codingCount; k++ {
		for e := effortLive; e < effortCount; e++ {
			b.Run(fmt.Sprintf("coding=%v/effort=%d", k, e), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := encodeWhole(k, e, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
