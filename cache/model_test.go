package cache

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	modelSteps = flag.Int("model.steps", 4000, "steps a seed of the model test")
	modelSeeds = flag.Int("model.seeds", 4, "seeds of the model test")
	modelSeed  = flag.Uint64("model.seed", 0, "first seed of the model test; 0: by the clock")
)

// TestModel lets clients, origin, purges and time do things in random order, and
// compares what every client gets with what a plain record of the fetches allows:
// no byte of another's answer, no short body told as whole, nothing older than an
// acknowledged purge, no hit past its lifetime, every waiter answered, all memory
// given back; and what was just stored is a hit.
func TestModel(t *testing.T) {
	first := *modelSeed
	if first == 0 {
		first = uint64(time.Now().UnixNano())
	}
	for i := range *modelSeeds {
		seed := first + uint64(i)
		ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			play(t, func(o *Options) {
				o.SpillBytes, o.WindowBytes, o.MaxBodyBytes = 8<<10, 16<<10, 40<<10
				o.MaxFollowers = 6
			}, func(s *stage) {
				m := &model{
					stage: s, rnd: rand.New(rand.NewPCG(seed, 1)), hot: map[string]*fetched{}, latest: map[string]int{}, posted: map[string]int{},
					hard: map[string]uint64{}, soft: map[string]uint64{}, purgedAt: map[string]time.Time{}, events: map[string][]string{},
				}
				for range *modelSteps {
					m.step()
				}
				m.finish()
			})
		})
		if !ok {
			t.Fatalf("failing seed: go test -run TestModel -model.seed=%d -model.seeds=1 -model.steps=%d", seed, *modelSteps)
		}
	}
}

// model is the record of what happened.
type model struct {
	*stage
	rnd      *rand.Rand
	fetches  []*fetched
	open     []*fetched // whose origin has not ended
	clients  []*asked
	hot      map[string]*fetched // what the next request for the key must be answered with
	latest   map[string]int      // the last fetch of each key
	posted   map[string]int      // the unsafe request that was answered last
	hard     map[string]uint64   // the last purges that were acknowledged
	soft     map[string]uint64
	purgedAt map[string]time.Time
	events   map[string][]string // by key, for the message of a failure
}

// event notes what happened to a key.
func (m *model) event(key, format string, args ...any) {
	e := append(m.events[key], fmt.Sprintf(format, args...)+time.Now().Format(" (15:04:05)"))
	m.events[key] = e[max(0, len(e)-20):]
}

// fetched is one call of the origin and what it answered.
type fetched struct {
	*call
	n           int
	key         string
	variant, id string // of the request
	purge       uint64 // last purge when it was asked
	plan        plan
	page        []byte // the whole body
	body        []byte // all that it may write: page, or a part of it
	written     int
	head        bool
	base        *fetched // what a 304 confirmed
	confirmed   int      // the fetch that confirmed this one last
	ended       bool
	whole       bool
	sentAt      time.Time
	freshFrom   time.Time
	valid       uint64 // last purge when it was asked or confirmed
}

// plan is how an origin answers.
type plan struct {
	status   int
	fields   []string
	life     time.Duration
	storable bool
	private  bool
	vary     bool
	declared bool
	pieces   int
}

// asked is one client.
type asked struct {
	*visitor
	method           string
	key, variant, id string
	hard, soft       uint64 // purges acknowledged before it came
	posted           int    // unsafe request answered before it came
	expect           *fetched
	left             bool
	start            time.Time
}

const modelKeys = 4

func (m *model) step() {
	switch n := m.rnd.IntN(100); {
	case n < 34:
		m.get()
	case n < 38:
		m.leave()
	case n < 48:
		m.read()
	case n < 90:
		m.originStep()
	case n < 95:
		m.pass([]time.Duration{time.Second, 3 * time.Second, 11 * time.Second, 40 * time.Second, 2 * time.Minute}[m.rnd.IntN(5)])
	case n < 98:
		m.purge()
	default:
		m.post()
	}
	m.observe()
}

// get sends a request, some for a part or for the head; some clients read one piece
// at a time.
func (m *model) get() {
	if len(m.clients) > 30 {
		return
	}
	key := fmt.Sprint("/", m.rnd.IntN(modelKeys))
	a := &asked{method: "GET", key: key, variant: fmt.Sprint("v", m.rnd.IntN(3)), id: fmt.Sprint("id", m.rnd.IntN(1000)), start: time.Now()}
	a.hard, a.soft, a.posted = m.hard[key], m.soft[key], m.posted[key]
	if f := m.hot[key]; f != nil && (!f.plan.vary || f.variant == a.variant) && time.Since(f.sentAt)+2*time.Second < f.plan.life {
		a.expect = f
	}
	var gate chan struct{}
	if m.rnd.IntN(5) == 0 {
		gate = make(chan struct{}, 1000)
	}
	fields := []string{"X-V", a.variant, "X-Id", a.id}
	switch n := m.rnd.IntN(10); {
	case n == 0:
		a.method, a.expect = "HEAD", nil
	case n < 3:
		start := m.rnd.IntN(60 << 10)
		fields, a.expect = append(fields, "Range", fmt.Sprintf("bytes=%d-%d", start, start+m.rnd.IntN(20<<10))), nil
	}
	m.event(key, "%s %v", a.method, fields)
	a.visitor = m.start(a.method, key, gate, fields...)
	m.clients = append(m.clients, a)
}

