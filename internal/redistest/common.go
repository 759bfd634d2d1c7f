package redistest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// A common is something that the tests of one binary share: started at its
// first use and ended by Main after the last test. In a binary without Main it
// ends whenever no test uses it, so that nothing is left behind.
type common[T resource] struct {
	start func(context.Context) (T, error)
	ctx   context.Context // ends with Main: a start in the background is not waited for
	leave context.CancelFunc

	mu    sync.Mutex
	value T
	err   error
	runs  bool
	users int
}

type resource interface {
	sound() bool // fit for the next test
	end()
}

func newCommon[T resource](start func(context.Context) (T, error)) *common[T] {
	ctx, leave := context.WithCancel(context.Background())
	return &common[T]{start: start, ctx: ctx, leave: leave}
}

// take returns the shared value, started now if need be, until t ends. When no
// other test uses it, clean is called first, before another one can.
func (c *common[T]) take(t testing.TB, clean func(T)) T {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run()
	if c.err != nil {
		t.Fatal(c.err)
	}
	if c.users == 0 {
		clean(c.value)
	}
	c.users++
	t.Cleanup(c.give)
	return c.value
}

// warm starts the value ahead of its first use.
func (c *common[T]) warm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run()
}

// run has the value running. One that a test has hurt is replaced.
func (c *common[T]) run() {
	if c.runs && c.value.sound() {
		return
	}
	c.stop()
	atEnd(c.close)
	c.value, c.err = c.start(c.ctx)
	c.runs = c.err == nil
}

func (c *common[T]) stop() {
	if c.runs {
		c.value.end()
		c.runs = false
	}
}

func (c *common[T]) give() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.users--
	if c.users == 0 && !hasMain() {
		c.stop()
	}
}

func (c *common[T]) close() {
	c.leave()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop()
}

// atMain is what Main keeps: whether it runs, and what it is to end.
var atMain struct {
	mu   sync.Mutex
	runs bool
	ends []func()
}

func hasMain() bool {
	atMain.mu.Lock()
	defer atMain.mu.Unlock()
	return atMain.runs
}

func atEnd(end func()) {
	atMain.mu.Lock()
	defer atMain.mu.Unlock()
	if atMain.runs {
		atMain.ends = append(atMain.ends, end)
	}
}

// Main runs the tests of a package and ends afterwards what they shared:
//
//	func TestMain(m *testing.M) { redistest.Main(m) }
//
// A package without it pays for each test again: 15 ms for [Shared], 2.5 s for
// [Cluster]. Early starts what tests will share while the first of them run;
// give [WithCluster] where there is a test that uses it.
//
// Tests against servers wait more than they compute. So unless -parallel says
// otherwise, eight at least run side by side, however few the cores.
func Main(m *testing.M, early ...func()) {
	flag.Parse()
	if !given("test.parallel") {
		// It cannot fail: the flag is there and takes a number.
		_ = flag.Set("test.parallel", strconv.Itoa(max(8, runtime.GOMAXPROCS(0))))
	}
	atMain.mu.Lock()
	atMain.runs = true
	atMain.mu.Unlock()
	if runsTests() {
		for _, start := range early {
			start()
		}
	}

	code := m.Run()

	atMain.mu.Lock()
	ends := atMain.ends
	atMain.mu.Unlock()
	for _, end := range ends {
		end()
	}
	if err := leaveKeys(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// given reports whether the command line has the flag.
func given(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// runsTests reports whether this run is for tests: the workers of a fuzz
// target and a listing of tests are not, and would start servers for nothing.
func runsTests() bool {
	is := func(name, value string) bool {
		f := flag.Lookup(name)
		return f != nil && f.Value.String() == value
	}
	return is("test.list", "") && is("test.fuzz", "") && is("test.fuzzworker", "false")
}
