package model_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Song is a record with all hooks; what they see goes to log.
type Song struct {
	ID      string         `redis:"id,key"`
	Title   string         `redis:"title" validate:"required"`
	Tags    []string       `redis:"tags"`
	Plays   map[string]int `redis:"plays"`
	By      *string        `redis:"by"`
	Slug    string         `redis:"slug" validate:"required"`
	Version int64          `redis:"version,version"`

	Loaded string `redis:"-"`
	log    *[]string
}

func (s *Song) note(format string, args ...any) {
	if s.log != nil {
		*s.log = append(*s.log, fmt.Sprintf(format, args...))
	}
}

var errHook = errors.New("the hook's")

func (s *Song) BeforeSave(context.Context) error {
	s.note("before %s v%d", s.Title, s.Version)
	if s.Title == "bad" {
		return errHook
	}
	if s.Title == "moved" {
		s.ID += "x"
	}
	s.Slug = strings.ToLower(s.Title)
	if len(s.Tags) > 0 {
		s.Tags[0] = "changed"
	}
	if s.By != nil {
		*s.By = "changed"
	}
	if s.Plays != nil {
		s.Plays["changed"] = 1
	}
	return nil
}

func (s *Song) AfterSave(context.Context) error {
	s.note("after %s v%d", s.Title, s.Version)
	if s.Title == "late" {
		return errHook
	}
	return nil
}

func (s *Song) BeforeDelete(context.Context) error {
	if s.ID == "kept" || s.Title != "" {
		return fmt.Errorf("%s %s: %w", s.ID, s.Title, errHook)
	}
	return nil
}

func (s *Song) AfterLoad() error {
	s.Loaded = "loaded " + s.ID + " " + s.Title
	if s.Title == "unloadable" {
		return errHook
	}
	return nil
}

var (
	songs     = model.Define[Song, string]("song")
	songTitle = model.FieldOf(songs, func(s *Song) *string { return &s.Title })
)

// BeforeSave runs before validation on a copy, and AfterSave on what is stored.
func TestHooksOfSave(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		songs := songs.On(p.db)
		var log []string
		given := Song{ID: "a", Title: "One", Tags: []string{"t"}, Plays: map[string]int{"x": 1}, By: new("b"), log: &log}
		made := value(t, "Create", songs.Create(t.Context(), given))
		if given.Slug != "" || given.Tags[0] != "t" || len(given.Plays) != 1 || *given.By != "b" {
			t.Errorf("the caller's record is %+v by %s now", given, *given.By)
		}
		stored := `by=changed plays={"changed":1,"x":1} slug=one tags=["changed"] title=One version=1`
		p.wantHash(t, "song{a}", stored)
		if made.Slug != "one" || made.Version != 1 || *made.By != "changed" {
			t.Errorf("Create answers %+v", made)
		}
		made.Title = "Two"
		value(t, "Save", songs.Save(t.Context(), made))
		value(t, "Save", songs.Save(t.Context(), Song{ID: "nil", Title: "Nil", log: &log}))
		p.wantHash(t, "song{nil}", "plays=null slug=nil tags=null title=Nil version=1")
		if want := []string{"before One v0", "after One v1", "before Two v1", "after Two v2", "before Nil v0", "after Nil v1"}; !slices.Equal(log, want) {
			t.Errorf("hooks: %q, want %q", log, want)
		}
	})
}

