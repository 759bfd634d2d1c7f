package pipectx_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
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

// A wireRow is what the golden file holds of a verb.
type wireRow struct {
	verb, about string
	play        func(ctx context.Context, db *pipectx.DB) error
}

var mebibyte = strings.Repeat("x", 1<<20)

func wireRows() []wireRow {
	incr := func(ctx context.Context, db *pipectx.DB, key string) *pipectx.Ref[int64] {
		return pipectx.Do[int64](ctx, db, "INCR", key)
	}
	get := func(key string) *pipectx.Command {
		c := pipectx.NewCommand("GET")
		c.Key(key)
		return c.Read()
	}
	many := func(db *pipectx.DB, n int) func(context.Context) error {
		return func(ctx context.Context) error {
			for range n {
				incr(ctx, db, "a")
			}
			return nil
		}
	}
	large := func(db *pipectx.DB) func(context.Context) error {
		return func(ctx context.Context) error {
			for range 2 {
				do(ctx, db, "SET", "large", mebibyte)
				incr(ctx, db, "a")
			}
			return nil
		}
	}
	into := func(r pipectx.Reply, n *int64) (err error) { *n, err = r.Int(); return err }
	return []wireRow{
		{"Do", "alone", func(ctx context.Context, db *pipectx.DB) error { return incr(ctx, db, "a").Err() }},
		{"Do", "two in a Run", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error { incr(ctx, db, "a"); incr(ctx, db, "b"); return nil })
		}},
		{"Send", "alone", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Send(ctx, db, get("a"), pipectx.Reply.Int).Err()
		}},
		{"SendInto", "alone", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.SendInto(ctx, db, get("a"), 0, into).Err()
		}},
		{"SendInto", "with Send in a Run", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				pipectx.SendInto(ctx, db, get("a"), 0, into)
				pipectx.Send(ctx, db, get("b"), pipectx.Reply.Int)
				return nil
			})
		}},
		{"Failed", "alone", func(ctx context.Context, db *pipectx.DB) error {
			return unlessOurs(pipectx.Failed[int64](ctx, db, errOurs).Err())
		}},
		{"Failed", "in a Run", func(ctx context.Context, db *pipectx.DB) error {
			return unlessOurs(pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, db, "a")
				pipectx.Failed[int64](ctx, db, errOurs)
				return nil
			}))
		}},
		{"Outside", "outside and inside a Run", func(ctx context.Context, db *pipectx.DB) error {
			if err := pipectx.Outside(ctx, db, "x"); err != nil {
				return err
			}
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				if pipectx.Outside(ctx, db, "x") == nil {
					return errors.New("it does not see the Run")
				}
				return nil
			})
		}},
		{"OutsideAtomic", "outside and inside an Atomic", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				if err := pipectx.OutsideAtomic(ctx, db, "x"); err != nil {
					return err
				}
				return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
					if pipectx.OutsideAtomic(ctx, db, "x") == nil {
						return errors.New("it does not see the Atomic")
					}
					return nil
				})
			})
		}},
		{"Scan", "of a pattern and a type", func(ctx context.Context, db *pipectx.DB) error {
			for _, err := range pipectx.Scan(ctx, db, "a*", "string") {
				return err
			}
			return nil
		}},
		{"Run", "of nothing", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(context.Context) error { return nil })
		}},
		{"Run", "in a Run", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, db, "a")
				return pipectx.Run(ctx, db, func(ctx context.Context) error { incr(ctx, db, "b"); return nil })
			})
		}},
		{"Run", "of two waves", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, db, "a")
				return pipectx.After(ctx, func(ctx context.Context) error { incr(ctx, db, "b"); return nil })
			})
		}},
		{"Run", "of 20,001 commands", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, many(db, 20_001))
		}},
		{"Run", "of 2 MiB", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, large(db))
		}},
		{"Begin", "and nothing more", func(ctx context.Context, db *pipectx.DB) error {
			ctx, _, err := pipectx.Begin(ctx, db)
			incr(ctx, db, "a")
			return err
		}},
		{"Pipeline.Exec", "of two commands", func(ctx context.Context, db *pipectx.DB) error {
			ctx, p, err := pipectx.Begin(ctx, db)
			if err != nil {
				return err
			}
			incr(ctx, db, "a")
			incr(ctx, db, "b")
			return p.Exec()
		}},
		{"Pipeline.Discard", "of one command", func(ctx context.Context, db *pipectx.DB) error {
			ctx, p, err := pipectx.Begin(ctx, db)
			if err != nil {
				return err
			}
			incr(ctx, db, "a")
			p.Discard()
			return nil
		}},
		{"Await", "between two commands", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, db, "a")
				_, err := pipectx.Await(ctx, incr(ctx, db, "b"))
				incr(ctx, db, "c")
				return err
			})
		}},
		{"Await", "of what is there", func(ctx context.Context, db *pipectx.DB) error {
			ref := incr(ctx, db, "a")
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, db, "b")
				_, err := pipectx.Await(ctx, ref)
				incr(ctx, db, "c")
				return err
			})
		}},
		{"Gather", "of a member that waits twice", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
				g.Go(func(ctx context.Context) error {
					for range 2 {
						if _, err := pipectx.Await(ctx, incr(ctx, db, "a")); err != nil {
							return err
						}
					}
					incr(ctx, db, "left")
					return nil
				})
				return nil
			})
		}},
		{"Gather", "in a Run", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, db, "a")
				return pipectx.Gather(ctx, db, func(g *pipectx.Group) error {
					g.Go(func(ctx context.Context) error {
						_, err := pipectx.Await(ctx, incr(ctx, db, "b"))
						incr(ctx, db, "left")
						return err
					})
					return nil
				})
			})
		}},
		{"Stream", "of 10,001 commands", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Stream(ctx, db, many(db, 10_001))
		}},
		{"Stream", "of 2 MiB", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Stream(ctx, db, large(db))
		}},
		{"Atomic", "alone", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, db, "a"); incr(ctx, db, "b"); return nil })
		}},
		{"Atomic", "of nothing", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Atomic(ctx, db, func(context.Context) error { return nil })
		}},
		{"Atomic", "in a Run and in an Atomic", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error {
				incr(ctx, db, "a")
				return pipectx.Atomic(ctx, db, func(ctx context.Context) error {
					incr(ctx, db, "b")
					return pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, db, "c"); return nil })
				})
			})
		}},
		{"Watch", "with an Atomic", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Watch(ctx, db, func(ctx context.Context) error {
				return pipectx.Atomic(ctx, db, func(ctx context.Context) error { incr(ctx, db, "a"); return nil })
			}, "a", "b")
		}},
		{"Watch", "without one", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Watch(ctx, db, func(ctx context.Context) error { return do(ctx, db, "GET", "a").Err() }, "a")
		}},
		{"Load", "two scripts", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Load(ctx, db, addScript, pushScript)
		}},
		{"DB.Ping", "alone", func(ctx context.Context, db *pipectx.DB) error { return db.Ping(ctx) }},
		{"DB.Ping", "in a Run", func(ctx context.Context, db *pipectx.DB) error {
			return pipectx.Run(ctx, db, func(ctx context.Context) error { incr(ctx, db, "a"); return db.Ping(ctx) })
		}},
	}
}

