package keyspace

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// StreamInfo is what a server tells of a stream. What it leaves out, as an older one
// does, is zero.
type StreamInfo[E any] struct {
	Length       int64
	Groups       int64
	LastID       StreamID // of the last entry that was added, removed or not
	MaxDeletedID StreamID
	Added        int64     // entries ever
	First, Last  *Entry[E] // nil if there are none

	RadixTreeKeys, RadixTreeNodes int64

	// Of producers, see [AddOptions]: for how long, and how many of their messages each,
	// they are remembered; how many there are; what was added, and dropped, by them.
	Remember                         time.Duration
	RememberEach                     int64
	Producers, Messages              int64
	ProducerAdded, ProducerDuplicate int64
}

// Info answers what the server tells of the stream. If there is no such key the answer
// is [pipectx.ErrNotFound].
//
// Cost: XINFO STREAM; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) Info(ctx context.Context) *pipectx.Ref[StreamInfo[E]] {
	return pipectx.Send(ctx, k.db, k.xinfo("STREAM"), func(r pipectx.Reply) (s StreamInfo[E], err error) {
		err = eachInfo(r, func(name string, value pipectx.Reply) error { return s.set(name, value, k) })
		return s, err
	})
}

func (k StreamKey[E]) xinfo(what string) *pipectx.Command {
	c := pipectx.NewCommand("XINFO", what).Read()
	c.Key(k.key)
	if k.err != nil {
		c.Fail(k.err)
	}
	return k.faults(c, "")
}

