package keyspace

import (
	"context"
	"fmt"
	"strings"

	"github.com/redmoon-go/redmoon/pipectx"
)

// A Shape is what a search looks at around its middle, and how much of it it answers:
//
//	Circle(5*Kilometer)                all within 5 km, in no order
//	Box(2*Mile, 1*Mile)                two miles from west to east, one from south to north
//	Circle(5*Kilometer).Nearest(10)    the 10 nearest, nearest first; all for 0
//	Circle(5*Kilometer).Farthest(10)   the 10 farthest, farthest first; all for 0
//	Circle(5*Kilometer).Any(10)        10 that are found first, nearest of them first
type Shape struct {
	radius        Distance
	width, height Distance
	box           bool
	order         string
	count         int64
	counted, any  bool
}

// Circle is all that is not farther than radius.
func Circle(radius Distance) Shape { return Shape{radius: radius} }

// Box is a rectangle around the middle, along meridians and parallels.
func Box(width, height Distance) Shape { return Shape{width: width, height: height, box: true} }

// Nearest answers the n nearest, nearest first; all for 0.
func (s Shape) Nearest(n int64) Shape {
	s.order, s.count, s.any = "ASC", n, false
	return s
}

// Farthest answers the n farthest, farthest first; all for 0.
func (s Shape) Farthest(n int64) Shape {
	s.order, s.count, s.any = "DESC", n, false
	return s
}

// Any answers n that the server finds first, which need not be the nearest, nearest
// first. It is the fastest where there are many.
func (s Shape) Any(n int64) Shape {
	s.order, s.count, s.any = "ASC", n, true
	return s
}

// write adds the words behind the middle.
func (s Shape) write(c *pipectx.Command, key string) {
	sizes := []Distance{s.radius}
	if s.box {
		c.Word("BYBOX")
		sizes = []Distance{s.width, s.height}
	} else {
		c.Word("BYRADIUS")
	}
	for _, d := range sizes {
		if d < 0 {
			c.Fail(fmt.Errorf("keyspace: %s: a search cannot be %v wide; give a distance that is not negative", key, d))
		}
		number(c, key, "Search", float64(d), false)
	}
	c.Word("m")
	if s.order != "" {
		c.Word(s.order)
	}
	switch {
	case s.count < 0 || s.any && s.count == 0:
		c.Fail(fmt.Errorf("keyspace: %s: a search of %d members; give one at least", key, s.count))
	case s.count > 0:
		c.Word("COUNT")
		c.Int(s.count)
	}
	if s.any {
		c.Word("ANY")
	}
}

// Search answers the members in a Shape around a Point.
//
// Cost: GEOSEARCH; 1 command; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) Search(ctx context.Context, middle Point, shape Shape) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, k.db, k.around(middle, shape), k.member.all)
}

// SearchPlaces is [GeoKey.Search] with where the members are, and how far from the
// middle.
//
// Cost: GEOSEARCH WITHCOORD WITHDIST; 1 command; 1 round trip outside Run, none of
// its own inside.
func (k GeoKey[M]) SearchPlaces(ctx context.Context, middle Point, shape Shape) *pipectx.Ref[[]Found[M]] {
	c := k.around(middle, shape)
	withPlaces(c)
	return pipectx.Send(ctx, k.db, c, k.member.allFound)
}

// SearchByMember answers the members in a Shape around one of them, that one
// included. If it is none the answer is [pipectx.ErrNotFound], which is no failure of
// a Run.
//
// Cost: GEOSEARCH; 1 command; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) SearchByMember(ctx context.Context, middle M, shape Shape) *pipectx.Ref[[]M] {
	return pipectx.Send(ctx, k.db, k.aroundMember(middle, shape), withItself(k.member.all))
}

// SearchPlacesByMember is [GeoKey.SearchByMember] with where the members are, and how
// far from the middle.
//
// Cost: GEOSEARCH WITHCOORD WITHDIST; 1 command; 1 round trip outside Run, none of
// its own inside.
func (k GeoKey[M]) SearchPlacesByMember(ctx context.Context, middle M, shape Shape) *pipectx.Ref[[]Found[M]] {
	c := k.aroundMember(middle, shape)
	withPlaces(c)
	return pipectx.Send(ctx, k.db, c, withItself(k.member.allFound))
}

func (k GeoKey[M]) around(middle Point, shape Shape) *pipectx.Command {
	c := k.command("GEOSEARCH").Read()
	fromPoint(c, k.key, middle)
	shape.write(c, k.key)
	return c
}

