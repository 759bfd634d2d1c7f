package model_test

import (
	"reflect"
	"testing"

	"github.com/redmoon-go/redmoon/model"
)

// Legacy is a record as RedPipe stores it: a boolean that is false is an empty
// text, and a list of texts has commas between.
type Legacy struct {
	ID   string   `redis:"id,key"`
	Name string   `redis:"name"`
	On   bool     `redis:"on,emptyfalse"`
	Off  *bool    `redis:"off,emptyfalse"`
	Tags []string `redis:"tags,commas"`
}

var legacies = model.Define[Legacy, string]("L")

// What RedPipe stored is read, by the options emptyfalse and commas, and what it
// cannot say is not told apart: nil and an empty list, and empty elements.
func TestRedPipe(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		repo := legacies.On(p.db)
		for _, row := range []struct {
			reason string
			stored []any
			want   Legacy
			saved  string
		}{
			{"true, and a list", []any{"name", "N", "on", "1", "off", "", "tags", "a,b"},
				Legacy{"1", "N", true, new(false), []string{"a", "b"}}, "name=N off=0 on=1 tags=a,b"},
			{"false, and an empty list", []any{"name", "N", "on", "", "tags", ""},
				Legacy{"1", "N", false, nil, nil}, "name=N on=0 tags="},
			{"nothing but the name", []any{"name", "N"},
				Legacy{"1", "N", false, nil, nil}, "name=N on=0 tags="},
			{"empty elements are dropped", []any{"name", "N", "on", "True", "tags", ",a,,b,"},
				Legacy{"1", "N", true, nil, []string{"a", "b"}}, "name=N on=1 tags=a,b"},
		} {
			p.store(t, "L{1}", row.stored...)
			got := value(t, row.reason, repo.Get(t.Context(), "1"))
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("%s: loaded %+v, want %+v", row.reason, got, row.want)
			}
			value(t, row.reason, repo.Save(t.Context(), got))
			p.wantHash(t, "L{1}", row.saved)
		}
		says(t, "Save", repo.Save(t.Context(), Legacy{ID: "1", Tags: []string{"a,b"}}).Err(), "tags", "comma")
		says(t, "Save", repo.Save(t.Context(), Legacy{ID: "1", Tags: []string{""}}).Err(), "tags", "empty")
		p.wantHash(t, "L{1}", "name=N on=1 tags=a,b")
	})
}
