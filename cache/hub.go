package cache

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// A hub hears what any process stores, invalidates or removes in a region, and drops
// it from the near caches of this one. While it does not hear, they are not used.
type hub struct {
	on   *regionOn
	live atomic.Bool // the server has confirmed that we listen

	mu     sync.Mutex
	pubsub *redis.PubSub
	ended  bool
}

const (
	silent     = 3 * time.Second // after which the server is asked whether it is there
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// channel is where near caches of the region listen, or "" without them.
func (r *Region) channel() string {
	if r.Near.Entries == 0 {
		return ""
	}
	return "cache.changed{" + r.name + "}"
}

func (h *hub) run() {
	for pause := firstPause; h.open(); {
		if h.receive() {
			pause = firstPause
		}
		h.live.Store(false)
		h.forget() // what has changed since is not known
		time.Sleep(pause)
		pause = min(2*pause, lastPause)
	}
}

// open subscribes, unless the hub has ended.
func (h *hub) open() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.pubsub = h.on.db.Client().Subscribe(context.Background(), h.on.channel())
	}
	return !h.ended
}

// receive hands out what comes until the connection fails, and tells whether anything
// came.
func (h *hub) receive() (heard bool) {
	defer h.pubsub.Close()
	for asked := false; ; {
		message, err := h.pubsub.ReceiveTimeout(context.Background(), silent)
		var timeout net.Error
		switch {
		case err == nil:
			asked, heard = false, true
		case errors.As(err, &timeout) && timeout.Timeout() && !asked:
			asked = true
			if h.pubsub.Ping(context.Background()) != nil {
				return heard
			}
		default:
			return heard
		}
		switch m := message.(type) {
		case *redis.Subscription:
			h.forget() // of an earlier connection
			h.live.Store(true)
		case *redis.Message:
			h.hand(m.Payload)
		}
	}
}

// hand drops what has changed: an entry, or all of a generation.
func (h *hub) hand(key string) {
	name, rest, _ := strings.Cut(key, "{")
	_, entry, _ := strings.Cut(name, ":")
	whole := strings.HasPrefix(name, "cache.generation")
	for _, m := range h.on.members() {
		switch {
		case whole && (entry == "" || entry == m.named()):
			m.forget()
		case !whole && entry == m.named() && rest != "":
			m.drop(key)
		}
	}
}

func (h *hub) forget() {
	for _, m := range h.on.members() {
		m.forget()
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	if h.pubsub != nil {
		_ = h.pubsub.Close()
	}
}
