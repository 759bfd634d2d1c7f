package pipectx_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Open connects to what the URL names, in each of its forms.
func TestOpen(t *testing.T) {
	s := redistest.Server(t, "--requirepass", "se/cr:et@")
	if err := s.Client(t).Do(t.Context(), "ACL", "SETUSER", "ann", "on", ">pass", "~*", "&*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	shards := redistest.Cluster(t)
	secret := url.QueryEscape("se/cr:et@")
	tests := []struct {
		reason, url string
		db          string // of CLIENT INFO, "" on a Cluster
		user        string
	}{
		{"a server", "redis://:" + secret + "@" + s.Addr, "0", "default"},
		{"a database in the path", "redis://:" + secret + "@" + s.Addr + "/3", "3", "default"},
		{"a database among the parameters", "redis://:" + secret + "@" + s.Addr + "?db=4", "4", "default"},
		{"a user", "redis://ann:pass@" + s.Addr + "/1?protocol=2&read_timeout=3s", "1", "ann"},
		{"a unix socket", "unix://:" + secret + "@" + s.Socket + "?db=2", "2", "default"},
		{"a Cluster by one node", "redis+cluster://" + shards.Nodes[0].Addr, "", "default"},
		{"a Cluster by all nodes", "redis+cluster://" + strings.Join(shards.Addrs(), ",") + "?max_redirects=5", "", "default"},
		{"a Cluster by a node that is gone and one that is not", "redis+cluster://127.0.0.1:1," + shards.Nodes[1].Addr + "?dial_timeout=1s", "", "default"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			w := newWitness()
			db, err := pipectx.Open(test.url, pipectx.Observe(w))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if db.Cluster() != (test.db == "") {
				t.Errorf("a Cluster: %v", db.Cluster())
			}
			if err := db.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			info, err := pipectx.Do[string](t.Context(), db, "CLIENT", "LIST").Result()
			if want := " db=" + test.db; err != nil || !strings.Contains(info, want) || !strings.Contains(info, " user="+test.user+" ") {
				t.Errorf("CLIENT LIST says %q, %v, want %s and user %s", info, err, want, test.user)
			}
			if len(w.seen()) != 1 {
				t.Error("the option was not applied")
			}
		})
	}
}

// A redis+sentinel:// URL leads to the master that the Sentinels know, in the
// database it names, and after a failover to its successor.
func TestOpenSentinel(t *testing.T) {
	g := redistest.Sentinel(t)
	db, err := pipectx.Open("redis+sentinel://" + strings.Join(g.Addrs(), ",") + "/" + g.Name + "/2")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := do(t.Context(), db, "SET", "k", "v").Err(); err != nil {
		t.Fatal(err)
	}
	master := g.Master(t)
	direct := master.Client(t)
	if n := direct.Do(t.Context(), "DBSIZE").Val(); n != int64(0) {
		t.Errorf("database 0 has %v keys, want 0: the URL says 2", n)
	}
	g.Failover(t)
	redistest.Until(t, 10*time.Second, "a write to the successor", func() error {
		return do(t.Context(), db, "SET", "k", "w").Err()
	})
	successor := g.Master(t)
	if successor == master {
		t.Fatal("the master is the same")
	}
	if got := stored(t, successor.Client(t, func(o *redis.Options) { o.DB = 2 }), "k"); got != "w" {
		t.Errorf("the successor has %q, want w", got)
	}
}

