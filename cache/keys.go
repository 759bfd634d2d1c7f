package cache

import (
	"context"
	"fmt"
	"iter"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Keys walks the arguments whose values are stored, in no order, where Options.Keys is
// set. One that is listed all the while is seen at least once. Values that were
// removed, or have ended, are listed until something is stored after they would have
// ended. It cannot run inside a Run.
//
// Cost: ZSCAN; 1 command and 1 round trip for about 1,000 arguments of each bucket.
func (b Bound[K, V]) Keys(ctx context.Context) iter.Seq2[K, error] {
	w := b.work
	return func(yield func(K, error) bool) {
		var none K
		if err := w.listable(ctx); err != nil {
			yield(none, err)
			return
		}
		for _, t := range w.tags {
			for cursor := "0"; ; {
				page, err := pipectx.Send(ctx, w.on.db, scan(t.list, cursor), readPage).Result()
				if err != nil {
					yield(none, err)
					return
				}
				for _, member := range page.members {
					arg, err := w.args.parse(member)
					if err != nil {
						err = fmt.Errorf("cache: %s: %q is no argument: %w", t.list, member, err)
					}
					if !yield(arg, err) {
						return
					}
				}
				if cursor = page.cursor; cursor == "0" {
					break
				}
			}
		}
	}
}

func (w *work[K, V]) listable(ctx context.Context) error {
	if w.on.err != nil {
		return w.on.err
	}
	if !w.on.Keys {
		return fmt.Errorf("cache: region %s does not list its keys; declare it with Options{Keys: true}", w.on.name)
	}
	return pipectx.Outside(ctx, w.on.db, "cache: Keys")
}

func scan(key, cursor string) *pipectx.Command {
	c := pipectx.NewCommand("ZSCAN").Read()
	c.Key(key)
	c.Word(cursor)
	c.Word("COUNT")
	c.Int(1000)
	return c
}

// A page is what one ZSCAN answers.
type page struct {
	cursor  string
	members []string
}

func readPage(r pipectx.Reply) (p page, err error) {
	items, err := r.Items()
	if err != nil {
		return p, err
	}
	for i := 0; items.Next(); i++ {
		switch item := items.Reply(); i {
		case 0:
			p.cursor, err = item.Text()
		case 1:
			var texts []string
			texts, err = item.Texts()
			for n := 0; n < len(texts); n += 2 { // the others are scores
				p.members = append(p.members, texts[n])
			}
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}