// unlessOurs is what is wrong with an error that should be the row's own.
func unlessOurs(err error) error {
	if errors.Is(err, errOurs) {
		return nil
	}
	return fmt.Errorf("it answers %v, want %w", err, errOurs)
}

// What each verb costs is what its doc says, one round trip a line.
func TestWireOfVerbs(t *testing.T) {
	client := redistest.Server(t).Client(t)
	rec := redistest.Record(client)
	var out strings.Builder
	for _, row := range wireRows() {
		rec.Reset()
		if err := row.play(t.Context(), newDB(t, client)); err != nil {
			t.Errorf("%s %s: %v", row.verb, row.about, err)
		}
		fmt.Fprintf(&out, "# %s: %s\n", row.verb, row.about)
		for _, line := range rec.Lines() {
			fmt.Fprintln(&out, folded(strings.ReplaceAll(line, mebibyte, "<1 MiB>")))
		}
	}
	golden.Equal(t, "testdata/wire/verbs.txt", out.String())
}

// folded writes a command that goes many times in a row as one, with how often.
func folded(line string) string {
	var parts []string
	commands := strings.Split(line, " | ")
	for len(commands) > 0 {
		n := 1
		for n < len(commands) && commands[n] == commands[0] {
			n++
		}
		part := commands[0]
		if n > 1 {
			part = fmt.Sprintf("%d times %s", n, part)
		}
		parts, commands = append(parts, part), commands[n:]
	}
	return strings.Join(parts, " | ")
}

// On a Cluster the round trips are one for each node.
func TestWireOfCluster(t *testing.T) {
	client := redistest.Cluster(t).Client(t)
	db := newDB(t, client)
	rec := redistest.Record(client)
	if err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for _, key := range []string{"a", "b", "c", "{a}2", "{b}2", "{c}2"} {
			do(ctx, db, "INCR", key)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	out := "# Run: of six commands\n" + strings.Join(rec.Sorted(), "\n")
	rec.Reset()
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	golden.Equal(t, "testdata/wire/cluster.txt", out+"\n# DB.Ping\n"+strings.Join(rec.Sorted(), "\n")+"\n")
}

// Every function whose doc says a cost has a row in the wire table, and the
// table has no others.
func TestEveryVerbHasItsWire(t *testing.T) {
	cost := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !strings.Contains(f.Doc.Text(), "\nCost: ") {
				continue
			}
			verb := f.Name.Name
			if f.Recv != nil {
				on := f.Recv.List[0].Type
				if star, ok := on.(*ast.StarExpr); ok {
					on = star.X
				}
				verb = fmt.Sprint(on, ".", verb)
			}
			cost[verb] = true
		}
	}
	rows := wireRows()
	for verb := range cost {
		if !slices.ContainsFunc(rows, func(r wireRow) bool { return r.verb == verb }) {
			t.Errorf("%s has no row in the wire table", verb)
		}
	}
	for _, row := range rows {
		if !cost[row.verb] {
			t.Errorf("%s has a row in the wire table, and no doc with a cost", row.verb)
		}
	}
}
