package cache

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Defaults of a Coder.
const (
	maxCoderQueue  = 1024
	maxLiveCodings = 256
)

// A Coder makes coded forms of bodies in the background, with few workers, and
// bounds how many bodies are coded while they are sent. A process has one, unless a
// test has its own. Its workers end when nothing is left to do, so it needs no
// closing. It is safe for concurrent use; NewCoder makes one.
type Coder struct {
	workers int
	queue   int
	encode  func(c Coding, e effort, body []byte) ([]byte, error)
	live    atomic.Int64

	mu      sync.Mutex
	jobs    [effortCount][]coderJob // guarded by mu; the first efforts go first
	waiting int                     // guarded by mu: the jobs in all of them
	running int                     // guarded by mu
	idle    *sync.Cond
}

// coderJob is one form to be made.
type coderJob struct {
	coding Coding
	effort effort
	body   []byte
	// done takes the form, or why there is none, on the worker's goroutine.
	done func(coded []byte, err error)
}

// NewCoder returns a Coder of workers goroutines; 0 is half of the processors, at
// least one. Up to queue forms wait; 0 is 1024. Further ones are not made until
// they are asked for again.
func NewCoder(workers, queue int) *Coder {
	if workers <= 0 {
		workers = max(runtime.GOMAXPROCS(0)/2, 1)
	}
	if queue <= 0 {
		queue = maxCoderQueue
	}
	c := &Coder{workers: workers, queue: queue, encode: encodeWhole}
	c.idle = sync.NewCond(&c.mu)
	return c
}

// processCoder is the Coder of all caches that are not given one.
var processCoder = sync.OnceValue(func() *Coder { return NewCoder(0, 0) })

// submit queues a job. It returns false if too many wait.
func (c *Coder) submit(j coderJob) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == c.queue {
		return false
	}
	c.jobs[j.effort] = append(c.jobs[j.effort], j)
	c.waiting++
	if c.running < c.workers {
		c.running++
		go c.work()
	}
	return true
}

// work is a worker.
func (c *Coder) work() {
	for {
		j, ok := c.next()
		if !ok {
			return
		}
		j.done(c.run(j))
	}
}

// next takes the job that is most urgent, or ends the worker.
func (c *Coder) next() (coderJob, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := range c.jobs {
		if q := c.jobs[e]; len(q) > 0 {
			j := q[0]
			q[0] = coderJob{}
			c.jobs[e] = q[1:]
			c.waiting--
			return j, true
		}
	}
	c.running--
	c.idle.Broadcast()
	return coderJob{}, false
}

// run makes one form. A panic of an encoder costs the form and nothing else.
func (c *Coder) run(j coderJob) (coded []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			coded, err = nil, fmt.Errorf("coding as %v panicked: %v\n%s", j.coding, p, debug.Stack())
		}
	}()
	return c.encode(j.coding, j.effort, j.body)
}

// wait waits until nothing is left to do.
func (c *Coder) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.running > 0 {
		c.idle.Wait()
	}
}

// takeLive says whether one more body may be coded while it is sent. giveLive must
// follow.
func (c *Coder) takeLive() bool {
	if c.live.Add(1) > maxLiveCodings {
		c.live.Add(-1)
		return false
	}
	return true
}

func (c *Coder) giveLive() { c.live.Add(-1) }
