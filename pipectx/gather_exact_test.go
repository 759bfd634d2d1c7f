package pipectx_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Gather serves those who wait also when nobody has moved for a millisecond, which
// on a busy machine may be the machine's fault. These tests run in a bubble, whose
// clock moves only when every goroutine in it waits for another: so they can say
// exactly what costs what. The server is in the bubble too, since the clock must
// stand while it works.

// inBubble runs test with a DB on a server of counters, and what is sent to it.
func inBubble(t *testing.T, test func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var s counters
		// A name instead of the number would be looked up, by goroutines that the
		// process keeps for later tests.
		client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Protocol: 2, Dialer: s.dial})
		defer client.Close()
		db := newDB(t, client)
		if err := db.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, db, redistest.Record(client))
	})
}

// counters is a server that knows INCRBY.
type counters struct {
	mu sync.Mutex
	n  map[string]int64
}

func (s *counters) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go s.serve(far)
	return near, nil
}

func (s *counters) serve(c net.Conn) {
	// A pipe holds nothing: who writes waits until all is read. So all that was
	// written in one piece is read before the answer.
	in, out := bufio.NewReaderSize(c, 1<<20), bufio.NewWriter(c)
	for {
		words, err := readCommand(in)
		if err != nil {
			return // the client has closed the connection
		}
		_, _ = out.WriteString(s.answer(words)) // an error stays until Flush
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

func (s *counters) answer(words []string) string {
	switch strings.ToUpper(words[0]) {
	case "INCRBY":
		by, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			return "-ERR value is not an integer\r\n"
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.n == nil {
			s.n = map[string]int64{}
		}
		s.n[words[1]] += by
		return fmt.Sprintf(":%d\r\n", s.n[words[1]])
	case "CLIENT", "PING":
		return ok
	}
	return "-ERR unknown command\r\n"
}

// A hundred members with three dependent steps each cost three round trips, and
// no time in which everybody waits for nobody.
func TestGatherExactRoundTrips(t *testing.T) {
	inBubble(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		start := time.Now()
		got := make([]int64, 100)
		err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
			for i := range got {
				g.Go(func(ctx context.Context) (err error) {
					n := int64(i)
					for range 3 {
						if n, err = pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCRBY", i, n)); err != nil {
							return err
						}
					}
					got[i] = n
					return nil
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range got {
			if n != int64(4*i) {
				t.Errorf("member %d has %d, want %d", i, n, 4*i)
			}
		}
		if trips := sent.RoundTrips(); trips != 3 {
			t.Errorf("%d round trips, want 3", trips)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("somebody waited %v for nothing", took)
		}
	})
}

// A member that is busy with something else holds up the others for a millisecond
// at most. It is served by itself afterwards.
func TestGatherExactDelay(t *testing.T) {
	inBubble(t, func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder) {
		start := time.Now()
		var served [10]time.Duration
		err := pipectx.Gather(t.Context(), db, func(g *pipectx.Group) error {
			for i := range served {
				g.Go(func(ctx context.Context) error {
					_, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCRBY", "n", 1))
					served[i] = time.Since(start)
					return err
				})
			}
			g.Go(func(ctx context.Context) error {
				time.Sleep(time.Hour)
				_, err := pipectx.Await(ctx, pipectx.Do[int64](ctx, db, "INCRBY", "n", 1))
				return err
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, after := range served {
			if after < 700*time.Microsecond || after > time.Millisecond {
				t.Errorf("member %d was served after %v, want 0.7 to 1 ms", i, after)
			}
		}
		if took := time.Since(start); took != time.Hour {
			t.Errorf("all took %v, want what the one takes", took)
		}
		if trips := sent.RoundTrips(); trips != 2 {
			t.Errorf("%d round trips, want 2", trips)
		}
	})
}