// eachInfo walks names and values, and leaves out values that are null.
func eachInfo(r pipectx.Reply, fn func(name string, value pipectx.Reply) error) error {
	items, err := r.Items()
	if err != nil {
		return err
	}
	for items.Next() {
		name, err := items.Reply().Text()
		if err != nil {
			return err
		}
		if !items.Next() {
			return short(r)
		}
		if value := items.Reply(); !value.IsNil() {
			if err := fn(name, value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// set takes one of the fields that are numbers, ids or entries.
func (s *StreamInfo[E]) set(name string, value pipectx.Reply, k StreamKey[E]) (err error) {
	switch name {
	case "last-generated-id":
		s.LastID, err = idOf(value)
		return err
	case "max-deleted-entry-id":
		s.MaxDeletedID, err = idOf(value)
		return err
	case "first-entry", "last-entry":
		e, err := k.fields.entry(value, k.key)
		if name == "first-entry" {
			s.First = &e
		} else {
			s.Last = &e
		}
		return err
	case "idmp-duration":
		n, err := value.Int()
		s.Remember = time.Duration(n) * time.Second
		return err
	}
	numbers := map[string]*int64{
		"length": &s.Length, "groups": &s.Groups, "entries-added": &s.Added, "radix-tree-keys": &s.RadixTreeKeys,
		"radix-tree-nodes": &s.RadixTreeNodes, "idmp-maxsize": &s.RememberEach, "pids-tracked": &s.Producers,
		"iids-tracked": &s.Messages, "iids-added": &s.ProducerAdded, "iids-duplicates": &s.ProducerDuplicate,
	}
	if p := numbers[name]; p != nil {
		*p, err = value.Int()
	}
	return err
}

// GroupInfo is what a server tells of a group.
type GroupInfo struct {
	Name          string
	Consumers     int64
	Pending       int64
	LastDelivered StreamID
	Read          field.Optional[int64] // entries the group has read in all; absent where the server cannot tell, as before Redis 7
	Lag           field.Optional[int64] // entries it has left to read; likewise
}

// InfoGroups answers what the server tells of the stream's groups. If there is no such
// key the answer is [pipectx.ErrNotFound].
//
// Cost: XINFO GROUPS; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) InfoGroups(ctx context.Context) *pipectx.Ref[[]GroupInfo] {
	return pipectx.Send(ctx, k.db, k.xinfo("GROUPS"), func(r pipectx.Reply) ([]GroupInfo, error) {
		return infos(r, func(g *GroupInfo, name string, value pipectx.Reply) (err error) {
			switch name {
			case "name":
				g.Name, err = value.Text()
			case "consumers":
				g.Consumers, err = value.Int()
			case "pending":
				g.Pending, err = value.Int()
			case "last-delivered-id":
				g.LastDelivered, err = idOf(value)
			case "entries-read":
				g.Read, err = known(value)
			case "lag":
				g.Lag, err = known(value)
			}
			return err
		})
	})
}

// infos reads an array of things that have fields.
func infos[T any](r pipectx.Reply, set func(t *T, name string, value pipectx.Reply) error) ([]T, error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]T, 0, items.Len())
	for items.Next() {
		var t T
		if err := eachInfo(items.Reply(), func(name string, value pipectx.Reply) error { return set(&t, name, value) }); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func known(value pipectx.Reply) (field.Optional[int64], error) {
	n, err := value.Int()
	return field.Some(n), err
}

// ConsumerInfo is what a server tells of a consumer.
type ConsumerInfo struct {
	Name     string
	Pending  int64
	Idle     time.Duration // since it last asked for entries
	Inactive time.Duration // since it last was given any; 0 where the server does not tell, as before Redis 7.2, -1ms if it never was
}

// InfoConsumers answers what the server tells of a group's consumers.
//
// Errors: [ErrNoGroup]; [pipectx.ErrNotFound] if there is no stream.
//
// Cost: XINFO CONSUMERS; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) InfoConsumers(ctx context.Context, group string) *pipectx.Ref[[]ConsumerInfo] {
	c := k.xinfo("CONSUMERS")
	c.Word(group)
	return pipectx.Send(ctx, k.db, c, func(r pipectx.Reply) ([]ConsumerInfo, error) {
		return infos(r, func(i *ConsumerInfo, name string, value pipectx.Reply) (err error) {
			switch name {
			case "name":
				i.Name, err = value.Text()
			case "pending":
				i.Pending, err = value.Int()
			case "idle":
				i.Idle, err = millisOf(value)
			case "inactive":
				i.Inactive, err = millisOf(value)
			}
			return err
		})
	})
}

func millisOf(value pipectx.Reply) (time.Duration, error) {
	n, err := value.Int()
	return time.Duration(n) * time.Millisecond, err
}

// StreamFull is all that a server tells of a stream: what Info does, but for the first and
// last entry and the number of groups, with entries and groups.
type StreamFull[E any] struct {
	StreamInfo[E]
	Entries []Entry[E]
	Details []GroupFull
}

// GroupFull is all that a server tells of a group.
type GroupFull struct {
	Name          string
	LastDelivered StreamID
	Read, Lag     field.Optional[int64] // as in [GroupInfo]
	Pending       int64                 // how many
	Nacked        int64
	Entries       []GivenEntry // some of those that are pending
	Consumers     []ConsumerFull
}

// ConsumerFull is all that a server tells of a consumer.
type ConsumerFull struct {
	Name    string
	Seen    time.Time // when it last asked for entries
	Active  time.Time // when it last was given any; zero where the server does not tell, or it never was
	Pending int64
	Entries []GivenEntry // some of those that are pending
}

// GivenEntry is an entry that is pending, with the time at which it was last given to
// the consumer.
type GivenEntry struct {
	ID         StreamID
	Consumer   string
	Given      time.Time
	Deliveries int64
}

// InfoFull answers all that the server tells of the stream, with the first n entries of
// it, and of what is pending in each group and for each consumer; 10 for 0. If there is
// no such key the answer is [pipectx.ErrNotFound].
//
// Cost: XINFO STREAM FULL; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) InfoFull(ctx context.Context, n int64) *pipectx.Ref[StreamFull[E]] {
	c := k.xinfo("STREAM")
	c.Word("FULL")
	switch {
	case n < 0:
		c.Fail(fmt.Errorf("keyspace: %s: InfoFull of %d entries; give a number that is not negative, 0 for the server's own", k.key, n))
	case n > 0:
		c.Word("COUNT")
		c.Int(n)
	}
	return pipectx.Send(ctx, k.db, c, func(r pipectx.Reply) (s StreamFull[E], err error) {
		err = eachInfo(r, func(name string, value pipectx.Reply) (err error) {
			switch name {
			case "entries":
				s.Entries, err = k.list(value)
			case "groups":
				s.Details, err = infos(value, (*GroupFull).set)
			default:
				err = s.set(name, value, k)
			}
			return err
		})
		s.StreamInfo.Groups = int64(len(s.Details))
		return s, err
	})
}

func (g *GroupFull) set(name string, value pipectx.Reply) (err error) {
	switch name {
	case "name":
		g.Name, err = value.Text()
	case "last-delivered-id":
		g.LastDelivered, err = idOf(value)
	case "entries-read":
		g.Read, err = known(value)
	case "lag":
		g.Lag, err = known(value)
	case "pel-count":
		g.Pending, err = value.Int()
	case "nacked-count":
		g.Nacked, err = value.Int()
	case "pending", "pel":
		g.Entries, err = givenEntries(value, true)
	case "consumers":
		g.Consumers, err = infos(value, (*ConsumerFull).set)
	}
	return err
}

func (c *ConsumerFull) set(name string, value pipectx.Reply) (err error) {
	switch name {
	case "name":
		c.Name, err = value.Text()
	case "seen-time":
		c.Seen, err = instant(value)
	case "active-time":
		c.Active, err = instant(value)
	case "pel-count":
		c.Pending, err = value.Int()
	case "pending", "pel":
		if c.Entries, err = givenEntries(value, false); err == nil {
			for i := range c.Entries {
				c.Entries[i].Consumer = c.Name
			}
		}
	}
	return err
}

func instant(value pipectx.Reply) (t time.Time, err error) {
	n, err := value.Int()
	if n > 0 { // -1: never
		t = time.UnixMilli(n)
	}
	return t, err
}

// givenEntries reads an array of ids with, if named, the consumer, the time and the
// number of deliveries behind them.
func givenEntries(r pipectx.Reply, named bool) ([]GivenEntry, error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]GivenEntry, 0, items.Len())
	for items.Next() {
		parts, err := items.Reply().Items()
		if err != nil {
			return nil, err
		}
		var e GivenEntry
		for i := 0; parts.Next(); i++ {
			if i == 1 && !named {
				i++
			}
			switch value := parts.Reply(); i {
			case 0:
				e.ID, err = idOf(value)
			case 1:
				e.Consumer, err = value.Text()
			case 2:
				e.Given, err = instant(value)
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
