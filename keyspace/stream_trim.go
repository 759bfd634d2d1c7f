package keyspace

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A Trim says which entries a stream keeps; the oldest others go:
//
//	MaxLen(1000)                      1,000 of them                MAXLEN = 1000
//	MaxLen(1000).About()              1,000 or some more           MAXLEN ~ 1000
//	MaxLen(1000).About().AtATime(500) the same, in steps           MAXLEN ~ 1000 LIMIT 500
//	MinID(StreamIDAt(lastWeek))       those from that time on      MINID = 1700000000000-0
//
// About is much cheaper: the server removes whole blocks of entries only.
type Trim struct {
	by      string // MAXLEN, MINID; "" for no trim
	n       int64
	id      StreamID
	about   bool
	atATime int64 // -1: any number
	refs    Refs
}

// MaxLen keeps the newest n.
func MaxLen(n int64) Trim { return Trim{by: "MAXLEN", n: n} }

// MinID keeps those from id on.
func MinID(id StreamID) Trim { return Trim{by: "MINID", id: id} }

// About lets the server keep some more, where that spares it work.
func (t Trim) About() Trim {
	t.about = true
	return t
}

// AtATime is how many entries About removes at most; 0 for any number. Default: 100
// blocks of the server's, with its settings 10,000 entries.
func (t Trim) AtATime(n int64) Trim {
	t.atATime = n
	if n == 0 {
		t.atATime = -1
	}
	return t
}

// Refs says what becomes of the references that groups have to the entries. It needs
// Redis 8.2.
func (t Trim) Refs(r Refs) Trim {
	t.refs = r
	return t
}

// Refs says what becomes of the references that groups have to entries which are
// removed: those that were delivered and not acknowledged.
type Refs int

const (
	KeepRefs  Refs = iota + 1 // groups go on listing them as pending
	DropRefs                  // groups forget them
	OnlyAcked                 // only entries go that no group has left to read or acknowledge
)

func (r Refs) word(c *pipectx.Command, key string) {
	switch r {
	case KeepRefs:
		c.Word("KEEPREF")
	case DropRefs:
		c.Word("DELREF")
	case OnlyAcked:
		c.Word("ACKED")
	default:
		c.Fail(fmt.Errorf("keyspace: %s: Refs(%d) says nothing of references; give KeepRefs, DropRefs or OnlyAcked", key, int(r)))
	}
}

// write adds the words of a trim, but for its Refs.
func (t Trim) write(c *pipectx.Command, key string) {
	c.Word(t.by)
	if t.about {
		c.Word("~")
	} else {
		c.Word("=")
	}
	if t.by == "MINID" {
		idWords{}.write(c, key, t.id)
	} else {
		c.Int(t.n)
	}
	switch {
	case t.n < 0:
		c.Fail(fmt.Errorf("keyspace: %s: MaxLen(%d); give a number that is not negative", key, t.n))
	case t.atATime < -1:
		c.Fail(fmt.Errorf("keyspace: %s: AtATime(%d); give a number that is not negative, 0 for any", key, t.atATime))
	case t.atATime != 0 && !t.about:
		c.Fail(fmt.Errorf("keyspace: %s: AtATime is for About: an exact trim goes to its end", key))
	}
	if t.atATime != 0 {
		c.Word("LIMIT")
		c.Int(max(t.atATime, 0))
	}
}

// Trim removes the oldest entries, see [Trim], and answers how many.
//
// Errors: [pipectx.ErrUnsupported] for Refs, on servers before Redis 8.2.
//
// Cost: XTRIM, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) Trim(ctx context.Context, keeps Trim) *pipectx.Ref[int64] {
	c := k.command("XTRIM")
	needs := ""
	if keeps.by == "" {
		c.Fail(fmt.Errorf("keyspace: %s: the Trim is empty; give MaxLen or MinID", k.key))
	}
	keeps.write(c, k.key)
	if keeps.refs != 0 {
		keeps.refs.word(c, k.key)
		needs = "Redis 8.2"
	}
	return write(ctx, k.handle, k.faults(c, needs), pipectx.Reply.Int)
}

// AddOptions are what an entry is added with; the zero value is what Add does.
type AddOptions struct {
	ID      StreamID // of the entry. Default: the server's
	OfMs    uint64   // the server gives the number in this millisecond alone. Default: 0, none; needs Redis 7
	IfThere bool     // add only where there is a stream. Default: it is made
	Trim    Trim     // of the oldest, in the same command. Default: none

	// Producer makes the server drop an entry that this producer has added already, for
	// as long as it remembers: the answer is the id it had, so adding may be repeated
	// where its answer was lost. Message names the entry; "" compares what it holds.
	// Default: none; needs Redis 8.6.
	Producer, Message string
}

// write adds the words before an entry's fields, and tells which servers have them.
func (o AddOptions) write(c *pipectx.Command, key string) (needs string) {
	if o.IfThere {
		c.Word("NOMKSTREAM")
	}
	if o.Trim.refs != 0 {
		o.Trim.refs.word(c, key)
		needs = "Redis 8.2"
	}
	switch {
	case o.Producer != "" && o.Message != "":
		c.Word("IDMP")
		c.Word(o.Producer)
		c.Word(o.Message)
		needs = "Redis 8.6"
	case o.Producer != "":
		c.Word("IDMPAUTO")
		c.Word(o.Producer)
		needs = "Redis 8.6"
	case o.Message != "":
		c.Fail(fmt.Errorf("keyspace: %s: the Message %q has no Producer; messages are told apart for each of them", key, o.Message))
	}
	if o.Trim.by != "" {
		o.Trim.write(c, key)
	}
	switch {
	case !o.ID.IsZero() && o.OfMs != 0:
		c.Fail(fmt.Errorf("keyspace: %s: both the ID %v and OfMs %d; give one", key, o.ID, o.OfMs))
	case o.Producer != "" && (!o.ID.IsZero() || o.OfMs != 0):
		c.Fail(fmt.Errorf("keyspace: %s: an entry of a Producer has no ID of the caller's; leave one out", key))
	}
	switch {
	case !o.ID.IsZero():
		idWords{}.write(c, key, o.ID)
	case o.OfMs != 0:
		c.Append(append(strconv.AppendUint(c.Tail(), o.OfMs, 10), "-*"...), nil)
		if needs == "" {
			needs = "Redis 7"
		}
	default:
		c.Word("*")
	}
	return needs
}

// CfgSet sets for how long, and for how many entries of each, the server remembers what
// producers have added: see Producer of [AddOptions]. A zero leaves it as it is. It
// needs Redis 8.6; older servers answer [pipectx.ErrUnsupported].
//
// Cost: XCFGSET, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) CfgSet(ctx context.Context, remember time.Duration, entries int64) *pipectx.Ref[struct{}] {
	c := k.command("XCFGSET")
	if remember == 0 && entries == 0 {
		c.Fail(fmt.Errorf("keyspace: %s: CfgSet of nothing; give a time, a number of entries, or both", k.key))
	}
	if remember != 0 {
		if remember < time.Second || remember%time.Second != 0 {
			c.Fail(fmt.Errorf("keyspace: %s: CfgSet remembers for whole seconds, and not for %v", k.key, remember))
		}
		c.Word("IDMP-DURATION")
		c.Int(int64(remember / time.Second))
	}
	if entries != 0 {
		c.Word("IDMP-MAXSIZE")
		c.Int(entries)
	}
	return write(ctx, k.handle, k.faults(c, "Redis 8.6"), pipectx.Reply.OK)
}
