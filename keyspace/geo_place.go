package keyspace

import (
	"fmt"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// placed is the type of members, with the words and decoders of those that come with
// their Points.
type placed[M any] struct {
	*value[M]
	allFound func(pipectx.Reply) ([]Found[M], error)
}

func newPlaced[M any]() (*placed[M], error) {
	v, err := newValue[M]("member")
	if err != nil {
		return nil, err
	}
	p := &placed[M]{value: v}
	p.allFound = p.decodeFound
	return p, nil
}

// write adds the words of GEOADD: longitude, latitude and member.
func (p *placed[M]) write(c *pipectx.Command, key string, place Place[M]) {
	place.Point.write(c, key)
	p.value.write(c, key, place.Member)
}

// mostLatitude is as far as the projection goes that Redis keeps Points in.
const mostLatitude = 85.05112878

func (p Point) write(c *pipectx.Command, key string) {
	inside := p.Longitude >= -180 && p.Longitude <= 180 && p.Latitude >= -mostLatitude && p.Latitude <= mostLatitude // not NaN
	if !inside {
		c.Fail(fmt.Errorf("keyspace: %s: longitude %v, latitude %v is no place that Redis knows: they go from -180 to 180 and from -%v to %v",
			key, p.Longitude, p.Latitude, mostLatitude, mostLatitude))
		return
	}
	c.Float(p.Longitude)
	c.Float(p.Latitude)
}

// pointOf reads an array of longitude and latitude.
func pointOf(r pipectx.Reply) (p Point, err error) {
	items, err := r.Items()
	if err != nil {
		return p, err
	}
	for _, degrees := range []*float64{&p.Longitude, &p.Latitude} {
		if !items.Next() {
			return p, short(r)
		}
		if *degrees, err = items.Reply().Float(); err != nil {
			return p, err
		}
	}
	return p, nil
}

// onlyPoint reads an array of one Point, or of a null.
func onlyPoint(r pipectx.Reply) (Point, error) {
	items, err := elements(r)
	switch {
	case err != nil:
		return Point{}, err
	case !items.Next() || items.Reply().IsNil():
		return Point{}, absent("member of " + r.Key())
	}
	return pointOf(items.Reply())
}

// optionals reads an array of what one reads, or null, for each of items.
func optionals[E, T any](one func(pipectx.Reply) (T, error)) func(items []E) func(pipectx.Reply) ([]field.Optional[T], error) {
	return func(items []E) func(pipectx.Reply) ([]field.Optional[T], error) {
		n := len(items)
		return func(r pipectx.Reply) ([]field.Optional[T], error) {
			replies, err := elements(r)
			if err != nil {
				return nil, err
			}
			found := make([]field.Optional[T], n)
			for i := range found {
				if !replies.Next() {
					return nil, short(r)
				}
				if replies.Reply().IsNil() {
					continue
				}
				value, err := one(replies.Reply())
				if err != nil {
					return nil, err
				}
				found[i] = field.Some(value)
			}
			return found, nil
		}
	}
}

// Found is a member that a search found: where it is, and how far from the middle.
type Found[M any] struct {
	Member   M
	Point    Point
	Distance Distance
}

// decodeFound reads an array of members, each with its distance and its Point.
func (p *placed[M]) decodeFound(r pipectx.Reply) ([]Found[M], error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]Found[M], 0, items.Len())
	for items.Next() {
		own, err := items.Reply().Items()
		if err != nil {
			return nil, err
		}
		if own.Len() < 3 {
			return nil, short(r)
		}
		var f Found[M]
		own.Next()
		text, err := own.Bytes()
		if err != nil {
			return nil, err
		}
		if f.Member, err = p.parse(text, r.Key()); err != nil {
			return nil, err
		}
		own.Next()
		meters, err := own.Reply().Float()
		if err != nil {
			return nil, err
		}
		f.Distance = Distance(meters)
		own.Next()
		if f.Point, err = pointOf(own.Reply()); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}
