package keyspace

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// PendingSummary is what a group has given out and nobody has acknowledged.
type PendingSummary struct {
	Count       int64
	First, Last StreamID         // 0-0 if there are none
	ByConsumer  map[string]int64 // of those that have any
}

// Pending answers how many entries are pending in a group, and for whom.
//
// Errors: [ErrNoGroup].
//
// Cost: XPENDING; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) Pending(ctx context.Context, group string) *pipectx.Ref[PendingSummary] {
	c := k.command("XPENDING").Read()
	c.Word(group)
	return pipectx.Send(ctx, k.db, k.faults(c, ""), pendingSummary)
}

func pendingSummary(r pipectx.Reply) (s PendingSummary, err error) {
	items, err := r.Items()
	if err != nil {
		return s, err
	}
	s.ByConsumer = map[string]int64{}
	for i := 0; items.Next(); i++ {
		switch value := items.Reply(); {
		case value.IsNil():
		case i == 0:
			s.Count, err = value.Int()
		case i == 1:
			s.First, err = idOf(value)
		case i == 2:
			s.Last, err = idOf(value)
		case i == 3:
			err = eachStream(value, func(name []byte, count pipectx.Reply) error {
				n, err := count.Int() // a text, in which Int reads digits
				s.ByConsumer[string(name)] = n
				return err
			})
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// PendingEntry is an entry that was given to a consumer and not acknowledged.
type PendingEntry struct {
	ID         StreamID
	Consumer   string
	Idle       time.Duration // since it was last given to one
	Deliveries int64
}

// PendingOptions choose among what is pending; the zero value is all.
type PendingOptions struct {
	Span     Span[StreamID] // with Limit(0, n) for n at most. Default: all
	Consumer string         // Default: all
	MinIdle  time.Duration  // Default: any
}

// PendingEntries answers which entries are pending in a group, the oldest first.
//
// Errors: [ErrNoGroup].
//
// Cost: XPENDING; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) PendingEntries(ctx context.Context, group string, options PendingOptions) *pipectx.Ref[[]PendingEntry] {
	c := k.command("XPENDING").Read()
	c.Word(group)
	if options.MinIdle != 0 {
		c.Word("IDLE")
		idle(c, k.key, options.MinIdle)
	}
	idSpan(c, k.key, false, options.Span)
	count, all := idLimit(c, k.key, options.Span)
	if all {
		count = math.MaxInt32 // more than fits into memory
	}
	c.Int(count)
	if options.Consumer != "" {
		c.Word(options.Consumer)
	}
	return pipectx.Send(ctx, k.db, k.faults(c, ""), pendingEntries)
}

func pendingEntries(r pipectx.Reply) ([]PendingEntry, error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]PendingEntry, 0, items.Len())
	for items.Next() {
		parts, err := items.Reply().Items()
		if err != nil {
			return nil, err
		}
		var e PendingEntry
		for i := 0; parts.Next(); i++ {
			var n int64
			switch value := parts.Reply(); i {
			case 0:
				e.ID, err = idOf(value)
			case 1:
				e.Consumer, err = value.Text()
			case 2:
				n, err = value.Int()
				e.Idle = time.Duration(n) * time.Millisecond
			case 3:
				e.Deliveries, err = value.Int()
			}
			if err != nil {
				return nil, err
			}
		}
		all = append(all, e)
	}
	return all, nil
}

// Claim gives entries that are pending to another consumer, those of ids that have been
// idle for as long at least, and answers them. More than 5,000 go in several commands.
// One that is not pending, or was removed from the stream, is left out.
//
// Errors: [ErrNoGroup].
//
// Cost: XCLAIM, 1 command for each 5,000 ids, and PEXPIRE with a default TTL; 1 round
// trip outside Run, none of its own inside.
func (k StreamKey[E]) Claim(ctx context.Context, group, consumer string, minIdle time.Duration, ids ...StreamID) *pipectx.Ref[[]Entry[E]] {
	return inParts(ctx, k.handle, ids, func(ctx context.Context, from, to int) *pipectx.Ref[[]Entry[E]] {
		return write(ctx, k.handle, k.claim(group, consumer, minIdle, ids[from:to]), k.list)
	})
}

