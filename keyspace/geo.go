package keyspace

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"strconv"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Geo declares keys that hold places on the earth: members of type M, each at a
// Point.
//
//	var Shops = keyspace.NewGeo[string, int64]("shops") // country → shop
//
//	shops := Shops.On(db)
//	shops.Add(ctx, "no", 7, keyspace.Point{Longitude: 10.75, Latitude: 59.91})
//	near, err := shops.Search(ctx, "no", here, keyspace.Circle(5*keyspace.Kilometer).Nearest(10)).Result()
//
// Redis keeps a Point in 52 bits of a sorted set's score: what is read back is within
// 60 cm of what was given, and distances are those on a sphere, half a percent off at
// most. A Geo without members and a key that is not there are the same.
type Geo[K, M any] struct {
	definition[K]
	member *placed[M]
}

// A Point is a place on the earth, in degrees. Redis knows longitudes from -180 to
// 180 and latitudes from -85.05112878 to 85.05112878, which leaves out the poles.
type Point struct {
	Longitude, Latitude float64
}

// A Place is a member with its Point.
type Place[M any] struct {
	Member M
	Point  Point
}

// Distance is a length, in meters.
type Distance float64

// Units of length. To count in one of them, divide: float64(d / Kilometer).
const (
	Meter     Distance = 1
	Kilometer          = 1000 * Meter
	Foot               = 0.3048 * Meter
	Mile               = 1609.34 * Meter
)

// String is the distance in meters.
func (d Distance) String() string { return strconv.FormatFloat(float64(d), 'f', -1, 64) + "m" }

// NewGeo declares a Geo whose keys begin with prefix. Options are a [Placement],
// [TTL] and [Connection]. A wrong declaration panics, at start-up, with the place, the
// type and the cure; [TryNewGeo] returns the error.
func NewGeo[K, M any](prefix string, options ...Option) *Geo[K, M] {
	g, err := TryNewGeo[K, M](prefix, options...)
	if err != nil {
		panic(atCaller(err))
	}
	return g
}

// TryNewGeo is [NewGeo] with the error returned.
func TryNewGeo[K, M any](prefix string, options ...Option) (*Geo[K, M], error) {
	g := &Geo[K, M]{}
	err := g.define("NewGeo", prefix, options, reflect.TypeFor[K](), reflect.TypeFor[M]())
	if err == nil {
		g.member, err = newPlaced[M]()
	}
	if err != nil {
		return nil, g.wrong(err)
	}
	return g, nil
}

// On binds the Geo to a DB: what it returns has the verbs. If the Geo declares a
// connection that the DB does not have, they answer [pipectx.ErrUnknownConnection].
func (g *Geo[K, M]) On(db *pipectx.DB) BoundGeo[K, M] { return BoundGeo[K, M]{g.on(db), g.member} }

// BoundGeo is a [Geo] on a DB. It is small, to be copied, and safe for concurrent use.
type BoundGeo[K, M any] struct {
	bound[K]
	member *placed[M]
}

// Key is one key of the Geo: the same verbs without the id. If the id has no key,
// they answer why.
func (b BoundGeo[K, M]) Key(id K) GeoKey[M] { return GeoKey[M]{b.handle(id), b.member} }

// GeoKey is one key of a [BoundGeo].
type GeoKey[M any] struct {
	handle
	member *placed[M]
}

// Add puts member at a Point, in place of the one it was at, and tells whether the
// member is new. A Point that is not on Redis's earth is refused.
//
// Cost: GEOADD, and PEXPIRE with a default TTL; 1 or 2 commands; 1 round trip outside
// Run, none of its own inside.
func (k GeoKey[M]) Add(ctx context.Context, member M, at Point) *pipectx.Ref[bool] {
	c := k.command("GEOADD")
	k.member.write(c, k.key, Place[M]{member, at})
	return write(ctx, k.handle, c, pipectx.Reply.Bool)
}

// AddMany puts members at Points, in place of those they were at, and answers how
// many of them are new. More than 5,000 go in several commands of one pipeline, and
// are not added at one moment; without places nothing is sent.
//
// Cost: GEOADD, 1 command for each 5,000 places, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k GeoKey[M]) AddMany(ctx context.Context, places ...Place[M]) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "GEOADD", places, k.member)
}

