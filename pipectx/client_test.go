package pipectx_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Client is the very client that New was given, of each connection its own.
func TestClient(t *testing.T) {
	main, logs := redis.NewClient(&redis.Options{}), redis.NewClient(&redis.Options{})
	defer main.Close()
	defer logs.Close()
	db, err := pipectx.New(main, pipectx.Connection("logs", logs))
	if err != nil {
		t.Fatal(err)
	}
	other, err := db.Conn("logs")
	if err != nil {
		t.Fatal(err)
	}
	if db.Client() != redis.UniversalClient(main) || other.Client() != redis.UniversalClient(logs) {
		t.Error("Client is not the client of its connection")
	}
}
