package luatest_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/lua/luatest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

var stock = lua.Must(lua.LoadFS(os.DirFS("testdata"), "stock"))

// take is the arguments of stock.take.
type take struct {
	Item string `lua:"item,key"`
	N    int    `lua:"n"`
}

// newDB returns a DB on a server that is closed with the test.
func newDB(t testing.TB, s *redistest.Node) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(s.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return db
}

// each runs a subtest with a Watch on every server.
func each(t *testing.T, test func(t *testing.T, w *luatest.Watch)) {
	t.Helper()
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) { test(t, luatest.On(t, newDB(t, s))) })
}

// test runs an example as the test that it is when users write it.
func test(run func(t testing.TB)) {
	var t example
	defer func() {
		for _, f := range slices.Backward(t.cleanups) {
			f()
		}
	}()
	run(&t)
}

// example is as much of a test as a Watch needs.
type example struct {
	testing.TB
	cleanups []func()
}

func (t *example) Helper()                  {}
func (t *example) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }
func (t *example) Context() context.Context { return context.Background() }
func (t *example) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}