// What a hook refuses is not written; what failed to be written has no AfterSave;
// an AfterSave that fails tells that the record is stored.
func TestHooksRefuse(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		songs := songs.On(p.db)
		var log []string
		for _, verb := range []func(context.Context, Song) *pipectx.Ref[Song]{songs.Create, songs.Save} {
			err := verb(t.Context(), Song{ID: "a", Title: "bad"}).Err()
			if !errors.Is(err, errHook) {
				t.Errorf("answers %v", err)
			}
			says(t, "BeforeSave", err, "model: BeforeSave of song{a}: the hook's")
			says(t, "BeforeSave", verb(t.Context(), Song{ID: "a", Title: "moved"}).Err(), "BeforeSave of song{a} changed its id")
		}
		want(t, "Exists", songs.Exists(t.Context(), "a"), false)

		value(t, "Create", songs.Create(t.Context(), Song{ID: "a", Title: "One"}))
		if err := songs.Create(t.Context(), Song{ID: "a", Title: "Two", log: &log}).Err(); !errors.Is(err, model.ErrExists) {
			t.Errorf("Create answers %v", err)
		}
		as[*model.ConflictError](t, "Save", songs.Save(t.Context(), Song{ID: "a", Title: "Three", Version: 5, log: &log}).Err())
		as[*model.ValidationError](t, "Save", songs.Save(t.Context(), Song{ID: "a", log: &log}).Err())
		if want := []string{"before Two v0", "before Three v5", "before  v0"}; !slices.Equal(log, want) {
			t.Errorf("hooks: %q, want %q", log, want)
		}

		err := songs.Save(t.Context(), Song{ID: "b", Title: "late"}).Err()
		says(t, "AfterSave", err, "model: AfterSave of song{b}, which is stored: the hook's")
		if !errors.Is(err, errHook) {
			t.Errorf("AfterSave: %v", err)
		}
		want(t, "Exists", songs.Exists(t.Context(), "b"), true)

		err = pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			songs.Save(ctx, Song{ID: "c", Title: "Fine"})
			songs.Save(ctx, Song{ID: "d", Title: "bad"})
			return nil
		})
		if !errors.Is(err, errHook) {
			t.Errorf("its Run answers %v", err)
		}
		want(t, "Exists", songs.Exists(t.Context(), "c"), false)
	})
}

// In a Run AfterSave comes when all is stored, and its failure is one of the
// Run's.
func TestHooksInRun(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		songs := songs.On(p.db)
		var log []string
		var late *pipectx.Ref[Song]
		err := pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			songs.Save(ctx, Song{ID: "a", Title: "One", log: &log})
			late = songs.Save(ctx, Song{ID: "b", Title: "late", log: &log})
			log = append(log, "end")
			return nil
		})
		if !errors.Is(err, errHook) {
			t.Errorf("Run answers %v", err)
		}
		ok(t, "the late one", late.Err())
		if want := []string{"before One v0", "before late v0", "end", "after One v1", "after late v1"}; !slices.Equal(log, want) {
			t.Errorf("hooks: %q, want %q", log, want)
		}
	})
}

// AfterLoad is part of every load; BeforeDelete sees the id alone.
func TestHooksOfLoadAndDelete(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		songs := songs.On(p.db)
		value(t, "Create", songs.Create(t.Context(), Song{ID: "a", Title: "One"}))
		loads := map[string]func(id string) (Song, error){
			"Get": func(id string) (Song, error) { return songs.Get(t.Context(), id).Result() },
			"GetMany": func(id string) (Song, error) {
				all, err := songs.GetMany(t.Context(), id).Result()
				if err != nil {
					return Song{}, err
				}
				return *all[0], nil
			},
			"Pick": func(id string) (Song, error) { return songs.Pick(t.Context(), id, songTitle).Result() },
			"Each": func(id string) (last Song, err error) {
				for last, err = range songs.Each(t.Context(), slices.Values([]string{id})) {
				}
				return last, err
			},
			"Scan": func(id string) (found Song, err error) {
				for s, e := range songs.Scan(t.Context()) {
					if s.ID == id || e != nil && strings.Contains(e.Error(), "song{"+id+"}") {
						found, err = s, e
					}
				}
				return found, err
			},
			"Edit": func(id string) (Song, error) {
				return songs.Edit(t.Context(), id, func(*Song) error { return nil }).Result()
			},
		}
		p.store(t, "song{u}", "title", "unloadable")
		for verb, load := range loads {
			s, err := load("a")
			ok(t, verb, err)
			if s.Loaded != "loaded a One" {
				t.Errorf("%s: AfterLoad left %q", verb, s.Loaded)
			}
			if _, err = load("u"); !errors.Is(err, errHook) || !strings.Contains(err.Error(), "model: AfterLoad of song{u}") {
				t.Errorf("%s: a failing AfterLoad answers %v", verb, err)
			}
		}

		p.store(t, "song{kept}", "title", "k")
		if err := songs.Delete(t.Context(), "kept").Err(); !errors.Is(err, errHook) {
			t.Errorf("Delete answers %v", err)
		}
		says(t, "Delete", songs.Delete(t.Context(), "kept").Err(), "model: BeforeDelete of song{kept}: kept : the hook's")
		if err := songs.DeleteMany(t.Context(), "a", "kept").Err(); !errors.Is(err, errHook) {
			t.Errorf("DeleteMany answers %v", err)
		}
		want(t, "Exists", songs.Exists(t.Context(), "a"), true)
		want(t, "Delete", songs.Delete(t.Context(), "a"), true)
	})
}

