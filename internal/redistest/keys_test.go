package redistest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
)

// Where it is asked for, the keys that real servers were made to write are left for
// others to read: of any database, by scripts too, and what is gone again. Keys that
// differ in digits only are one line.
func TestKeysAreLeft(t *testing.T) {
	t.Parallel()
	if os.Getenv(inner) != "" {
		ctx := t.Context()
		locked := redistest.Server(t, "--requirepass", "secret").Client(t)
		shared := redistest.Shared(t).Client(t)
		for _, c := range []*redis.Client{locked, shared} {
			for _, err := range []error{
				c.Set(ctx, "text{1}", "x", 0).Err(),
				c.Set(ctx, "text{22}", "x", 0).Err(),
				c.Eval(ctx, "redis.call('HSET', KEYS[1], 'a', 1) return redis.call('ZADD', KEYS[2], 1, 'a')", []string{"h\n", "z"}).Err(),
				c.Del(ctx, "text{1}", "gone").Err(),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		cut := redistest.Server(t)
		c := cut.Client(t)
		if err := c.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").Err(); err != nil {
			t.Fatal(err)
		}
		cut.Kill()
		cut.Restart(t)
		if err := c.RPush(ctx, "afterwards", "x").Err(); err != nil {
			t.Fatal(err)
		}
		return
	}
	folder := t.TempDir()
	if out, ok := again(t, t.Name(), "REDMOON_KEYS="+folder); !ok {
		t.Fatal(out)
	}
	got, err := os.ReadFile(filepath.Join(folder, "internal.redistest"))
	if err != nil {
		t.Fatal(err)
	}
	want := "list\t\"afterwards\"\nhash\t\"h\\n\"\nstring\t\"text{22}\"\nzset\t\"z\"\n"
	if other := "list\t\"afterwards\"\nhash\t\"h\\n\"\nstring\t\"text{1}\"\nzset\t\"z\"\n"; string(got) != want && string(got) != other {
		t.Errorf("left\n%s\nwant\n%s", got, want)
	}
}
