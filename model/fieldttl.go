package model

import (
	"context"
	"fmt"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// fieldTTLServers have times to live of hash fields.
const fieldTTLServers = "Redis 7.4 or Valkey 9"

// ExpireField has the value of one field end after d, at least a millisecond, and
// tells whether there was one: the field is absent then. It must be tagged `ttl`, so
// that verbs which write the field keep its time to live; one tagged `ttl=30m` has
// another beginning with each write.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPEXPIRE; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) ExpireField(ctx context.Context, id K, name AnyField[T], d time.Duration) *pipectx.Ref[bool] {
	c := r.aboutField("HPEXPIRE", "ExpireField", id, name, d.Milliseconds())
	if d < time.Millisecond {
		c.Fail(fmt.Errorf("model: ExpireField after %v: Redis counts milliseconds; give at least one, or Update with Clear", d))
	}
	return pipectx.Send(ctx, r.db, c, wasThere)
}

// ExpireFieldAt has the value of one field end at t, by the server's clock, as
// [Repo.ExpireField] does after a duration. If t is past, it is removed at once.
//
// Cost: HPEXPIREAT; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) ExpireFieldAt(ctx context.Context, id K, name AnyField[T], t time.Time) *pipectx.Ref[bool] {
	c := r.aboutField("HPEXPIREAT", "ExpireFieldAt", id, name, t.UnixMilli())
	if t.IsZero() {
		c.Fail(fmt.Errorf("model: ExpireFieldAt the zero Time; give a time, or use PersistField"))
	}
	return pipectx.Send(ctx, r.db, c, wasThere)
}

// PersistField takes a field's time to live away and tells whether it had one.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPERSIST; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) PersistField(ctx context.Context, id K, name AnyField[T]) *pipectx.Ref[bool] {
	return pipectx.Send(ctx, r.db, r.aboutField("HPERSIST", "PersistField", id, name, 0), wasThere)
}

// FieldTTL answers how long the value of a field has left, absent if it does not
// expire; [pipectx.ErrNotFound] if the field is absent, or there is no record.
//
// Errors: [pipectx.ErrUnsupported] on servers before Redis 7.4 and Valkey 9.
//
// Cost: HPTTL; 1 command; 1 round trip outside Run, none of its own inside.
func (r Repo[T, K]) FieldTTL(ctx context.Context, id K, name AnyField[T]) *pipectx.Ref[field.Optional[time.Duration]] {
	c := r.aboutField("HPTTL", "FieldTTL", id, name, 0).Read()
	return pipectx.Send(ctx, r.db, c, name.of(nil).timeLeft)
}

// timeLeft reads the reply of HPTTL: milliseconds, -1 without a time to live, -2
// without a field.
func (c *column) timeLeft(r pipectx.Reply) (left field.Optional[time.Duration], err error) {
	switch ms, err := firstThere(r); {
	case err != nil:
		return left, err
	case ms == -2:
		return left, pipectx.NotFound(r.Key() + " " + c.name)
	case ms >= 0:
		left = field.Some(time.Duration(ms) * time.Millisecond)
	}
	return left, nil
}

// aboutField starts a command about one field's time to live; ms is its argument
// where it has one.
func (r Repo[T, K]) aboutField(command, verb string, id K, name AnyField[T], ms int64) *pipectx.Command {
	c := r.command(command, id).Needs(fieldTTLServers)
	r.model.schema.addField(c, verb, name.of(nil), ms)
	return c
}

func (s *schema) addField(c *pipectx.Command, verb string, col *column, ms int64) {
	if !col.lives {
		c.Fail(fmt.Errorf("model: %s: the field %s of %v is not tagged `ttl`, so its writes would end what it sets; tag it `redis:\"%s,ttl\"`", verb, col.path, s.typ, col.name))
	}
	if ms != 0 {
		c.Int(ms)
	}
	c.Word("FIELDS")
	c.Int(int64(1 + len(col.was)))
	c.Word(col.name)
	addWords(c, col.was)
}

// wasThere reads what the server did to one field: 1 as asked, 2 removed, since its
// time is past; -2 there is none, -1 it has no time to live, 0 nothing.
func wasThere(r pipectx.Reply) (bool, error) {
	did, err := firstThere(r)
	return did > 0, err
}

// firstThere reads an array of what the server says of a field under each of its
// names: the first that is not -2, which is that nothing is stored under it. Where
// there is no key Redis may answer null.
func firstThere(r pipectx.Reply) (int64, error) {
	if r.IsNil() {
		return -2, nil
	}
	items, err := r.Items()
	if err != nil {
		return 0, err
	}
	for items.Next() {
		if n, err := items.Reply().Int(); err != nil || n != -2 {
			return n, err
		}
	}
	return -2, nil
}
