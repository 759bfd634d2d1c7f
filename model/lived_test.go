package model_test

import (
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/model"
)

// Lived has times to live of fields that were renamed, are inline, or may be left
// out.
type Lived struct {
	ID    int64   `redis:"id,key"`
	Name  string  `redis:"name,was=title"`
	Token *string `redis:"token,was=key,was=pin,ttl"`
	Score int64   `redis:"score,omitempty,ttl"`
	In    LivedIn `redis:"in,inline"`
}

// LivedIn is inline in Lived.
type LivedIn struct {
	Seen *string `redis:"seen,was=in.at,ttl"`
}

var (
	lived      = model.Define[Lived, int64]("lived", model.Lua(methods("lived", `function M.all(self) self.token, self.score, self["in.seen"], self.name = "m", 9, "m", "m" end`)))
	livedAll   = model.Method[struct{}, struct{}](lived, "all")
	livedToken = model.FieldOf(lived, func(l *Lived) **string { return &l.Token })
	livedScore = model.FieldOf(lived, func(l *Lived) *int64 { return &l.Score })
	livedSeen  = model.FieldOf(lived, func(l *Lived) **string { return &l.In.Seen })
	livedName  = model.FieldOf(lived, func(l *Lived) *string { return &l.Name })
)

// A time to live stays with the value when a verb writes the field under its new
// name, and the verbs about it know the old ones.
func TestFieldTTLOfRenamed(t *testing.T) {
	eachByFieldTTL(t, true, func(t *testing.T, p place) {
		on := lived.On(p.db)
		left := func(f model.AnyField[Lived]) bool {
			t.Helper()
			d := value(t, "FieldTTL", on.FieldTTL(t.Context(), 1, f)).Or(0)
			return d > 30*time.Minute && d <= time.Hour
		}
		store := func() {
			p.store(t, "lived{1}", "title", "T", "key", "K", "pin", "P", "score", "4", "in.at", "A")
			want(t, "ExpireField", on.ExpireField(t.Context(), 1, livedToken, time.Hour), true)
			want(t, "ExpireField", on.ExpireField(t.Context(), 1, livedScore, time.Hour), true)
			want(t, "ExpireField", on.ExpireField(t.Context(), 1, livedSeen, time.Hour), true)
		}
		store()
		if !left(livedToken) || !left(livedScore) || !left(livedSeen) {
			t.Error("a field under its old name has no time to live")
		}
		want(t, "PersistField", on.PersistField(t.Context(), 1, livedToken), true)
		want(t, "PersistField", on.PersistField(t.Context(), 1, livedToken), false)
		if d := value(t, "FieldTTL", on.FieldTTL(t.Context(), 1, livedToken)); d != field.None[time.Duration]() {
			t.Errorf("%v left after PersistField", d)
		}
		for verb, write := range map[string]func() error{
			"Save": func() error {
				return on.Save(t.Context(), Lived{ID: 1, Name: "m", Token: new("m"), Score: 9, In: LivedIn{new("m")}}).Err()
			},
			"Edit": func() error {
				return on.Edit(t.Context(), 1, func(l *Lived) error { *l = Lived{1, "m", new("m"), 9, LivedIn{new("m")}}; return nil }).Err()
			},
			"Update": func() error {
				return on.Update(t.Context(), 1, livedName.Set("m"), livedToken.Set(new("m")), livedScore.Set(9), livedSeen.Set(new("m"))).Err()
			},
			"Upsert": func() error {
				return on.Upsert(t.Context(), 1, livedName.Set("m"), livedToken.Set(new("m")), model.Incr(livedScore, 5), livedSeen.Set(new("m"))).Err()
			},
			"a method": func() error { return livedAll.On(p.db).Call(t.Context(), 1, struct{}{}).Err() },
		} {
			store()
			ok(t, verb, write())
			p.wantHash(t, "lived{1}", "in.seen=m name=m score=9 token=m")
			if !left(livedToken) || !left(livedScore) || !left(livedSeen) {
				t.Errorf("%s ends a field's time to live", verb)
			}
		}
		// A value that ends does not come back from a name it had.
		store()
		want(t, "ExpireFieldAt", on.ExpireFieldAt(t.Context(), 1, livedToken, time.Unix(1, 0)), true)
		p.wantHash(t, "lived{1}", "in.at=A score=4 title=T")
		if got := value(t, "Get", on.Get(t.Context(), 1)); got.Token != nil {
			t.Errorf("it is %s again", *got.Token)
		}
	})
}
