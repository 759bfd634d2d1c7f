package main

import (
	"context"
	"embed"
	"time"

	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
	"github.com/redmoon-go/redmoon/pipectx"
)

// User is a record: one Redis hash.
type User struct {
	ID     int64     `redis:"id,key"`
	Name   string    `redis:"name" validate:"required,max=40"`
	Joined time.Time `redis:"joined"`
}

// Post is what a user has said.
type Post struct {
	ID     int64     `redis:"id,key"`
	Author int64     `redis:"author"`
	Text   string    `redis:"text" validate:"required,max=280"`
	At     time.Time `redis:"at,unixms"`
}

// Posted is an entry of the outbox: a post that is to be delivered.
type Posted struct {
	Post   int64     `redis:"post"`
	Author int64     `redis:"author"`
	At     time.Time `redis:"at,unixms"`
}

// PushArgs are the arguments of push in timeline.lua, by name.
type PushArgs struct {
	Post int64 `lua:"post"`
	At   int64 `lua:"at"`
	Keep int64 `lua:"keep"`
}

//go:embed timeline.lua
var sources embed.FS

// keep is how many posts a timeline holds.
const keep = 100

// What is stored. Every id has a slot of its own: users and posts spread over a Cluster.
var (
	Users = model.Define[User, int64]("feed.user") // feed.user{7}
	Posts = model.Define[Post, int64]("feed.post") // feed.post{42}

	Following = keyspace.NewSet[int64, int64]("feed.following")     // feed.following{7}: whom 7 follows
	Followers = keyspace.NewSet[int64, int64]("feed.followers")     // feed.followers{7}: who follows 7
	Likes     = keyspace.NewSet[int64, int64]("feed.likes")         // feed.likes{42}: who likes the post 42
	Counts    = keyspace.NewHash[int64, string, int64]("feed.seen") // feed.seen{42}: counters of the post 42

	Timelines = keyspace.NewSortedSet[int64, int64]("feed.timeline", // feed.timeline{7}: posts by their time
		keyspace.Lua(lua.Must(lua.LoadFS(sources, "timeline"))), keyspace.TTL(30*24*time.Hour))
	Push = keyspace.Method[PushArgs, bool](Timelines, "push")

	Outbox = keyspace.NewStream[string, Posted]("feed.outbox") // feed.outbox{all}: what is to be delivered
)

const all = "all" // the one outbox there is

// Feed is a service on them.
type Feed struct {
	db        *pipectx.DB
	users     model.Repo[User, int64]
	posts     model.Repo[Post, int64]
	following keyspace.BoundSet[int64, int64]
	followers keyspace.BoundSet[int64, int64]
	likes     keyspace.BoundSet[int64, int64]
	counts    keyspace.BoundHash[int64, string, int64]
	timelines keyspace.BoundSortedSet[int64, int64]
	push      keyspace.BoundOperation[int64, PushArgs, bool]
	outbox    keyspace.StreamKey[Posted]
}

// NewFeed returns the service on a DB.
func NewFeed(db *pipectx.DB) *Feed {
	return &Feed{db, Users.On(db), Posts.On(db), Following.On(db), Followers.On(db), Likes.On(db), Counts.On(db),
		Timelines.On(db), Push.On(db), Outbox.On(db).Key(all)}
}

// Follow has one user follow another. Both sides are sets, so following twice is
// following once. Called alone it costs one round trip, under a Run none.
func (f *Feed) Follow(ctx context.Context, who, whom int64) error {
	return pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		f.following.Add(ctx, who, whom)
		f.followers.Add(ctx, whom, who)
		return nil
	})
}

// Say stores a post and files it for delivery; it does not wait for that. If the program
// dies between the two, or the post is refused, there is a post at most that nobody sees.
func (f *Feed) Say(ctx context.Context, p Post) error {
	return pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		f.posts.Save(ctx, p)
		f.outbox.AddWith(ctx, Posted{p.ID, p.Author, p.At}, keyspace.AddOptions{Trim: keyspace.MaxLen(100_000).About()})
		return nil
	})
}

// Deliver fans out what is in the outbox until ctx ends, as one of several that share
// the work. A post is delivered at least once; push makes that once for the reader.
// Delivered is called behind each.
func (f *Feed) Deliver(ctx context.Context, name string, delivered func(Posted)) error {
	as := keyspace.Consumer{Group: "delivery", Name: name, Idle: time.Second}
	return f.outbox.Consume(ctx, as, func(ctx context.Context, e keyspace.Entry[Posted]) error {
		if e.Err != nil {
			return e.Err
		}
		if err := f.fanOut(ctx, e.Value); err != nil {
			return err
		}
		delivered(e.Value)
		return nil
	})
}

// fanOut puts a post on the timelines of its author's followers: two round trips,
// however many they are.
func (f *Feed) fanOut(ctx context.Context, p Posted) error {
	readers, err := f.followers.Members(ctx, p.Author).Result()
	if err != nil {
		return err
	}
	return pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		for _, reader := range readers {
			f.push.Call(ctx, reader, PushArgs{p.Post, p.At.UnixMilli(), keep})
		}
		return nil
	})
}

// Like tells whether the user did not like the post before.
func (f *Feed) Like(ctx context.Context, user, post int64) *pipectx.Ref[bool] {
	return pipectx.Map(f.likes.Add(ctx, post, user), func(n int64) (bool, error) { return n == 1, nil })
}
