package keyspace_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

// What the tests of this package declare. Tests choose ids of their own.
var (
	Names  = keyspace.NewString[int64, string]("name")
	Hits   = keyspace.NewString[int64, int64]("hits")
	Rates  = keyspace.NewString[int64, float64]("rate")
	Tags   = keyspace.NewSet[int64, string]("tags")
	Visits = keyspace.NewSortedSet[int64, string]("visits")
	Stock  = keyspace.NewHash[int64, string, int64]("stock")
	Prices = keyspace.NewHash[int64, string, float64]("prices")

	Seen    = keyspace.NewBitmap[int64]("seen")
	Callers = keyspace.NewHyperLogLog[int64, string]("callers")
	Codes   = keyspace.NewSharded[int64, string]("codes", 4)
	Points  = keyspace.NewSharded[int64, int64]("points", 4)
	Shares  = keyspace.NewSharded[int64, float64]("shares", 4)
)

const day = 24 * time.Hour

// The same with a default TTL.
var (
	DayNames  = keyspace.NewString[int64, string]("name", keyspace.TTL(day))
	DayHits   = keyspace.NewString[int64, int64]("hits", keyspace.TTL(day))
	DayRates  = keyspace.NewString[int64, float64]("rate", keyspace.TTL(day))
	DayTags   = keyspace.NewSet[int64, string]("tags", keyspace.TTL(day))
	DayVisits = keyspace.NewSortedSet[int64, string]("visits", keyspace.TTL(day))
	DayStock  = keyspace.NewHash[int64, string, int64]("stock", keyspace.TTL(day))
	DayPrices = keyspace.NewHash[int64, string, float64]("prices", keyspace.TTL(day))

	DaySeen    = keyspace.NewBitmap[int64]("seen", keyspace.TTL(day))
	DayCallers = keyspace.NewHyperLogLog[int64, string]("callers", keyspace.TTL(day))
)

// newDB returns a DB on client that is closed with the test.
func newDB(t testing.TB, client redis.UniversalClient, options ...pipectx.Option) *pipectx.DB {
	t.Helper()
	db, err := pipectx.New(client, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it owns no client
	return db
}

// embedded returns a DB on an embedded server of the test's own, and what is
// sent to it.
func embedded(t testing.TB) (*pipectx.DB, *redistest.Recorder) {
	t.Helper()
	client := redistest.Embedded(t).Client(t)
	return newDB(t, client), redistest.Record(client)
}

// everywhere runs a subtest on every kind of server: embedded, real by both
// protocols, and a Cluster. Each begins empty.
func everywhere(t *testing.T, test func(t *testing.T, db *pipectx.DB, sent *redistest.Recorder)) {
	t.Helper()
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		for _, protocol := range []int{3, 2} {
			name := map[int]string{2: "RESP2", 3: "RESP3"}[protocol]
			t.Run(name, func(t *testing.T) {
				client := s.Client(t, func(o *redis.Options) { o.Protocol = protocol })
				if err := client.FlushDB(t.Context()).Err(); err != nil {
					t.Fatal(err)
				}
				test(t, newDB(t, client), redistest.Record(client))
			})
		}
	})
	t.Run("cluster", func(t *testing.T) {
		client := redistest.Cluster(t).Client(t)
		test(t, newDB(t, client), redistest.Record(client))
	})
}

// A conformance row is what one verb must do on every server.
type conformance struct {
	verb  string
	keeps string // the sentence that do proves
	do    func(t *testing.T, ctx context.Context, db *pipectx.DB, id int64)
}

// conform runs rows on every server, each with an id that nobody has used.
func conform(t *testing.T, rows []conformance) {
	t.Helper()
	everywhere(t, func(t *testing.T, db *pipectx.DB, _ *redistest.Recorder) {
		for i, row := range rows {
			if row.keeps == "" {
				t.Fatalf("row %d (%s) does not say what it keeps", i, row.verb)
			}
			t.Run(row.verb, func(t *testing.T) {
				row.do(t, t.Context(), db, int64(100+i))
				if t.Failed() {
					t.Log("want: " + row.keeps)
				}
			})
		}
	})
}

// want fails the test unless the Ref answers value.
func want[T any](t testing.TB, what string, ref *pipectx.Ref[T], value T) {
	t.Helper()
	switch got, err := ref.Result(); {
	case err != nil:
		t.Errorf("%s: %v, want %v", what, err, value)
	case !reflect.DeepEqual(got, value):
		t.Errorf("%s = %#v, want %#v", what, got, value)
	}
}

// done fails the test unless the Ref has a value.
func done[T any](t testing.TB, what string, ref *pipectx.Ref[T]) {
	t.Helper()
	if err := ref.Err(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// wantErr fails the test unless err is target.
func wantErr(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want %v", what, err, target)
	}
}

// wantText fails the test unless err says text.
func wantText(t testing.TB, what string, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("%s:\n got %v\nwant %s", what, err, text)
	}
}

// absent fails the test unless the Ref answers that there is nothing, in these
// words.
func absent[T any](t testing.TB, what string, ref *pipectx.Ref[T], text string) {
	t.Helper()
	wantErr(t, what, ref.Err(), pipectx.ErrNotFound)
	wantText(t, what, ref.Err(), text)
}

// exampleDB returns a DB on an embedded server.
func exampleDB() (db *pipectx.DB, end func()) {
	client, end := redistest.Example()
	db, err := pipectx.New(client)
	if err != nil {
		panic(err)
	}
	return db, end
}
