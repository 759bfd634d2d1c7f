package keyspace

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Stream declares keys that hold streams: logs of entries that are added at the end and
// read from anywhere, by groups of consumers too, which share them out and acknowledge
// what they have done.
//
//	type Sale struct {
//		Article int64 `redis:"article"`
//		Pieces  int64 `redis:"pieces"`
//	}
//
//	var Sales = keyspace.NewStream[string, Sale]("sales") // shop → its sales
//
//	sales := Sales.On(db)
//	id := sales.Add(ctx, "oslo", Sale{Article: 1001, Pieces: 2})
//	err := sales.Consume(ctx, "oslo", keyspace.Consumer{Group: "books", Name: host}, book)
//
// E is a struct whose stored fields have `redis` tags, with the options of codecs that
// package field lists, inline for structs in it, and omitempty; or it is
// map[string]string. An entry of another program may have more fields, which are left
// out, or fewer, which are absent or zero. One that cannot be read has an error of its
// own in [Entry], and takes nothing from those beside it.
type Stream[K, E any] struct {
	definition[K]
	fields *fields[E]
}

// NewStream declares a Stream whose keys begin with prefix. Options are a [Placement],
// [TTL] and [Connection]. A wrong declaration panics, at start-up, with the place, the
// type and the cure; [TryNewStream] returns the error.
func NewStream[K, E any](prefix string, options ...Option) *Stream[K, E] {
	s, err := TryNewStream[K, E](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return s
}

// TryNewStream is [NewStream] with the error returned.
func TryNewStream[K, E any](prefix string, options ...Option) (*Stream[K, E], error) {
	s := &Stream[K, E]{}
	err := s.define("NewStream", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[E]())
	if err == nil {
		s.fields, err = newFields[E]()
	}
	if err != nil {
		return nil, s.wrong(err)
	}
	return s, nil
}

// On binds the Stream to a DB: what it returns has the verbs. If the Stream declares a
// connection that the DB does not have, they answer [pipectx.ErrUnknownConnection].
func (s *Stream[K, E]) On(db *pipectx.DB) BoundStream[K, E] {
	return BoundStream[K, E]{s.on(db), s.fields}
}

// BoundStream is a [Stream] on a DB. It is small, to be copied, and safe for concurrent
// use.
type BoundStream[K, E any] struct {
	bound[K]
	fields *fields[E]
}

// Key is one key of the Stream: the same verbs without the id. If the id has no key,
// they answer why.
func (b BoundStream[K, E]) Key(id K) StreamKey[E] { return StreamKey[E]{b.handle(id), b.fields} }

// StreamKey is one key of a [BoundStream].
type StreamKey[E any] struct {
	handle
	fields *fields[E]
}

var (
	// ErrNoGroup is the answer of verbs that need a group which the stream does not
	// have, or where there is no such stream. GroupCreateMkStream makes both.
	ErrNoGroup = errors.New("the stream has no such group")

	// ErrGroupExists is the answer of GroupCreate where there is the group already. It
	// is as it was.
	ErrGroupExists = errors.New("the stream has the group already")
)

// faults has the command answer what servers say of groups by errors of this package,
// and what servers say that lack it, if needs is not "", by that.
func (h handle) faults(c *pipectx.Command, needs string) *pipectx.Command {
	key := h.key
	c.OnError(func(fault *pipectx.ServerError) error { return streamFault(fault, key, needs) })
	return c
}

func streamFault(fault *pipectx.ServerError, key, needs string) error {
	text := strings.ToLower(fault.Message)
	switch {
	case fault.Code == "NOGROUP":
		return fmt.Errorf("keyspace: %s: %w (%s)", key, ErrNoGroup, fault.Message)
	case fault.Code == "BUSYGROUP":
		return fmt.Errorf("keyspace: %s: %w", key, ErrGroupExists)
	case text == "no such key", strings.Contains(text, "requires the key to exist"):
		return absent(key)
	case needs == "":
		return fault
	}
	for _, words := range []string{"unknown command", "unknown subcommand", "syntax error", "wrong number of arguments", "invalid stream id"} {
		if strings.HasPrefix(text, words) {
			return &pipectx.UnsupportedError{Needs: needs}
		}
	}
	return fault
}

// Add adds an entry at the end, and answers the id that the server gave it.
//
// Cost: XADD, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) Add(ctx context.Context, entry E) *pipectx.Ref[StreamID] {
	return k.AddWith(ctx, entry, AddOptions{})
}

// AddWith is [StreamKey.Add] with an id of the caller's, a trim of what is old, and
// more: see [AddOptions]. If it is to be added only where there is a stream, and there
// is none, the answer is [pipectx.ErrNotFound].
//
// Errors: an id that is not above all that the stream has had is refused by the server;
// [pipectx.ErrUnsupported] where it lacks one of the options.
//
// Cost: XADD, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) AddWith(ctx context.Context, entry E, options AddOptions) *pipectx.Ref[StreamID] {
	c := k.command("XADD")
	needs := options.write(c, k.key)
	k.fields.write(c, k.key, entry)
	key := k.key
	return write(ctx, k.handle, k.faults(c, needs), func(r pipectx.Reply) (StreamID, error) {
		id, err := idOf(r)
		return id, missing(err, key)
	})
}

