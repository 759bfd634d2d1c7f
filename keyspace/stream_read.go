package keyspace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A Start is the place in a stream behind which a read, or a group, begins. The zero
// value is the beginning: all entries there are.
type Start struct {
	id   StreamID
	word string
}

// After begins behind the entry of id: with the next one.
func After(id StreamID) Start { return Start{id: id} }

// OnlyNew begins behind what the stream has when the server executes the command. A read
// that begins so says nothing of what comes between it and the next: go on with After of
// the last id seen.
func OnlyNew() Start { return Start{word: "$"} }

// WithLast begins with the last entry, if there is one. Reads take it, groups do not; it
// needs Redis 7.4.
func WithLast() Start { return Start{word: "+"} }

func (s Start) write(c *pipectx.Command, key string) {
	if s.word == "" {
		idWords{}.write(c, key, s.id)
		return
	}
	c.Word(s.word)
}

// Position is where a read of one of several streams begins.
type Position[K any] struct {
	ID    K // of the key
	After Start
}

// Portion is what a read of several streams found in one of them.
type Portion[K, E any] struct {
	ID      K // of the key
	Entries []Entry[E]
}

// ReadOptions say how much a read of several streams takes; the zero value is all there
// is. A reply is held in memory as a whole, on both sides.
type ReadOptions struct {
	Count    int64 // of each stream at most. Default: all
	MaxCount int64 // of all streams at most. Default: all; needs Redis 8.10
	MaxBytes int64 // no further entries behind about so many bytes. Default: all; needs Redis 8.10
}

func (o ReadOptions) write(c *pipectx.Command, prefix string) (needs string) {
	for _, limit := range []struct {
		word string
		n    int64
	}{{"COUNT", o.Count}, {"MAXCOUNT", o.MaxCount}, {"MAXSIZE", o.MaxBytes}} {
		switch {
		case limit.n < 0:
			c.Fail(fmt.Errorf("keyspace: %s: a read of %s %d; give a number that is not negative, 0 for all", prefix, limit.word, limit.n))
		case limit.n > 0:
			c.Word(limit.word)
			c.Int(limit.n)
			if limit.word != "COUNT" {
				needs = "Redis 8.10"
			}
		}
	}
	return needs
}

// Read answers the entries behind a [Start], n at most, all for 0; none if there are
// none.
//
// Errors: [pipectx.ErrUnsupported] for WithLast, on servers before Redis 7.4.
//
// Cost: XREAD; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) Read(ctx context.Context, after Start, n int64) *pipectx.Ref[[]Entry[E]] {
	return k.read(ctx, nil, after, n)
}

// BRead is Read that waits for an entry when there is none, for ever if wait is 0; when
// none comes in time the answer is empty. With OnlyNew it waits for what is added from
// now on.
//
// It runs now, and is refused inside a Run. When ctx ends it returns with the context's
// error.
//
// Cost: CLIENT ID, XREAD BLOCK; 2 commands; 2 round trips, and the time it waits.
func (k StreamKey[E]) BRead(ctx context.Context, wait time.Duration, after Start, n int64) *pipectx.Ref[[]Entry[E]] {
	return k.read(ctx, &wait, after, n)
}

// reading starts an XREAD, one that waits if it is told for how long.
func reading(prefix string, wait *time.Duration, options ReadOptions) (c *pipectx.Command, needs string) {
	c = pipectx.NewCommand("XREAD").Read()
	if wait != nil {
		c.Word("BLOCK")
		c.Wait(*wait, time.Millisecond)
	}
	needs = options.write(c, prefix)
	c.Word("STREAMS")
	return c, needs
}

func (k StreamKey[E]) read(ctx context.Context, wait *time.Duration, after Start, n int64) *pipectx.Ref[[]Entry[E]] {
	c, needs := reading(k.key, wait, ReadOptions{Count: n})
	if k.err != nil {
		c.Fail(k.err)
	}
	c.Key(k.key)
	after.write(c, k.key)
	if after.word == "+" {
		needs = "Redis 7.4"
	}
	return pipectx.Send(ctx, k.db, k.faults(c, needs), k.firstStream)
}

// firstStream reads the entries of the only stream of a reply.
func (k StreamKey[E]) firstStream(r pipectx.Reply) ([]Entry[E], error) {
	all := []Entry[E]{}
	err := eachStream(r, func(_ []byte, entries pipectx.Reply) (err error) {
		all, err = k.fields.entries(entries, k.key)
		return err
	})
	return all, err
}

