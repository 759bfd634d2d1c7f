package pipectx_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Scan sees every key of its pattern and type, of all masters, in pages.
func TestScan(t *testing.T) {
	test := func(t *testing.T, db *pipectx.DB) {
		const keys = 2500
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i := range keys {
				do(ctx, db, "SET", fmt.Sprint("scan:", i), "x")
				do(ctx, db, "SET", fmt.Sprint("other:", i), "x")
			}
			do(ctx, db, "SADD", "scan:set", "x")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			reason, pattern, typ string
			want                 int
		}{
			{"a pattern and a type", "scan:*", "string", keys},
			{"a pattern", "scan:*", "", keys + 1},
			{"a type", "", "set", 1},
			{"all", "", "", 2*keys + 1},
			{"nothing", "none*", "", 0},
		} {
			seen := map[string]bool{}
			for key, err := range pipectx.Scan(t.Context(), db, c.pattern, c.typ) {
				if err != nil {
					t.Fatalf("%s: %v", c.reason, err)
				}
				seen[key] = true
			}
			if len(seen) != c.want {
				t.Errorf("%s: %d keys, want %d", c.reason, len(seen), c.want)
			}
		}
	}
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) { test(t, newDB(t, s.Client(t))) })
	t.Run("cluster", func(t *testing.T) { test(t, newDB(t, redistest.Cluster(t).Client(t))) })
}

// Scan is refused inside a Run, stops when its caller does, and ends with ctx.
func TestScanEnds(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	for i := range 3000 {
		do(t.Context(), db, "SET", fmt.Sprint("k", i), "x")
	}
	if n := count(t.Context(), db, 5); n != 5 {
		t.Errorf("%d keys seen, want the 5 that were taken", n)
	}
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for _, err := range pipectx.Scan(ctx, db, "", "") {
			return err
		}
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "pipectx: Scan inside a Run") {
		t.Errorf("inside a Run: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs []error
	n := 0
	for _, err := range pipectx.Scan(ctx, db, "", "") {
		if err != nil {
			errs = append(errs, err)
		}
		if n++; n == 10 {
			cancel()
		}
	}
	if len(errs) != 1 || n > 1500 {
		t.Errorf("after cancel: %d keys, errors %v", n, errs)
	}
}

func count(ctx context.Context, db *pipectx.DB, most int) (n int) {
	for range pipectx.Scan(ctx, db, "", "") {
		if n++; n == most {
			break
		}
	}
	return n
}

// A failure that a callback sets is one of the Run's, unless its Ref is handled.
func TestNewRefFails(t *testing.T) {
	db := newDB(t, redistest.Shared(t).Client(t))
	for _, handled := range []bool{false, true} {
		other := new(pipectx.Ref[any])
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			ref, set := pipectx.NewRef[int](ctx)
			if handled {
				pipectx.Handled(ref)
			}
			return pipectx.After(ctx, func(ctx context.Context) error {
				set(0, errOurs)
				other = do(ctx, db, "PING")
				return nil
			})
		})
		if handled == (err != nil) || !handled && err.Error() != errOurs.Error() {
			t.Errorf("handled %v: Run answers %v", handled, err)
		}
		if other.Err() != nil {
			t.Errorf("handled %v: the next wave answers %v", handled, other.Err())
		}
	}
}
