package handler

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// ResponseWriter is what the inner chain writes the site's answer to. At
// WriteHeader it maps the fields and decides once whether the body is mapped; a
// body that is not is passed on with its length, validators and ranges as they
// are. A mapped body is decoded if it is coded and streamed through a scanner. It is
// told without a length: HTTP's framing says where it ends, and Close must be
// called with the handler's outcome so that this is only said of a whole body.
//
// A body for GET that the site declares to be short is written as a whole, with its new
// length, when Close is called: that saves the chunks and system calls. Of any other,
// Write collects up to a few KiB. Flush passes on everything that is decided,
// through all layers. A ResponseWriter serves one answer, and one goroutine at a
// time. Its exported fields are set before it is used.
type ResponseWriter struct {
	// Learn is told the name of each cookie that the site sets. Nil: nobody is.
	Learn func(name string)
	// Fault is told what a redirect gives away of the site. Nil: nobody is.
	Fault func(fault RedirectFault, path string)
	// KeepInternal keeps the fields that the site speaks to a cache in: the
	// cache reads them and drops them.
	KeepInternal bool
	// Rest is the request's path below the mount. Empty: the path of the request.
	Rest string
	// Tags are the entity tags that View.Content took from the request.
	Tags []string

	w http.ResponseWriter
	v *View
	r *http.Request

	header  http.Header
	told    http.Header // header as it was told, where it waits and trailers may be set in it; nil: header itself
	hints   int         // number of 1xx answers
	status  int         // final status; zero before it
	reason  BodyReason  // why the body is mapped or not
	kind    mediaKind
	coding  coding
	decodes bool // the body is decoded, though not mapped
	unsure  bool // the first bytes of a coded body will tell whether it is in its coding
	sent    bool // the final header went out

	declared int64 // Content-Length as the site told it; -1: none
	received int64

	scan   *scanner
	decode *decoder
	count  scanCount
	err    error
	closed bool
}

var (
	errStatus    = errors.New("the status is not one of HTTP's")
	errShortBody = errors.New("the body is shorter than its Content-Length")
	errClosed    = errors.New("write to a closed answer")
)

// NewResponseWriter returns the writer for the answer to r, which has been
// mapped by View.Outbound. The inner chain gets a header map of its own, which is
// added to w's when the header is sent.
func NewResponseWriter(w http.ResponseWriter, v *View, r *http.Request) *ResponseWriter {
	return &ResponseWriter{w: w, v: v, r: r, header: make(http.Header), declared: -1}
}

// Header is the inner chain's own map. It is copied to the outer one when the
// header is sent.
func (a *ResponseWriter) Header() http.Header { return a.header }

// Status is the final status, or zero before it.
func (a *ResponseWriter) Status() int { return a.status }

// Sent reports whether the final header went out.
func (a *ResponseWriter) Sent() bool { return a.sent }

// Received is the number of bytes of the body that the site sent, as coded.
func (a *ResponseWriter) Received() int64 { return a.received }

// Reason says whether the body is mapped, and if not, why.
func (a *ResponseWriter) Reason() BodyReason { return a.reason }

// Mapped is the number of URLs that were mapped in the body so far.
func (a *ResponseWriter) Mapped() int64 { return a.counted().Mapped }

// Unmapped calls f for each reason for which hosts of the site were left in the
// body, with their number.
func (a *ResponseWriter) Unmapped(f func(reason string, n int64)) {
	for u, n := range a.counted().Unmapped {
		if n > 0 {
			f(unmapped(u).String(), n)
		}
	}
}

func (a *ResponseWriter) counted() scanCount {
	if a.scan != nil {
		return a.scan.Count()
	}
	return a.count
}

// WriteHeader passes informational answers on at once, with their fields
// mapped, and takes the first final status. Later ones are ignored.
func (a *ResponseWriter) WriteHeader(status int) {
	if a.status != 0 || a.closed {
		return
	}
	mendNames(a.header)
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		a.inform(status)
		return
	}
	if status < 100 || status > 999 {
		// RFC 9110 section 15: a status has three digits. net/http panics at any other.
		a.status, a.err = http.StatusBadGateway, errStatus
		return
	}
	a.status = status
	rest := a.Rest
	if rest == "" {
		rest = a.r.URL.EscapedPath()
	}
	a.tellFault(rest)
	a.kind, a.reason = a.v.m.eligible.decide(status, a.header, rest)
	a.declared = contentLength(a.header)
	a.coding = codingOf(a.header)
	a.decodes = a.reason != BodyMapped && a.reason != BodyStatus && a.reason != BodyPartial && a.coding.decodable() && !accepts(a.r.Header, a.coding)
	if (a.reason == BodyMapped || a.decodes) && a.coding != codingIdentity && a.hasBody() {
		// A body that is not in its coding is passed as it is.
		a.unsure = true
		a.keepTold()
		return
	}
	a.begin()
}

// tellFault examines a redirect of the site.
func (a *ResponseWriter) tellFault(rest string) {
	if a.Fault == nil || a.status < 300 || a.status > 399 {
		return
	}
	path := a.v.m.prefix + rest
	if fault := a.v.RedirectFault(a.header, a.status, a.r.Method, path, a.r.URL.RawQuery); fault != FaultNone {
		a.Fault(fault, path)
	}
}

// hasBody reports whether bytes will follow the header.
func (a *ResponseWriter) hasBody() bool { return a.r.Method != http.MethodHead }