// AddIf is [GeoKey.AddMany] of those that the condition admits, [IfNew] or [IfThere],
// and answers how many are new or at another Point than before.
//
// Cost: GEOADD CH with NX or XX, 1 command for each 5,000 places, and PEXPIRE with a
// default TTL; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) AddIf(ctx context.Context, when When, places ...Place[M]) *pipectx.Ref[int64] {
	begin := func() *pipectx.Command {
		c := k.command("GEOADD")
		if when > IfThere {
			c.Fail(fmt.Errorf("keyspace: %s: AddIf %v: places are neither greater nor less; give Always, IfNew or IfThere", k.key, when))
		}
		when.write(c, k.key)
		c.Word("CH")
		return c
	}
	return writeParts(ctx, k.handle, begin, places, k.member, sum)
}

// Rem removes members and answers how many of them were there; large numbers of them
// as in [GeoKey.AddMany]. The key goes with its last member.
//
// Cost: ZREM, 1 command for each 5,000 members, and PEXPIRE with a default TTL; 1
// round trip outside Run, none of its own inside.
func (k GeoKey[M]) Rem(ctx context.Context, members ...M) *pipectx.Ref[int64] {
	return writeAll(ctx, k.handle, "ZREM", members, k.member.value)
}

// Card answers how many members there are; 0 if there is no such key.
//
// Cost: ZCARD; 1 command; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) Card(ctx context.Context) *pipectx.Ref[int64] {
	return pipectx.Send(ctx, k.db, k.command("ZCARD").Read(), pipectx.Reply.Int)
}

// Pos answers where member is. If it is none the answer is [pipectx.ErrNotFound],
// which is no failure of a Run.
//
// Cost: GEOPOS; 1 command; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) Pos(ctx context.Context, member M) *pipectx.Ref[Point] {
	c := k.command("GEOPOS").Read()
	k.member.value.write(c, k.key, member)
	return pipectx.Send(ctx, k.db, c, onlyPoint)
}

// MPos answers where members are, in their order, absent where one is none. Without
// members nothing is sent.
//
// Cost: GEOPOS; 1 command for each 5,000 members; 1 round trip outside Run, none of
// its own inside.
func (k GeoKey[M]) MPos(ctx context.Context, members ...M) *pipectx.Ref[[]field.Optional[Point]] {
	return readAll(ctx, k.handle, "GEOPOS", members, k.member.value, optionals[M](pointOf))
}

// Hash answers the geohashes of members, in their order, absent where one is none: 11
// characters, of which the first ones name a larger area around the place. Without
// members nothing is sent.
//
// Cost: GEOHASH; 1 command for each 5,000 members; 1 round trip outside Run, none of
// its own inside.
func (k GeoKey[M]) Hash(ctx context.Context, members ...M) *pipectx.Ref[[]field.Optional[string]] {
	return readAll(ctx, k.handle, "GEOHASH", members, k.member.value, optionals[M](pipectx.Reply.Text))
}

// Dist answers how far two members are from each other. If one of them is none the
// answer is [pipectx.ErrNotFound], which is no failure of a Run.
//
// Cost: GEODIST; 1 command; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) Dist(ctx context.Context, from, to M) *pipectx.Ref[Distance] {
	c := k.command("GEODIST").Read()
	k.member.value.write(c, k.key, from)
	k.member.value.write(c, k.key, to)
	c.Word("m")
	return pipectx.Send(ctx, k.db, c, func(r pipectx.Reply) (Distance, error) {
		meters, err := r.Float()
		return Distance(meters), missing(err, "one of two members of "+r.Key())
	})
}

// Scan is one step of an iteration over the members, from a cursor, 0 to begin with:
// about count members, the server's own number for 0, of those whose texts match a
// pattern of Redis's, "" for all. [GeoKey.Each] makes the steps by itself.
//
// Cost: ZSCAN; 1 command; 1 round trip outside Run, none of its own inside.
func (k GeoKey[M]) Scan(ctx context.Context, cursor uint64, match string, count int64) *pipectx.Ref[Page[M]] {
	return k.scan().step(ctx, k.handle, cursor, match, count)
}

// Each iterates over the members, in no order, as [SetKey.Each] does over those of a
// set.
//
// Cost: ZSCAN; 1 command and 1 round trip for each 1,000 members, while the caller
// iterates.
func (k GeoKey[M]) Each(ctx context.Context, match string) iter.Seq2[M, error] {
	return k.scan().all(ctx, k.handle, "Each", match)
}

func (k GeoKey[M]) scan() scan[M] {
	return scan[M]{command: "ZSCAN", items: func(r pipectx.Reply, key string) ([]M, error) {
		all, err := (&scored[M]{value: k.member.value}).scoredFrom(r, key)
		members := make([]M, len(all))
		for i, z := range all {
			members[i] = z.Member
		}
		return members, err
	}}
}
