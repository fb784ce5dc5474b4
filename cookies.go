package mount

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"

	"github.com/caddy-mount/mount/handler"
)

// cookieMemories holds the cookie names that each site was seen to set, by the
// key under which they are stored. They outlive a reload here and a restart in
// Caddy's storage: without them the site's own sessions would be taken for the
// main site's, and everybody would be logged out.
var cookieMemories = caddy.NewUsagePool()

// cookieMemory keeps the names of one site.
type cookieMemory struct {
	names   *handler.CookieNames
	storage certmagic.Storage
	key     string
	logger  *zap.Logger

	mu     sync.Mutex
	saving bool // guarded by mu: a goroutine is at it
	again  bool // guarded by mu: there are names that it may have missed
	done   sync.WaitGroup
}

// storageTimeout bounds one use of Caddy's storage, which may be remote.
const storageTimeout = 10 * time.Second

// rememberCookies returns the memory of the mount's site and a function that
// gives it back.
func (m *Mount) rememberCookies(ctx caddy.Context) (*cookieMemory, error) {
	site := m.Site
	if len(site) == 0 {
		site = m.origins.dials
	}
	key := "mount/cookies/" + certmagic.StorageKeys.Safe(fmt.Sprint(site, m.Path)) + ".json"
	pooled, _, err := cookieMemories.LoadOrNew(key, func() (caddy.Destructor, error) {
		c := &cookieMemory{names: new(handler.CookieNames), storage: ctx.Storage(), key: key, logger: m.logger}
		c.load()
		return c, nil
	})
	if err != nil {
		return nil, fmt.Errorf("loading the site's cookie names: %w", err)
	}
	return pooled.(*cookieMemory), nil
}

// load reads the names from storage. What cannot be read is learnt again.
func (c *cookieMemory) load() {
	ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
	defer cancel()
	data, err := c.storage.Load(ctx, c.key)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var names []string
	if err == nil {
		err = json.Unmarshal(data, &names)
	}
	if err != nil {
		c.logger.Error("reading the site's cookie names; they are learnt anew", zap.String("key", c.key), zap.Error(err))
		return
	}
	c.names.Load(names)
}

// learn adds a name that the site has just set. It never waits for storage.
func (c *cookieMemory) learn(name string) {
	if !c.names.Learn(name) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.again = true
	if !c.saving {
		c.saving = true
		c.done.Add(1)
		go c.save()
	}
}

// save writes the names until none is new. At most one runs at a time.
func (c *cookieMemory) save() {
	defer c.done.Done()
	for {
		c.mu.Lock()
		if !c.again {
			c.saving = false
			c.mu.Unlock()
			return
		}
		c.again = false
		c.mu.Unlock()

		data, err := json.Marshal(c.names.Snapshot())
		if err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), storageTimeout)
			err = c.storage.Store(ctx, c.key, data)
			cancel()
		}
		if err != nil {
			c.logger.Error("writing the site's cookie names; a restart would forget the new ones", zap.String("key", c.key), zap.Error(err))
		}
	}
}

// Destruct waits for the last write. The pool calls it when no configuration
// uses the memory any more.
func (c *cookieMemory) Destruct() error {
	c.done.Wait()
	return nil
}
