package keyspace_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A sale is an entry of the streams that tests declare.
type sale struct {
	Article string `redis:"article"`
	Pieces  int64  `redis:"pieces,omitempty"`
}

type (
	stream  = keyspace.BoundStream[int64, sale]
	entry   = keyspace.Entry[sale]
	entries = []entry
	at      = keyspace.StreamID
	ids     = []keyspace.StreamID
)

var (
	nut, bolt, nail = entry{ID: at{1, 0}, Value: sale{"nut", 1}}, entry{ID: at{2, 0}, Value: sale{"bolt", 2}}, entry{ID: at{3, 5}, Value: sale{"nail", 0}}
	allIDs          = keyspace.Span[keyspace.StreamID]{}
	ann, bob        = keyspace.GroupRead{Group: "g", Consumer: "ann"}, keyspace.GroupRead{Group: "g", Consumer: "bob"}
)

// fillStream adds three entries, of which two are pending for ann.
func fillStream(ctx context.Context, s stream, id int64) error {
	return pipectx.Run(ctx, dbOf(ctx), func(ctx context.Context) error {
		for _, e := range []entry{nut, bolt, nail} {
			s.AddWith(ctx, id, e.Value, keyspace.AddOptions{ID: e.ID})
		}
		s.GroupCreate(ctx, id, "g", keyspace.Start{})
		two := ann
		two.Count = 2
		s.ReadGroup(ctx, id, two)
		return nil
	})
}

// streamState is the ids of a stream, and what is pending for whom.
func streamState(ctx context.Context, s stream, id int64) outcome {
	var said []string
	all, err := s.Range(ctx, id, allIDs).Result()
	for _, e := range all {
		said = append(said, e.ID.String())
	}
	said = append(said, ";")
	pending, _ := s.PendingEntries(ctx, id, "g", keyspace.PendingOptions{}).Result() //nolint:errcheck // some rows remove the group
	for _, p := range pending {
		said = append(said, p.ID.String()+"@"+p.Consumer)
	}
	return outcome{strings.Join(said, " "), err}
}

// dbOf finds the DB that a trip runs on.
func dbOf(ctx context.Context) *pipectx.DB { return ctx.Value(dbKey{}).(*pipectx.DB) }

type dbKey struct{}

const untouched = "1-0 2-0 3-5 ; 1-0@ann 2-0@ann"

