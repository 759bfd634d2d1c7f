package model_test

import (
	"testing"

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
