package model_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Coupon has hooks, defaults, what it does not declare, and an id that is drawn.
type Coupon struct {
	ID    int64             `redis:"id,key"`
	Title string            `redis:"title,default=none"`
	More  map[string]string `redis:",extra"`

	log *[]string
}

func (c *Coupon) BeforeSave(context.Context) error {
	*c.log = append(*c.log, fmt.Sprintf("before %d %s %v", c.ID, c.Title, c.More))
	if c.More != nil {
		c.More["by"] = "hook"
	}
	switch c.Title {
	case "bad":
		return errHook
	case "moved":
		c.ID = 5
	}
	return nil
}

func (c *Coupon) AfterSave(context.Context) error {
	*c.log = append(*c.log, fmt.Sprintf("after %d %s", c.ID, c.Title))
	if c.Title == "late" {
		return errHook
	}
	return nil
}

// Hooks see defaults, and change what is not declared in a copy; a record whose id
// is drawn has none before, and has it after.
func TestHooksOfDrawnIDs(t *testing.T) {
	coupons := model.Define[Coupon, int64]("coupon", model.Counter())
	each(t, func(t *testing.T, p place) {
		repo := coupons.On(p.db)
		p.remove(t, "coupon#counter", "coupon{1}", "coupon{2}", "coupon{3}")
		var log []string
		logged := func(want ...string) {
			t.Helper()
			if !slices.Equal(log, want) {
				t.Errorf("the hooks saw %q, want %q", log, want)
			}
			log = nil
		}
		more := map[string]string{"x": "y"}
		got := value(t, "Create", repo.Create(t.Context(), Coupon{More: more, log: &log}))
		logged("before 0 none map[x:y]", "after 1 none")
		if got.ID != 1 || got.Title != "none" || len(more) != 1 {
			t.Errorf("created %+v from %v", got, more)
		}
		p.wantHash(t, "coupon{1}", "by=hook title=none x=y")

		var ref *pipectx.Ref[Coupon]
		ok(t, "Run", pipectx.Run(t.Context(), p.db, func(ctx context.Context) error {
			ref = repo.Create(ctx, Coupon{Title: "T", log: &log})
			return nil
		}))
		logged("before 0 T map[]", "after 2 T")
		if got := value(t, "Create", ref); got.ID != 2 {
			t.Errorf("created %+v", got)
		}

		for _, title := range []string{"bad", "moved"} {
			if err := repo.Create(t.Context(), Coupon{Title: title, log: &log}).Err(); title == "bad" && !errors.Is(err, errHook) {
				t.Errorf("Create answers %v", err)
			} else {
				says(t, title, err, "BeforeSave of a new coupon")
			}
		}
		log = nil
		if n := p.client.Get(t.Context(), "coupon#counter").Val(); n != "2" {
			t.Errorf("%s ids were drawn, want 2", n)
		}
		err := repo.Create(t.Context(), Coupon{Title: "late", log: &log}).Err()
		if !errors.Is(err, errHook) {
			t.Errorf("Create answers %v", err)
		}
		says(t, "AfterSave", err, "AfterSave of coupon{3}, which is stored")
		logged("before 0 late map[]", "after 3 late")

		// Edit too.
		edited := value(t, "Edit", repo.Edit(t.Context(), 1, func(c *Coupon) error { c.Title, c.log = "E", &log; return nil }))
		logged("before 1 E map[by:hook x:y]", "after 1 E")
		if edited.Title != "E" {
			t.Errorf("edited %+v", edited)
		}
	})
}
