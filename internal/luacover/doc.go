// Package luacover has the tests of a package count what they run of its own Lua.
//
// The test binary runs its tests once again, with scripts that are watched by
// package luatest. Such scripts are other ones, so tests that compare the commands
// sent fail in that run; what all have run is what counts. In a package's tests:
//
//	func newDB(…) *pipectx.DB { …; return luacover.Watched(t, db) }
//
//	func TestLuaIsCovered(t *testing.T) { luacover.Test(t, "./^embedded$", 95, nil) }
package luacover
