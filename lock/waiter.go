package lock

import "context"

// A waiter is one who waits for a message. A nil one waits for none: where this
// process cannot listen.
type waiter struct {
	hub     *hub
	token   string
	channel string
	on      *channel
	gives   chan gift
	stirs   chan struct{} // when messages may be lost: ask
	left    bool
}

// A gift is a lock that was handed over.
type gift struct {
	ends  int64 // by the server's clock, µs
	fence int64
}

// name is what the server knows the channel by.
func (w *waiter) name() string {
	if w == nil {
		return ""
	}
	return w.channel
}

func (w *waiter) given() <-chan gift {
	if w == nil {
		return nil
	}
	return w.gives
}

func (w *waiter) stirred() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.stirs
}

func (w *waiter) stir() {
	select {
	case w.stirs <- struct{}{}:
	default:
	}
}

// hears tells whether messages reach it: they are sent by the node of its key.
func (w *waiter) hears(ctx context.Context, a *acquisition) bool {
	if w == nil {
		return false
	}
	if a.db.Cluster() && node(ctx, a.db, a.keys[0]) != w.hub.client {
		return false
	}
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	c := w.hub.channels[w.channel]
	return !w.hub.ended && c != nil && c.live
}

// leave gives the place at the hub up. The connection stays for a while: those who
// wait once wait again.
func (w *waiter) leave() {
	if w == nil || w.left {
		return
	}
	w.left = true
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiters[w.token] == w {
		delete(h.waiters, w.token)
	}
	w.on.users--
	if w.on.users == 0 && !h.ended && h.channels[w.channel] == w.on && len(h.channels) > mostIdle {
		delete(h.channels, w.channel)
		go h.unsubscribe(w.channel)
	}
}

func (h *hub) unsubscribe(name string) {
	if name[0] == 's' {
		_ = h.pubsub.SUnsubscribe(context.Background(), name[1:])
	} else {
		_ = h.pubsub.Unsubscribe(context.Background(), name[1:])
	}
}
