package keyspace

import (
	"errors"

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

// decodeScored reads members and scores: each pair an array of its own, as RESP3 has
// them, or all in one row, as RESP2 does.
func (s *scored[M]) decodeScored(r pipectx.Reply) ([]Z[M], error) { return s.scoredFrom(r, r.Key()) }

// scoredFrom is decodeScored of an array within a reply, which does not know its key.
func (s *scored[M]) scoredFrom(r pipectx.Reply, key string) ([]Z[M], error) {
	if r.IsNil() {
		return []Z[M]{}, nil
	}
	items, err := r.Flat()
	if err != nil {
		return nil, err
	}
	all := make([]Z[M], 0, items.Len())
	var slab slab
	for items.Next() {
		all = append(all, Z[M]{})
		if err := s.pair(&items, &slab, key, &all[len(all)-1]); err != nil {
			return nil, err
		}
	}
	return all, items.Err()
}

// pair reads a member, which the items have stepped to, and the score behind it.
func (s *scored[M]) pair(items *pipectx.Items, slab *slab, key string, z *Z[M]) error {
	text, err := items.Bytes()
	if err != nil {
		return err
	}
	if err := s.parseIn(slab, text, key, items.Len(), &z.Member); err != nil {
		return err
	}
	if !items.Next() {
		return errors.New("keyspace: " + key + ": the reply lacks a score")
	}
	z.Score, err = items.Float()
	return err
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

// firstScored reads an array of one member and its score, or of none.
func (s *scored[M]) firstScored(r pipectx.Reply) (z Z[M], err error) {
	all, err := s.decodeScored(r)
	switch {
	case err != nil:
		return z, err
	case len(all) == 0:
		return z, absent(r.Key())
	}
	return all[0], nil
}

// nextScored reads the next two elements as a member and its score.
func (s *scored[M]) nextScored(items *pipectx.Items, key string) (z Z[M], err error) {
	if !items.Next() {
		return z, errors.New("keyspace: " + key + ": the reply lacks a member")
	}
	err = s.pair(items, new(slab), key, &z)
	return z, err
}