func (k GeoKey[M]) aroundMember(middle M, shape Shape) *pipectx.Command {
	c := k.command("GEOSEARCH").Read()
	k.member.from(c, k.key, middle)
	shape.write(c, k.key)
	return c
}

func fromPoint(c *pipectx.Command, key string, middle Point) {
	c.Word("FROMLONLAT")
	middle.write(c, key)
}

// withItself is the decoder of a search around a member, which finds that one at least:
// where there is no such key servers answer nothing, and no error.
func withItself[T any](decode func(pipectx.Reply) ([]T, error)) func(pipectx.Reply) ([]T, error) {
	return func(r pipectx.Reply) ([]T, error) {
		found, err := decode(r)
		if err == nil && len(found) == 0 {
			err = absent("member of " + r.Key())
		}
		return found, err
	}
}

// from begins at a member; a server says in an error that there is none, Valkey 9.1 in
// other words than the rest.
func (p *placed[M]) from(c *pipectx.Command, key string, middle M) {
	c.Word("FROMMEMBER")
	p.value.write(c, key, middle)
	c.OnError(func(fault *pipectx.ServerError) error {
		if fault.Code == "ERR" && (strings.HasPrefix(fault.Message, "could not decode requested zset member") ||
			strings.HasPrefix(fault.Message, "member ") && strings.HasSuffix(fault.Message, " does not exist")) {
			return absent("member of " + key)
		}
		return fault
	})
}

func withPlaces(c *pipectx.Command) {
	c.Word("WITHDIST")
	c.Word("WITHCOORD")
}

// SearchStore makes the Geo of the id to the members that Search answers of the one
// of from, and answers how many those are. On a Cluster both must be in one slot: a
// [*pipectx.CrossSlotError] names both keys, and nothing is sent.
//
// Cost: GEOSEARCHSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundGeo[K, M]) SearchStore(ctx context.Context, to, from K, middle Point, shape Shape) *pipectx.Ref[int64] {
	c := b.meet("GEOSEARCHSTORE", to, from)
	fromPoint(c, b.def.keys.Prefix(), middle)
	shape.write(c, b.def.keys.Prefix())
	return writeTo(ctx, b.bound, c, pipectx.Reply.Int, to)
}

// SearchByMemberStore is SearchStore of what SearchByMember answers.
//
// Cost: GEOSEARCHSTORE, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip
// outside Run, none of its own inside.
func (b BoundGeo[K, M]) SearchByMemberStore(ctx context.Context, to, from K, middle M, shape Shape) *pipectx.Ref[int64] {
	c := b.meet("GEOSEARCHSTORE", to, from)
	b.member.from(c, b.def.keys.Prefix(), middle)
	shape.write(c, b.def.keys.Prefix())
	return writeTo(ctx, b.bound, c, pipectx.Reply.Int, to)
}

// SearchStoreDist makes a sorted set of the members that Search answers, with their
// distances from the middle in meters as scores, and answers how many those are. Slots
// are as in SearchStore.
//
// Cost: GEOSEARCHSTORE STOREDIST, and PEXPIRE with a default TTL of the sorted set; 1
// or 2 commands; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) SearchStoreDist(ctx context.Context, to SortedSetKey[M], middle Point, shape Shape) *pipectx.Ref[int64] {
	c := k.toward("GEOSEARCHSTORE", to)
	fromPoint(c, k.key, middle)
	shape.write(c, k.key)
	c.Word("STOREDIST")
	return write(ctx, to.handle, c, pipectx.Reply.Int)
}

// SearchByMemberStoreDist is [GeoKey.SearchStoreDist] of what SearchByMember answers.
//
// Cost: GEOSEARCHSTORE STOREDIST, and PEXPIRE with a default TTL of the sorted set; 1
// or 2 commands; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) SearchByMemberStoreDist(ctx context.Context, to SortedSetKey[M], middle M, shape Shape) *pipectx.Ref[int64] {
	c := k.toward("GEOSEARCHSTORE", to)
	k.member.from(c, k.key, middle)
	shape.write(c, k.key)
	c.Word("STOREDIST")
	return write(ctx, to.handle, c, pipectx.Reply.Int)
}

// toward starts a command that stores in another key what it reads here.
func (k GeoKey[M]) toward(name string, to SortedSetKey[M]) *pipectx.Command {
	c := to.command(name)
	c.Key(k.key)
	k.meets(c, to.handle)
	return c
}
