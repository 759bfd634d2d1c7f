package lock

import (
	"context"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// schedule sets the timer of the lease: for its renewal, when a third of what is
// left has passed, or for its end. The caller holds mu.
func (l *Lease) schedule() {
	l.stop()
	left := time.Until(l.ends)
	if !l.def.options.Fixed {
		l.timer = time.AfterFunc(left/3, l.renew)
		return
	}
	l.timer = time.AfterFunc(left, func() { _ = l.Err() })
}

func (l *Lease) stop() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

// renew extends the lease. While the server cannot be reached it tries again,
// until the lease is over: then the contexts end.
func (l *Lease) renew() {
	l.mu.Lock()
	timer, ends := l.timer, l.ends
	stopped := timer == nil || l.check() != nil
	l.mu.Unlock()
	if stopped {
		return
	}
	ctx, cancel := context.WithDeadline(pipectx.Detach(l.base), ends)
	err := l.extend(ctx, 0)
	cancel()
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != timer || l.check() != nil { // released, lost, or extended by hand
		return
	}
	l.timer = time.AfterFunc(max(time.Until(l.ends)/8, time.Millisecond), l.renew)
}
