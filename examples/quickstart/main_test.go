package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/demo"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

// Ensure that the program prints the same on the embedded server, on one
// server, and on a Cluster: the cities, the page, what it cost, the refusal and
// the traceback.
func TestRun(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		check(t, s.Client(t))
	})
	t.Run("cluster", func(t *testing.T) {
		check(t, redistest.Cluster(t).Client(t))
	})
}

func check(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	meter := &demo.Meter{}
	db, err := pipectx.New(client, pipectx.Observe(meter))
	if err != nil {
		t.Fatal(err)
	}
	file, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), db, meter, "cities15000.csv.gz", file, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	golden.Equal(t, "output.txt", out.String())
}

// Ensure that a row that cannot be read is named with its line and the cure,
// and that the rows before it are stored.
func TestLoadBrokenFile(t *testing.T) {
	good := "1,Aix,FR,13,43.5,5.4,140000,PPL\n"
	tests := []struct {
		reason, row string
		want        []string
	}{
		{"a number is none", "2,Brest,FR,,48.4,-4.5,many,PPL\n", []string{"line 3", "column population", `"many"`}},
		{"a column is missing", "2,Brest,FR,,48.4,-4.5,144548\n", []string{"line 3", "wrong number of fields"}},
		{"a quote is not closed", "2,\"Brest,FR,,48.4,-4.5,144548,PPL\n", []string{"line 3", `"`}},
		{"a rule of the model is broken", "2,Brest,FR,,480,-4.5,144548,PPL\n", []string{"line 3", "lat", "lte=90"}},
		{"the file ends in a row", "2,Bre", []string{"line 3", "wrong number of fields"}},
		{"the country is empty", "2,Brest,,,48.4,-4.5,144548,PPL\n", []string{"line 3", "Country", "empty"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			db, err := pipectx.New(redistest.Embedded(t).Client(t))
			if err != nil {
				t.Fatal(err)
			}
			atlas := NewAtlas(db)
			n, err := atlas.Load(t.Context(), "cities.csv", strings.NewReader(header+"\n"+good+test.row+good), demo.NewProgress("loading", 0))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(test.want, "cities.csv", "the 1 cities before it are stored") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if stored, err := atlas.Count(t.Context(), "FR").Result(); n != 1 || stored != 1 || err != nil {
				t.Errorf("counted %d, stored %d, %v; want the one city before the broken row", n, stored, err)
			}
		})
	}
}

// Ensure that a hundred service calls, each with a Run of its own, are one
// flush under one Run.
func TestHundredCallsAreOneRoundTrip(t *testing.T) {
	client := redistest.Shared(t).Client(t)
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	atlas := NewAtlas(db)
	wire := redistest.Record(client)
	err = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		for id := range int64(100) {
			if err := atlas.Store(ctx, City{ID: CityID{"XX", id + 1}, Name: "Somewhere"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	golden.Equal(t, "testdata/hundred_calls.txt", wire.String())
}
