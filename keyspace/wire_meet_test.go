package keyspace_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	Queues    = keyspace.NewList[int64, string]("queue")
	DayQueues = keyspace.NewList[int64, string]("queue", keyspace.TTL(day))
	Shops     = keyspace.NewGeo[int64, string]("shops")
	DayShops  = keyspace.NewGeo[int64, string]("shops", keyspace.TTL(day))
)

// sequenceWires are the rows of lists, places, and of what sets and sorted sets have
// beside their first verbs.
func sequenceWires(db *pipectx.DB) map[string][]wire {
	queues, dayQueues, shops, dayShops := Queues.On(db), DayQueues.On(db), Shops.On(db), DayShops.On(db)
	tags, dayTags, visits, dayVisits := Tags.On(db), DayTags.On(db), Visits.On(db), DayVisits.On(db)
	at := keyspace.Point{Longitude: 10.75, Latitude: 59.9}
	around := keyspace.Circle(5 * keyspace.Kilometer)
	scores, members := keyspace.Above(1.5).UpTo(3), keyspace.From("a").Below("b")
	return map[string][]wire{
		"list": {
			{queues, dayQueues, "RPush", []any{"a", "b"}},
			{queues, dayQueues, "LPush", []any{"a", "b"}},
			{queues, dayQueues, "RPushX", []any{"a"}},
			{queues, dayQueues, "LPushX", []any{"a"}},
			{queues, dayQueues, "LPop", nil},
			{queues, dayQueues, "RPop", nil},
			{queues, dayQueues, "LPopN", []any{int64(2)}},
			{queues, dayQueues, "RPopN", []any{int64(1)}},
			{queues, dayQueues, "Len", nil},
			{queues, dayQueues, "Range", []any{int64(0), int64(-1)}},
			{queues, dayQueues, "Index", []any{int64(-1)}},
			{queues, dayQueues, "Set", []any{int64(0), "c"}},
			{queues, dayQueues, "InsertBefore", []any{"c", "b"}},
			{queues, dayQueues, "InsertAfter", []any{"c", "d"}},
			{queues, dayQueues, "Rem", []any{int64(-1), "d"}},
			{queues, dayQueues, "Trim", []any{int64(0), int64(99)}},
			{queues, dayQueues, "Pos", []any{"c"}},
			{queues, dayQueues, "PosRank", []any{"c", int64(-1), int64(100)}},
			{queues, dayQueues, "PosN", []any{"c", int64(0), int64(2), int64(0)}},
		},
		"set": {
			{tags, dayTags, "Scan", []any{uint64(0), "a*", int64(100)}},
		},
		"sortedset": {
			{visits, dayVisits, "AddIf", []any{keyspace.IfThereAndGreater, z("/home", 2)}},
			{visits, dayVisits, "IncrIf", []any{keyspace.IfNew, "/home", 2.0}},
			{visits, dayVisits, "LexCount", []any{members}},
			{visits, dayVisits, "RangeByScore", []any{scores}},
			{visits, dayVisits, "RevRangeByScore", []any{scores.Limit(20, 10)}},
			{visits, dayVisits, "RangeByScoreWithScores", []any{scores}},
			{visits, dayVisits, "RevRangeByScoreWithScores", []any{keyspace.Span[float64]{}}},
			{visits, dayVisits, "RangeByLex", []any{members}},
			{visits, dayVisits, "RevRangeByLex", []any{keyspace.Span[string]{}.Limit(0, -5)}},
			{visits, dayVisits, "RemRangeByRank", []any{int64(5), int64(-1)}},
			{visits, dayVisits, "RemRangeByScore", []any{scores}},
			{visits, dayVisits, "RemRangeByLex", []any{members}},
			{visits, dayVisits, "RankWithScore", []any{"/home"}},
			{visits, dayVisits, "RevRankWithScore", []any{"/home"}},
			{visits, dayVisits, "PopMin", nil},
			{visits, dayVisits, "PopMax", nil},
			{visits, dayVisits, "PopMinN", []any{int64(2)}},
			{visits, dayVisits, "PopMaxN", []any{int64(2)}},
			{visits, dayVisits, "RandMember", nil},
			{visits, dayVisits, "RandMemberN", []any{int64(-2)}},
			{visits, dayVisits, "RandMemberNWithScores", []any{int64(2)}},
			{visits, dayVisits, "Scan", []any{uint64(0), "", int64(0)}},
		},
		"geo": {
			{shops, dayShops, "Add", []any{"nuts", at}},
			{shops, dayShops, "AddMany", []any{place("nuts", at), place("bolts", at)}},
			{shops, dayShops, "AddIf", []any{keyspace.IfNew, place("nuts", at)}},
			{shops, dayShops, "Card", nil},
			{shops, dayShops, "Pos", []any{"nuts"}},
			{shops, dayShops, "MPos", []any{"nuts", "bolts"}},
			{shops, dayShops, "Hash", []any{"nuts", "bolts"}},
			{shops, dayShops, "Dist", []any{"nuts", "bolts"}},
			{shops, dayShops, "Search", []any{at, around}},
			{shops, dayShops, "SearchPlaces", []any{at, around.Nearest(10)}},
			{shops, dayShops, "SearchByMember", []any{"nuts", keyspace.Box(2*keyspace.Kilometer, 1*keyspace.Kilometer).Farthest(0)}},
			{shops, dayShops, "SearchPlacesByMember", []any{"nuts", around.Any(3)}},
			{shops, dayShops, "SearchStoreDist", []any{Visits.On(db).Key(42), at, around}},
			{shops, dayShops, "SearchByMemberStoreDist", []any{DayVisits.On(db).Key(42), "nuts", around}},
			{shops, dayShops, "Rem", []any{"nuts", "bolts"}},
			{shops, dayShops, "Scan", []any{uint64(7), "", int64(0)}},
		},
	}
}

