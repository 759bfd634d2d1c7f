package keyspace

import (
	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// scored is the type of members, with the decoder of those that come with
// their scores.
type scored[M any] struct {
	*value[M]
	allScored func(pipectx.Reply) ([]Z[M], error)
}

func newScored[M any]() (*scored[M], error) {
	v, err := newValue[M]("member")
	if err != nil {
		return nil, err
	}
	s := &scored[M]{value: v}
	s.allScored = s.decodeScored
	return s, nil
}

// decodeScored reads members and scores: each pair an array of its own, as
// RESP3 has them, or all in one row, as RESP2 does.
func (s *scored[M]) decodeScored(r pipectx.Reply) ([]Z[M], error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]Z[M], 0, items.Len())
	for row := false; items.Next(); {
		pair := &items
		if !row {
			own, err := items.Reply().Items()
			if row = err != nil; !row && own.Next() {
				pair = &own
			}
		}
		text, err := pair.Reply().Bytes()
		if err != nil {
			return nil, err
		}
		var z Z[M]
		if z.Member, err = s.parse(text, r.Key()); err != nil {
			return nil, err
		}
		if !pair.Next() {
			return nil, short(r)
		}
		if z.Score, err = pair.Reply().Float(); err != nil {
			return nil, err
		}
		all = append(all, z)
	}
	return all, nil
}

func scoreOf(r pipectx.Reply) (float64, error) {
	score, err := r.Float()
	if err != nil {
		return 0, missing(err, "member of "+r.Key())
	}
	return score, nil
}

func rankOf(r pipectx.Reply) (int64, error) {
	rank, err := r.Int()
	if err != nil {
		return 0, missing(err, "member of "+r.Key())
	}
	return rank, nil
}

// scores reads a score or null for each of members.
func scores[M any](members []M) func(pipectx.Reply) ([]field.Optional[float64], error) {
	n := len(members)
	return func(r pipectx.Reply) ([]field.Optional[float64], error) {
		items, err := elements(r)
		if err != nil {
			return nil, err
		}
		found := make([]field.Optional[float64], n)
		for i := range found {
			if !items.Next() {
				return nil, short(r)
			}
			if items.Reply().IsNil() {
				continue
			}
			score, err := items.Reply().Float()
			if err != nil {
				return nil, err
			}
			found[i] = field.Some(score)
		}
		return found, nil
	}
}