// A wrong URL is an error that says what is wrong and which forms there are,
// and never shows the password.
func TestOpenRefuses(t *testing.T) {
	const password = "hunter2"
	tests := []struct {
		url, reason string
		says        string
	}{
		{"", "nothing", "no scheme"},
		{"localhost:6379", "no scheme", "no scheme"},
		{"user:hunter2@localhost:6379", "no scheme, and a password", "no scheme"},
		{"redis:/user:hunter2@localhost:6379", "one slash", "no scheme"},
		{"http://user:hunter2@localhost", "another's scheme", `scheme "http" is unknown`},
		{"redis-cluster://user:hunter2@localhost", "nearly the scheme", `scheme "redis-cluster" is unknown`},
		{"redis://user:hunter2@localhost:6379/zero", "a database by name", "database"},
		{"redis://user:hunter2@localhost:6379/0/1", "a path too long", "path"},
		{"redis://user:hunter2@localhost:port", "a port by name", "port"},
		{"redis://user:hunter2@localhost:6379?nosuch=1", "an unknown parameter", "nosuch"},
		{"redis://user:hunter2@localhost:6379?read_timeout=soon", "a bad duration", "read_timeout"},
		{"redis://user:hunter2@local host", "a space", ""},
		{"redis://user:hunter2%zz@localhost", "a bad escape", ""},
		{"redis://user:hunter2/x@localhost:6379", "a slash in the password", ""},
		{"redis://:hunter2/@localhost:6379/0", "a slash in the password, and no user", ""},
		{"redis://user:x/hunter2@localhost:6379", "a slash in the password", ""},
		{"redis://user:hunter2?x@localhost:6379", "a question mark in the password", ""},
		{"redis://user:x?hunter2@localhost:6379", "a question mark in the password", ""},
		{"redis://user:hunter2#x@localhost:6379", "a hash in the password", ""},
		{"redis://user:x#hunter2@localhost:6379", "a hash in the password", ""},
		{"redis://user:hunter2\x01@localhost:6379", "a control character", ""},
		{"redis://user:a@hunter2@local host", "an @ in the password", ""},
		{"rediss://user:x/hunter2@localhost", "the same over TLS", ""},
		{"unix://user:hunter2@", "no path", ""},
		{"unix://user:hunter2@/run/x?db=zero", "a database by name", "db"},
		{"redis+cluster://user:hunter2@", "no host", "names no host"},
		{"redis+cluster://user:x/hunter2@localhost:7000", "a slash in the password", ""},
		{"redis+cluster://user:hunter2@localhost:7000/3", "a database on a Cluster", ""},
		{"redis+cluster://user:hunter2@localhost:7000?nosuch=1", "an unknown parameter", "nosuch"},
		{"redis+cluster://user:hunter2@localhost:7000?db=1", "a database on a Cluster", "db"},
		{"redis+cluster://localhost:7000?bad=%zz", "a bad escape in a parameter", "parameters cannot be parsed"},
		{"redis://localhost:6379?password=hunter2&nosuch=1", "a password as a parameter", "nosuch"},
		{"redis+sentinel://localhost:26379/name/zero?sentinel_password=hunter2", "another's password as a parameter", "database"},
		{"redis+sentinel://user:hunter2@localhost:26379", "no name", "does not name the master"},
		{"redis+sentinel://user:hunter2@/name", "no Sentinel", "names no host"},
		{"redis+sentinel://user:x/hunter2@localhost:26379/name", "a slash in the password", ""},
		{"redis+sentinel://user:hunter2@localhost:26379/name/zero", "a database by name", "database"},
		{"redis+sentinel://user:hunter2@localhost:26379/name/0?nosuch=1", "an unknown parameter", "nosuch"},
	}
	for _, test := range tests {
		t.Run(test.reason+" "+test.url, func(t *testing.T) {
			db, err := pipectx.Open(test.url)
			if err == nil {
				db.Close()
				t.Fatal("it is opened")
			}
			text := err.Error()
			for from := range len(password) - 4 { // no part of it either
				if part := password[from : from+5]; strings.Contains(text, part) {
					t.Errorf("the error shows the password: %s", text)
					break
				}
			}
			for _, part := range []string{"pipectx: open", test.says, "redis+cluster://", "redis+sentinel://", "unix://"} {
				if !strings.Contains(text, part) {
					t.Errorf("%q does not say %q", text, part)
				}
			}
		})
	}
}

// What Open refuses among its options leaves no client behind; what it made,
// Close closes.
func TestOpenOptions(t *testing.T) {
	db, err := pipectx.Open("redis://localhost", pipectx.Connection("", nil))
	if err == nil {
		db.Close()
		t.Error("a connection without a name is taken")
	}
	s := redistest.Embedded(t)
	db, err = pipectx.Open(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(context.Background()); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	wantErr(t, "Ping after Close", db.Ping(t.Context()), pipectx.ErrClosed)
}