// Edit calls its function, BeforeSave, the rules, and when it is stored
// AfterSave; of an Edit that changes nothing none of these is called.
func TestHooksOfEdit(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		songs := songs.On(p.db)
		value(t, "Create", songs.Create(t.Context(), Song{ID: "a", Title: "One"}))
		var log []string
		edit := func(title string) error {
			return songs.Edit(t.Context(), "a", func(s *Song) error { s.Title, s.log = title, &log; return nil }).Err()
		}
		ok(t, "Edit", edit("One"))
		ok(t, "Edit", edit("Two"))
		p.wantHash(t, "song{a}", "plays=null slug=two tags=null title=Two version=2")
		if err := edit("bad"); !errors.Is(err, errHook) {
			t.Errorf("Edit answers %v", err)
		}
		says(t, "Edit", edit("moved"), "edit song{a}: its id was changed")
		says(t, "Edit", edit("late"), "AfterSave of song{a}, which is stored")
		if want := []string{"before Two v1", "after Two v2", "before bad v2", "before moved v2", "before late v2", "after late v3"}; !slices.Equal(log, want) {
			t.Errorf("hooks: %q, want %q", log, want)
		}
	})
}

type (
	hookless  struct{ hookBase }
	hookArgs  struct{ hookBase }
	hookValue struct{ hookBase }
	hookLoad  struct{ hookBase }
	hookInner struct {
		hookBase
		Song2
	}
	hookBase struct {
		ID string `redis:"id,key"`
		N  int    `redis:"n"`
	}
	// Song2 is embedded.
	Song2 struct {
		Made int `redis:"made"`
	}
)

func (*hookless) BeforeSave() error                    { return nil }
func (*hookArgs) AfterSave(context.Context, string)    {}
func (h hookValue) BeforeSave(context.Context) error   { return nil }
func (h hookLoad) AfterLoad() error                    { return nil }
func (s *Song2) BeforeSave(context.Context) error      { s.Made++; return nil }
func (h hookInner) BeforeDelete(context.Context) error { return errHook }

// A hook of another form is refused at start-up; those of embedded structs count,
// and those that change nothing may have a value receiver.
func TestHooksAreChecked(t *testing.T) {
	for _, c := range []struct {
		reason string
		define func() error
		says   []string
	}{
		{"no context", func() error { _, err := model.TryDefine[hookless, string]("h"); return err },
			[]string{"the hook BeforeSave of model_test.hookless is a func() error", "write `func (r *hookless) BeforeSave(ctx context.Context) error`", "another name"}},
		{"too many arguments", func() error { _, err := model.TryDefine[hookArgs, string]("h"); return err },
			[]string{"the hook AfterSave", "func(context.Context, string)", "`func (r *hookArgs) AfterSave(ctx context.Context) error`"}},
		{"a value receiver", func() error { _, err := model.TryDefine[hookValue, string]("h"); return err },
			[]string{"the hook BeforeSave", "has a value receiver", "would be lost", "`func (r *hookValue) BeforeSave("}},
		{"a value receiver", func() error { _, err := model.TryDefine[hookLoad, string]("h"); return err },
			[]string{"the hook AfterLoad", "`func (r *hookLoad) AfterLoad() error`"}},
	} {
		says(t, c.reason, c.define(), c.says...)
	}
	p := at(t, redistestEmbedded(t))
	inner := model.Define[hookInner, string]("inner").On(p.db)
	got := value(t, "Save", inner.Save(t.Context(), hookInner{hookBase: hookBase{ID: "a"}}))
	if got.Made != 1 {
		t.Errorf("the hook of an embedded struct left %d", got.Made)
	}
	if err := inner.Delete(t.Context(), "a").Err(); !errors.Is(err, errHook) {
		t.Errorf("Delete answers %v", err)
	}
}
