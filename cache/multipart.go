package cache

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
)

// Multipart writes several ranges of one content as multipart/byteranges (RFC
// 9110 section 14.6). It is made by NewMultipart, keeps no content and may be
// written any number of times, by one goroutine each.
type Multipart struct {
	ranges   []ByteRange
	heads    []string // before each range, the delimiter included
	tail     string
	boundary string
	length   int64
}

// NewMultipart prepares the parts of a content of size bytes and the given
// Content-Type, which may be empty. The boundary is random, so that no content
// can hold it on purpose.
func NewMultipart(ranges []ByteRange, size int64, contentType string) *Multipart {
	var random [16]byte
	rand.Read(random[:]) // never fails
	return newMultipart(ranges, size, contentType, hex.EncodeToString(random[:]))
}

func newMultipart(ranges []ByteRange, size int64, contentType, boundary string) *Multipart {
	m := &Multipart{ranges: ranges, boundary: boundary, tail: "\r\n--" + boundary + "--\r\n"}
	m.length = int64(len(m.tail))
	for i, r := range ranges {
		head := "--" + boundary + "\r\n"
		if i > 0 {
			head = "\r\n" + head
		}
		if contentType != "" {
			head += "Content-Type: " + contentType + "\r\n"
		}
		head += "Content-Range: " + r.ContentRange(size) + "\r\n\r\n"
		m.heads = append(m.heads, head)
		m.length += int64(len(head)) + r.Length
	}
	return m
}

// ContentType is the Content-Type of the 206.
func (m *Multipart) ContentType() string { return "multipart/byteranges; boundary=" + m.boundary }

// ContentLength is the exact number of bytes that Write writes, in decimal.
func (m *Multipart) ContentLength() string { return strconv.FormatInt(m.length, 10) }

// Write writes all parts to w; each range is opened through open, which returns
// a reader of exactly its bytes. It returns io.ErrUnexpectedEOF if a reader ends
// early: the response is then to be cut, not completed.
func (m *Multipart) Write(w io.Writer, open func(ByteRange) (io.Reader, error)) error {
	for i, r := range m.ranges {
		if _, err := io.WriteString(w, m.heads[i]); err != nil {
			return err
		}
		content, err := open(r)
		if err != nil {
			return err
		}
		if _, err := io.CopyN(w, content, r.Length); err != nil {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	_, err := io.WriteString(w, m.tail)
	return err
}

// SectionsOf adapts a content at hand to Multipart.Write.
func SectionsOf(content io.ReaderAt) func(ByteRange) (io.Reader, error) {
	return func(r ByteRange) (io.Reader, error) {
		return io.NewSectionReader(content, r.Start, r.Length), nil
	}
}