// eachStream walks the streams of a reply: keys and entries in turns as RESP3 has them,
// or each pair an array of its own, as RESP2 does.
func eachStream(r pipectx.Reply, fn func(key []byte, entries pipectx.Reply) error) error {
	items, err := elements(r)
	if err != nil {
		return err
	}
	for items.Next() {
		at := &items
		if pair, err := items.Reply().Items(); err == nil {
			if at = &pair; !at.Next() {
				return short(r)
			}
		}
		key, err := at.Bytes()
		if err != nil {
			return err
		}
		if !at.Next() {
			return short(r)
		}
		if err := fn(key, at.Reply()); err != nil {
			return err
		}
	}
	return nil
}

// MRead answers the entries of several streams behind their positions: of those that
// have any, in the order asked. On a Cluster all must be in one slot: a
// [*pipectx.CrossSlotError] names two keys, and nothing is sent.
//
// Cost: XREAD; 1 command; 1 round trip outside Run, none of its own inside.
func (b BoundStream[K, E]) MRead(ctx context.Context, options ReadOptions, from ...Position[K]) *pipectx.Ref[[]Portion[K, E]] {
	return b.mread(ctx, nil, options, from)
}

// BMRead is MRead that waits for an entry when there is none, as BRead does.
//
// Cost: CLIENT ID, XREAD BLOCK; 2 commands; 2 round trips, and the time it waits.
func (b BoundStream[K, E]) BMRead(ctx context.Context, wait time.Duration, options ReadOptions, from ...Position[K]) *pipectx.Ref[[]Portion[K, E]] {
	return b.mread(ctx, &wait, options, from)
}

func (b BoundStream[K, E]) mread(ctx context.Context, wait *time.Duration, options ReadOptions, from []Position[K]) *pipectx.Ref[[]Portion[K, E]] {
	c, needs := reading(b.def.keys.Prefix(), wait, options)
	ids := make([]K, len(from))
	for i, p := range from {
		ids[i] = p.ID
	}
	b.addKeys(c, ids)
	for _, p := range from {
		p.After.write(c, "")
		if p.After.word == "+" && needs == "" {
			needs = "Redis 7.4"
		}
	}
	return pipectx.Send(ctx, b.db, b.streamFaults(c, needs), b.portions(ids))
}

// streamFaults is faults for a command about several keys.
func (b BoundStream[K, E]) streamFaults(c *pipectx.Command, needs string) *pipectx.Command {
	return handle{key: b.def.keys.Prefix()}.faults(c, needs)
}

// portions reads the streams of a reply.
func (b BoundStream[K, E]) portions(ids []K) func(pipectx.Reply) ([]Portion[K, E], error) {
	return func(r pipectx.Reply) ([]Portion[K, E], error) {
		all := []Portion[K, E]{}
		err := eachStream(r, func(key []byte, entries pipectx.Reply) (err error) {
			var p Portion[K, E]
			if p.ID, err = b.named(ids, key); err != nil {
				return err
			}
			if p.Entries, err = b.fields.entries(entries, string(key)); err == nil {
				all = append(all, p)
			}
			return err
		})
		return all, err
	}
}

// GroupRead says who reads, and how much.
type GroupRead struct {
	Group, Consumer string
	ReadOptions
	NoAck bool          // entries count as acknowledged at once. Default: they are pending until Ack
	Claim time.Duration // first those that have been pending for so long, of any consumer. Default: new ones alone; needs Redis 8.4
}

var errNoConsumer = errors.New("a read by a group has a Group and a Consumer; give both names")

// start starts a read by a consumer.
func (g GroupRead) start(prefix string, wait *time.Duration) (c *pipectx.Command, needs string) {
	c = pipectx.NewCommand("XREADGROUP")
	c.Word("GROUP")
	c.Word(g.Group)
	c.Word(g.Consumer)
	if g.Group == "" || g.Consumer == "" {
		c.Fail(fmt.Errorf("keyspace: %s: %w", prefix, errNoConsumer))
	}
	if wait != nil {
		c.Word("BLOCK")
		c.Wait(*wait, time.Millisecond)
	}
	needs = g.ReadOptions.write(c, prefix)
	if g.NoAck {
		c.Word("NOACK")
	}
	if g.Claim != 0 {
		c.Word("CLAIM")
		idle(c, prefix, g.Claim)
		if needs == "" {
			needs = "Redis 8.4"
		}
	}
	c.Word("STREAMS")
	return c, needs
}

// idle adds a time in milliseconds.
func idle(c *pipectx.Command, key string, d time.Duration) {
	if d < 0 || d > 0 && d < time.Millisecond {
		c.Fail(fmt.Errorf("keyspace: %s: %v is no time that an entry was idle; give a millisecond at least, or 0 for any", key, d))
	}
	c.Int(d.Milliseconds())
}

