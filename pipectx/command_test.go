package pipectx_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Fixed words stand where they were added, before and behind keys and words that
// are copied; also behind the one that finds its slot by them.
func TestFixedWords(t *testing.T) {
	name, field, other := "HSET", "field", "other"
	set := func(ctx context.Context, db *pipectx.DB, key, value string) *pipectx.Ref[int64] {
		c := pipectx.NewCommand()
		c.Fixed(&name)
		c.Key(key)
		c.Fixed(&field)
		c.Word(value)
		c.Fixed(&other)
		c.Int(7)
		return pipectx.Send(ctx, db, c, pipectx.Reply.Int)
	}
	for setting, db := range map[string]*pipectx.DB{
		"one server": newDB(t, redistest.Shared(t).Client(t)),
		"Cluster":    newDB(t, redistest.Cluster(t).Client(t)),
	} {
		want(t, setting, set(t.Context(), db, "h", "alone"), 2)
		var refs []*pipectx.Ref[int64]
		err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for _, key := range []string{"h", "i", "j"} {
				refs = append(refs, set(ctx, db, key, "queued "+key))
			}
			return nil
		})
		if err != nil {
			t.Error(setting, err)
		}
		for i, added := range []int64{0, 2, 2} {
			want(t, setting, refs[i], added)
		}
		want(t, setting, pipectx.Do[string](t.Context(), db, "HGET", "j", "field"), "queued j")
		want(t, setting, pipectx.Do[int64](t.Context(), db, "HGET", "j", "other"), 7)
	}
	c := pipectx.NewCommand("SINTER")
	c.Fixed(&field)
	c.Key("a")
	c.Fixed(&other)
	c.Key("b")
	db := newDB(t, redistest.Cluster(t).Client(t))
	var cross *pipectx.CrossSlotError
	if err := pipectx.Send(t.Context(), db, c, pipectx.Reply.OK).Err(); !errors.As(err, &cross) || cross.Key1 != "a" || cross.Key2 != "b" {
		t.Errorf("keys between fixed words: %v", err)
	}
}
