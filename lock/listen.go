package lock

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A hub is how this process listens to one node: one connection for all who wait
// there, open while somebody waits and some seconds longer. Which of them a message
// is for it says itself. On a Cluster channels are sharded, one for each hash tag,
// where the server has such; everywhere else there is one for the process.
type hub struct {
	client *redis.Client
	begun  sync.Once

	mu       sync.Mutex
	id       string
	cluster  bool
	sharded  bool
	pubsub   *redis.PubSub
	channels map[string]*channel
	waiters  map[string]*waiter // by token
	idle     *time.Timer
	ended    bool
}

// A channel is a subscription.
type channel struct {
	users int
	live  bool          // the server has confirmed it
	ready chan struct{} // closed when it is
}

const (
	linger   = 10 * time.Second // that a hub stays when nobody waits
	confirms = time.Second      // within which a server confirms a subscription
	mostIdle = 64               // channels that are kept though nobody uses them
)

// hubs are those of this process, by the client of the node. It is tempting to
// keep them with the DB, but one connection a node is promised for all of them.
var hubs = struct {
	sync.Mutex
	of map[*redis.Client]*hub
}{of: map[*redis.Client]*hub{}}

// node is the client of the server that a key is on.
func node(ctx context.Context, db *pipectx.DB, key string) *redis.Client {
	switch client := db.Client().(type) {
	case *redis.Client:
		return client
	case *redis.ClusterClient:
		master, err := client.MasterForKey(ctx, key)
		if err == nil {
			return master
		}
	}
	return nil
}

// enter gives a token a place at the hub of its key's node, nil where this process
// does not listen to that yet.
func enter(ctx context.Context, db *pipectx.DB, token, key string) *waiter {
	hubs.Lock()
	none := len(hubs.of) == 0
	hubs.Unlock()
	if none {
		return nil
	}
	client := node(ctx, db, key)
	hubs.Lock()
	h := hubs.of[client]
	hubs.Unlock()
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.add(token, key)
}

// listen is enter that begins to listen. It returns nil where that fails.
func listen(ctx context.Context, db *pipectx.DB, token, key string) *waiter {
	client := node(ctx, db, key)
	if client == nil {
		return nil
	}
	hubs.Lock()
	h := hubs.of[client]
	if h == nil {
		h = &hub{client: client, id: rand.Text(), cluster: db.Cluster(), channels: map[string]*channel{}, waiters: map[string]*waiter{}}
		hubs.of[client] = h
	}
	hubs.Unlock()
	h.begun.Do(h.begin)
	return h.join(ctx, token, key)
}