func (m *model) leave() {
	if len(m.clients) > 0 {
		a := m.clients[m.rnd.IntN(len(m.clients))]
		a.left = true
		a.visitor.leave()
	}
}

// read lets a slow client take some pieces.
func (m *model) read() {
	for _, a := range m.clients {
		if a.gate != nil && m.rnd.IntN(2) == 0 {
			for range 1 + m.rnd.IntN(4) {
				select {
				case a.gate <- struct{}{}:
				default:
				}
			}
		}
	}
}

func (m *model) purge() {
	p := Purge{Mount: "m", Soft: m.rnd.IntN(2) == 0, Scope: ScopeAll}
	keys := make([]string, 0, modelKeys)
	for i := range modelKeys {
		keys = append(keys, fmt.Sprint("/", i))
	}
	if m.rnd.IntN(3) > 0 {
		keys = keys[m.rnd.IntN(modelKeys):][:1]
		p.Scope, p.Path = ScopeURL, keys[0]
	}
	n, err := m.ledger.Purge(p, time.Now())
	if err != nil {
		m.t.Fatal(err)
	}
	for _, key := range keys {
		delete(m.hot, key)
		m.event(key, "purge %d soft=%v", n, p.Soft)
		m.purgedAt[key] = time.Now()
		if p.Soft {
			m.soft[key] = n
		} else {
			m.hard[key] = n
		}
	}
}

// post changes a page by an unsafe request that succeeds at once.
func (m *model) post() {
	key := fmt.Sprint("/", m.rnd.IntN(modelKeys))
	delete(m.hot, key)
	m.event(key, "post")
	m.start("POST", key, nil, "X-Id", "post")
}

// observe takes new calls at the origin and checks the clients that are done.
func (m *model) observe() {
	synctest.Wait()
	for {
		select {
		case c := <-m.calls:
			m.arrived(c)
			synctest.Wait()
			continue
		default:
		}
		break
	}
	kept := m.clients[:0]
	for _, a := range m.clients {
		a.mu.Lock()
		done := a.done
		a.mu.Unlock()
		if done {
			m.check(a)
		} else {
			kept = append(kept, a)
		}
	}
	m.clients = kept
	open := m.open[:0]
	for _, f := range m.open {
		if !f.call.gone.Load() {
			open = append(open, f)
		}
	}
	m.open = open
}

// arrived plans the answer to a new call.
func (m *model) arrived(c *call) {
	f := &fetched{call: c, n: len(m.fetches), key: c.r.URL.Path, variant: c.r.Header.Get("X-V"), id: c.r.Header.Get("X-Id"), purge: m.ledger.Last()}
	f.valid, f.sentAt = f.purge, time.Now()
	m.fetches = append(m.fetches, f)
	m.latest[f.key] = f.n
	if c.r.Method == "POST" {
		m.do(f, func(w http.ResponseWriter) (bool, error) { w.WriteHeader(204); return true, nil })
		m.posted[f.key] = f.n
		return
	}
	m.event(f.key, "fetch %d asked %s for %s %s", f.n, c.r.Header.Get("If-None-Match"), f.variant, f.id)
	m.open = append(m.open, f)
	etag := fmt.Sprintf(`"f%d"`, f.n)
	p := plan{status: 200, life: time.Duration(1+m.rnd.IntN(100)) * time.Second, pieces: 1 + m.rnd.IntN(12), declared: m.rnd.IntN(2) == 0}
	control := fmt.Sprintf("max-age=%d", p.life/time.Second)
	switch n := m.rnd.IntN(20); {
	case n < 7:
		p.storable = true
	case n < 11:
		p.storable, p.vary = true, true
		p.fields = append(p.fields, "Vary", "X-V")
	case n < 13:
		p.private = true
		control = "private, " + control
	case n < 14:
		p.private = true
		control = "no-store"
	case n < 15:
		p.private = true
		p.fields = append(p.fields, "Set-Cookie", "id="+f.id)
	case n < 16:
		p.status, p.private, control = 503, true, "no-cache"
	case n < 18:
		p.storable = true
		control += ", stale-while-revalidate=60"
	default:
		p.storable = true
		control += ", stale-if-error=60"
	}
	p.fields = append(p.fields, "Cache-Control", control, "Etag", etag)
	f.body = fmt.Appendf(nil, "f%d;", f.n)
	for len(f.body) < p.pieces*(1+m.rnd.IntN(5))<<10 {
		f.body = fmt.Appendf(f.body, "%d.%d|", f.n, len(f.body))
	}
	f.page = f.body
	if c.r.Method == "HEAD" {
		f.body = nil
	} else if ranges, answer := ResolveRanges(ParseRange(c.r.Header), int64(len(f.page))); answer == RangePartial && !c.flight && p.status == 200 {
		r := ranges[0]
		p.status = 206
		f.body = f.page[r.Start:r.End()]
		p.fields = append(p.fields, "Content-Range", r.ContentRange(int64(len(f.page))))
	}
	if p.declared {
		p.fields = append(p.fields, "Content-Length", strconv.Itoa(len(f.body)))
	}
	f.plan = p
	if inm := c.r.Header.Get("If-None-Match"); inm != "" && c.flight && m.rnd.IntN(2) == 0 {
		n, _ := strconv.Atoi(strings.Trim(inm, `"f`))
		f.base = m.fetches[n]
	}
}

