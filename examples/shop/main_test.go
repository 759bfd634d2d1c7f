package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

func TestMain(m *testing.M) { redistest.Main(m, redistest.WithCluster) }

func everywhere(t *testing.T, test func(t *testing.T, db *pipectx.DB)) {
	redistest.EachWithEmbedded(t, func(t *testing.T, s *redistest.Node) {
		client := s.Client(t)
		if err := client.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		test(t, dbOn(t, client))
	})
	t.Run("cluster", func(t *testing.T) { test(t, dbOn(t, redistest.Cluster(t).Client(t))) })
}

func dbOn(t *testing.T, client redis.UniversalClient) *pipectx.DB {
	db, err := pipectx.New(client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// Ensure that a crowd's purchases add up, and that every one was answered.
func TestRun(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB) {
		var out bytes.Buffer
		if err := run(t.Context(), db, 10, 40, &out); err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		for _, want := range []string{`(?m)^page: \d+ requests, p50 `, `(?m)^buy: \d+ requests`, `(?m)^  ≤ \S+ +\d+ █`, `(?m)^sold: (\d+) by the clients`, `(?m)^pages: \d+ asked for`} {
			if !regexp.MustCompile(want).MatchString(out.String()) {
				t.Errorf("no %s in\n%s", want, out.String())
			}
		}
	})
}

// Ensure that what a client asks wrong is told it, and that who asks too often waits.
func TestAnswers(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB) {
		shop, err := open(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		at, end, err := serve(shop, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer end()
		url := "http://" + at.String()
		for path, c := range map[string]struct {
			method string
			code   int
		}{
			"/products/7":           {http.MethodGet, http.StatusOK},
			"/products/7/buy?n=2":   {http.MethodPost, http.StatusOK},
			"/products/404":         {http.MethodGet, http.StatusNotFound},
			"/products/404/buy?n=1": {http.MethodPost, http.StatusNotFound},
			"/products/0":           {http.MethodGet, http.StatusBadRequest},
			"/products/all":         {http.MethodGet, http.StatusBadRequest},
			"/products/7/buy":       {http.MethodPost, http.StatusBadRequest},
			"/products/7/buy?n=-1":  {http.MethodPost, http.StatusBadRequest},
			"/products/8/buy?n=21":  {http.MethodPost, http.StatusConflict},
		} {
			code, _, err := ask(t.Context(), http.DefaultClient, c.method, url+path, "tester")
			if err != nil || code != c.code {
				t.Errorf("%s %s: %d, %v; want %d", c.method, path, code, err, c.code)
			}
		}
		limited := false
		for range 2 * perBurst {
			code, after, err := ask(t.Context(), http.DefaultClient, http.MethodGet, url+"/products/0", "greedy")
			if err != nil {
				t.Fatal(err)
			}
			if code == http.StatusTooManyRequests {
				if limited = true; after < time.Second {
					t.Errorf("it may come back after %v", after)
				}
				break
			}
		}
		if !limited {
			t.Errorf("%d requests in a row were all let through; %d at once are the limit", 2*perBurst, perBurst)
		}
	})
}

// Ensure that a page shows what was bought as soon as it is built anew, and that a
// session counts.
func TestPage(t *testing.T) {
	everywhere(t, func(t *testing.T, db *pipectx.DB) {
		ctx := t.Context()
		shop, err := open(ctx, db)
		if err != nil {
			t.Fatal(err)
		}
		if page, err := shop.Page(ctx, 3); err != nil || page != (Page{3, "Thing 3 for 2.99", inStock, 0}) {
			t.Errorf("%+v, %v", page, err)
		}
		order, err := shop.Buy(ctx, "ada", 3, 5)
		if err != nil || order.Cents != 5*299 || order.Client != "ada" {
			t.Errorf("%+v, %v", order, err)
		}
		redistest.Until(t, 10*time.Second, "the page to be built anew", func() error {
			if page, err := shop.Page(ctx, 3); err != nil || page.Stock != inStock-5 || page.Sold != 5 {
				return fmt.Errorf("%+v, %v", page, err)
			}
			return nil
		})
		for range 3 {
			if _, err := shop.Visit(ctx, "s1", "ada"); err != nil {
				t.Fatal(err)
			}
		}
		s, err := shop.sessions.Get(context.Background(), "s1").Result()
		if err != nil || s.Requests != 3 || s.Client != "ada" {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
