package keyspace

import (
	"context"
	"fmt"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Sorting says how Sort orders the elements of a list, set or sorted set, and which of
// them it answers. The zero Sorting is all of them, the least first: by their numbers,
// or by their texts if they are no numbers.
type Sorting struct {
	// Desc has the greatest first. Default: the least.
	Desc bool

	// Offset is how many elements are passed over, Count how many are answered.
	// Default: none, and all.
	Offset, Count int64

	// By is a pattern of keys: * stands for the element, and "k_*->f" is the field f of
	// a hash. What is stored there orders the element, which is not looked at itself. A
	// pattern without a * leaves the elements in the order they have. Keys are written
	// out as Redis has them, whatever the keyspace; a Cluster takes such a pattern only
	// where its keys are in the slot of this one, and before Redis 7.4 not at all.
	// Default: elements are ordered by themselves.
	By string

	// Alpha has what By finds compared as texts. Default: as numbers.
	Alpha bool
}

// sorting is SORT or SORT_RO of elements.
func sorting[M any](h handle, name string, s Sorting, member *value[M]) *pipectx.Command {
	c := h.command(name)
	if s.By != "" {
		c.Word("BY")
		c.Word(s.By)
	}
	switch {
	case s.Offset < 0 || s.Count < 0:
		c.Fail(fmt.Errorf("keyspace: %s: Sort with Offset %d and Count %d; give numbers that are not negative", h.key, s.Offset, s.Count))
	case s.Count > 0 || s.Offset > 0:
		c.Word("LIMIT")
		c.Int(s.Offset)
		if s.Count == 0 {
			c.Int(-1)
		} else {
			c.Int(s.Count)
		}
	}
	if s.Desc {
		c.Word("DESC")
	}
	if s.Alpha || s.By == "" && member.erased.Number() == field.NotNumber {
		c.Word("ALPHA")
	}
	return c
}

func sorted[M any](ctx context.Context, h handle, s Sorting, member *value[M]) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, h.db, sorting(h, "SORT", s, member).Read(), member.all)
}

func sortedRO[M any](ctx context.Context, h handle, s Sorting, member *value[M]) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, h.db, sorting(h, "SORT_RO", s, member).Read().Needs("Redis 7.0"), member.all)
}

// sortedGet answers of each element what is stored under the patterns.
func sortedGet[M any](ctx context.Context, h handle, s Sorting, member *value[M], patterns []string) *pipectx.Ref[[][]field.Optional[string]] {
	c := sorting(h, "SORT", s, member).Read()
	if len(patterns) == 0 {
		c.Fail(fmt.Errorf("keyspace: %s: SortGet of no patterns; give one, or use Sort", h.key))
	}
	for _, p := range patterns {
		c.Word("GET")
		c.Word(p)
	}
	width := len(patterns)
	return pipectx.Send(ctx, h.db, c, func(r pipectx.Reply) ([][]field.Optional[string], error) {
		items, err := elements(r)
		if err != nil {
			return nil, err
		}
		rows := make([][]field.Optional[string], 0, items.Len()/width)
		for items.Len() >= width {
			row := make([]field.Optional[string], width)
			for i := range row {
				items.Next()
				if items.Reply().IsNil() {
					continue
				}
				text, err := items.Reply().Text()
				if err != nil {
					return nil, err
				}
				row[i] = field.Some(text)
			}
			rows = append(rows, row)
		}
		return rows, nil
	})
}

// sortedStore stores the elements as a list.
func sortedStore[M any](ctx context.Context, h handle, s Sorting, member *value[M], to ListKey[M]) *pipectx.Ref[int64] {
	c := sorting(h, "SORT", s, member)
	c.Word("STORE")
	c.Key(to.key)
	h.meets(c, to.handle)
	return write(ctx, to.handle, c, pipectx.Reply.Int)
}