// embeddedLacks are the verbs whose commands the embedded server does not have, or not
// with these options.
var embeddedLacks = map[string]bool{
	"geo AddIf": true, "geo Hash": true, "geo SearchStore": true, "geo SearchByMemberStore": true, "geo SearchStoreDist": true,
	"geo SearchByMemberStoreDist": true, "list BMPop": true, "list MoveN": true, "list BMoveN": true,
	"set DiffCard": true, "set UnionCard": true, "set UnionCardApprox": true,
	"stream MRead": true, "sortedset Diff": true, "sortedset DiffWithScores": true, "sortedset DiffStore": true, "sortedset InterCard": true,
	"sortedset RangeStore": true, "sortedset RevRangeStore": true, "sortedset RangeByScoreStore": true, "sortedset RevRangeByScoreStore": true,
	"sortedset RangeByLexStore": true, "sortedset RevRangeByLexStore": true,
}

// A meeting is one call of a verb that takes several ids.
type meeting struct {
	verb string
	args []any
}

var meetings = map[string][]meeting{
	"stream": streamMeetings(),
	"list": {
		{"Move", []any{int64(42), int64(7), keyspace.Right, keyspace.Left}},
		{"MoveN", []any{int64(42), int64(7), keyspace.Right, keyspace.Left, keyspace.AtMost(3)}},
		{"MPop", []any{keyspace.Left, int64(3), int64(42), int64(7)}},
		{"BLPop", []any{time.Millisecond, int64(42), int64(7)}},
		{"BRPop", []any{time.Millisecond, int64(42)}},
		{"BMove", []any{time.Millisecond, int64(42), int64(7), keyspace.Left, keyspace.Right}},
		{"BMoveN", []any{time.Millisecond, int64(42), int64(7), keyspace.Left, keyspace.Right, keyspace.Exactly(3).OneByOne()}},
		{"BMPop", []any{time.Millisecond, keyspace.Right, int64(3), int64(42), int64(7)}},
	},
	"set": {
		{"Inter", []any{int64(42), int64(7)}},
		{"Diff", []any{int64(42), int64(7)}},
		{"Union", []any{int64(42), int64(7)}},
		{"InterStore", []any{int64(9), int64(42), int64(7)}},
		{"DiffStore", []any{int64(9), int64(42), int64(7)}},
		{"UnionStore", []any{int64(9), int64(42), int64(7)}},
		{"InterCard", []any{int64(10), int64(42), int64(7)}},
		{"DiffCard", []any{int64(10), int64(42), int64(7)}},
		{"UnionCard", []any{int64(0), int64(42), int64(7)}},
		{"UnionCardApprox", []any{int64(10), int64(42), int64(7)}},
		{"Move", []any{int64(42), int64(7), "a"}},
	},
	"sortedset": {
		{"Union", []any{keyspace.Of[int64](42, 7)}},
		{"UnionWithScores", []any{keyspace.Of[int64](42, 7).Weights(1, 0.5)}},
		{"Inter", []any{keyspace.Of[int64](42, 7).Lowest()}},
		{"InterWithScores", []any{keyspace.Of[int64](42, 7).Highest().Weights(inf, -1)}},
		{"Diff", []any{int64(42), int64(7)}},
		{"DiffWithScores", []any{int64(42), int64(7)}},
		{"UnionStore", []any{int64(9), keyspace.Of[int64](42, 7)}},
		{"InterStore", []any{int64(9), keyspace.Of[int64](42, 7).Highest()}},
		{"DiffStore", []any{int64(9), int64(42), int64(7)}},
		{"InterCard", []any{int64(10), int64(42), int64(7)}},
		{"RangeStore", []any{int64(9), int64(42), int64(0), int64(-1)}},
		{"RevRangeStore", []any{int64(9), int64(42), int64(0), int64(9)}},
		{"RangeByScoreStore", []any{int64(9), int64(42), keyspace.Below(3.5)}},
		{"RevRangeByScoreStore", []any{int64(9), int64(42), keyspace.Below(3.5).Limit(0, 10)}},
		{"RangeByLexStore", []any{int64(9), int64(42), keyspace.Above("a")}},
		{"RevRangeByLexStore", []any{int64(9), int64(42), keyspace.Above("a")}},
		{"MPop", []any{keyspace.Highest, int64(3), int64(42), int64(7)}},
		{"BPopMin", []any{time.Millisecond, int64(42), int64(7)}},
		{"BPopMax", []any{time.Millisecond, int64(42)}},
		{"BMPop", []any{1500 * time.Microsecond, keyspace.Lowest, int64(3), int64(42), int64(7)}},
	},
	"geo": {
		{"SearchStore", []any{int64(9), int64(42), keyspace.Point{}, keyspace.Circle(1).Nearest(3)}},
		{"SearchByMemberStore", []any{int64(9), int64(42), "nuts", keyspace.Circle(1)}},
	},
}

