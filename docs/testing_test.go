package docs_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// embeddedDB is a DB on a server within the test.
func embeddedDB(t *testing.T, options ...pipectx.Option) (*pipectx.DB, *miniredis.Miniredis) {
	t.Helper()
	server := miniredis.RunT(t)
	db, err := pipectx.Open("redis://"+server.Addr(), append(options, pipectx.Debug())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, server
}

func TestSell(t *testing.T) {
	db, _ := embeddedDB(t)
	stock := NewStock(db)
	stock.pieces.Set(t.Context(), "nuts", 10)

	left, err := stock.Sell(t.Context(), "nuts", 3)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := left.Result(); n != 7 || err != nil {
		t.Errorf("left = %d, %v; want 7", n, err)
	}
}

func TestSalesEnd(t *testing.T) {
	db, server := embeddedDB(t)
	stock := NewStock(db)
	if _, err := stock.Sell(t.Context(), "nuts", 3); err != nil {
		t.Fatal(err)
	}
	server.FastForward(32 * 24 * time.Hour) // its clock stands still by itself
	if there, err := stock.sales.Exists(t.Context(), "2026-01-02").Result(); there || err != nil {
		t.Errorf("sales are there after 32 days: %v, %v", there, err)
	}
}

// realDB is a DB on a redis-server of the test's own, by a unix socket.
func realDB(t *testing.T) *pipectx.DB {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server: ", err)
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	server := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	db, err := pipectx.Open("unix://" + socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for err := db.Ping(ctx); err != nil; err = db.Ping(ctx) {
		if ctx.Err() != nil {
			t.Fatal("redis-server does not answer: ", err)
		}
		time.Sleep(time.Millisecond) // it is starting
	}
	return db
}

func TestTakeOnServer(t *testing.T) {
	db := realDB(t)
	pipectx.Do[struct{}](t.Context(), db, "SET", "stock{nuts}", 5)
	left, err := TakeItem.On(db).Call(t.Context(), Take{"stock{nuts}", "log{nuts}", 3, "order 7"}).Result()
	if left != 2 || err != nil {
		t.Errorf("take 3 of 5 = %d, %v; want 2", left, err)
	}
}

// tape is a hook that writes down what is sent, one round trip a line. It keeps
// texts and no commands: their memory is used again.
type tape struct {
	mu    sync.Mutex
	lines []string
}

func (p *tape) write(commands ...redis.Cmder) {
	var line []string
	for _, c := range commands {
		if name := c.Name(); name == "hello" || name == "client" {
			continue // the connection's own
		}
		var words []string
		for _, word := range c.Args() { // redmoon's are pointers to strings
			words = append(words, fmt.Sprint(reflect.Indirect(reflect.ValueOf(word))))
		}
		line = append(line, strings.Join(words, " "))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if line != nil {
		p.lines = append(p.lines, strings.Join(line, " | "))
	}
}

func (p *tape) DialHook(next redis.DialHook) redis.DialHook { return next }

func (p *tape) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error { p.write(c); return next(ctx, c) }
}

func (p *tape) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cs []redis.Cmder) error { p.write(cs...); return next(ctx, cs) }
}

func TestWhatSellSends(t *testing.T) {
	db, _ := embeddedDB(t)
	var sent tape
	db.Client().AddHook(&sent)

	if _, err := NewStock(db).Sell(t.Context(), "nuts", 3); err != nil {
		t.Fatal(err)
	}
	want := []string{"INCRBY shop.stock{nuts} -3 | ZINCRBY shop.sales{2026-01-02} 3 nuts | PEXPIRE shop.sales{2026-01-02} 2678400000"}
	if !slices.Equal(sent.lines, want) {
		t.Errorf("sent:\n%s\nwant:\n%s", strings.Join(sent.lines, "\n"), strings.Join(want, "\n"))
	}
}

// budget is an observer that counts round trips.
type budget struct {
	mu    sync.Mutex
	trips int
}

func (b *budget) Flushed(_ context.Context, f pipectx.Flush) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trips += f.RoundTrips
}

func (b *budget) Unread(error) {}

func TestBasketIsOneRoundTrip(t *testing.T) {
	var spent budget
	db, _ := embeddedDB(t, pipectx.Observe(&spent))
	if _, err := NewStock(db).Basket(t.Context(), map[string]int64{"nuts": 1, "bolts": 2, "nails": 3}); err != nil {
		t.Fatal(err)
	}
	if spent.trips != 1 {
		t.Errorf("%d round trips; want 1", spent.trips)
	}
}
