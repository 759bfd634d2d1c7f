package docs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// rules are the rows of the table of ACL rules: package, commands, keys and channels.
var rules = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `(\\+[^`]+)` \\| `([^`]+)` \\|")

// A user with the rules of the guide can do what the package does, and each command
// that the rules name is used.
func TestRulesAreEnough(t *testing.T) {
	page, err := os.ReadFile("operating.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := rules.FindAllStringSubmatch(string(page), -1)
	if len(rows) != len(workloads) {
		t.Fatalf("the guide has rules for %d packages, and there are workloads for %d", len(rows), len(workloads))
	}
	for _, row := range rows {
		t.Run(row[1], func(t *testing.T) {
			server := redistest.Server(t)
			admin := server.Client(t)
			ctx := t.Context()
			commands := strings.Fields(strings.ReplaceAll(row[2], `\|`, "|"))
			words := slices.Concat([]string{"ACL", "SETUSER", "app", "reset", "on", "nopass"}, commands, strings.Fields(row[3]), []string{"+client"})
			if err := pipectx.Do[struct{}](ctx, newDB(t, admin), toAny(words)...).Err(); err != nil {
				t.Fatal(err)
			}
			app := server.Client(t, func(o *redis.Options) { o.Username, o.Password = "app", "any" })
			if err := workloads[row[1]](ctx, newDB(t, app)); err != nil {
				t.Error(err)
			}
			denied, err := admin.ACLLog(ctx, 10).Result()
			for _, d := range denied {
				t.Errorf("denied: %s %s", d.Reason, d.Object)
			}
			used, err2 := admin.Info(ctx, "commandstats").Result()
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			for _, word := range commands {
				name := strings.TrimPrefix(word, "+")
				if !strings.Contains(used, "cmdstat_"+name+":calls=") && !named(t, row[1], name) {
					t.Errorf("the rules name %s, which nothing has used", name)
				}
			}
		})
	}
}

// named tells whether a package's Lua has a command, perhaps where no workload comes.
func named(t *testing.T, in, command string) bool {
	t.Helper()
	files, err := filepath.Glob("../" + in + "/*.lua")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `call("`+strings.ToUpper(command)+`"`) {
			return true
		}
	}
	return false
}

func newDB(t *testing.T, client *redis.Client) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func toAny(words []string) (list []any) {
	for _, w := range words {
		list = append(list, w)
	}
	return list
}

// Ticket is a record with all that needs a command of its own.
type Ticket struct {
	ID      int64   `redis:"id,key"`
	Seat    string  `redis:"seat"`
	Note    *string `redis:"note"`
	Price   int64   `redis:"price"`
	Version int64   `redis:"version,version"`
}

type Bag struct {
	ID   string            `redis:"id,key"`
	Size int64             `redis:"size"`
	Rest map[string]string `redis:",extra"`
}

var (
	ticketLua = lua.Must(lua.TryModule("ticket", lua.Source("ticket.lua", `local M = {}
function M.touch(self)
  self.price = self.price + 1
  self.note = nil
  self:expire(1000)
  self:ttl()
  self:expire()
  return self:exists()
end
function M.drop(self) return self:delete() end
return M`)))
	Tickets = model.Define[Ticket, int64]("P", model.Counter(), model.Lua(ticketLua))
	Bags    = model.Define[Bag, string]("P")
	Note    = model.FieldOf(Tickets, func(t *Ticket) **string { return &t.Note })
	Cost    = model.FieldOf(Tickets, func(t *Ticket) *int64 { return &t.Price })
	Touch   = model.Method[struct{}, bool](Tickets, "touch")
	Drop    = model.Method[struct{}, bool](Tickets, "drop")

	doors   = lock.New("P", lock.Options{})
	rooms   = lock.NewRW("P", lock.Options{})
	seats   = lock.NewSemaphore("P", 2, lock.Options{})
	windows = lock.NewLimiter("P:w", lock.SlidingWindow(5, time.Minute))
	buckets = lock.NewLimiter("P:b", lock.TokenBucket(5, time.Minute, 5))

	region = cache.NewRegion("R", cache.Options{TTL: time.Hour, Soft: time.Minute, Keys: true, Near: cache.Near{Entries: 10}})
	length = cache.Func(region, "length", func(_ context.Context, s string) (int, error) { return len(s), nil })
	plain  = cache.NewRegion("Q", cache.Options{})
	double = cache.Func(plain, "double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
)

var workloads = map[string]func(ctx context.Context, db *pipectx.DB) error{
	"pipectx": func(ctx context.Context, db *pipectx.DB) error {
		script := pipectx.NewScript("return redis.call('INCR', KEYS[1])")
		errs := []error{db.Ping(ctx), pipectx.Load(ctx, db, script)}
		call := func(ctx context.Context) *pipectx.Ref[int64] {
			c := script.Command(1)
			c.Key("P{1}")
			return pipectx.Send(ctx, db, c, pipectx.Reply.Int)
		}
		errs = append(errs, call(ctx).Err(), call(ctx).Err())
		errs = append(errs, pipectx.Watch(ctx, db, func(ctx context.Context) error {
			return pipectx.Atomic(ctx, db, func(ctx context.Context) error { call(ctx); return nil })
		}, "P{1}"))
		errs = append(errs, pipectx.Watch(ctx, db, func(context.Context) error { return nil }, "P{1}"))
		for _, err := range pipectx.Scan(ctx, db, "", "") {
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	},
	"lua": func(ctx context.Context, db *pipectx.DB) error {
		mod := lua.Must(lua.Parse("p.lua", "--- @key k\n--- @readonly\nreturn NOW > 0 and redis.call('GET', k) == false"))
		read := lua.Bind[string, bool](mod, "main").On(db)
		write := lua.Must(lua.Parse("q.lua", "--- @key k\nreturn redis.call('INCR', k)"))
		count := lua.Bind[string, int64](write, "main").On(db)
		return errors.Join(read.Call(ctx, "P{1}").Err(), read.Call(ctx, "P{1}").Err(), count.Call(ctx, "P{1}").Err(), count.Call(ctx, "P{1}").Err())
	},
	"model": func(ctx context.Context, db *pipectx.DB) error {
		tickets, bags := Tickets.On(db), Bags.On(db)
		made, err := tickets.Create(ctx, Ticket{Seat: "A1", Note: new("aisle")}).Result()
		id := made.ID
		errs := []error{err,
			tickets.Save(ctx, made).Err(),
			tickets.Update(ctx, id, Note.Set(new("row")), model.Incr(Cost, 3)).Err(),
			tickets.Upsert(ctx, id, Note.Clear()).Err(),
			tickets.Get(ctx, id).Err(),
			tickets.Pick(ctx, id, Cost).Err(),
			model.Pop(ctx, tickets, id, Note).Err(),
			tickets.Edit(ctx, id, func(t *Ticket) error { t.Seat = "B2"; return nil }).Err(),
			tickets.Fenced(stopped(7)).Update(ctx, id, Cost.Set(8)).Err(),
			tickets.Expire(ctx, id, time.Hour).Err(),
			tickets.ExpireAt(ctx, id, time.Now().Add(time.Hour)).Err(),
			tickets.TTL(ctx, id).Err(),
			tickets.Persist(ctx, id).Err(),
			tickets.Exists(ctx, id).Err(),
			Touch.On(db).Call(ctx, id, struct{}{}).Err(),
			Touch.On(db).Call(ctx, id, struct{}{}).Err(), // by EVALSHA now
			Drop.On(db).Call(ctx, id, struct{}{}).Err(),
			tickets.Count(ctx).Err(),
			bags.Save(ctx, Bag{"b", 1, map[string]string{"color": "red"}}).Err(),
			bags.Get(ctx, "b").Err(),
			bags.Delete(ctx, "b").Err(),
		}
		return errors.Join(errs...)
	},
	"lock": func(ctx context.Context, db *pipectx.DB) error {
		nothing := func(context.Context, *lock.Lease) error { return nil }
		held, err := doors.On(db).Acquire(ctx, "1")
		if err != nil {
			return err
		}
		done := make(chan error, 1)
		go func() { done <- doors.On(db).Do(ctx, "1", nothing) }()
		queue := held.Keys()[0] + ":queue"
		for n := int64(0); n == 0; time.Sleep(time.Millisecond) { // until somebody waits
			n, err = pipectx.Do[int64](ctx, db, "EVAL", "return redis.call('EXISTS', KEYS[1])", 1, queue).Result()
			if err != nil {
				return err
			}
		}
		lease, err := seats.On(db).Acquire(ctx, "3")
		if err != nil {
			return err
		}
		return errors.Join(held.Extend(ctx), held.Release(ctx), <-done,
			lease.Extend(ctx), lease.Release(ctx),
			rooms.On(db).DoRead(ctx, "2", nothing), rooms.On(db).DoWrite(ctx, "2", nothing),
			windows.On(db).Allow(ctx, "4").Err(), buckets.On(db).Allow(ctx, "4").Err())
	},
	"cache": func(ctx context.Context, db *pipectx.DB) error {
		lengths, doubles := length.On(db), double.On(db)
		errs := []error{
			lengths.Get(ctx, "a").Err(), lengths.GetMany(ctx, "a", "b").Err(), lengths.Refresh(ctx, "a").Err(), lengths.Peek(ctx, "a").Err(),
			doubles.Get(ctx, 1).Err(), doubles.Get(ctx, 1).Err(), lengths.Invalidate(ctx, "a").Err(), lengths.Get(ctx, "a").Err(),
			lengths.Remove(ctx, "a").Err(), lengths.InvalidateAll(ctx).Err(), lengths.RemoveAll(ctx).Err(),
			region.On(db).Invalidate(ctx).Err(), region.On(db).Remove(ctx).Err(), region.On(db).Flush(ctx),
			region.On(db).Functions(ctx).Err(), region.On(db).Statistics(ctx, time.Now()).Err(),
		}
		for _, err := range lengths.Keys(ctx) {
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	},
}
