package luatest_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// seen are the commands as texts.
func seen(w *luatest.Watch) (texts []string) {
	for _, c := range w.Commands() {
		texts = append(texts, c.String())
	}
	return texts
}

func expect(t *testing.T, w *luatest.Watch, texts ...string) {
	t.Helper()
	if got := seen(w); !slices.Equal(got, texts) {
		t.Errorf("scripts called\n%q, want\n%q", got, texts)
	}
}

// One function is called with Go types, a private one too, on every server; what
// it called is told in order, with the replies.
func TestCall(t *testing.T) {
	each(t, func(t *testing.T, w *luatest.Watch) {
		if err := pipectx.Do[string](t.Context(), w.DB(), "SET", "item{7}", 5).Err(); err != nil {
			t.Fatal(err)
		}
		missing, err := luatest.Call[int](w, stock, "_missing", take{"item{7}", 8})
		if missing != 3 || err != nil {
			t.Errorf("_missing = %d, %v; want 3", missing, err)
		}
		left, err := luatest.Call[int](w, stock, "take", take{"item{7}", 2})
		if left != 3 || err != nil {
			t.Errorf("take = %d, %v; want 3", left, err)
		}
		expect(t, w, `GET item{7} → "5"`, `GET item{7} → "5"`, `DECRBY item{7} 2 → 3`)
		if name := w.Commands()[2].Script; name != "stock.take" {
			t.Errorf("the script is %q", name)
		}
		w.Reset()
		_, err = luatest.Call[int](w, stock, "take", take{"item{7}", 9})
		var refused *lua.Error
		if !errors.As(err, &refused) || refused.Code != "SOLD_OUT" || refused.Message != "have 3, want 9" {
			t.Fatalf("take more than there is: %v", err)
		}
		if len(refused.Trace) != 1 || refused.Trace[0].Line != 25 || refused.Trace[0].Func != "stock.take" {
			t.Errorf("the traceback is that of the author's text, also when watched: %+v", refused)
		}
		expect(t, w, `GET item{7} → "3"`, `HINCRBY item{7}:refused n 9 → 9`, `GET item{7} → "3"`)
	})
}
