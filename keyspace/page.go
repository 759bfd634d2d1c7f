package keyspace

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Page is what one step of a scan over the elements of a key found. It may be
// empty, or hold more than was asked for; the scan has ended when Next is 0.
type Page[T any] struct {
	Next  uint64 // the cursor of the step behind it; 0: this was the last
	Items []T
}

// A scan is a command that goes over the elements of a key in steps: HSCAN, SSCAN,
// ZSCAN.
type scan[T any] struct {
	command string
	option  string // a word at its end, if not ""
	needs   string // the servers that have it, if not all do
	items   func(r pipectx.Reply, key string) ([]T, error)
}

// step queues or runs one step.
func (s scan[T]) step(ctx context.Context, h handle, cursor uint64, match string, count int64) *pipectx.Ref[Page[T]] {
	c := h.command(s.command).Read()
	if s.needs != "" {
		c.Needs(s.needs)
	}
	c.Arg(cursor)
	if match != "" {
		c.Word("MATCH")
		c.Word(match)
	}
	switch {
	case count < 0:
		c.Fail(fmt.Errorf("keyspace: %s: a step of %d elements; give a number that is not negative, 0 for the server's own", h.key, count))
	case count > 0:
		c.Word("COUNT")
		c.Int(count)
	}
	if s.option != "" {
		c.Word(s.option)
	}
	return pipectx.Send(ctx, h.db, c, s.page)
}

func (s scan[T]) page(r pipectx.Reply) (page Page[T], err error) {
	two, err := r.Items()
	if err != nil {
		return page, err
	}
	if two.Next() {
		text, err := two.Reply().Text()
		if err != nil {
			return page, err
		}
		if page.Next, err = strconv.ParseUint(text, 10, 64); err != nil {
			return page, fmt.Errorf("keyspace: %s: the reply %v has no cursor", r.Key(), r)
		}
	}
	if !two.Next() {
		return page, short(r)
	}
	page.Items, err = s.items(two.Reply(), r.Key())
	return page, err
}

// pageSize is how many elements an iterator asks for at a time: a server does
// nothing else while it looks at them.
const pageSize = 1000

// all iterates over the elements.
func (s scan[T]) all(ctx context.Context, h handle, verb, match string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		err := h.err
		if err == nil {
			err = pipectx.Outside(ctx, h.db, "keyspace: "+verb)
		}
		if err != nil {
			yield(none, err)
			return
		}
		for cursor := uint64(0); ; {
			page, err := s.step(ctx, h, cursor, match, pageSize).Result()
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if cursor = page.Next; cursor == 0 {
				return
			}
		}
	}
}
