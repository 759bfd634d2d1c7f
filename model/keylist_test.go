package model_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/model"
)

type shareArgs struct {
	Tills []model.Key[Till, int64]   `lua:"tills"`
	N     int64                      `lua:"n"`
	More  []model.Key[Stock, string] `lua:"more"`
}

// A list of records is an argument too: each is a record, the same one for the same key,
// hooks run for each that changed, and their keys go along declared.
func TestListsOfRecords(t *testing.T) {
	shares := model.Define[Till, int64]("share", tillPlace, model.Lua(methods("share", `
--- @arg n int
--- @return int
function M.share(self, tills, n, more)
  for _, till in ipairs(tills) do
    till.coin = till.coin + n
    self.coin = self.coin - n
  end
  for _, item in ipairs(more) do
    item.held = item.held + 1
  end
  return #tills + #more
end`)))
	bothWays(t, func(t *testing.T) {
		share := model.Method[shareArgs, int64](shares, "share")
		stocked := model.Define[Stock, string]("stock", tillPlace, model.Lua(methods("stock", stockLua)))
		withHooks := model.Method[shareArgs, int64](shares, "share")
		each(t, func(t *testing.T, p place) {
			ctx := t.Context()
			for id := range int64(4) {
				ok(t, "Save", shares.On(p.db).Save(ctx, Till{ID: id, Coin: 10}).Err())
			}
			p.remove(t, "stock{tills}:x")
			ok(t, "Create", stocked.On(p.db).Create(ctx, Stock{ID: "x", Held: 3}).Err())
			want(t, "none", share.On(p.db).Call(ctx, 0, shareArgs{N: 5}), 0)
			in := shareArgs{[]model.Key[Till, int64]{shares.Key(1), shares.Key(2), shares.Key(1)}, 2, []model.Key[Stock, string]{stocked.Key("x")}}
			want(t, "four", withHooks.On(p.db).Call(ctx, 0, in), 4)
			for key, stored := range map[string]string{"share{tills}:0": "coin=4", "share{tills}:1": "coin=14", "share{tills}:2": "coin=12", "share{tills}:3": "coin=10"} {
				p.wantHash(t, key, stored)
			}
			p.wantHash(t, "stock{tills}:x", "free=4 held=4 last= name= reserved=0 version=2")

			in.N = 9
			says(t, "too much", withHooks.On(p.db).Call(ctx, 0, in).Err(), "RANGE share{tills}:0 coin")
			p.wantHash(t, "share{tills}:1", "coin=14")
			in.Tills[1] = model.Key[Till, int64]{}
			says(t, "an empty one", withHooks.On(p.db).Call(ctx, 0, in).Err(), "argument tills[1]", "is empty")
			in = shareArgs{More: []model.Key[Stock, string]{stocks.Key("a")}}
			says(t, "one with other hooks", withHooks.On(p.db).Call(ctx, 0, in).Err(), "other Lua hooks than the method knows")
		})
	})
}

// Records of a list have their keyspaces too, whose keys go along declared.
func TestListsOfRecordsWith(t *testing.T) {
	type Box struct {
		ID int64 `redis:"id,key"`
		N  int64 `redis:"n"`
	}
	type args struct {
		First []model.Key[Box, int64] `lua:"first"`
		Then  []model.Key[Box, int64] `lua:"then_"`
	}
	placed := keyspace.OneSlot("boxes")
	labels, weights := keyspace.NewList[int64, string]("labels", placed), keyspace.NewString[int64, int64]("weights", placed)
	boxes := model.Define[Box, int64]("box", placed, model.With("labels", labels), model.With("weights", weights), model.Lua(methods("box", `
function M.label(self, first, then_)
  for i, box in ipairs(first) do
    box.n = i
    redis.call("RPUSH", box.labels, string.format("first %d", i))
  end
  for i, box in ipairs(then_) do
    redis.call("RPUSH", box.labels, string.format("then %d", i))
    redis.call("INCRBY", box.weights, 5)
  end
  redis.call("RPUSH", self.labels, "self")
end`)))
	label := model.Method[args, struct{}](boxes, "label")
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		for id := range int64(5) {
			ok(t, "Save", boxes.On(p.db).Save(ctx, Box{ID: id}).Err())
			p.remove(t, fmt.Sprintf("labels{boxes}:%d", id), fmt.Sprintf("weights{boxes}:%d", id))
		}
		in := args{[]model.Key[Box, int64]{boxes.Key(1), boxes.Key(2)}, []model.Key[Box, int64]{boxes.Key(3), boxes.Key(1)}}
		ok(t, "label", label.On(p.db).Call(ctx, 0, in).Err())
		for id, want := range []string{"self", "first 1,then 2", "first 2", "then 1", ""} {
			if got := strings.Join(value(t, "labels", labels.On(p.db).Range(ctx, int64(id), 0, -1)), ","); got != want {
				t.Errorf("the labels of %d are %q, want %q", id, got, want)
			}
		}
		want(t, "weights", weights.On(p.db).Get(ctx, 3), 5)
		p.wantHash(t, "box{boxes}:2", "n=2")
	})
}
