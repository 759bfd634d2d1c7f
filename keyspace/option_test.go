package keyspace_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A definition shows itself as it is written in Go.
func TestDefinitionString(t *testing.T) {
	for want, d := range map[string]interface {
		String() string
		Prefix() string
	}{
		`NewString[int64, string]("name")`:            Names,
		`NewSet[int64, string]("tags", TTL(24h0m0s))`: DayTags,
		`NewSortedSet[keyspace_test.Member, []uint8]("n", TTL(1s), Connection("far"))`: keyspace.NewSortedSet[Member, []byte](
			"n", keyspace.Connection("far"), keyspace.TTL(time.Second)),
		`NewHash[string, string, int64]("n", OneSlot("A"))`:                keyspace.NewHash[string, string, int64]("n", keyspace.OneSlot("A")),
		`NewHash[string, string, int64]("n", Template("u:%s"))`:            keyspace.NewHash[string, string, int64]("n", keyspace.Template("u:%s")),
		`NewString[string, string]("n", Buckets("A", 4), Connection("x"))`: keyspace.NewString[string, string]("n", keyspace.Buckets("A", 4), keyspace.Connection("x")),
	} {
		if got := d.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if !strings.Contains(want, `"`+d.Prefix()+`"`) {
			t.Errorf("%s has the prefix %q", want, d.Prefix())
		}
	}
}

// A definition lives on the connection it declares; pipelines are shared.
func TestConnection(t *testing.T) {
	near, far := redistest.Embedded(t), redistest.Embedded(t)
	db := newDB(t, near.Client(t), pipectx.Connection("far", far.Client(t)))
	away := keyspace.NewString[int64, string]("name", keyspace.Connection("far")).On(db)
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		Names.On(db).Set(ctx, 1, "near")
		away.Set(ctx, 1, "far")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for node, value := range map[*redistest.Node]string{near: "near", far: "far"} {
		if got, err := node.Embedded().Get("name{1}"); got != value {
			t.Errorf("stored %q, %v, want %q", got, err, value)
		}
	}
}
