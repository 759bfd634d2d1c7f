package keyspace

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// GroupCreate makes a group of consumers, which is given the entries behind a [Start].
//
// Errors: [ErrGroupExists]; [pipectx.ErrNotFound] if there is no stream, which
// GroupCreateMkStream makes.
//
// Cost: XGROUP CREATE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) GroupCreate(ctx context.Context, group string, after Start) *pipectx.Ref[struct{}] {
	return k.groupStart(ctx, "CREATE", group, after)
}

// GroupCreateMkStream is GroupCreate that makes the stream too, where there is none.
//
// Errors: [ErrGroupExists].
//
// Cost: XGROUP CREATE MKSTREAM, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k StreamKey[E]) GroupCreateMkStream(ctx context.Context, group string, after Start) *pipectx.Ref[struct{}] {
	return k.groupStart(ctx, "CREATE", group, after, "MKSTREAM")
}

// GroupSetID has the group go on behind a [Start]: what lies behind it is given out
// again, and what is before it, and was not given out, never. What is pending stays so.
//
// Errors: [ErrNoGroup]; [pipectx.ErrNotFound] if there is no stream.
//
// Cost: XGROUP SETID, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) GroupSetID(ctx context.Context, group string, after Start) *pipectx.Ref[struct{}] {
	return k.groupStart(ctx, "SETID", group, after)
}

func (k StreamKey[E]) groupStart(ctx context.Context, verb, group string, after Start, more ...string) *pipectx.Ref[struct{}] {
	c := k.groupCommand(verb, group)
	if after.word == "+" {
		c.Fail(fmt.Errorf("keyspace: %s: a group cannot begin WithLast; give OnlyNew, or After of an id", k.key))
	}
	after.write(c, k.key)
	for _, word := range more {
		c.Word(word)
	}
	return write(ctx, k.handle, c, pipectx.Reply.OK)
}

// groupCommand starts a subcommand of XGROUP.
func (k StreamKey[E]) groupCommand(verb, group string) *pipectx.Command {
	c := pipectx.NewCommand("XGROUP", verb)
	c.Key(k.key)
	switch {
	case k.err != nil:
		c.Fail(k.err)
	case group == "":
		c.Fail(fmt.Errorf("keyspace: %s: the group has no name; give one", k.key))
	}
	c.Word(group)
	return k.faults(c, "")
}

// GroupDestroy removes a group, with what is pending in it, and tells whether there was
// one.
//
// Errors: [pipectx.ErrNotFound] if there is no stream.
//
// Cost: XGROUP DESTROY, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) GroupDestroy(ctx context.Context, group string) *pipectx.Ref[bool] {
	return write(ctx, k.handle, k.groupCommand("DESTROY", group), pipectx.Reply.Bool)
}

// GroupCreateConsumer makes a consumer of a group known before it reads, and tells
// whether it is new.
//
// Errors: [ErrNoGroup]; [pipectx.ErrNotFound] if there is no stream.
//
// Cost: XGROUP CREATECONSUMER, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round
// trip outside Run, none of its own inside.
func (k StreamKey[E]) GroupCreateConsumer(ctx context.Context, group, consumer string) *pipectx.Ref[bool] {
	c := k.groupCommand("CREATECONSUMER", group)
	c.Word(consumer)
	return write(ctx, k.handle, c, pipectx.Reply.Bool)
}

// GroupDelConsumer removes a consumer, and answers how many entries were pending for it.
// Those are given to nobody any more: claim them before.
//
// Errors: [ErrNoGroup]; [pipectx.ErrNotFound] if there is no stream.
//
// Cost: XGROUP DELCONSUMER, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) GroupDelConsumer(ctx context.Context, group, consumer string) *pipectx.Ref[int64] {
	c := k.groupCommand("DELCONSUMER", group)
	c.Word(consumer)
	return write(ctx, k.handle, c, pipectx.Reply.Int)
}

