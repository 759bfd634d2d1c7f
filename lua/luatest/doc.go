// Package luatest is for tests of Lua functions.
package luatest
