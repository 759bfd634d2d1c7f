package keyspace_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// ScanIDs yields each id of the keyspace, in every placement and whatever
// characters it has, on all masters, and none of another keyspace's.
func TestScanIDs(t *testing.T) {
	ids := []string{"a", "b c", "{x}", "100%", ":", "*", "[a-z]", "é\x00"}
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		for _, place := range []keyspace.Option{keyspace.Placement{}, keyspace.OneSlot("t"), keyspace.Buckets("t", 8)} {
			words := keyspace.NewSet[string, string]("w*rds", place).On(db)
			others := keyspace.NewSet[string, string]("words", place).On(db)
			strings := keyspace.NewString[string, string]("w*rds", place).On(db)
			for _, id := range ids {
				done(t, "Add", words.Add(t.Context(), id, "m"))
			}
			done(t, "Add", others.Add(t.Context(), "other", "m"))
			done(t, "Set", strings.Set(t.Context(), "string", "s"))
			var got []string
			for id, err := range words.ScanIDs(t.Context()) {
				if err != nil {
					t.Errorf("%v: %v", place, err)
				}
				got = append(got, id)
			}
			slices.Sort(got)
			got = slices.Compact(got)
			want := slices.Sorted(slices.Values(ids))
			if !slices.Equal(got, want) {
				t.Errorf("%v: ids %q, want %q", place, got, want)
			}
		}
	})
}

// A key of the prefix that no id makes is an error that names it, and the scan
// goes on.
func TestScanIDsForeign(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		done(t, "Add", Tags.On(db).Add(t.Context(), 7, "m"))
		for _, key := range []string{"tags{x}", "tags{8}:more"} {
			done(t, key, pipectx.Do[int64](t.Context(), db, "SADD", key, "m"))
		}
		var ids []int64
		var errs []string
		for id, err := range Tags.On(db).ScanIDs(t.Context()) {
			if err != nil {
				errs = append(errs, err.Error())
			} else {
				ids = append(ids, id)
			}
		}
		all := strings.Join(errs, "\n")
		if !slices.Equal(ids, []int64{7}) || len(errs) != 2 || !strings.Contains(all, `"tags{x}"`) || !strings.Contains(all, `"tags{8}:more"`) {
			t.Errorf("ids %v, errors\n%s", ids, all)
		}
	})
}

// Inside a Run, and without its connection, the scan is one error.
func TestScanIDsRefused(t *testing.T) {
	db, _ := embedded(t)
	_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		one(t, "inside a Run", Tags.On(db), ctx, "inside a Run")
		return nil
	})
	elsewhere := keyspace.NewSet[int64, string]("tags", keyspace.Connection("elsewhere"))
	one(t, "without its connection", elsewhere.On(db), t.Context(), "elsewhere")
}

func one(t *testing.T, what string, set keyspace.BoundSet[int64, string], ctx context.Context, says string) {
	t.Helper()
	n := 0
	for _, err := range set.ScanIDs(ctx) {
		if n++; err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n != 1 {
		t.Errorf("%s: %d errors, want one", what, n)
	}
}
