package handler

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// coding is a content coding (RFC 9110 section 8.4.1).
type coding uint8

const (
	codingUnknown coding = iota // one that is not decoded here, or several
	codingIdentity
	codingGzip
	codingDeflate
	codingBrotli
	codingZstd
)

func codingOf(h http.Header) coding {
	switch strings.ToLower(strings.TrimSpace(strings.Join(h.Values("Content-Encoding"), ","))) {
	case "", "identity":
		return codingIdentity
	case "gzip", "x-gzip":
		return codingGzip
	case "deflate":
		return codingDeflate
	case "br":
		return codingBrotli
	case "zstd":
		return codingZstd
	}
	return codingUnknown
}

// token returns the coding's name in Accept-Encoding.
func (c coding) token() string {
	return [...]string{codingIdentity: "identity", codingGzip: "gzip", codingDeflate: "deflate", codingBrotli: "br", codingZstd: "zstd"}[c]
}

func (c coding) decodable() bool { return c > codingIdentity }

// accepts reports whether a request names a coding as welcome (RFC 9110 section
// 12.5.3). One that says nothing gets none: what is fetched for a cache must
// suit everyone.
func accepts(h http.Header, c coding) bool {
	for _, line := range h["Accept-Encoding"] {
		for member := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(member, ";")
			if name = strings.TrimSpace(name); !strings.EqualFold(name, c.token()) && name != "*" {
				continue
			}
			q, weighted := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
			return !weighted || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// begins reports whether a body that starts with p can be in the coding.
func (c coding) begins(p []byte) bool {
	var magic string
	switch c {
	case codingGzip:
		magic = "\x1f\x8b"
	case codingZstd:
		magic = "\x28\xb5\x2f\xfd"
		if len(p) > 3 && p[0]&0xf0 == 0x50 && string(p[1:4]) == "\x2a\x4d\x18" {
			return true // a skippable frame
		}
	}
	n := min(len(p), len(magic))
	return string(p[:n]) == magic[:n]
}

// AcceptEncoding is what a mount asks an origin for, whose dial address is
// addr ("host:port" or "host"): what is near comes uncompressed, because
// decoding costs more than the network, everything else as gzip, which every
// origin has. A name is near only if it is localhost.
func AcceptEncoding(addr string) string {
	host := addr
	if h, _, err := net.SplitHostPort(addr); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if strings.EqualFold(host, "localhost") || strings.HasPrefix(addr, "unix/") || strings.HasPrefix(addr, "/") {
		return "identity"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip = ip.Unmap(); ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() {
			return "identity"
		}
	}
	return "gzip"
}

// Bounds on what a coded body may become. A page compresses 3 to 30 times;
// deflate cannot do more than 1032 times, which only a bomb needs for long.
const (
	maxRatio        = 300
	ratioFreeBytes  = 16 << 20 // the ratio does not matter up to here
	maxDecodedBytes = 4 << 30
	maxWindowBytes  = 8 << 20 // of zstd; RFC 9659 asks for no more
)

var (
	errBomb      = errors.New("coded body grows beyond all measure")
	errTruncated = errors.New("coded body ends too early")
)

// decoder decodes a body that is written to it and writes the plain text to
// dst. It decodes as it is fed: after a Write everything that the bytes so far
// decode to has reached dst. It must be closed. Not safe for concurrent use.
type decoder struct {
	dst io.Writer
	c   coding

	feed   []byte // what Write brought and the coding has not read
	ended  bool   // no more Write will come
	in     int64
	out    int64
	err    error
	done   bool
	resume func() (struct{}, bool)
	stop   func()
}

func newDecoder(dst io.Writer, c coding) *decoder {
	d := &decoder{dst: dst, c: c}
	// The coding pulls while the handler pushes: run it as a coroutine that
	// is suspended whenever it wants bytes that are not there.
	d.resume, d.stop = iter.Pull(func(yield func(struct{}) bool) {
		d.err = d.run(yield)
		d.done = true
	})
	return d
}

// Write decodes p.
func (d *decoder) Write(p []byte) (int, error) {
	if d.done {
		// Bytes behind the end of a coded body belong to nothing.
		return len(p), d.err
	}
	d.feed = p
	d.in += int64(len(p))
	d.resume()
	if d.done && d.err != nil {
		return 0, d.err
	}
	return len(p), nil
}

// Close ends the body. It returns an error unless the body was whole.
func (d *decoder) Close() error {
	d.ended = true
	if !d.done {
		d.resume()
	}
	d.stop()
	if !d.done && d.err == nil {
		d.err = errTruncated
	}
	return d.err
}

// abort ends the decoder without an answer.
func (d *decoder) abort() { d.stop() }

func (d *decoder) run(yield func(struct{}) bool) error {
	src := &feedReader{d: d, yield: yield}
	r, err := d.c.reader(src)
	if err == nil {
		_, err = io.Copy(capped{d}, onlyReader{r})
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.Is(err, io.EOF) && d.in == 0:
		return nil // no body at all, as in the answer to HEAD
	case errors.Is(err, io.EOF):
		return errTruncated
	case err != nil:
		return fmt.Errorf("decoding the body: %w", err)
	}
	return nil
}

// reader returns the decoding reader. It may read at once.
func (c coding) reader(src *feedReader) (io.Reader, error) {
	switch c {
	case codingGzip:
		return newGzipReader(src)
	case codingBrotli:
		return brotliReader{brotli.NewReader(src), src}, nil
	case codingZstd:
		z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindowBytes), zstd.WithDecoderLowmem(true))
		return z, err
	case codingDeflate:
		// RFC 9110 section 8.4.1.2 means zlib; some send bare deflate.
		var head [2]byte
		if _, err := io.ReadFull(src, head[:]); err != nil {
			return nil, err
		}
		whole := io.MultiReader(strings.NewReader(string(head[:])), src)
		if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			return zlib.NewReader(whole)
		}
		return flate.NewReader(whole), nil
	}
	return nil, errors.New("unknown coding")
}