// ReadGroup answers entries that nobody in the group has been given yet, and makes them
// the consumer's: they are pending until it says Ack. Of one that its type cannot hold the
// entry has the error; it is pending as the others.
//
// Errors: [ErrNoGroup]; [pipectx.ErrUnsupported] where the server lacks an option.
//
// Cost: XREADGROUP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) ReadGroup(ctx context.Context, g GroupRead) *pipectx.Ref[[]Entry[E]] {
	c, needs := k.groupReading(g, nil)
	c.Word(">")
	return write(ctx, k.handle, k.faults(c, needs), k.firstStream)
}

// BReadGroup is ReadGroup that waits for an entry when there is none, for ever if wait
// is 0; when none comes in time the answer is empty. What was given to the consumer by
// the time ctx ends is the answer.
//
// It runs now, and is refused inside a Run.
//
// Cost: CLIENT ID, XREADGROUP BLOCK, and PEXPIRE with a default TTL; 2 or 3 commands; 2
// or 3 round trips, and the time it waits.
func (k StreamKey[E]) BReadGroup(ctx context.Context, wait time.Duration, g GroupRead) *pipectx.Ref[[]Entry[E]] {
	c, needs := k.groupReading(g, &wait)
	c.Word(">")
	ref := pipectx.Send(ctx, k.db, k.faults(c, needs), k.firstStream)
	return waited(ctx, k.db, k.ttl, ref, func(ctx context.Context, entries []Entry[E]) {
		if len(entries) > 0 {
			k.renew(ctx)
		}
	})
}

// ReadPending answers entries that are pending for the consumer, behind an id: what it
// was given and has not acknowledged, as before it died. One that was removed meanwhile
// has [pipectx.ErrNotFound] as its error. Claim and NoAck mean nothing here.
//
// Errors: [ErrNoGroup].
//
// Cost: XREADGROUP, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) ReadPending(ctx context.Context, g GroupRead, after StreamID) *pipectx.Ref[[]Entry[E]] {
	g.Claim, g.NoAck = 0, false
	c, needs := k.groupReading(g, nil)
	idWords{}.write(c, k.key, after)
	return write(ctx, k.handle, k.faults(c, needs), k.firstStream)
}

func (k StreamKey[E]) groupReading(g GroupRead, wait *time.Duration) (c *pipectx.Command, needs string) {
	c, needs = g.start(k.key, wait)
	if k.err != nil {
		c.Fail(k.err)
	}
	c.Key(k.key)
	return c, needs
}

// MReadGroup is ReadGroup of several streams that have the group: the entries of those
// that have any. On a Cluster all must be in one slot: a [*pipectx.CrossSlotError] names
// two keys, and nothing is sent.
//
// Cost: XREADGROUP, and PEXPIRE of each id with a default TTL; 1 command, with a TTL 1
// for each id more; 1 round trip outside Run, none of its own inside.
func (b BoundStream[K, E]) MReadGroup(ctx context.Context, g GroupRead, ids ...K) *pipectx.Ref[[]Portion[K, E]] {
	ids = slices.Clone(ids)
	c, needs := b.groupReading(g, nil, ids)
	return writeTo(ctx, b.bound, b.streamFaults(c, needs), b.portions(ids), ids...)
}

// BMReadGroup is MReadGroup that waits for an entry when there is none, as BReadGroup
// does.
//
// Cost: CLIENT ID, XREADGROUP BLOCK, and PEXPIRE with a default TTL; 2 commands, and 1
// for each id that had entries; 2 or 3 round trips, and the time it waits.
func (b BoundStream[K, E]) BMReadGroup(ctx context.Context, wait time.Duration, g GroupRead, ids ...K) *pipectx.Ref[[]Portion[K, E]] {
	ids = slices.Clone(ids)
	c, needs := b.groupReading(g, &wait, ids)
	ref := pipectx.Send(ctx, b.db, b.streamFaults(c, needs), b.portions(ids))
	return waited(ctx, b.db, b.def.settings.TTL, ref, func(ctx context.Context, found []Portion[K, E]) {
		for _, p := range found {
			b.handle(p.ID).renew(ctx)
		}
	})
}

func (b BoundStream[K, E]) groupReading(g GroupRead, wait *time.Duration, ids []K) (c *pipectx.Command, needs string) {
	c, needs = g.start(b.def.keys.Prefix(), wait)
	b.addKeys(c, ids)
	for range ids {
		c.Word(">")
	}
	return c, needs
}
