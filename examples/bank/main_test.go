package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/golden"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(urlOfTeller); url != "" {
		teller(url)
		return
	}
	redistest.Main(m, redistest.WithCluster)
}

// Ensure that the program prints the same on the embedded server, on one server, and
// on a Cluster.
func TestRun(t *testing.T) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) { check(t, s.Client(t)) })
	t.Run("cluster", func(t *testing.T) { check(t, redistest.Cluster(t).Client(t)) })
}

func check(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), db, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	golden.Equal(t, "output.txt", out.String())
}