// do lets the origin of f do something, if it is not held up.
func (m *model) do(f *fetched, g func(http.ResponseWriter) (bool, error)) bool {
	synctest.Wait()
	select {
	case f.call.do <- g:
		synctest.Wait()
		return true
	default:
		return false
	}
}

// originStep moves one origin on: a header, a piece, an end, a cut, an error.
func (m *model) originStep() {
	if len(m.open) == 0 {
		return
	}
	f := m.open[m.rnd.IntN(len(m.open))]
	before := *f
	defer func() {
		if f.head != before.head || f.ended != before.ended || f.call.gone.Load() {
			m.event(f.key, "fetch %d head=%v written=%d/%d ended=%v gone=%v base=%v %v", f.n, f.head, f.written, len(f.body), f.ended, f.call.gone.Load(), f.base != nil, f.plan.fields)
		}
	}()
	switch {
	case !f.head && m.rnd.IntN(12) == 0:
		m.do(f, func(http.ResponseWriter) (bool, error) { return true, errOrigin })
	case !f.head && f.base != nil:
		b := f.base
		delete(m.hot, f.key)
		if m.do(f, func(w http.ResponseWriter) (bool, error) {
			w.Header().Set("Etag", fmt.Sprintf(`"f%d"`, b.n))
			w.WriteHeader(304)
			return true, nil
		}) {
			b.confirmed = f.n
			b.freshFrom, b.valid = time.Now(), max(b.valid, f.purge)
		}
	case !f.head:
		delete(m.hot, f.key)
		f.head = m.do(f, func(w http.ResponseWriter) (bool, error) {
			for i := 0; i+1 < len(f.plan.fields); i += 2 {
				w.Header().Add(f.plan.fields[i], f.plan.fields[i+1])
			}
			w.WriteHeader(f.plan.status)
			return false, nil
		})
		f.freshFrom = time.Now()
	case f.written < len(f.body) && m.rnd.IntN(30) > 0:
		p := f.body[f.written:min(len(f.body), f.written+1+m.rnd.IntN(9<<10))]
		if m.do(f, func(w http.ResponseWriter) (bool, error) { w.Write(p); return false, nil }) {
			f.written += len(p)
		}
	case f.written < len(f.body) && m.rnd.IntN(2) == 0:
		m.do(f, func(http.ResponseWriter) (bool, error) { panic(http.ErrAbortHandler) })
	case f.written == len(f.body) || f.plan.declared:
		// A declared length makes an early end a cut one.
		whole := f.written == len(f.body)
		live := f.call.r.Context().Err() == nil
		f.whole = whole
		if m.do(f, func(http.ResponseWriter) (bool, error) { return true, nil }) {
			f.ended = true
			m.stored(f, whole && live)
		} else {
			f.whole = false
		}
	}
}

// stored notes that the next request for the key must be answered by f.
func (m *model) stored(f *fetched, whole bool) {
	delete(m.hot, f.key)
	if !whole || !f.call.flight || !f.plan.storable || len(f.body) > 40<<10 || f.purge < max(m.hard[f.key], m.soft[f.key]) {
		return
	}
	if m.latest[f.key] != f.n {
		return // one asked later may be stored already, or is an unsafe request
	}
	if at, ok := m.purgedAt[f.key]; ok && f.freshFrom.Sub(at) < purgeEcho {
		return // lives shortly
	}
	m.hot[f.key] = f
}

