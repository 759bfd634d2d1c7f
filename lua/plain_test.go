package lua_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

const verbs = `local M = {}

function M.put(keys, argv)
  if argv[1] == "" then
    return {err = "EMPTY nothing to put"}
  end
  if argv[1] == "loud" then
    fail("LOUD", "too loud")
  end
  redis.call("SET", keys[1], argv[1])
  return #keys
end

function M.one(keys) return keys[1] end

return M
`

// A linked verb is given KEYS and ARGV as they are and answers as it likes; a guarded
// one has what is raised in it told with its author's line.
func TestLink(t *testing.T) {
	mod := load(t, "verbs", verbs)
	plain, err := lua.Link(mod, "put", "verbs.put")
	if err != nil || !strings.HasPrefix(plain.Body, "-- verbs.put\n") {
		t.Fatalf("%v, %+v", err, plain)
	}
	guarded, err := lua.LinkGuarded(mod, "put", "guarded.put")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		eval := func(s *lua.Script, word string) *pipectx.Ref[int64] {
			return pipectx.Do[int64](ctx, db, "EVAL", s.Body, 2, "a{1}", "b{1}", word)
		}
		want(t, "keys", eval(plain, "x"), 2)
		want(t, "what it put", pipectx.Do[string](ctx, db, "GET", "a{1}"), "x")

		var refused *pipectx.ServerError
		if err := eval(plain, "").Err(); !errors.As(err, &refused) || refused.Code != "EMPTY" {
			t.Errorf("a returned error is %v", err)
		}
		if err := eval(guarded, "loud").Err(); !errors.As(err, &refused) {
			t.Fatalf("a failure is %v", err)
		}
		var failed *lua.Error
		if err := guarded.Fault(refused); !errors.As(err, &failed) || failed.Code != "LOUD" || failed.Trace[0].Line != 8 {
			t.Errorf("a failure of a guarded verb is %+v", err)
		}
	})
}

// What cannot be called with KEYS and ARGV is not linked, and its place is told.
func TestLinkRefuses(t *testing.T) {
	mod := load(t, "verbs", verbs)
	if _, err := lua.Link(mod, "one", "verbs.one"); err == nil || !strings.Contains(err.Error(), "verbs.lua:14") || !strings.Contains(err.Error(), "takes two parameters") {
		t.Errorf("a function of one parameter: %v", err)
	}
	if _, err := lua.LinkGuarded(mod, "gone", "verbs.gone"); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a function that is not there: %v", err)
	}
}
