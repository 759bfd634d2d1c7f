package pipectx_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// New takes clients that keep a pipeline's promises, and refuses the others
// with a reason.
func TestNewRefuses(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "localhost:1"}})
	defer ring.Close()
	tests := []struct {
		reason string
		client redis.UniversalClient
		says   string
	}{
		{"no client", nil, "nil"},
		{"no client, with a type", (*redis.Client)(nil), "nil"},
		{"no Cluster client, with a type", (*redis.ClusterClient)(nil), "nil"},
		{"a Ring", ring, "*redis.Ring"},
		{"a client in a coat", struct{ redis.UniversalClient }{ring}, "use a *redis.Client"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			for what, err := range map[string]error{
				"New":        second(pipectx.New(test.client)),
				"Connection": second(pipectx.New(redis.NewClient(&redis.Options{}), pipectx.Connection("x", test.client))),
			} {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s answers %v, want %q in it", what, err, test.says)
				}
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// Connections have names; one name is one client, one client may have several.
func TestConnections(t *testing.T) {
	one, two := redistest.Embedded(t).Client(t), redistest.Embedded(t).Client(t)
	w := newWitness()
	db := newDB(t, one, pipectx.Connection("two", two), pipectx.Connection("also two", two), pipectx.Connection("two", two),
		pipectx.Connection("also one", one), pipectx.Observe(w))
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for _, name := range []string{"", "two", "also two", "also one"} {
			view, err := db.Conn(name)
			if err != nil {
				t.Error(err)
				continue
			}
			do(ctx, view, "RPUSH", "names", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range map[*redis.Client]string{one: " also one", two: "two also two"} {
		if got := strings.Join(client.LRange(t.Context(), "names", 0, -1).Val(), " "); got != want {
			t.Errorf("it has %q, want %q", got, want)
		}
	}
	if f := w.last(t); f.Connections != 2 {
		t.Errorf("%d connections, want 2: names of one client share it", f.Connections)
	}

	_, err = db.Conn("three")
	wantErr(t, "an unknown name", err, pipectx.ErrUnknownConnection)
	if err == nil || !strings.Contains(err.Error(), `pipectx.Connection("three"`) {
		t.Errorf("%v does not say the cure", err)
	}
	_, err = pipectx.New(one, pipectx.Connection("two", two), pipectx.Connection("two", one))
	wantErr(t, "a name given twice", err, pipectx.ErrAlreadyConnected)
	if _, err = pipectx.New(one, pipectx.Connection("", two)); err == nil {
		t.Error("a further connection without a name is taken")
	}
}

// A view of a view leads anywhere; all are one DB to a Run.
func TestConnIsOneDB(t *testing.T) {
	db := newDB(t, redistest.Embedded(t).Client(t), pipectx.Connection("two", redistest.Embedded(t).Client(t)))
	two, err := db.Conn("two")
	if err != nil {
		t.Fatal(err)
	}
	back, err := two.Conn("")
	if err != nil {
		t.Fatal(err)
	}
	var a, b *pipectx.Ref[any]
	err = pipectx.Run(t.Context(), two, func(ctx context.Context) error {
		a, b = do(ctx, db, "INCR", "n"), do(ctx, back, "INCR", "n")
		if a.Ready() || b.Ready() {
			t.Error("a view's Run does not hold the other views' verbs")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the second of one server", b, any(int64(2)))
}

// After Close every entrance answers ErrClosed. Closing twice does nothing, and
// a client given to New stays open.
func TestClose(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	ref := do(t.Context(), db, "INCR", "n")
	for range 2 {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	for what, err := range map[string]error{
		"Run":  pipectx.Run(t.Context(), db, func(context.Context) error { t.Error("it ran"); return nil }),
		"Do":   do(t.Context(), db, "INCR", "n").Err(),
		"Ping": db.Ping(t.Context()),
	} {
		wantErr(t, what, err, pipectx.ErrClosed)
	}
	want(t, "a Ref from before", ref, any(int64(1)))
	if got := stored(t, client, "n"); got != "1" {
		t.Errorf("n is %s", got)
	}
}

// A Run that is open when its DB is closed answers ErrClosed too: what it has
// queued is not sent, whoever owns the client.
func TestCloseDuringRun(t *testing.T) {
	s := redistest.Embedded(t)
	open := map[string]func() (*pipectx.DB, error){
		"Open": func() (*pipectx.DB, error) { return pipectx.Open(s.URL()) },
		"New":  func() (*pipectx.DB, error) { return pipectx.New(s.Client(t)) },
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			db, err := open()
			if err != nil {
				t.Fatal(err)
			}
			var ref *pipectx.Ref[any]
			err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
				ref = do(ctx, db, "INCR", "n")
				return db.Close()
			})
			wantErr(t, "Run", err, pipectx.ErrClosed)
			wantErr(t, "what was queued", ref.Err(), pipectx.ErrClosed)
		})
	}
}

// A client that its owner has closed is told from a server out of reach.
func TestClientClosed(t *testing.T) {
	client := redistest.Embedded(t).Client(t)
	db := newDB(t, client)
	client.Close()
	err := do(t.Context(), db, "INCR", "n").Err()
	if !errors.Is(err, redis.ErrClosed) || errors.Is(err, pipectx.ErrOutcomeUnknown) {
		t.Errorf("it answers %v, want redis.ErrClosed", err)
	}
}

// Ping tells whether the server answers, and which did not.
func TestPing(t *testing.T) {
	if err := embedded(t).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := newDB(t, redistest.Cluster(t).Client(t)).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	gone := unreachable(t)
	if err := newDB(t, gone).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), gone.Options().Addr) {
		t.Errorf("Ping of nobody answers %v", err)
	}
}

// Ping finds out that a server is another kind than its client takes it for.
func TestPingMode(t *testing.T) {
	cluster, group := redistest.Cluster(t), redistest.Sentinel(t)
	plain := redistest.Shared(t)
	tests := []struct{ reason, url, text string }{
		{"a node of a Cluster", "redis://" + cluster.Addrs()[0], "a node of a Cluster; connect to it with a redis.ClusterClient"},
		{"a Sentinel", "redis://" + group.Addrs()[0], "a Sentinel; connect with redis.NewFailoverClient"},
		{"a server that is no Cluster", "redis+cluster://" + plain.Addr, "cluster support disabled"},
		{"a name no Sentinel knows", "redis+sentinel://" + group.Addrs()[0] + "/nobody?dial_timeout=200ms", "is it the name they know it by?"},
		{"a server that is no Sentinel", "redis+sentinel://" + plain.Addr + "/main?dial_timeout=200ms", "are the Sentinels running"},
		{"a plain port by TLS", "rediss://" + plain.Addr + "?dial_timeout=200ms&max_retries=-1", "does it speak TLS?"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			db, err := pipectx.Open(test.url)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), test.text) {
				t.Errorf("it answers %v, want %q", err, test.text)
			}
		})
	}
}