// begin readies what the body goes through, and sends the header unless it waits
// for the length of a whole body. The answer to an unsafe request does not wait: its
// header tells a cache what the request has changed, however the body ends (RFC 9111
// section 4.4).
func (a *ResponseWriter) begin() {
	a.unsure = false
	whole := a.reason == BodyMapped && a.r.Method == http.MethodGet && 0 <= a.declared && a.declared <= wholeBytes
	if whole {
		a.keepTold()
	} else {
		a.sendHeader(unknownLength)
	}
	switch {
	case !a.hasBody():
	case whole:
		a.scan = newWholeScanner(headerFirst{a}, a.v.answers, a.kind)
	case a.reason == BodyMapped:
		a.scan = newScanner(a.w, a.v.answers, a.kind)
	case a.decodes:
		a.decode = newDecoder(a.w, a.coding)
	}
	if a.scan != nil && a.coding != codingIdentity {
		a.decode = newDecoder(a.scan, a.coding)
	}
}

// headerFirst is the outer writer behind a header that may still wait.
type headerFirst struct{ a *ResponseWriter }

// Write implements io.Writer.
func (f headerFirst) Write(p []byte) (int, error) {
	if !f.a.sent {
		f.a.sendHeader(unknownLength)
	}
	return f.a.w.Write(p)
}

// Write takes bytes of the body.
func (a *ResponseWriter) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if err := a.start(p); err != nil {
		return 0, err
	}
	a.received += int64(len(p))
	if a.declared >= 0 && a.received > a.declared && (a.scan != nil || a.decode != nil) {
		a.err = http.ErrContentLength
		return 0, a.err
	}
	var n int
	switch {
	case a.unsure:
		// No bytes have come: they would tell what goes before them.
	case a.decode != nil:
		n, a.err = a.decode.Write(p)
	case a.scan != nil:
		n, a.err = a.scan.Write(p)
	default:
		return a.w.Write(p)
	}
	return n, a.err
}

// start readies the body for p.
func (a *ResponseWriter) start(p []byte) error {
	switch {
	case a.err != nil:
		return a.err
	case a.closed:
		return errClosed
	case a.unsure && len(p) > 0:
		if !a.coding.begins(p) {
			a.reason, a.decodes = BodyCoding, false
		}
		a.begin()
	}
	return nil
}

var copyBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom copies a body from r. Where nothing is mapped the outer writer may
// do so in its own way.
func (a *ResponseWriter) ReadFrom(r io.Reader) (n int64, err error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if err := a.start(nil); err != nil {
		return 0, err
	}
	if a.sent && a.scan == nil && a.decode == nil {
		if rf, ok := a.w.(io.ReaderFrom); ok {
			n, err = rf.ReadFrom(r)
			a.received += n
			return n, err
		}
	}
	buf := copyBuffers.Get().(*[32 << 10]byte)
	if n, err = io.CopyBuffer(onlyWriter{a}, onlyReader{r}, buf[:]); err == nil {
		copyBuffers.Put(buf) // a Write that failed may still be reading it
	}
	return n, err
}

// onlyWriter hides ReaderFrom.
type onlyWriter struct{ io.Writer }

// FlushError passes on everything that is decided, the header included.
func (a *ResponseWriter) FlushError() error {
	if a.err != nil || a.closed {
		return a.err
	}
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.unsure {
		return nil // nothing has come that could be passed on
	}
	if !a.sent {
		a.sendHeader(unknownLength)
	}
	if a.scan != nil {
		if a.err = a.scan.Flush(); a.err != nil {
			return a.err
		}
	}
	return http.NewResponseController(a.w).Flush()
}

// Flush is FlushError for handlers that ask for an http.Flusher.
func (a *ResponseWriter) Flush() { _ = a.FlushError() }

// Unwrap lets an http.ResponseController reach the deadlines of the connection.
func (a *ResponseWriter) Unwrap() http.ResponseWriter { return a.w }

// Hijack hands over the connection, after a 101 as a rule. Nothing is mapped on it.
func (a *ResponseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if a.scan != nil || a.unsure {
		return nil, nil, errors.New("hijacking an answer whose body is mapped")
	}
	a.reason = BodyHijacked
	return http.NewResponseController(a.w).Hijack()
}

// Close ends the answer with the inner chain's outcome. If cause is nil and the
// body is whole, what is held is written, and trailers are passed on. Otherwise
// nothing more is written, and the error says why: once a header is sent the
// caller must then cut the connection (panic with http.ErrAbortHandler), or
// the client would take a short body as whole. Closing twice is harmless.
func (a *ResponseWriter) Close(cause error) error {
	if a.closed {
		return a.err
	}
	a.closed = true
	if cause != nil && a.err == nil {
		a.err = cause
	}
	if a.err == nil && a.unsure {
		a.begin()
	}
	if a.err == nil && (a.scan != nil || a.decode != nil) && a.declared >= 0 && a.received < a.declared {
		a.err = errShortBody
	}
	if a.decode != nil {
		if a.err != nil {
			a.decode.abort()
		} else {
			a.err = a.decode.Close()
		}
	}
	if a.scan != nil {
		if a.err != nil {
			a.scan.abort()
		} else {
			a.endWhole()
			a.err = a.scan.Close()
		}
		a.count, a.scan = a.scan.Count(), nil
	}
	if a.err == nil && a.sent {
		a.copyTrailers()
	}
	return a.err
}

// endWhole sends the header of a whole body, with its length unless trailers follow,
// which need chunks (RFC 9112 section 7.1.2).
func (a *ResponseWriter) endWhole() {
	n := a.scan.finish()
	if a.sent {
		return // it was not so short, or flushed
	}
	if a.trailing() {
		n = unknownLength
	}
	a.sendHeader(n)
}
