package faults_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/redmoon-go/redmoon/pipectx"
)

// issue queues or sends a read.
func (w *worker) issue(ctx context.Context, l *look) {
	l.before = nil
	if l.worker == w.n && l.way < 2 && !w.run.lossy {
		l.before = w.boxes[l.tag]
	}
	boxed := boxKey(l.tag, l.worker)
	sees := func(v string) error { return w.seesBox(l, boxed, v) }
	switch l.way {
	case 0:
		watch(l, pipectx.Do[string](ctx, w.db, "GET", boxed), sees)
	case 1:
		c := readScript.Command(1)
		c.Key(boxed)
		watch(l, pipectx.Send(ctx, w.db, c, pipectx.Reply.Text), sees)
	case 2:
		if l.own == nil {
			watch(l, pipectx.Do[[]string](ctx, w.db, "HKEYS", key("fields", l.tag+".none")), func(v []string) error {
				if len(v) > 0 {
					return fmt.Errorf("a key that nobody writes holds %.80q", v)
				}
				return nil
			})
			return
		}
		watch(l, pipectx.Do[string](ctx, w.db, "HGET", key("fields", l.tag), l.own.id), func(v string) error {
			if v != l.own.value {
				return fmt.Errorf("%v, and reads %.80q", &l.own.op, v)
			}
			return nil
		})
	case 3:
		watch(l, pipectx.Do[[]string](ctx, w.db, "LRANGE", key("journal", l.tag), -5, -1), func(v []string) error {
			return ofTag(v, push, l.tag)
		})
	case 4:
		watch(l, pipectx.Do[[]any](ctx, w.db, "XREVRANGE", key("events", l.tag), "+", "-", "COUNT", 4), func(v []any) error {
			var ids []string
			for _, e := range v {
				entry, _ := e.([]any)
				if len(entry) != 2 {
					return fmt.Errorf("%s holds %v", key("events", l.tag), e)
				}
				fields, _ := entry[1].([]any)
				if len(fields) != 2 {
					return fmt.Errorf("%s holds %v", key("events", l.tag), e)
				}
				ids = append(ids, fmt.Sprint(fields[1]))
			}
			return ofTag(ids, event, l.tag)
		})
	default:
		other := boxKey(l.tag, (l.worker+1)%w.run.workers)
		watch(l, pipectx.Do[[]any](ctx, w.db, "MGET", boxed, other), func(v []any) error {
			if len(v) != 2 {
				return fmt.Errorf("MGET of two keys answers %v", v)
			}
			for i, k := range []string{boxed, other} {
				if s, ok := v[i].(string); ok {
					if err := w.seesBox(&look{worker: -1}, k, s); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
}

func watch[T any](l *look, ref *pipectx.Ref[T], check func(T) error) {
	l.answer = func() error {
		v, err := ref.Result()
		switch {
		case errors.Is(err, pipectx.ErrNotFound) && l.least() != nil:
			return fmt.Errorf("%w: %v, and is not found", errRead, &l.least().op)
		case err != nil:
			return err
		}
		if err := check(v); err != nil {
			return fmt.Errorf("%w: %w", errRead, err)
		}
		return nil
	}
}

var errRead = errors.New("wrong read")

// ofTag checks that ids were written under that tag.
func ofTag(ids []string, k kind, tag string) error {
	for _, id := range ids {
		if !belongs(id, k, tag) {
			return fmt.Errorf("%s holds %.80q", tag, id)
		}
	}
	return nil
}

// seesBox checks the value of a box: one of this box, whole, and of those that
// may be there.
func (w *worker) seesBox(l *look, key, value string) error {
	id, err := unseal(key, value)
	if err != nil {
		return fmt.Errorf("%s holds %.80q: %w", key, value, err)
	}
	found, ok := w.run.issued.Load(id)
	if !ok {
		return fmt.Errorf("%s holds the value of %s, which was never issued", key, id)
	}
	if l.worker != w.n || w.run.lossy {
		return nil
	}
	// Its own box: nothing older than what it was told is there, unless it is a
	// write of unknown outcome that arrived late.
	seen, least := found.(*op), l.least()
	switch {
	case seen.outcome == notRun, seen.outcome == notIssued:
		return fmt.Errorf("%v, and is read", seen)
	case least != nil && seen.seq < least.seq && seen.outcome != unknown:
		return fmt.Errorf("%v, and later reads %v", &least.op, seen)
	}
	return nil
}

// least is the oldest of the worker's own operations that the read may see, nil
// if it may see nothing at all.
func (l *look) least() *task {
	if l.own != nil && l.own.outcome == acked {
		return l.own
	}
	return l.before
}
