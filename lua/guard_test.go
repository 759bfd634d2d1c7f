package lua_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

var errGuarded = errors.New("the guard says no")

// A guard decides before the function is called; what stands behind it runs if the
// function returned, or has written. The function sees neither its key nor its word, and
// keeps its lines. A script with a guard may go with a shebang as all may.
func TestGuard(t *testing.T) {
	mod := load(t, "m", `local M = {}
--- @undeclared
function M.f(self, last)
  self.value = self.value .. #KEYS .. #ARGV
  if last == "first" then error("early") end
  redis.call("INCR", self.key .. ":n")
  if last == "then" then error("late") end
  return self.value
end
return M`)
	entry := lua.Must(lua.BindReceiver[string, string](mod, "f", opener(new([]string)))).Guarded(
		`if redis.call("GET",__g)==__n then return {err="NO "..__n} end`, `redis.call("SET",__g,__n)`)
	contexts := map[string]func(context.Context) context.Context{"plain": func(ctx context.Context) context.Context { return ctx }, "strict": lua.Strict}
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		db := newDB(t, s)
		for name, as := range contexts {
			if name == "strict" && (s.Embedded() != nil || !s.Has("FCALL")) {
				continue // it cannot read one
			}
			ctx := as(t.Context())
			if err := db.Client().FlushDB(ctx).Err(); err != nil {
				t.Fatal(err)
			}
			call := func(word, last string) (string, error) {
				return entry.On(db).Guard(lua.Guard{Key: "{k}guard", Word: word, Fault: func(e *pipectx.ServerError) error {
					if e.Code == "NO" {
						return errors.Join(errGuarded, e)
					}
					return nil
				}}).CallOn(ctx, "{k}", last).Result()
			}
			for _, row := range []struct {
				reason, word, last, value, fails, guard string
			}{
				{"it returns", "one", "", "11", "", "one"},
				{"the guard refuses", "one", "", "", "NO one", "one"},
				{"it fails before it writes", "two", "first", "", "m.lua:5", "one"},
				{"it fails behind that", "two", "then", "", "m.lua:7", "two"},
				{"it returns again", "one", "", "1111", "", "one"},
			} {
				got, err := call(row.word, row.last)
				if got != row.value || (err == nil) != (row.fails == "") || err != nil && !strings.Contains(err.Error(), row.fails) {
					t.Errorf("%s, %s: %q, %v", name, row.reason, got, err)
				}
				if refused := strings.HasPrefix(row.fails, "NO"); refused != errors.Is(err, errGuarded) {
					t.Errorf("%s, %s: %v", name, row.reason, err)
				}
				if guard := db.Client().Get(ctx, "{k}guard").Val(); guard != row.guard {
					t.Errorf("%s, %s: the guard's key has %q, want %q", name, row.reason, guard, row.guard)
				}
			}
		}
	})
}
