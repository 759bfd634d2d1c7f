//go:build linux && !race

package lua_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/redmoon-go/redmoon/lua"
)

// large is 100 modules of 20 functions each, which call one another.
func large() fstest.MapFS {
	fsys := fstest.MapFS{}
	for m := range 100 {
		var b strings.Builder
		fmt.Fprintf(&b, "-- Module %d of many.\nlocal M = {}\nlocal next = require \"m%d\"\n", m, (m+1)%100)
		for f := range 20 {
			fmt.Fprintf(&b, `
--- @key key
--- @arg n int
--- @return int
function M.f%[1]d(key, n)
  local have = tonumber(redis.call("GET", key)) or 0 -- what is there
  if have < n then
    fail("FUNDS", string.format("have %%d, need %%d", have, n))
  end
  return redis.call("DECRBY", key, n) + %[1]d
end
`, f)
		}
		b.WriteString("\nfunction M.on(key) return next.f0(key, 1) end\nreturn M\n")
		fsys[fmt.Sprintf("m%d.lua", m)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return fsys
}

type on struct {
	Key string `lua:"key,key"`
	N   int64  `lua:"n"`
}

// A program with 100 modules of 2,000 functions, of which it calls one of each,
// starts within 100 ms of the processor's time. The best of several starts counts:
// others use the machine too.
func TestStart(t *testing.T) {
	fsys := large()
	best := time.Hour
	for n := 0; n < 20 && best > 100*time.Millisecond; n++ {
		at := used()
		mod, err := lua.LoadFS(fsys, "m0")
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			bind[on, int64](t, mod, "f7")
			mod = mod.Imports()[0]
		}
		best = min(best, used()-at)
	}
	if best > 100*time.Millisecond {
		t.Errorf("100 modules with 2,000 functions take %v to start, more than 100 ms", best)
	}
}

// What stays of a program's Lua: the texts as they were read, and for each script
// its own with a line map.
func TestStartHeap(t *testing.T) {
	fsys := large()
	before := heap()
	mod, err := lua.LoadFS(fsys, "m0")
	if err != nil {
		t.Fatal(err)
	}
	read := heap() - before
	var entries []*lua.Entry[on, int64]
	text := uint64(0)
	for range 100 {
		for f := range 20 {
			entries = append(entries, bind[on, int64](t, mod, fmt.Sprintf("f%d", f)))
			text += uint64(len(entries[len(entries)-1].Script().Body))
		}
		mod = mod.Imports()[0]
	}
	scripts := heap() - before - read
	t.Logf("2,000 functions read: %d KiB; their 2,000 scripts: %d KiB, of them text %d KiB", read>>10, scripts>>10, text>>10)
	if limit := uint64(14 << 20); read > limit {
		t.Errorf("100 modules with 2,000 functions keep %d KiB, more than %d", read>>10, limit>>10)
	}
	if limit := 2*text + 1<<20; scripts > limit {
		t.Errorf("2,000 scripts keep %d KiB, more than %d", scripts>>10, limit>>10)
	}
	runtime.KeepAlive(mod)
	runtime.KeepAlive(entries)
}

// used is the processor's time of this process, its collector's included.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of itself it never fails
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
