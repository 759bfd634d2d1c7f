package pipectx_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// What goes over the wire is what was promised, one round trip a line.
func TestWire(t *testing.T) {
	tests := []struct {
		name, reason string
		play         func(ctx context.Context, db *pipectx.DB) error
	}{
		{"immediate", "verbs outside Run are a round trip each", func(ctx context.Context, db *pipectx.DB) error {
			do(ctx, db, "SET", "greeting", "hello, world")
			do(ctx, db, "INCRBY", "n", 5)
			call(ctx, db, addScript, "n", 2)
			return do(ctx, db, "DEL", "greeting", "n").Err()
		}},
		{"nested", "Runs three deep interleave in program order, and leave together", func(ctx context.Context, db *pipectx.DB) error {
			set := func(ctx context.Context, n string) { do(ctx, db, "SET", "step", n) }
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				set(ctx, "1")
				if err := pipectx.Run(ctx, db, func(ctx context.Context) error {
					set(ctx, "2")
					if err := pipectx.Run(ctx, db, func(ctx context.Context) error {
						set(ctx, "3")
						return nil
					}); err != nil {
						return err
					}
					set(ctx, "4")
					_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
						set(ctx, "discarded")
						return errOurs
					})
					return nil
				}); err != nil {
					return err
				}
				set(ctx, "5")
				return pipectx.Run(ctx, db, func(ctx context.Context) error {
					set(ctx, "6")
					return nil
				})
			})
		}},
		{"composition", "a hundred services of one Run each are one round trip", func(ctx context.Context, db *pipectx.DB) error {
			visit := func(ctx context.Context, id int) (views *pipectx.Ref[float64], err error) {
				err = pipectx.Run(ctx, db, func(ctx context.Context) error {
					views = pipectx.Do[float64](ctx, db, "ZINCRBY", "visits", 1, id)
					do(ctx, db, "EXPIRE", "visits", 3600)
					return nil
				})
				return views, err
			}
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				for id := range 100 {
					if _, err := visit(ctx, id); err != nil {
						return err
					}
				}
				return nil
			})
		}},
		{"waves", "what callbacks queue is the next round trip", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				for _, name := range []string{"a", "b"} {
					id := pipectx.Do[int64](ctx, db, "INCR", "ids")
					if err := pipectx.After(ctx, func(ctx context.Context) error {
						n, err := id.Result()
						if err != nil {
							return err
						}
						do(ctx, db, "SET", fmt.Sprint("item", n), name)
						return pipectx.After(ctx, func(ctx context.Context) error {
							do(ctx, db, "RPUSH", "done", name)
							return nil
						})
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}},
		{"scripts", "a script's body goes along the first time", func(ctx context.Context, db *pipectx.DB) error {
			for range 2 {
				if err := pipectx.Run(ctx, db, func(ctx context.Context) error {
					call(ctx, db, addScript, "n", 1)
					call(ctx, db, pushScript, "list", "a")
					call(ctx, db, addScript, "n", 2)
					call(ctx, db, pushScript, "list", "b")
					return nil
				}); err != nil {
					return err
				}
			}
			return call(ctx, db, addScript, "n", 3).Err()
		}},
		{"forgotten", "a script that its server forgot is sent again, with its body", func(ctx context.Context, db *pipectx.DB) error {
			if err := call(ctx, db, addScript, "n", 1).Err(); err != nil {
				return err
			}
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				do(ctx, db, "SCRIPT", "FLUSH")
				call(ctx, db, addScript, "n", 2)
				do(ctx, db, "GET", "n")
				return nil
			})
		}},
		{"nothing", "a Run that fails or queues nothing sends nothing", func(ctx context.Context, db *pipectx.DB) error {
			if err := pipectx.Run(ctx, db, func(ctx context.Context) error { return nil }); err != nil {
				return err
			}
			_ = pipectx.Run(ctx, db, func(ctx context.Context) error {
				do(ctx, db, "INCR", "n")
				return errOurs
			})
			return nil
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := redistest.Server(t).Client(t)
			db := newDB(t, client)
			rec := redistest.Record(client)
			if err := test.play(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			golden.Equal(t, "testdata/wire/"+test.name+".txt", rec.String())
			if test.name == "composition" && (rec.RoundTrips() != 1 || rec.Commands() != 200) {
				t.Errorf("%d round trips of %d commands, want 1 of 200", rec.RoundTrips(), rec.Commands())
			}
		})
	}
}

// Several connections are a round trip each, at the same time.
func TestWireOfConnections(t *testing.T) {
	one, two := redistest.Shared(t).Client(t), redistest.Shared(t).Client(t)
	db := newDB(t, one, pipectx.Connection("two", two))
	other, err := db.Conn("two")
	if err != nil {
		t.Fatal(err)
	}
	rec := redistest.Record(one, two)
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		do(ctx, db, "SET", "a", 1)
		do(ctx, other, "SET", "b", 1)
		do(ctx, db, "SET", "a", 2)
		do(ctx, other, "SET", "b", 2)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/wire/connections.txt", strings.Join(rec.Sorted(), "\n")+"\n")
}