// check compares what a client got with what it may get.
func (m *model) check(a *asked) {
	fail := func(format string, args ...any) {
		m.t.Helper()
		m.t.Fatalf("client of %s %s %s (%v %v, status %d, %d bytes): %s", a.key, a.variant, a.id,
			a.q.Result.Phase, a.q.Result.Reason, a.status, a.body.Len(), fmt.Sprintf(format, args...)+"\n"+strings.Join(m.events[a.key], "\n"))
	}
	whole := a.panicked == nil && a.err == nil && !a.left
	if n, err := strconv.Atoi(a.sent.Get("Content-Length")); err == nil && a.q.Result.Phase == PhasePass && n != a.body.Len() {
		whole = false // a server's writer cuts what passes by itself
	}
	if a.panicked != nil && a.panicked != http.ErrAbortHandler {
		fail("panic %v", a.panicked)
	}
	if a.expect != nil && !a.left && (a.q.Result.Phase != PhaseHit || !bytes.Equal(a.body.Bytes(), a.expect.body)) {
		fail("fetch %d was stored and should have answered", a.expect.n)
	}
	if a.method == "HEAD" || a.status == http.StatusPartialContent {
		m.checkPart(a, whole, fail)
		return
	}
	if a.status == http.StatusRequestedRangeNotSatisfiable {
		return
	}
	if a.body.Len() == 0 {
		if whole {
			fail("told that nothing is the whole")
		}
		return
	}
	text, _, ok := strings.Cut(a.body.String(), ";")
	n, err := strconv.Atoi(strings.TrimPrefix(text, "f"))
	if !ok || err != nil {
		if whole {
			fail("got %.20q", a.body.String())
		}
		return
	}
	f := m.fetches[n]
	switch {
	case !bytes.HasPrefix(f.body, a.body.Bytes()):
		fail("bytes that fetch %d did not send", n)
	case whole && a.body.Len() != len(f.body):
		fail("a part of fetch %d (%d bytes) told as whole", n, len(f.body))
	case whole && !f.whole:
		fail("fetch %d was cut but told as whole", n)
	}
	m.checkRight(a, f, fail)
}

// checkPart is check for a part of a body, and for none.
func (m *model) checkPart(a *asked, whole bool, fail func(string, ...any)) {
	n, err := strconv.Atoi(strings.Trim(a.sent.Get("Etag"), `"f`))
	if err != nil {
		if a.status == http.StatusOK && whole {
			fail("an answer without its tag")
		}
		return
	}
	f := m.fetches[n]
	var want []byte
	if a.status == http.StatusPartialContent {
		var start, last, size int
		if k, _ := fmt.Sscanf(a.sent.Get("Content-Range"), "bytes %d-%d/%d", &start, &last, &size); k != 3 || size != len(f.page) || last >= size {
			fail("a part %q of %d bytes", a.sent.Get("Content-Range"), len(f.page))
		}
		want = f.page[start : last+1]
	}
	switch {
	case !bytes.HasPrefix(want, a.body.Bytes()):
		fail("other bytes than those of the part of fetch %d", n)
	case whole && a.body.Len() != len(want):
		fail("%d bytes of a part of %d told as whole", a.body.Len(), len(want))
	}
	m.checkRight(a, f, fail)
}

// checkRight demands that a client may have what came of a fetch.
func (m *model) checkRight(a *asked, f *fetched, fail func(string, ...any)) {
	n := f.n
	switch {
	case f.key != a.key:
		fail("the answer of %s", f.key)
	case f.plan.vary && f.variant != a.variant:
		fail("the variant %s", f.variant)
	case f.plan.private && f.id != a.id:
		fail("the private answer of %s", f.id)
	case f.purge < a.hard:
		fail("fetch %d was asked for before purge %d", n, a.hard)
	case a.posted > 0 && max(f.n, f.confirmed) < a.posted:
		fail("fetch %d was asked for before the page was changed by %d", n, a.posted)
	case a.q.Result.Phase == PhaseHit && f.valid < a.soft:
		fail("a hit on fetch %d although softly purged by %d", n, a.soft)
	case a.q.Result.Phase == PhaseHit && a.start.Sub(f.freshFrom) >= f.plan.life:
		fail("a hit %v after fetch %d that lives %v", a.start.Sub(f.freshFrom), n, f.plan.life)
	}
}

// finish lets everything end and demands that everyone was answered.
func (m *model) finish() {
	for range 2000 {
		if len(m.clients) == 0 && len(m.open) == 0 && m.cache.flights.count() == 0 {
			return
		}
		m.read()
		if len(m.open) == 0 {
			m.pass(time.Second)
		}
		m.originStep()
		m.observe()
	}
	for _, a := range m.clients {
		a.visitor.leave()
	}
	m.t.Fatalf("%d clients were never answered, %d origins not ended, %d flights run", len(m.clients), len(m.open), m.cache.flights.count())
}