// begin opens the connection.
func (h *hub) begin() {
	sharded := false
	if h.cluster {
		info, err := h.client.Do(context.Background(), "COMMAND", "INFO", "spublish").Slice()
		sharded = err == nil && len(info) == 1 && info[0] != nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sharded = sharded
	h.pubsub = h.client.Subscribe(context.Background())
	h.idle = time.AfterFunc(linger, h.endIdle)
	go h.receive()
}

// join subscribes to the channel of a key, and waits until the server says so.
func (h *hub) join(ctx context.Context, token, key string) *waiter {
	h.mu.Lock()
	name := h.channelOf(key)
	c := h.channels[name]
	if c == nil && !h.ended {
		c = &channel{ready: make(chan struct{})}
		h.channels[name] = c
		go h.subscribe(name) // it may have to connect first
	}
	if h.ended {
		h.mu.Unlock()
		return nil
	}
	c.users++
	ready := c.ready
	h.mu.Unlock()

	timer := time.NewTimer(confirms)
	defer timer.Stop()
	select {
	case <-ready:
	case <-ctx.Done():
	case <-timer.C:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c.users--
	return h.add(token, key)
}

// subscribe needs no answer: what fails is tried again with the next connection.
func (h *hub) subscribe(name string) {
	if strings.HasPrefix(name, "s") {
		_ = h.pubsub.SSubscribe(context.Background(), name[1:])
	} else {
		_ = h.pubsub.Subscribe(context.Background(), name[1:])
	}
}

// channelOf is the channel of a key behind a letter: s if it is sharded, else p.
func (h *hub) channelOf(key string) string {
	if h.sharded {
		return "sredmoon:lock{" + tag(key) + "}:" + h.id
	}
	return "predmoon:lock:" + h.id
}

// add makes a waiter, nil if its channel is not live. The caller holds mu.
func (h *hub) add(token, key string) *waiter {
	name := h.channelOf(key)
	c := h.channels[name]
	if h.ended || c == nil || !c.live {
		return nil
	}
	c.users++
	w := &waiter{hub: h, token: token, channel: name, on: c, gives: make(chan gift, 4), stirs: make(chan struct{}, 1)}
	h.waiters[token] = w
	return w
}

// receive hands out what comes until the hub ends.
func (h *hub) receive() {
	const longest = time.Second
	for pause := time.Duration(0); ; {
		message, err := h.pubsub.ReceiveTimeout(context.Background(), 0)
		switch m := message.(type) {
		case *redis.Message:
			h.hand(m.Payload)
		case *redis.Subscription:
			pause = 0
			h.confirmed(m)
		}
		switch {
		case errors.Is(err, redis.ErrClosed):
			h.end()
			return
		case err != nil:
			h.interrupted()
			time.Sleep(pause) // until the next connection; who waits asks meanwhile
			pause = min(2*pause+10*time.Millisecond, longest)
		}
	}
}

// hand gives a waiter its lock: "token since ttl fence". One that is not here any
// more has left, and told the server so.
func (h *hub) hand(message string) {
	token, rest, _ := strings.Cut(message, " ")
	since, rest, _ := strings.Cut(rest, " ")
	ttl, fence, _ := strings.Cut(rest, " ")
	var n [3]int64
	for i, text := range []string{since, ttl, fence} {
		var err error
		if n[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return // not one of ours
		}
	}
	g := gift{ends: n[0] + 1000*n[1], fence: n[2]}
	h.mu.Lock()
	w := h.waiters[token]
	h.mu.Unlock()
	if w != nil {
		select {
		case w.gives <- g:
		default:
			w.stir()
		}
	}
}

func (h *hub) confirmed(m *redis.Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := "p" + m.Channel
	if m.Kind == "ssubscribe" || m.Kind == "sunsubscribe" {
		name = "s" + m.Channel
	}
	c := h.channels[name]
	switch {
	case c == nil:
	case strings.HasSuffix(m.Kind, "unsubscribe"): // its slot has moved
		h.silence(name, c)
		delete(h.channels, name)
	case c.live: // by another connection: messages may be lost
		h.stir(name)
	default:
		c.live = true
		close(c.ready)
	}
}

// interrupted is what becomes of all when the connection breaks.
func (h *hub) interrupted() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, c := range h.channels {
		h.silence(name, c)
	}
}

// silence has those on a channel ask for themselves. The caller holds mu.
func (h *hub) silence(name string, c *channel) {
	if c.live {
		c.live, c.ready = false, make(chan struct{})
	}
	h.stir(name)
}

func (h *hub) stir(name string) {
	for _, w := range h.waiters {
		if w.channel == name {
			w.stir()
		}
	}
}

// endIdle ends a hub where nobody has waited for a while.
func (h *hub) endIdle() {
	hubs.Lock()
	defer hubs.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.channels {
		if c.users > 0 {
			h.idle.Reset(linger)
			return
		}
	}
	h.close()
}

// end is endIdle for a hub whose client is closed.
func (h *hub) end() {
	hubs.Lock()
	defer hubs.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, c := range h.channels {
		h.silence(name, c)
	}
	h.close()
}

// close is the end of both. The caller holds both locks.
func (h *hub) close() {
	if !h.ended {
		h.ended = true
		h.idle.Stop()
		_ = h.pubsub.Close()
		if hubs.of[h.client] == h {
			delete(hubs.of, h.client)
		}
	}
}
