package cache

import (
	"sync/atomic"
	"time"
)

// A clock is what this process knows of the clock of a bucket's server. Whether
// a value is fresh is told by it, so that a hit is one MGET; scripts decide by the
// server's own clock before anything is loaded. It is behind by a round trip at most.
type clock struct {
	offset atomic.Int64 // microseconds of the server's time less those of started
	read   atomic.Int64 // when, in microseconds since started; 0 if never
}

// trusted is for how long a reading is used: clocks of computers go apart by some
// ten microseconds a second.
const trusted = int64(time.Minute / time.Microsecond)

var started = time.Now()

func elapsed() int64 { return time.Since(started).Microseconds() + 1 }

// set notes what the server's clock said in a reply that has just come.
func (c *clock) set(now int64) {
	local := elapsed()
	c.offset.Store(now - local)
	c.read.Store(local)
}

// now is the server's time in microseconds, if it is known.
func (c *clock) now() (int64, bool) {
	read, local := c.read.Load(), elapsed()
	return local + c.offset.Load(), read != 0 && local-read < trusted
}
