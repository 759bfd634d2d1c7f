package lua_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

// newDB returns a DB on a server that is closed with the test.
func newDB(t testing.TB, s *redistest.Node) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(s.Client(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return watched(t, db)
}

// embedded returns a DB on an embedded server of the test's own.
func embedded(t testing.TB) *pipectx.DB {
	t.Helper()
	return newDB(t, redistest.Embedded(t))
}

// each runs a subtest on the embedded server, redis-server and all that
// REDMOON_SERVERS names.
func each(t *testing.T, test func(t *testing.T, db *pipectx.DB)) {
	t.Helper()
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) { test(t, newDB(t, s)) })
}

// exampleDB returns a DB on an embedded server.
func exampleDB() (db *pipectx.DB, end func()) {
	client, end := redistest.Example()
	db, err := pipectx.New(client)
	if err != nil {
		panic(err)
	}
	return db, end
}

// files is a file system of modules: name.lua is the text before the next name.
func files(namesAndTexts ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		fsys[namesAndTexts[i]+".lua"] = &fstest.MapFile{Data: []byte(namesAndTexts[i+1])}
	}
	return fsys
}

// load loads the first of some modules.
func load(t testing.TB, namesAndTexts ...string) *lua.Mod {
	t.Helper()
	mod, err := lua.LoadFS(files(namesAndTexts...), namesAndTexts[0])
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// source makes a module m of its functions: the first and last line are added.
func source(t testing.TB, functions string) *lua.Mod {
	t.Helper()
	mod, err := lua.TryModule("m", lua.Source("m.lua", moduleText(functions)))
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// moduleText is `local M = {}`, on the same line the text, and `return M`.
func moduleText(functions string) string { return "local M = {} " + functions + "\nreturn M" }

// bind binds a function.
func bind[In, Out any](t testing.TB, mod *lua.Mod, name string) *lua.Entry[In, Out] {
	t.Helper()
	e, err := lua.TryBind[In, Out](mod, name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// want fails the test unless the Ref answers value.
func want[T comparable](t testing.TB, what string, ref *pipectx.Ref[T], value T) {
	t.Helper()
	switch got, err := ref.Result(); {
	case err != nil:
		t.Errorf("%s: %v, want %v", what, err, value)
	case got != value:
		t.Errorf("%s = %v, want %v", what, got, value)
	}
}

// says fails the test unless err has all parts.
func says(t testing.TB, what string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want one that says %q", what, parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: the error does not say %q:\n%v", what, part, err)
		}
	}
}

// seconds is the answer of TIME.
func seconds(t testing.TB, parts []string) float64 {
	t.Helper()
	s, err1 := strconv.ParseFloat(parts[0], 64)
	us, err2 := strconv.ParseFloat(parts[1], 64)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return s + us/1e6
}