// Ack acknowledges entries: they are pending no longer. It answers how many were. More
// than 5,000 go in several commands of one pipeline; without ids nothing is sent.
//
// Cost: XACK, 1 command for each 5,000 ids, and PEXPIRE with a default TTL; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) Ack(ctx context.Context, group string, ids ...StreamID) *pipectx.Ref[int64] {
	begin := func() *pipectx.Command {
		c := k.command("XACK")
		c.Word(group)
		return c
	}
	return writeParts(ctx, k.handle, begin, ids, idWords{}, sum)
}

// NackMode says why a consumer gives entries back.
type NackMode int

const (
	NackSilent NackMode = iota + 1 // it ends, or has a trouble of its own: the delivery does not count
	NackFail                       // it could not, and another may
	NackFatal                      // nobody can: the entry counts as delivered for ever
)

// Nack gives entries back to the group that are pending, for another consumer, without
// waiting for them to be idle, and answers how many were. It needs Redis 8.8; older
// servers answer [pipectx.ErrUnsupported].
//
// Cost: XNACK, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) Nack(ctx context.Context, group string, mode NackMode, ids ...StreamID) *pipectx.Ref[int64] {
	c := k.command("XNACK")
	c.Word(group)
	switch mode {
	case NackSilent:
		c.Word("SILENT")
	case NackFail:
		c.Word("FAIL")
	case NackFatal:
		c.Word("FATAL")
	default:
		c.Fail(fmt.Errorf("keyspace: %s: NackMode(%d) says nothing; give NackSilent, NackFail or NackFatal", k.key, int(mode)))
	}
	k.countedIDs(c, ids)
	return write(ctx, k.handle, k.faults(c, "Redis 8.8"), pipectx.Reply.Int)
}

func (k StreamKey[E]) countedIDs(c *pipectx.Command, ids []StreamID) {
	if len(ids) == 0 || len(ids) > most {
		c.Fail(fmt.Errorf("keyspace: %s: %s of %d ids; give one at least, and %d at most", k.key, c.Name(), len(ids), most))
	}
	c.Word("IDS")
	c.Int(int64(len(ids)))
	for _, id := range ids {
		idWords{}.write(c, k.key, id)
	}
}

// Removal is what became of one entry.
type Removal int64

const (
	NoEntry  Removal = -1 // there was none, or it was not pending
	Removed  Removal = 1  // it is gone
	Retained Removal = 2  // groups have it left to read or acknowledge; what was to be acknowledged is
)

// XDelEx removes the entries of ids, 5,000 at most, with what [Refs] says of the
// references to them, and answers for each what became of it. It needs Redis 8.2; older
// servers answer [pipectx.ErrUnsupported].
//
// Cost: XDELEX, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) XDelEx(ctx context.Context, refs Refs, ids ...StreamID) *pipectx.Ref[[]Removal] {
	return k.removals(ctx, k.command("XDELEX"), refs, ids)
}

// AckDel acknowledges the entries of ids, 5,000 at most, and removes them, with what
// [Refs] says of the references of other groups; it answers for each what became of it.
// It needs Redis 8.2; older servers answer [pipectx.ErrUnsupported].
//
// Cost: XACKDEL, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) AckDel(ctx context.Context, group string, refs Refs, ids ...StreamID) *pipectx.Ref[[]Removal] {
	c := k.command("XACKDEL")
	c.Word(group)
	return k.removals(ctx, c, refs, ids)
}

func (k StreamKey[E]) removals(ctx context.Context, c *pipectx.Command, refs Refs, ids []StreamID) *pipectx.Ref[[]Removal] {
	refs.word(c, k.key)
	k.countedIDs(c, ids)
	n := len(ids)
	return write(ctx, k.handle, k.faults(c, "Redis 8.2"), func(r pipectx.Reply) ([]Removal, error) {
		items, err := r.Items()
		if err != nil {
			return nil, err
		}
		all := make([]Removal, n)
		for i := range all {
			if !items.Next() {
				return nil, short(r)
			}
			word, err := items.Reply().Int()
			if err != nil {
				return nil, err
			}
			all[i] = Removal(word)
		}
		return all, nil
	})
}