// Each verb of several ids sends the commands that testdata/wire says, one round trip
// a line.
func TestWireMeetings(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	sent := redistest.Record(client) // before New: see Command.Wait
	db := newDB(t, client)
	on := map[string][2]any{
		"list": {Queues.On(db), DayQueues.On(db)}, "set": {Tags.On(db), DayTags.On(db)},
		"sortedset": {Visits.On(db), DayVisits.On(db)}, "geo": {Shops.On(db), DayShops.On(db)},
		"stream": {Sales.On(db), DaySales.On(db)},
	}
	for name, rows := range meetings {
		var out strings.Builder
		for _, row := range rows {
			var lines [2]string
			for i, on := range on[name] {
				fillMeetings(t, db)
				sent.Reset()
				err := call(t, on, row.verb, t.Context(), row.args...).Err()
				if err != nil && !errors.Is(err, pipectx.ErrNotFound) && !embeddedLacks[name+" "+row.verb] {
					t.Errorf("%s %s: %v", name, row.verb, err)
				}
				round := slices.DeleteFunc(sent.Lines(), func(line string) bool { return line == "INFO server" }) // asked once, for the error
				lines[i] = strings.Join(round, "\n"+strings.Repeat(" ", 32))
			}
			fmt.Fprintf(&out, "%-32s%s\n", row.verb, lines[0])
			if lines[1] != lines[0] {
				fmt.Fprintf(&out, "%-32s%s\n", row.verb+" with a TTL", lines[1])
			}
		}
		golden.Equal(t, "testdata/wire/"+name+"_meet.txt", out.String())
	}
}

// fillMeetings sees to it that there is something to be taken.
func fillMeetings(t *testing.T, db *pipectx.DB) {
	t.Helper()
	done(t, "RPush", Queues.On(db).RPush(t.Context(), 42, "a", "b", "c"))
	done(t, "Add", Tags.On(db).Add(t.Context(), 42, "a", "b", "c"))
	done(t, "Add", Visits.On(db).AddMany(t.Context(), 42, z("a", 1), z("b", 2), z("c", 3)))
	done(t, "Add", Shops.On(db).Add(t.Context(), 42, "nuts", keyspace.Point{}))
	for _, id := range []int64{42, 7} {
		done(t, "Add", Sales.On(db).Add(t.Context(), id, sale{"nut", 1}))
		if err := Sales.On(db).GroupCreate(t.Context(), id, "g", keyspace.Start{}).Err(); err != nil && !errors.Is(err, keyspace.ErrGroupExists) {
			t.Error(err)
		}
	}
}
