package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/cache"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lock"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A Product is for sale while there is stock.
type Product struct {
	ID    int64  `redis:"id,key"`
	Name  string `redis:"name" validate:"required"`
	Cents int64  `redis:"cents" validate:"gt=0"`
	Stock int64  `redis:"stock" validate:"gte=0"`
}

// An Order is what a client has bought.
type Order struct {
	ID      uuid.UUID `redis:"id,key"`
	Client  string    `redis:"client"`
	Product int64     `redis:"product"`
	Count   int64     `redis:"count" validate:"gt=0"`
	Cents   int64     `redis:"cents"`
	At      time.Time `redis:"at"`
}

// A Session is a client's visit. It ends a while after the last request.
type Session struct {
	ID       string `redis:"id,key"`
	Client   string `redis:"client"`
	Requests int64  `redis:"requests"`
}

// What is stored.
var (
	Products = model.Define[Product, int64]("shop.product")                                // shop.product{42}
	Orders   = model.Define[Order, uuid.UUID]("shop.order")                                // shop.order{…}
	Sessions = model.Define[Session, string]("shop.session", keyspace.TTL(30*time.Minute)) // shop.session{…}
	Sold     = keyspace.NewString[int64, int64]("shop.sold")                               // shop.sold{42}: a counter
	Client   = model.FieldOf(Sessions, func(s *Session) *string { return &s.Client })
	Requests = model.FieldOf(Sessions, func(s *Session) *int64 { return &s.Requests })
	Calls    = lock.NewLimiter("shop.calls", lock.TokenBucket(perSecond, time.Second, perBurst)) // shop.calls{client}
	Checkout = lock.New("shop.checkout", lock.Options{TTL: 5 * time.Second})                     // shop.checkout{42}
)

// What a client may ask for.
const (
	perSecond = 20
	perBurst  = 100
)

// Catalogue are pages, which cost something to build: so they are cached, an hour in
// Redis and a second in each process.
var (
	Catalogue = cache.NewRegion("shop-catalogue", cache.Options{
		TTL: time.Hour, Soft: time.Minute, Missing: 10 * time.Second,
		Near: cache.Near{Entries: 1000, TTL: time.Second},
	})
	Pages = cache.Func(Catalogue, "page", buildPage)
)

// A Page is what a client sees of a product.
type Page struct {
	Product int64  `json:"product"`
	Title   string `json:"title"`
	Stock   int64  `json:"stock"`
	Sold    int64  `json:"sold"`
}

// Shop is the service on a DB.
type Shop struct {
	db       *pipectx.DB
	products model.Repo[Product, int64]
	orders   model.Repo[Order, uuid.UUID]
	sessions model.Repo[Session, string]
	sold     keyspace.BoundString[int64, int64]
	pages    cache.Bound[int64, Page]
	checkout lock.Bound
	calls    lock.BoundLimiter
}

// NewShop binds what is declared.
func NewShop(db *pipectx.DB) *Shop {
	return &Shop{db, Products.On(db), Orders.On(db), Sessions.On(db), Sold.On(db), Pages.On(db), Checkout.On(db), Calls.On(db)}
}

type shopKey struct{}

// in gives a context the shop: buildPage is declared before there is a DB.
func (s *Shop) in(ctx context.Context) context.Context { return context.WithValue(ctx, shopKey{}, s) }

// buildPage reads a product and what was sold of it, in one round trip.
func buildPage(ctx context.Context, id int64) (page Page, err error) {
	s := ctx.Value(shopKey{}).(*Shop)
	var product *pipectx.Ref[Product]
	var sold *pipectx.Ref[int64]
	err = pipectx.Run(ctx, s.db, func(ctx context.Context) error {
		product, sold = s.products.Get(ctx, id), s.sold.Get(ctx, id)
		return nil
	})
	if err != nil {
		return page, err
	}
	p, err := product.Result()
	if err != nil {
		return page, err
	}
	n, err := sold.Result()
	if err != nil && !errors.Is(err, pipectx.ErrNotFound) { // nobody has bought any yet
		return page, err
	}
	return Page{id, fmt.Sprintf("%s for %d.%02d", p.Name, p.Cents/100, p.Cents%100), p.Stock, n}, nil
}

// Page answers a product's page.
func (s *Shop) Page(ctx context.Context, id int64) (Page, error) {
	return s.pages.Get(s.in(ctx), id).Result()
}

var errSoldOut = errors.New("sold out")

// Buy takes some of a product out of stock for a client. It reads before it writes, so it
// holds the product's lock, and writes under its lease: had this process been stopped for
// so long that somebody else holds the lock, its write would be refused.
func (s *Shop) Buy(ctx context.Context, client string, id, count int64) (order Order, err error) {
	err = s.checkout.Do(ctx, fmt.Sprint(id), func(ctx context.Context, lease *lock.Lease) error {
		product, err := s.products.Get(ctx, id).Result()
		if err != nil {
			return err
		}
		if product.Stock < count {
			return fmt.Errorf("%w: %d left of %s", errSoldOut, product.Stock, product.Name)
		}
		product.Stock -= count
		if err := s.products.Fenced(lease).Save(ctx, product).Err(); err != nil {
			return err
		}
		return pipectx.Run(ctx, s.db, func(ctx context.Context) error {
			created := s.orders.Create(ctx, Order{Client: client, Product: id, Count: count, Cents: count * product.Cents, At: time.Now()})
			s.sold.IncrBy(ctx, id, count)
			s.pages.Invalidate(ctx, id)
			return pipectx.Then(ctx, created, func(o Order, err error) error {
				order = o
				return err
			})
		})
	})
	return order, err
}

// Visit counts a request of a session, which begins if there is none, and tells whether
// the client may go on, and else when.
func (s *Shop) Visit(ctx context.Context, session, client string) (lock.Verdict, error) {
	var verdict *pipectx.Ref[lock.Verdict]
	err := pipectx.Run(ctx, s.db, func(ctx context.Context) error {
		verdict = s.calls.Allow(ctx, client)
		s.sessions.Upsert(ctx, session, Client.Set(client), model.Incr(Requests, 1))
		return nil
	})
	if err != nil {
		return lock.Verdict{}, err
	}
	return verdict.Result()
}
