package keyspace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Consumer is one of a group of consumers, and how it works.
type Consumer struct {
	Group string
	Name  string // one of its own for each that runs at a time, and the same when it starts again

	Batch int64         // entries it is given at a time. Default: 10
	Idle  time.Duration // after which what another has not acknowledged is taken over. Default: 1 minute
	After Start         // where a group begins that does not exist yet. Default: at the beginning
}

// ErrLater is for the function that [StreamKey.Consume] calls: wrapped in its error, the
// entry stays pending, is given to a consumer again after Idle, and Consume goes on.
var ErrLater = errors.New("not now")

// Consume calls fn with one entry after another that the group is given, and acknowledges
// each when fn returns nil. It makes the group where there is none, and goes on until ctx
// ends, which is the error it returns then, or until fn or the server fails:
//
//	err := sales.Consume(ctx, "oslo", keyspace.Consumer{Group: "books", Name: host},
//		func(ctx context.Context, e keyspace.Entry[Sale]) error {
//			if e.Err != nil {
//				return quarantine(ctx, e.ID, e.Err) // nobody will ever be able to read it
//			}
//			return book(ctx, e.ID, e.Value)
//		})
//
// It works in this order:
//
//  1. What this consumer was given before, when it died or fn failed.
//  2. What others of the group were given and have not acknowledged for Idle: they are
//     taken for dead. It looks again each time that Idle has passed by half.
//  3. New entries, for which it waits.
//
// An entry is given to fn at least once, and again
//
//   - if fn returned an error, or the process died before the acknowledgement was done;
//   - if it was not acknowledged within Idle of being read, by another consumer, though
//     this one may be at it still: Idle must be longer than fn takes for a whole Batch;
//   - if it was given to two consumers of one name, which think the other's is theirs.
//
// Deliveries of the [Entry] tells how often it was, so that fn can put away one that fails
// for ever. An entry that its type cannot hold comes with the error in Err. One that was
// removed from the stream while it was pending is acknowledged, and fn does not see it.
//
// When fn returns an error that is not [ErrLater] Consume ends with it and the id; the
// entry stays pending, and the next Consume of this consumer begins with it. What fn has
// done when ctx ends is acknowledged all the same. Connections that break do not end it:
// it begins again with 1 as soon as the server answers, and tells the observers of the DB
// each failure as one that nobody read. Inside a Run it is refused.
//
// Cost: XGROUP CREATE; XREADGROUP and XPENDING until nothing is pending; XAUTOCLAIM, and
// XPENDING if it found something, twice each Idle; CLIENT ID and XREADGROUP BLOCK for each
// Batch, XACK for each entry; 1 command and 1 round trip each, and 1 command more with a
// default TTL.
func (k StreamKey[E]) Consume(ctx context.Context, as Consumer, fn func(ctx context.Context, entry Entry[E]) error) error {
	w, err := k.worker(ctx, as, fn)
	if err != nil {
		return err
	}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		began := time.Now()
		err := w.work(ctx)
		var stopped *stopError
		switch {
		case errors.As(err, &stopped):
			return stopped.err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ErrNoGroup): // it was removed, perhaps with the stream
			continue
		case lasting(err):
			return err
		}
		pipectx.Failed[struct{}](pipectx.Detach(ctx), k.db, err)
		if time.Since(began) > 10*time.Second {
			pause = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// lasting tells whether an error will be there at the next attempt as well: the server
// has understood, and refuses.
func lasting(err error) bool {
	var fault *pipectx.ServerError
	if errors.As(err, &fault) {
		switch fault.Code {
		case "LOADING", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "READONLY", "OOM", "MISCONF", "NOREPLICAS", "BUSY",
			"UNBLOCKED": // the stream was removed while the consumer waited
			return false
		}
		return true
	}
	return errors.Is(err, pipectx.ErrUnsupported) || errors.Is(err, pipectx.ErrClosed)
}

// A worker is a consumer at work.
type worker[E any] struct {
	k    StreamKey[E]
	as   Consumer
	fn   func(context.Context, Entry[E]) error
	read GroupRead
}

// stopError is what ends Consume, apart from what can be tried again.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

func (k StreamKey[E]) worker(ctx context.Context, as Consumer, fn func(context.Context, Entry[E]) error) (*worker[E], error) {
	if as.Batch == 0 {
		as.Batch = 10
	}
	if as.Idle == 0 {
		as.Idle = time.Minute
	}
	switch {
	case k.err != nil: // also a connection that the DB does not have
		return nil, k.err
	case fn == nil:
		return nil, fmt.Errorf("keyspace: %s: Consume has no function to call", k.key)
	case as.Group == "" || as.Name == "":
		return nil, fmt.Errorf("keyspace: %s: a Consumer has a Group and a Name; give both", k.key)
	case as.Batch < 0:
		return nil, fmt.Errorf("keyspace: %s: a Batch of %d entries; give one at least", k.key, as.Batch)
	case as.Idle < 2*time.Millisecond:
		return nil, fmt.Errorf("keyspace: %s: Idle of %v; give 2ms at least", k.key, as.Idle)
	}
	if err := pipectx.Outside(ctx, k.db, "keyspace: Consume"); err != nil {
		return nil, err
	}
	return &worker[E]{k, as, fn, GroupRead{Group: as.Group, Consumer: as.Name, ReadOptions: ReadOptions{Count: as.Batch}}}, nil
}

// work makes the group and goes on until something fails.
func (w *worker[E]) work(ctx context.Context) error {
	err := w.k.GroupCreateMkStream(ctx, w.as.Group, w.as.After).Err()
	if err != nil && !errors.Is(err, ErrGroupExists) {
		return err
	}
	if err := w.own(ctx); err != nil {
		return err
	}
	for {
		if err := w.others(ctx); err != nil {
			return err
		}
		for looked := time.Now(); time.Since(looked) < w.as.Idle/2; {
			wait := max(w.as.Idle/2-time.Since(looked), time.Millisecond)
			entries, err := w.k.BReadGroup(ctx, wait, w.read).Result()
			for i := range entries {
				entries[i].Deliveries = 1
			}
			if err == nil {
				err = w.do(ctx, entries)
			}
			if err != nil {
				return err
			}
		}
	}
}

// own does what was given to this consumer before.
func (w *worker[E]) own(ctx context.Context) error {
	for last := (StreamID{}); ; {
		entries, err := w.k.ReadPending(ctx, w.read, last).Result()
		if err != nil || len(entries) == 0 {
			return err
		}
		last = entries[len(entries)-1].ID
		if err := w.again(ctx, entries); err != nil {
			return err
		}
	}
}

// others does what was given to others that have not been heard of for Idle.
func (w *worker[E]) others(ctx context.Context) error {
	for from := (StreamID{}); ; {
		found, err := w.k.AutoClaim(ctx, w.as.Group, w.as.Name, w.as.Idle, from, w.as.Batch).Result()
		if err != nil {
			return err
		}
		if len(found.Entries) > 0 {
			if err := w.again(ctx, found.Entries); err != nil {
				return err
			}
		}
		if from = found.Next; from.IsZero() {
			return nil
		}
	}
}

// again does entries that were delivered before; how often, it asks.
func (w *worker[E]) again(ctx context.Context, entries []Entry[E]) error {
	span := Between(entries[0].ID, entries[len(entries)-1].ID)
	pending, err := w.k.PendingEntries(ctx, w.as.Group, PendingOptions{Span: span.Limit(0, most), Consumer: w.as.Name}).Result()
	if err != nil {
		return err
	}
	deliveries := make(map[StreamID]int64, len(pending))
	for _, p := range pending {
		deliveries[p.ID] = p.Deliveries
	}
	for i := range entries {
		entries[i].Deliveries = deliveries[entries[i].ID]
	}
	return w.do(ctx, entries)
}

// do calls fn with entries, and acknowledges what it has done.
func (w *worker[E]) do(ctx context.Context, entries []Entry[E]) error {
	for _, e := range entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(e.Err, pipectx.ErrNotFound) {
			switch err := w.fn(ctx, e); {
			case errors.Is(err, ErrLater):
				continue
			case err != nil:
				return &stopError{fmt.Errorf("keyspace: %s: entry %v: %w", w.k.key, e.ID, err)}
			}
		}
		// What is done is done, also when ctx has ended meanwhile.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		err := w.k.Ack(ctx, w.as.Group, e.ID).Err()
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}