// ClaimIDs is Claim that answers the ids alone, and does not count as a delivery.
//
// Errors: [ErrNoGroup].
//
// Cost: XCLAIM JUSTID, 1 command for each 5,000 ids, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k StreamKey[E]) ClaimIDs(ctx context.Context, group, consumer string, minIdle time.Duration, ids ...StreamID) *pipectx.Ref[[]StreamID] {
	return inParts(ctx, k.handle, ids, func(ctx context.Context, from, to int) *pipectx.Ref[[]StreamID] {
		c := k.claim(group, consumer, minIdle, ids[from:to])
		c.Word("JUSTID")
		return write(ctx, k.handle, c, streamIDs)
	})
}

func (k StreamKey[E]) claim(group, consumer string, minIdle time.Duration, ids []StreamID) *pipectx.Command {
	c := k.command("XCLAIM")
	c.Word(group)
	c.Word(consumer)
	idle(c, k.key, minIdle)
	for _, id := range ids {
		idWords{}.write(c, k.key, id)
	}
	return k.faults(c, "")
}

// Claimed is what a step of AutoClaim found.
type Claimed[E any] struct {
	Next    StreamID // where the next step begins; 0-0: this was the last
	Entries []Entry[E]
	Deleted []StreamID // which were pending, and had been removed; they are pending no longer. Empty before Redis 7
}

// AutoClaim gives entries to a consumer that have been pending for as long at least,
// whosever they were: n at most, the server's own number, 100, for 0, in a step over
// what is pending from an id on, 0-0 to begin with.
//
// Errors: [ErrNoGroup].
//
// Cost: XAUTOCLAIM, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) AutoClaim(ctx context.Context, group, consumer string, minIdle time.Duration, from StreamID, n int64) *pipectx.Ref[Claimed[E]] {
	c := k.autoClaim(group, consumer, minIdle, from, n)
	return write(ctx, k.handle, c, func(r pipectx.Reply) (found Claimed[E], err error) {
		found.Next, found.Deleted, err = claimed(r, k.key, func(list pipectx.Reply) (err error) {
			found.Entries, err = k.list(list)
			return err
		})
		return found, err
	})
}

// ClaimedIDs is what a step of AutoClaimIDs found.
type ClaimedIDs struct {
	Next    StreamID // where the next step begins; 0-0: this was the last
	IDs     []StreamID
	Deleted []StreamID // as in [Claimed]
}

// AutoClaimIDs is AutoClaim that answers the ids alone, and does not count as a
// delivery.
//
// Errors: [ErrNoGroup].
//
// Cost: XAUTOCLAIM JUSTID, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) AutoClaimIDs(ctx context.Context, group, consumer string, minIdle time.Duration, from StreamID, n int64) *pipectx.Ref[ClaimedIDs] {
	c := k.autoClaim(group, consumer, minIdle, from, n)
	c.Word("JUSTID")
	return write(ctx, k.handle, c, func(r pipectx.Reply) (found ClaimedIDs, err error) {
		found.Next, found.Deleted, err = claimed(r, k.key, func(list pipectx.Reply) (err error) {
			found.IDs, err = streamIDs(list)
			return err
		})
		return found, err
	})
}

func (k StreamKey[E]) autoClaim(group, consumer string, minIdle time.Duration, from StreamID, n int64) *pipectx.Command {
	c := k.command("XAUTOCLAIM")
	c.Word(group)
	c.Word(consumer)
	idle(c, k.key, minIdle)
	idWords{}.write(c, k.key, from)
	switch {
	case n < 0:
		c.Fail(fmt.Errorf("keyspace: %s: a step of %d entries; give a number that is not negative, 0 for the server's own", k.key, n))
	case n > 0:
		c.Word("COUNT")
		c.Int(n)
	}
	return k.faults(c, "")
}

// claimed reads the reply of XAUTOCLAIM; list is given what it claimed.
func claimed(r pipectx.Reply, key string, list func(pipectx.Reply) error) (next StreamID, deleted []StreamID, err error) {
	items, err := r.Items()
	if err != nil {
		return next, nil, err
	}
	if next, err = nextID(&items, key); err != nil {
		return next, nil, err
	}
	if !items.Next() {
		return next, nil, short(r)
	}
	if err := list(items.Reply()); err != nil {
		return next, nil, err
	}
	deleted = []StreamID{}
	if items.Next() {
		deleted, err = streamIDs(items.Reply())
	}
	return next, deleted, err
}
