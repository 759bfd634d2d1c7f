// Shop is a web service on Redis, and visitors who put it to the test: a catalogue that is
// cached in Redis and in the process, a checkout that holds a product's lock, sessions
// that end by themselves, and a limit to what one client may ask. It serves itself on the
// loopback, has a crowd of clients look and buy, prints how long they waited, and then
// takes stock: what was sold and what is left add up.
//
//	go run ./examples/shop
//	REDIS_URL=redis://localhost:6379 go run ./examples/shop -clients 100 -requests 500
//	go run ./examples/shop -serve localhost:8080
//
// shop.go declares what is stored and the functions on it, http.go serves them, load.go is
// the crowd.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/redmoon-go/redmoon/internal/demo"
	"github.com/redmoon-go/redmoon/pipectx"
)

func main() {
	clients := flag.Int("clients", 20, "how many clients come")
	requests := flag.Int("requests", 100, "how many requests each makes")
	serve := flag.String("serve", "", "an address to serve at until the program is interrupted, instead of the crowd")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx, *clients, *requests, *serve); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		stop()
		os.Exit(1)
	}
}

func start(ctx context.Context, clients, requests int, addr string) error {
	db, about, closeDB, err := demo.Open(ctx)
	if err != nil {
		return err
	}
	defer closeDB()
	fmt.Println("on", about)
	if addr == "" {
		return run(ctx, db, clients, requests, os.Stdout)
	}
	shop, err := open(ctx, db)
	if err != nil {
		return err
	}
	listener, end, err := serve(shop, addr)
	if err != nil {
		return err
	}
	defer end()
	fmt.Printf("http://%v/products/1\n", listener)
	<-ctx.Done()
	return nil
}

// What the shop sells when it opens.
const (
	products = 50
	inStock  = 20
)

// open fills the shelves.
func open(ctx context.Context, db *pipectx.DB) (*Shop, error) {
	shop := NewShop(db)
	return shop, pipectx.Run(ctx, db, func(ctx context.Context) error {
		for id := range int64(products) {
			shop.products.Save(ctx, Product{ID: id + 1, Name: fmt.Sprint("Thing ", id+1), Cents: 100*(id+1) - 1, Stock: inStock})
			shop.sold.Del(ctx, id+1)
		}
		Catalogue.On(db).Remove(ctx)
		return nil
	})
}

// serve serves the shop until end is called.
func serve(shop *Shop, addr string) (at net.Addr, end func(), err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: shop.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // it returns when it is closed
	return listener.Addr(), func() { _ = server.Close() }, nil
}

// run is the program, apart from where its server comes from.
func run(ctx context.Context, db *pipectx.DB, clients, requests int, out io.Writer) error {
	shop, err := open(ctx, db)
	if err != nil {
		return err
	}
	at, end, err := serve(shop, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer end()

	l := &load{url: "http://" + at.String(), clients: clients, products: products, requests: requests}
	progress := demo.NewProgress("visiting", clients*requests)
	if err := l.run(ctx, progress); err != nil {
		return err
	}
	progress.End()
	for _, what := range []string{"page", "buy"} {
		histogram(out, what, l.took[what])
	}
	for _, code := range slices.Sorted(maps.Keys(l.codes)) {
		fmt.Fprintf(out, "%d %s: %d\n", code, http.StatusText(code), l.codes[code])
	}
	return shop.takeStock(ctx, db, len(l.took["buy"]), out)
}

// takeStock counts what was sold in three ways, and tells what the catalogue did.
func (s *Shop) takeStock(ctx context.Context, db *pipectx.DB, bought int, out io.Writer) error {
	left, sold := int64(0), int64(0)
	for id := range int64(products) {
		product, err := s.products.Get(ctx, id+1).Result()
		if err != nil {
			return err
		}
		left += product.Stock
		n, err := s.sold.Get(ctx, id+1).Result()
		if err != nil && !errors.Is(err, pipectx.ErrNotFound) {
			return err
		}
		sold += n
	}
	fmt.Fprintf(out, "sold: %d by the clients, %d by the counters, %d by the stock\n", bought, sold, products*inStock-left)
	if int64(bought) != sold || sold != products*inStock-left {
		return errors.New("that does not add up")
	}
	if err := Catalogue.On(db).Flush(ctx); err != nil {
		return err
	}
	all, err := Catalogue.On(db).Statistics(ctx, time.Now()).Result()
	if err != nil {
		return err
	}
	c := all["page"]
	asked := c.Hits + c.Near + c.Stale + c.Misses
	fmt.Fprintf(out, "pages: %d asked for, %d%% near, %d%% in Redis, %d loaded\n",
		asked, 100*c.Near/max(asked, 1), 100*(c.Hits+c.Stale)/max(asked, 1), c.Loads)
	return nil
}