// The verbs of Stream do the same on all servers.
func TestStream(t *testing.T) {
	streams := keyspace.NewStream[int64, sale]("stream", together)
	var db *pipectx.DB
	on := func(of *pipectx.DB) stream {
		db = of
		return streams.On(of)
	}
	fill := func(ctx context.Context, s stream, id int64) error {
		return fillStream(context.WithValue(ctx, dbKey{}, db), s, id)
	}
	const none = 1_000_000 // an id without a stream
	trips(t, on, fill, streamState, []trip[stream]{
		{verb: "Add", keeps: "the server gives the id", want: true, after: untouched,
			call: func(ctx context.Context, s stream, id int64) outcome {
				added, err := s.Add(ctx, id, sale{"cog", 3}).Result()
				last, _ := s.RevRange(ctx, id, allIDs.Limit(0, 1)).Result()
				_ = s.XDel(ctx, id, added).Err()
				return outcome{len(last) == 1 && last[0] == entry{ID: added, Value: sale{"cog", 3}} && time.Since(added.Time()).Abs() < time.Hour, err}
			}},
		{verb: "AddWith", keeps: "an id of the caller's", want: at{4, 1}, after: "1-0 2-0 3-5 4-1 ; 1-0@ann 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AddWith(ctx, id, nut.Value, keyspace.AddOptions{ID: at{4, 1}}))
			}},
		{verb: "AddWith", keeps: "the server's number in a millisecond", want: at{3, 6}, after: "1-0 2-0 3-5 3-6 ; 1-0@ann 2-0@ann", needs: "Redis 7",
			other: "takes 3-* for an id", call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AddWith(ctx, id, nut.Value, keyspace.AddOptions{OfMs: 3}))
			}},
		{verb: "AddWith", keeps: "only where there is a stream", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s stream, _ int64) outcome {
				return of(s.AddWith(ctx, none, nut.Value, keyspace.AddOptions{IfThere: true}))
			}},
		{verb: "AddWith", keeps: "and the oldest go", want: at{4, 0}, after: "3-5 4-0 ; 1-0@ann 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AddWith(ctx, id, nut.Value, keyspace.AddOptions{ID: at{4, 0}, Trim: keyspace.MaxLen(2)}))
			}},
		{verb: "AddWith", keeps: "what groups have acknowledged goes alone", want: at{4, 0}, after: "1-0 2-0 3-5 4-0 ; 1-0@ann 2-0@ann", needs: "Redis 8.2",
			absent: true, call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AddWith(ctx, id, nut.Value, keyspace.AddOptions{ID: at{4, 0}, Trim: keyspace.MaxLen(1).Refs(keyspace.OnlyAcked)}))
			}},
		{verb: "AddWith", keeps: "a producer's message once", want: int64(4), after: untouched, needs: "Redis 8.6",
			absent: true, call: func(ctx context.Context, s stream, id int64) outcome {
				once := keyspace.AddOptions{Producer: "p", Message: "m"}
				first, err := s.AddWith(ctx, id, nut.Value, once).Result()
				if err != nil {
					return outcome{nil, err}
				}
				if again, err := s.AddWith(ctx, id, nut.Value, once).Result(); again != first {
					return outcome{again, err}
				}
				n := of(s.Len(ctx, id))
				_ = s.XDel(ctx, id, first).Err()
				return n
			}},
		{verb: "CfgSet", keeps: "how long producers are remembered", want: struct{}{}, needs: "Redis 8.6", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.CfgSet(ctx, id, time.Minute, 50)) }},
		{verb: "Len", keeps: "how many", want: int64(3),
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.Len(ctx, id)) }},
		{verb: "Range", keeps: "all", want: entries{nut, bolt, nail},
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.Range(ctx, id, allIDs)) }},
		{verb: "Range", keeps: "above one, to another, n of them", want: entries{bolt},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Range(ctx, id, keyspace.Above(nut.ID).UpTo(nail.ID).Limit(0, 1)))
			}},
		{verb: "Range", keeps: "below one", want: entries{nut},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Range(ctx, id, keyspace.Below(bolt.ID)))
			}},
		{verb: "Range", keeps: "none above the greatest id of all", want: entries{},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Range(ctx, id, keyspace.Above(keyspace.MaxStreamID)))
			}},
		{verb: "Range", keeps: "none of nothing", want: entries{},
			call: func(ctx context.Context, s stream, _ int64) outcome { return of(s.Range(ctx, none, allIDs)) }},
		{verb: "RevRange", keeps: "newest first", want: entries{nail, bolt},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.RevRange(ctx, id, keyspace.From(bolt.ID)))
			}},
		{verb: "XDel", keeps: "how many there were", want: int64(1), after: "2-0 3-5 ; 1-0@ann 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.XDel(ctx, id, nut.ID, at{9, 9})) }},
		{verb: "XDel", keeps: "none are no command", want: int64(0),
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.XDel(ctx, id)) }},
		{verb: "XDelEx", keeps: "what became of each", want: []keyspace.Removal{keyspace.Retained, keyspace.NoEntry}, needs: "Redis 8.2", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.XDelEx(ctx, id, keyspace.OnlyAcked, nut.ID, at{9, 9}))
			}},
		{verb: "SetID", keeps: "the stream counts on from it", want: struct{}{}, absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.SetID(ctx, id, at{7, 7})) }},
		{verb: "SetID", keeps: "absent without a stream", want: pipectx.ErrNotFound, absent: true,
			call: func(ctx context.Context, s stream, _ int64) outcome { return of(s.SetID(ctx, none, at{7, 7})) }},
		{verb: "Trim", keeps: "the newest", want: int64(2), after: "3-5 ; 1-0@ann 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.Trim(ctx, id, keyspace.MaxLen(1))) }},
		{verb: "Trim", keeps: "from an id on", want: int64(1), after: "2-0 3-5 ; 1-0@ann 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Trim(ctx, id, keyspace.MinID(bolt.ID)))
			}},
		{verb: "Trim", keeps: "about so many: whole blocks alone", want: int64(0), other: "is exact",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Trim(ctx, id, keyspace.MaxLen(1).About().AtATime(10)))
			}},
		{verb: "Trim", keeps: "groups forget what goes", want: int64(2), after: "3-5 ;", needs: "Redis 8.2", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Trim(ctx, id, keyspace.MaxLen(1).Refs(keyspace.DropRefs)))
			}},
		{verb: "Read", keeps: "behind an id", want: entries{bolt, nail},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Read(ctx, id, keyspace.After(nut.ID), 0))
			}},
		{verb: "Read", keeps: "n from the beginning", want: entries{nut},
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.Read(ctx, id, keyspace.Start{}, 1)) }},
		{verb: "Read", keeps: "none when there are none", want: entries{},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Read(ctx, id, keyspace.OnlyNew(), 1))
			}},
		{verb: "Read", keeps: "the last one", want: entries{nail}, needs: "Redis 7.4", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Read(ctx, id, keyspace.WithLast(), 1))
			}},
		{verb: "BRead", keeps: "what is there at once", want: entries{nail},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.BRead(ctx, id, 0, keyspace.After(bolt.ID), 5))
			}},
		{verb: "BRead", keeps: "none in time", want: entries{},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.BRead(ctx, id, 5*ms, keyspace.OnlyNew(), 0))
			}},
		{verb: "MRead", keeps: "of those that have any", want: func(id int64) any { return []keyspace.Portion[int64, sale]{{ID: id, Entries: entries{nail}}} },
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.MRead(ctx, keyspace.ReadOptions{Count: 9}, keyspace.Position[int64]{ID: none}, keyspace.Position[int64]{ID: id, After: keyspace.After(bolt.ID)}))
			}},
		{verb: "MRead", keeps: "of several", want: func(id int64) any {
			return []keyspace.Portion[int64, sale]{{ID: id, Entries: entries{nail}}, {ID: id + 1000, Entries: entries{{ID: at{8, 8}, Value: nut.Value}}}}
		}, call: func(ctx context.Context, s stream, id int64) outcome {
			_ = s.AddWith(ctx, id+1000, nut.Value, keyspace.AddOptions{ID: at{8, 8}}).Err()
			return of(s.MRead(ctx, keyspace.ReadOptions{}, keyspace.Position[int64]{ID: id, After: keyspace.After(bolt.ID)}, keyspace.Position[int64]{ID: id + 1000}))
		}},
		{verb: "MRead", keeps: "of all together at most", want: func(id int64) any { return []keyspace.Portion[int64, sale]{{ID: id, Entries: entries{nut}}} },
			needs: "Redis 8.10", absent: true, call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.MRead(ctx, keyspace.ReadOptions{MaxCount: 1}, keyspace.Position[int64]{ID: id}))
			}},
		{verb: "BMRead", keeps: "none in time", want: []keyspace.Portion[int64, sale]{},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.BMRead(ctx, 5*ms, keyspace.ReadOptions{}, keyspace.Position[int64]{ID: id, After: keyspace.OnlyNew()}))
			}},
		{verb: "GroupCreate", keeps: "once", want: keyspace.ErrGroupExists,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.GroupCreate(ctx, id, "g", keyspace.OnlyNew()))
			}},
		{verb: "GroupCreate", keeps: "absent without a stream", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s stream, _ int64) outcome {
				return of(s.GroupCreate(ctx, none, "g", keyspace.OnlyNew()))
			}},
		{verb: "GroupCreateMkStream", keeps: "and the stream", want: "stream",
			call: func(ctx context.Context, s stream, id int64) outcome {
				_ = s.GroupCreateMkStream(ctx, id+1000, "g", keyspace.OnlyNew()).Err()
				return of(s.Type(ctx, id+1000))
			}},
		{verb: "GroupSetID", keeps: "given out again", want: entries{nut, bolt, nail}, after: "1-0 2-0 3-5 ; 1-0@bob 2-0@bob 3-5@bob", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				if err := s.GroupSetID(ctx, id, "g", keyspace.Start{}).Err(); err != nil {
					return outcome{nil, err}
				}
				return of(s.ReadGroup(ctx, id, bob))
			}},
		{verb: "GroupDestroy", keeps: "with what is pending", want: true, after: "1-0 2-0 3-5 ;",
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.GroupDestroy(ctx, id, "g")) }},
		{verb: "GroupCreateConsumer", keeps: "whether it is new", want: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.GroupCreateConsumer(ctx, id, "g", "cy"))
			}},
		{verb: "GroupDelConsumer", keeps: "how many were pending", want: int64(2), after: "1-0 2-0 3-5 ;",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.GroupDelConsumer(ctx, id, "g", "ann"))
			}},
		{verb: "ReadGroup", keeps: "what nobody was given", want: entries{nail}, after: untouched + " 3-5@bob",
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.ReadGroup(ctx, id, bob)) }},
		{verb: "ReadGroup", keeps: "acknowledged at once", want: entries{nail},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.ReadGroup(ctx, id, keyspace.GroupRead{Group: "g", Consumer: "bob", NoAck: true}))
			}},
		{verb: "ReadGroup", keeps: "no group", want: keyspace.ErrNoGroup,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.ReadGroup(ctx, id, keyspace.GroupRead{Group: "?", Consumer: "bob"}))
			}},
		{verb: "ReadGroup", keeps: "what is idle first", want: entries{nail}, after: untouched + " 3-5@bob", needs: "Redis 8.4", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.ReadGroup(ctx, id, keyspace.GroupRead{Group: "g", Consumer: "bob", Claim: time.Hour}))
			}},
		{verb: "BReadGroup", keeps: "what is there at once", want: entries{nail}, after: untouched + " 3-5@bob",
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.BReadGroup(ctx, id, 0, bob)) }},
		{verb: "BReadGroup", keeps: "none in time", want: entries{}, after: untouched + " 3-5@bob",
			call: func(ctx context.Context, s stream, id int64) outcome {
				_ = s.ReadGroup(ctx, id, bob).Err()
				return of(s.BReadGroup(ctx, id, 5*ms, bob))
			}},
		{verb: "ReadPending", keeps: "what it was given", want: entries{nut, bolt},
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.ReadPending(ctx, id, ann, at{})) }},
		{verb: "MReadGroup", keeps: "of those that have any", want: func(id int64) any { return []keyspace.Portion[int64, sale]{{ID: id, Entries: entries{nail}}} },
			after: untouched + " 3-5@bob", call: func(ctx context.Context, s stream, id int64) outcome { return of(s.MReadGroup(ctx, bob, id)) }},
		{verb: "BMReadGroup", keeps: "of those that have any", want: func(id int64) any { return []keyspace.Portion[int64, sale]{{ID: id, Entries: entries{nail}}} },
			after: untouched + " 3-5@bob", call: func(ctx context.Context, s stream, id int64) outcome { return of(s.BMReadGroup(ctx, 0, bob, id)) }},
		{verb: "Ack", keeps: "pending no longer", want: int64(1), after: "1-0 2-0 3-5 ; 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.Ack(ctx, id, "g", nut.ID, nail.ID)) }},
		{verb: "AckDel", keeps: "and removed", want: []keyspace.Removal{keyspace.Removed}, after: "2-0 3-5 ; 2-0@ann", needs: "Redis 8.2", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AckDel(ctx, id, "g", keyspace.DropRefs, nut.ID))
			}},
		{verb: "Nack", keeps: "given back", want: int64(1), after: "1-0 2-0 3-5 ; 1-0@ 2-0@ann", needs: "Redis 8.8", absent: true,
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Nack(ctx, id, "g", keyspace.NackFail, nut.ID))
			}},
		{verb: "Pending", keeps: "how many, for whom", want: keyspace.PendingSummary{Count: 2, First: nut.ID, Last: bolt.ID, ByConsumer: map[string]int64{"ann": 2}},
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.Pending(ctx, id, "g")) }},
		{verb: "Pending", keeps: "no group", want: keyspace.ErrNoGroup, other: "answers none",
			call: func(ctx context.Context, s stream, id int64) outcome { return of(s.Pending(ctx, id, "?")) }},
		{verb: "PendingEntries", keeps: "from one, for one", want: "2-0 ann 1",
			call: func(ctx context.Context, s stream, id int64) outcome {
				found, err := s.PendingEntries(ctx, id, "g", keyspace.PendingOptions{Span: keyspace.From(bolt.ID).Limit(0, 9), Consumer: "ann"}).Result()
				return outcome{listed(found), err}
			}},
		{verb: "PendingEntries", keeps: "above one", want: "2-0 ann 1", other: "takes no end that is excluded",
			call: func(ctx context.Context, s stream, id int64) outcome {
				found, err := s.PendingEntries(ctx, id, "g", keyspace.PendingOptions{Span: keyspace.Above(nut.ID)}).Result()
				return outcome{listed(found), err}
			}},
		{verb: "PendingEntries", keeps: "idle for so long", want: "",
			call: func(ctx context.Context, s stream, id int64) outcome {
				found, err := s.PendingEntries(ctx, id, "g", keyspace.PendingOptions{MinIdle: time.Hour}).Result()
				return outcome{listed(found), err}
			}},
		{verb: "Claim", keeps: "another's", want: entries{nut}, after: "1-0 2-0 3-5 ; 1-0@bob 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Claim(ctx, id, "g", "bob", 0, nut.ID, nail.ID))
			}},
		{verb: "Claim", keeps: "none that is not idle", want: entries{}, other: "does not look at it",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.Claim(ctx, id, "g", "bob", time.Hour, nut.ID))
			}},
		{verb: "ClaimIDs", keeps: "ids alone", want: ids{nut.ID}, after: "1-0 2-0 3-5 ; 1-0@bob 2-0@ann",
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.ClaimIDs(ctx, id, "g", "bob", 0, nut.ID))
			}},
		{verb: "AutoClaim", keeps: "whosever it was, in steps", want: keyspace.Claimed[sale]{Next: bolt.ID, Entries: entries{nut}, Deleted: ids{}},
			after: "1-0 2-0 3-5 ; 1-0@bob 2-0@ann", call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AutoClaim(ctx, id, "g", "bob", 0, at{}, 1))
			}},
		{verb: "AutoClaim", keeps: "none that is not idle", want: keyspace.Claimed[sale]{Entries: entries{}, Deleted: ids{}},
			call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AutoClaim(ctx, id, "g", "bob", time.Hour, at{}, 0))
			}},
		{verb: "AutoClaimIDs", keeps: "ids alone", want: keyspace.ClaimedIDs{IDs: ids{nut.ID, bolt.ID}, Deleted: ids{}},
			after: "1-0 2-0 3-5 ; 1-0@bob 2-0@bob", call: func(ctx context.Context, s stream, id int64) outcome {
				return of(s.AutoClaimIDs(ctx, id, "g", "bob", 0, at{}, 0))
			}},
		{verb: "Info", keeps: "what the server tells", want: "3 entries, 1 groups, last 3-5, first {1-0 {nut 1} <nil> 0s 0}",
			other: "tells the length alone", call: func(ctx context.Context, s stream, id int64) outcome {
				i, err := s.Info(ctx, id).Result()
				if err != nil {
					return outcome{nil, err}
				}
				return outcome{fmt.Sprintf("%d entries, %d groups, last %v, first %v", i.Length, i.Groups, i.LastID, *i.First), nil}
			}},
		{verb: "Info", keeps: "absent without a stream", want: pipectx.ErrNotFound,
			call: func(ctx context.Context, s stream, _ int64) outcome { return of(s.Info(ctx, none)) }},
		{verb: "InfoFull", keeps: "with groups and consumers", want: "3 entries, g to 2-0: 2 pending, [1-0 ann 1 2-0 ann 1] ann: 2, [1-0 ann 1 2-0 ann 1]", other: "tells the length alone",
			call: func(ctx context.Context, s stream, id int64) outcome {
				i, err := s.InfoFull(ctx, id, 0).Result()
				if err != nil {
					return outcome{nil, err}
				}
				g := i.Details[0]
				c := g.Consumers[0]
				return outcome{fmt.Sprintf("%d entries, %s to %v: %d pending, %v %s: %d, %v", len(i.Entries), g.Name, g.LastDelivered, g.Pending,
					given(g.Entries), c.Name, c.Pending, given(c.Entries)), nil}
			}},
		{verb: "InfoGroups", keeps: "what the server tells", want: "g: 1 consumers, 2 pending, to 2-0", other: "tells a lag that it does not have",
			call: func(ctx context.Context, s stream, id int64) outcome {
				groups, err := s.InfoGroups(ctx, id).Result()
				if err != nil {
					return outcome{nil, err}
				}
				g := groups[0]
				return outcome{fmt.Sprintf("%s: %d consumers, %d pending, to %v", g.Name, g.Consumers, g.Pending, g.LastDelivered), nil}
			}},
		{verb: "InfoConsumers", keeps: "what the server tells", want: "ann: 2 pending",
			call: func(ctx context.Context, s stream, id int64) outcome {
				consumers, err := s.InfoConsumers(ctx, id, "g").Result()
				if err != nil || len(consumers) != 1 || consumers[0].Idle > time.Minute {
					return outcome{consumers, err}
				}
				return outcome{fmt.Sprintf("%s: %d pending", consumers[0].Name, consumers[0].Pending), nil}
			}},
	})
}

func listed(found []keyspace.PendingEntry) string {
	var said []string
	for _, p := range found {
		said = append(said, fmt.Sprint(p.ID, " ", p.Consumer, " ", p.Deliveries))
	}
	return strings.Join(said, " ")
}

func given(found []keyspace.GivenEntry) (said []string) {
	for _, p := range found {
		if time.Since(p.Given).Abs() < time.Hour {
			said = append(said, fmt.Sprint(p.ID, " ", p.Consumer, " ", p.Deliveries))
		}
	}
	return said
}
