package lock

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// shape is how a lock is held.
type shape string

const (
	exclusive shape = "x" // alone
	shared    shape = "s" // with others
)

// A locker takes leases of one definition: what is below all kinds of locks.
type locker struct {
	def   *definition
	db    *pipectx.DB
	shape shape
}

// do is acquire, fn, release.
func (l locker) do(ctx context.Context, names []string, fn func(context.Context, *Lease) error) (err error) {
	lease, err := l.acquire(ctx, true, names...)
	if err != nil {
		return err
	}
	inner, end := lease.context(ctx)
	defer func() { // also when fn panics, or ends its goroutine
		released := lease.Release(context.WithoutCancel(pipectx.Detach(ctx)))
		end()
		err = errors.Join(err, released)
	}()
	return fn(inner, lease)
}

// acquire takes the locks of some names. Without wait it answers ErrHeld at once.
func (l locker) acquire(ctx context.Context, wait bool, names ...string) (*Lease, error) {
	keys, err := l.def.keys(names)
	if err != nil {
		return nil, fmt.Errorf("lock: %s: %w", l.def.prefix, err)
	}
	if err := pipectx.Outside(ctx, l.db, "lock: acquire "+keys[0]); err != nil {
		return nil, err
	}
	if lease, err := l.reenter(ctx, keys); lease != nil || err != nil {
		return lease, err
	}
	a := &acquisition{locker: l, keys: keys, token: rand.Text(), caller: ctx}
	if !wait {
		return a.try(ctx)
	}
	// It is tempting to give ctx the Timeout, but see bounded.
	if timeout := l.def.options.Timeout; timeout > 0 {
		a.most = time.Now().Add(timeout)
	}
	return a.wait(ctx)
}

// An acquisition is one call of Acquire.
type acquisition struct {
	locker
	keys   []string
	token  string
	caller context.Context

	most  time.Time // when it gives up; zero for never
	entry string    // what may be in the queue
	asked time.Time // when the last answer was asked for: before now
	now   int64     // the server's time in that answer, µs
}

func (a *acquisition) try(ctx context.Context) (*Lease, error) {
	got, err := a.ask(ctx, "")
	switch {
	case err != nil:
		return nil, a.giveUp(ctx, err)
	case got.held < len(a.keys):
		return nil, fmt.Errorf("%w: %s", ErrHeld, strings.Join(a.keys, ", "))
	}
	return a.lease(got.fence, a.asked.Add(a.def.options.TTL)), nil
}

// ask calls acquire.lua, and again when its answer is lost: the token makes the
// second call find what the first one did.
func (a *acquisition) ask(ctx context.Context, channel string) (got answer, err error) {
	entry := ""
	if channel != "" {
		entry = fmt.Sprintf("%s %s %d %d %s", a.token, a.shape, a.def.limit, a.def.options.TTL.Milliseconds(), channel)
	}
	for try := range tries {
		asked := time.Now()
		within, cancel := a.bounded(ctx, try == 0 && a.asked.IsZero())
		if a.quick(a.keys) && a.entry == "" {
			c := a.command(takeScript.Script, a.keys)
			c.Word(a.token)
			c.Int(a.def.options.TTL.Milliseconds())
			c.Word(entry)
			got, err = pipectx.Send(within, a.db, c, readAnswer).Result()
		} else {
			got.held = elsewhere
		}
		if got.held == elsewhere && err == nil {
			c := a.command(acquireScript.Script, a.keys)
			c.Word(a.token)
			c.Int(a.def.options.TTL.Milliseconds())
			c.Word(string(a.shape))
			c.Int(int64(a.def.limit))
			c.Int(int64(a.def.stride))
			c.Word(entry)
			c.Word(a.entry)
			got, err = pipectx.Send(within, a.db, c, readAnswer).Result()
		}
		cancel()
		if entry != "" {
			a.entry = entry
		}
		if err == nil {
			a.asked, a.now = asked, got.now
		}
		if !errors.Is(err, pipectx.ErrOutcomeUnknown) || ctx.Err() != nil || a.late() {
			break
		}
	}
	return got, err
}

// bounded is ctx that ends with Timeout, for one question. A context that can end costs a
// command a goroutine more: the first question does without, where the client itself
// gives up before, on a server that hangs.
func (a *acquisition) bounded(ctx context.Context, first bool) (context.Context, context.CancelFunc) {
	if a.most.IsZero() || first && time.Until(a.most) > patienceOf(a.db.Client()) {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, a.most, ErrTimeout)
}

// patienceOf is for how long a client waits for one connection, and for one answer.
func patienceOf(client redis.UniversalClient) time.Duration {
	var dial, read time.Duration
	switch client := client.(type) {
	case *redis.Client:
		dial, read = client.Options().DialTimeout, client.Options().ReadTimeout
	case *redis.ClusterClient:
		dial, read = client.Options().DialTimeout, client.Options().ReadTimeout
	}
	if dial <= 0 || read <= 0 { // it waits for as long as it takes
		return mostTTL
	}
	return dial + read
}

// quick tells whether the scripts for most calls will do.
func (l locker) quick(keys []string) bool { return len(keys) == 1 && l.def.stride == 2 }

// late tells whether Timeout has passed.
func (a *acquisition) late() bool { return !a.most.IsZero() && !time.Now().Before(a.most) }

// tries is how often a question is asked whose answer is lost each time.
const tries = 3

// command starts a call of a script on locks.
func (l locker) command(s *pipectx.Script, keys []string) *pipectx.Command {
	c := s.Command(len(keys) * l.def.stride)
	for _, key := range keys {
		c.Key(key)
		c.Key(key + ":queue")
		if l.def.stride == 3 {
			c.Key(key + ":holders")
		}
	}
	return c
}

// until is the latest instant of this process's clock that is surely before an
// instant of the server's: when the answer was asked for the server's clock had
// not yet shown now.
func (a *acquisition) until(ends int64) time.Time {
	return a.asked.Add(time.Duration(ends-a.now) * time.Microsecond)
}

// giveUp leaves the queue, and whatever is held, and returns why nothing is. It
// does not wait for the server: whoever gives up has waited for long enough.
func (a *acquisition) giveUp(ctx context.Context, err error) error {
	var crossed *pipectx.CrossSlotError
	if errors.As(err, &crossed) {
		return fmt.Errorf("lock: %s and %s: several locks at once need one slot of the Cluster: set Options.Slot: %w", crossed.Key1, crossed.Key2, err)
	}
	clean := context.WithoutCancel(pipectx.Detach(ctx))
	go func() {
		_, _ = a.free(clean, a.keys, a.token, a.entry) // else it is free when its time has passed
	}()
	if why := context.Cause(ctx); why != nil && !errors.Is(err, ErrTimeout) {
		err = why
	}
	return fmt.Errorf("lock: acquire %s: %w", strings.Join(a.keys, ", "), err)
}

// free calls release.lua and returns how many locks were held.
func (l locker) free(ctx context.Context, keys []string, token, entry string) (int64, error) {
	if l.quick(keys) && entry == "" {
		c := l.command(giveScript.Script, keys)
		c.Word(token)
		held, err := pipectx.Send(ctx, l.db, c, func(r pipectx.Reply) (bool, error) { return !r.IsNil(), nil }).Result()
		if held || err != nil {
			return 1, err
		}
	}
	c := l.command(releaseScript.Script, keys)
	c.Word(token)
	c.Word(string(l.shape))
	c.Int(int64(l.def.stride))
	c.Word(entry)
	return pipectx.Send(ctx, l.db, c, pipectx.Reply.Int).Result()
}
