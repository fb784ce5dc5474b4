package balancer

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// uploadBody is a request body that notes when it was last read, so that the
// time a client takes to send it is not held against the upstream. A nil
// uploadBody is a request without a body.
//
// The transport may still read it after the answer has begun, so what is noted
// is atomic.
type uploadBody struct {
	io.ReadCloser
	readAt atomic.Int64 // time.Duration on the meters' clock
	broken atomic.Bool  // reading failed
}

// Read implements io.Reader.
func (b *uploadBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.readAt.Store(int64(sinceEpoch()))
	if err != nil && !errors.Is(err, io.EOF) {
		b.broken.Store(true)
	}
	return n, err
}

// lastRead returns when the body was last read; 0 if never.
func (b *uploadBody) lastRead() time.Duration {
	if b == nil {
		return 0
	}
	return time.Duration(b.readAt.Load())
}

// failed reports whether the client broke off its request body.
func (b *uploadBody) failed() bool { return b != nil && b.broken.Load() }

// answerBody is the body of an answer; it ends the attempt with its last byte.
type answerBody struct {
	io.ReadCloser
	attempt *attempt
	ended   atomic.Bool
}

// Read implements io.Reader.
func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.end(answered)
	case b.attempt.ctx.Err() != nil:
		b.end(abandoned)
	default:
		b.end(failed)
	}
	return n, err
}

// Close implements io.Closer. A body that is closed before its end was
// abandoned: nothing says how long the rest would have taken.
func (b *answerBody) Close() error {
	b.end(abandoned)
	return b.ReadCloser.Close()
}

// end ends the attempt once.
func (b *answerBody) end(o outcome) {
	if !b.ended.Swap(true) {
		b.attempt.end(o)
	}
}