// Len answers how many entries there are; 0 if there is no such key.
//
// Cost: XLEN; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) Len(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("XLEN").Read(), pipectx.Reply.Int)
}

// Range answers the entries of a [Span] of ids, the oldest first; Limit(0, n) takes n at
// most. [StreamKey.Each] reads a long one in pages.
//
//	sales.Range(ctx, keyspace.Span[keyspace.StreamID]{})            // XRANGE … - +
//	sales.Range(ctx, keyspace.Above(last).Limit(0, 100))            // XRANGE … (5-1 + COUNT 100
//	sales.Range(ctx, keyspace.From(keyspace.StreamIDAt(yesterday))) // XRANGE … 1700000000000-0 +
//
// Cost: XRANGE; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) Range(ctx context.Context, span Span[StreamID]) *pipectx.Ref[[]Entry[E]] {
	return k.span(ctx, "XRANGE", span)
}

// RevRange is [StreamKey.Range] with the newest first.
//
// Cost: XREVRANGE; 1 command; 1 round trip outside Run, none of its own inside.
func (k StreamKey[E]) RevRange(ctx context.Context, span Span[StreamID]) *pipectx.Ref[[]Entry[E]] {
	return k.span(ctx, "XREVRANGE", span)
}

func (k StreamKey[E]) span(ctx context.Context, name string, span Span[StreamID]) *pipectx.Ref[[]Entry[E]] {
	c := k.command(name).Read()
	idSpan(c, k.key, name == "XREVRANGE", span)
	if count, all := idLimit(c, k.key, span); !all {
		c.Word("COUNT")
		c.Int(count)
	}
	return pipectx.Send(ctx, k.db, c, k.list)
}

func (k StreamKey[E]) list(r pipectx.Reply) ([]Entry[E], error) { return k.fields.entries(r, k.key) }

// byID is the order of ids.
var byID = order[StreamID]{least: "-", most: "+", out: "(", write: func(tail []byte, id StreamID) ([]byte, error) { return id.append(tail), nil }}

// idSpan adds the two ends of a Span of ids, the upper one first in reverse. What is
// above the greatest id of all, or below the least, servers refuse; it is none here.
func idSpan(c *pipectx.Command, key string, reverse bool, s Span[StreamID]) {
	if s.lower == (end[StreamID]{excluding, MaxStreamID}) || s.upper == (end[StreamID]{excluding, StreamID{}}) {
		s = Between(MaxStreamID, StreamID{})
	}
	if reverse {
		byID.end(c, key, "", s.upper, byID.most)
		byID.end(c, key, "", s.lower, byID.least)
		return
	}
	byID.end(c, key, "", s.lower, byID.least)
	byID.end(c, key, "", s.upper, byID.most)
}

// idLimit is how many a Span's Limit takes.
func idLimit(c *pipectx.Command, key string, s Span[StreamID]) (count int64, all bool) {
	if s.limited && s.offset != 0 {
		c.Fail(fmt.Errorf("keyspace: %s: streams have no Limit that begins at %d; give Limit(0, n), and the id where the page begins: Above(last)", key, s.offset))
	}
	return s.count, !s.limited || s.count < 0
}

// Each iterates over the entries of a [Span] of ids, the oldest first, without holding
// all of them: those that are added meanwhile too. An entry that cannot be read comes
// with its error in Err, and the iteration goes on. Inside a Run it is refused: the only
// thing seen is an error.
//
// Cost: XRANGE; 1 command and 1 round trip for each 1,000 entries, while the caller
// iterates.
func (k StreamKey[E]) Each(ctx context.Context, span Span[StreamID]) iter.Seq2[Entry[E], error] {
	return func(yield func(Entry[E], error) bool) {
		err := k.err
		if err == nil {
			err = pipectx.Outside(ctx, k.db, "keyspace: Each")
		}
		left, all := span.count, !span.limited || span.count < 0
		for err == nil && (all || left > 0) {
			page := span
			page.limited, page.count = true, pageSize
			if !all {
				page.count = min(left, pageSize)
			}
			var entries []Entry[E]
			if entries, err = k.Range(ctx, page).Result(); err != nil {
				break
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
			if int64(len(entries)) < page.count {
				return
			}
			left -= int64(len(entries))
			span.lower = end[StreamID]{excluding, entries[len(entries)-1].ID}
		}
		if err != nil {
			yield(Entry[E]{}, err)
		}
	}
}

// XDel removes the entries of ids, and answers how many there were. The name Del is that
// of the key's verb. More than 5,000 go in several commands of one pipeline; without ids
// nothing is sent.
//
// Cost: XDEL, 1 command for each 5,000 ids, and PEXPIRE with a default TTL; 1 round trip
// outside Run, none of its own inside.
func (k StreamKey[E]) XDel(ctx context.Context, ids ...StreamID) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "XDEL", ids, idWords{})
}

// SetID makes last the id that the stream counts on from, as when one is restored by
// hand. If there is no such key the answer is [pipectx.ErrNotFound]; an id below that of
// an entry is refused by the server.
//
// Cost: XSETID, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k StreamKey[E]) SetID(ctx context.Context, last StreamID) *pipectx.Ref[struct{}] {
	c := k.command("XSETID")
	idWords{}.write(c, k.key, last)
	return write(ctx, k.handle, k.faults(c, ""), pipectx.Reply.OK)
}