// feedReader is the coding's view of what is written to the decoder.
type feedReader struct {
	d     *decoder
	yield func(struct{}) bool
}

func (f *feedReader) Read(p []byte) (int, error) {
	for len(f.d.feed) == 0 {
		if f.d.ended || !f.yield(struct{}{}) {
			return 0, io.EOF
		}
	}
	n := copy(p, f.d.feed)
	f.d.feed = f.d.feed[n:]
	return n, nil
}

// gzipReader reads the members of a gzip body (RFC 1952 section 2.2). What follows
// them and begins no other, such as the line break that a script prints behind
// its coded page, is left out, as browsers do.
type gzipReader struct {
	in     *bufio.Reader
	member *gzip.Reader
}

func newGzipReader(src io.Reader) (*gzipReader, error) {
	g := &gzipReader{in: bufio.NewReader(src), member: new(gzip.Reader)}
	return g, g.next()
}

func (g *gzipReader) next() error {
	err := g.member.Reset(g.in)
	g.member.Multistream(false)
	return err
}

func (g *gzipReader) Read(p []byte) (int, error) {
	for {
		n, err := g.member.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if magic, _ := g.in.Peek(2); len(magic) == 0 || !codingGzip.begins(magic) {
			return 0, io.EOF
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
}

// brotliReader is a brotli.Reader that knows its end. Where the last bytes come a
// few at a time, brotli.Reader has decoded all and takes what it keeps of them
// for excess input.
type brotliReader struct {
	*brotli.Reader
	src *feedReader
}

func (b brotliReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.src.atEnd(b.Reader) {
		err = io.EOF
	}
	return n, err
}

// atEnd reports whether r, which reads from f, is at the end of its text if
// nothing more is fed.
func (f *feedReader) atEnd(r io.Reader) bool {
	ended := f.d.ended
	f.d.ended = true
	_, err := r.Read(nil)
	f.d.ended = ended
	return errors.Is(err, io.EOF)
}

// capped counts what a body decodes to and stops a bomb.
type capped struct{ d *decoder }

func (c capped) Write(p []byte) (int, error) {
	d := c.d
	d.out += int64(len(p))
	if d.out > maxDecodedBytes || d.out > ratioFreeBytes && d.out/maxRatio > d.in {
		return 0, errBomb
	}
	return d.dst.Write(p)
}

// onlyReader hides WriterTo, which would collect more before it writes.
type onlyReader struct{ io.Reader }
