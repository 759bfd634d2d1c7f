package keyspace_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

var visitsLua = lua.Module("visits", lua.Source("visits.lua", `
local M = {}

--- @arg keep int
--- @return int
function M.trim(key, keep)
  return redis.call("ZREMRANGEBYRANK", key, 0, -keep - 1)
end

--- @key to
--- @arg member string
--- @return float
function M.move(key, to, member)
  local score = redis.call("ZSCORE", key, member)
  if not score then fail("NOMEMBER", member .. " is not there") end
  redis.call("ZREM", key, member)
  redis.call("ZADD", to, score, member)
  return tonumber(score)
end

--- @readonly
--- @return int
function M.size(key)
  return redis.call("ZCARD", key)
end

function M.none()
  return 1
end

return M
`))

type moveArgs struct {
	To     string `lua:"to,key"`
	Member string `lua:"member"`
}

var (
	Ranks    = keyspace.NewSortedSet[int64, string]("ranks", keyspace.Lua(visitsLua), together)
	DayRanks = keyspace.NewSortedSet[int64, string]("ranks", keyspace.Lua(visitsLua), together, keyspace.TTL(day))
	TrimOf   = keyspace.Method[int64, int64](Ranks, "trim")
	MoveOf   = keyspace.Method[moveArgs, float64](Ranks, "move")
	SizeOf   = keyspace.Method[struct{}, int64](Ranks, "size")
	DayTrim  = keyspace.Method[int64, int64](DayRanks, "trim")
	DaySize  = keyspace.Method[struct{}, int64](DayRanks, "size")
)

// A function of a keyspace's module is called on the key of an id: now, in a Run, and in
// an Atomic.
func TestMethod(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		ctx, ranks, trim := t.Context(), Ranks.On(db), TrimOf.On(db)
		fill := func(id int64) {
			done(t, "AddMany", ranks.AddMany(ctx, id, z("a", 1), z("b", 2), z("c", 3.5)))
		}
		fill(1)
		want(t, "trim", trim.Call(ctx, 1, 2), 1)
		want(t, "Range", ranks.Range(ctx, 1, 0, -1), []string{"b", "c"})
		want(t, "size", SizeOf.On(db).Call(ctx, 1, struct{}{}), 2)

		fill(2)
		to, err := Ranks.KeyOf(3)
		if err != nil {
			t.Fatal(err)
		}
		for name, within := range map[string]func(context.Context, *pipectx.DB, func(context.Context) error) error{"Run": pipectx.Run, "Atomic": pipectx.Atomic} {
			fill(2)
			var trimmed *pipectx.Ref[int64]
			var moved *pipectx.Ref[float64]
			var left *pipectx.Ref[[]string]
			sent.Reset()
			err := within(ctx, db, func(ctx context.Context) error {
				moved = MoveOf.On(db).Call(ctx, 2, moveArgs{to, "c"})
				trimmed = trim.Call(ctx, 2, 1)
				left = ranks.Range(ctx, 2, 0, -1)
				return nil
			})
			if err != nil || sent.RoundTrips() != 1 {
				t.Errorf("%s: %v, %d round trips", name, err, sent.RoundTrips())
			}
			want(t, name+": moved", moved, 3.5)
			want(t, name+": trimmed", trimmed, 1)
			want(t, name+": left", left, []string{"b"})
			want(t, name+": there", ranks.Score(ctx, 3, "c"), 3.5)
		}

		var fault *lua.Error
		if err := MoveOf.On(db).Call(ctx, 2, moveArgs{to, "nobody"}).Err(); !errors.As(err, &fault) || fault.Code != "NOMEMBER" {
			t.Errorf("move: %v", err)
		}
		if db.Cluster() {
			var cross *pipectx.CrossSlotError
			if err := MoveOf.On(db).Call(ctx, 2, moveArgs{"elsewhere", "b"}).Err(); !errors.As(err, &cross) {
				t.Errorf("move to another slot: %v", err)
			}
		}
	})
}

// A call begins the default TTL anew, one that is read-only does not; a connection that
// is not there is the answer.
func TestMethodSettings(t *testing.T) {
	db, sent := embedded(t)
	ctx := t.Context()
	done(t, "Add", Ranks.On(db).Add(ctx, 1, "a", 1))
	want(t, "size", DaySize.On(db).Call(ctx, 1, struct{}{}), 1)
	want(t, "TTL", DayRanks.On(db).TTL(ctx, 1), field.None[time.Duration]())
	sent.Reset()
	want(t, "trim", DayTrim.On(db).Call(ctx, 1, 5), 0)
	if sent.RoundTrips() != 1 || sent.Commands() != 2 {
		t.Errorf("sent: %v", sent)
	}
	want(t, "TTL", DayRanks.On(db).TTL(ctx, 1), field.Some(day))

	away := keyspace.NewSet[int64, string]("away", keyspace.Lua(visitsLua), keyspace.Connection("away"))
	wantErr(t, "Call", keyspace.Method[struct{}, int64](away, "size").On(db).Call(ctx, 1, struct{}{}).Err(), pipectx.ErrUnknownConnection)
	byName := keyspace.NewSet[string, string]("names", keyspace.Lua(visitsLua))
	wantErr(t, "Call", keyspace.Method[struct{}, int64](byName, "size").On(db).Call(ctx, "", struct{}{}).Err(), keyspace.ErrEmptyID)
}

// What is wrong with a declaration is found where it is made.
func TestMethodDeclarations(t *testing.T) {
	for _, row := range []struct {
		declare func() error
		text    string
	}{
		{func() error { _, err := keyspace.TryMethod[int64, int64](Visits, "trim"); return err },
			`keyspace: Method "trim" of NewSortedSet[int64, string]("visits"): the keyspace has no Lua module; declare it with keyspace.Lua(module)`},
		{func() error { _, err := keyspace.TryMethod[int64, int64](Ranks, "trin"); return err }, `keyspace: Method "trin" of NewSortedSet[int64, string]("ranks", OneSlot("t"), Lua(visits)): lua: `},
		{func() error { _, err := keyspace.TryMethod[string, int64](Ranks, "trim"); return err }, "parameter keep"},
		{func() error { _, err := keyspace.TryMethod[struct{}, int64](Ranks, "none"); return err }, "a method takes the key as its first parameter; write function M.none(key)"},
		{func() error { _, err := keyspace.TryNewSet[int64, string]("s", keyspace.Lua(nil)); return err }, "the module given to keyspace.Lua is nil; load it before the keyspace is declared"},
		{func() error {
			_, err := keyspace.TryNewSet[int64, string]("s", keyspace.Lua(visitsLua), keyspace.Lua(visitsLua))
			return err
		}, "two Lua modules, visits and visits; let one require the other"},
	} {
		if err := row.declare(); err == nil || !strings.Contains(err.Error(), row.text) {
			t.Errorf("%v\nwant …%s", err, row.text)
		}
	}
}
