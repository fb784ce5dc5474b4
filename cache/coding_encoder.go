package cache

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// effort says how much work a form is worth. A form is only replaced by one of more.
type effort uint8

const (
	effortNone  effort = iota
	effortLive         // while the body arrives: no slower than a network
	effortFirst        // asked for: once a stored response, in milliseconds
	effortBest         // asked for often: as short as it gets
	effortCount
)

// Bodies that are longer than this are not worth the greatest effort: brotli takes
// about a second for a megabyte.
const maxBestBytes = 512 << 10

// zstd windows, in bytes. RFC 9659 allows decoders no more than 8 MiB to need;
// many live encoders at once must be small.
const (
	zstdWindow     = 8 << 20
	zstdLiveWindow = 256 << 10
)

// An encoder codes what is written to it. Flush passes on all that was written.
// Reset makes it ready for another body.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

var brotliLevels = [effortCount]int{effortLive: 2, effortFirst: 5, effortBest: brotli.BestCompression}

var gzipLevels = [effortCount]int{effortLive: 3, effortFirst: 6, effortBest: gzip.BestCompression}

var zstdLevels = [effortCount]zstd.EncoderLevel{
	effortLive: zstd.SpeedFastest, effortFirst: zstd.SpeedDefault, effortBest: zstd.SpeedBestCompression,
}

// encoders are encoders at rest. Making one costs more than coding a page.
var encoders [codingCount][effortCount]sync.Pool

// takeEncoder returns an encoder that writes to w. Who has closed it may give it back.
func takeEncoder(k Coding, e effort, w io.Writer) encoder {
	enc, ok := encoders[k][e].Get().(encoder)
	if !ok {
		enc = newEncoder(k, e)
	}
	enc.Reset(w)
	return enc
}

// newEncoder makes an encoder. Its options are constants that the libraries accept.
func newEncoder(k Coding, e effort) encoder {
	switch k {
	case Brotli:
		return brotli.NewWriterLevel(io.Discard, brotliLevels[e])
	case Zstd:
		window := zstdWindow
		if e == effortLive {
			window = zstdLiveWindow
		}
		enc, _ := zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(zstdLevels[e]), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(window), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
		return enc
	}
	enc, _ := gzip.NewWriterLevel(io.Discard, gzipLevels[e])
	return enc
}

// giveEncoder takes an encoder back. It holds on to nothing that it wrote to.
func giveEncoder(c Coding, e effort, enc encoder) {
	enc.Reset(io.Discard)
	encoders[c][e].Put(enc)
}

// encodeWhole returns body in c, of its own length.
func encodeWhole(c Coding, e effort, body []byte) ([]byte, error) {
	buf := encodeBuffers.Get().(*bytes.Buffer)
	buf.Reset()
	defer func() {
		if buf.Cap() <= maxBestBytes {
			encodeBuffers.Put(buf)
		}
	}()
	enc := takeEncoder(c, e, buf)
	if _, err := enc.Write(body); err != nil {
		return nil, fmt.Errorf("coding as %v: %w", c, err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("coding as %v: %w", c, err)
	}
	giveEncoder(c, e, enc)
	return bytes.Clone(buf.Bytes()), nil
}

var encodeBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
