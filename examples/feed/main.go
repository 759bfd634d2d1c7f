// Feed is what people post and those who follow them read: a graph of followers, a
// timeline for each reader, likes and counters. It runs on an embedded server, or on the
// one that REDIS_URL names:
//
//	go run ./examples/feed
//
// Writing is cheap and reading is what happens all day, so a post is put on the timeline
// of each follower when it is made: a fan-out on write. Who posts does not wait for that.
// The post goes into an outbox, which is a stream, and workers deliver what is there. Each
// post is a worker's until it is acknowledged; of one that dies, another takes over what
// it had. So a post may be delivered twice, and timeline.lua, which puts it there and
// takes the oldest away in one atomic step, makes of twice once.
//
// Then the page. feed.go and page.go have a function for each thing that a page shows:
// a profile, a post, its likes, its author. Each can be called alone, and is tested
// alone. Called by one another inside a Run they cost nothing of their own: a page of
// fifty posts, some two hundred questions, takes three round trips, of which each needs
// what the one before it has brought.
//
// All users and posts have slots of their own: on a Cluster the three go to all nodes at
// a time.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/redmoon-go/redmoon/internal/demo"
	"github.com/redmoon-go/redmoon/pipectx"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "feed:", err)
		stop()
		os.Exit(1)
	}
}

func start(ctx context.Context) error {
	trips := &Trips{}
	db, about, closeDB, err := demo.Open(ctx, pipectx.Observe(trips))
	if err != nil {
		return err
	}
	defer closeDB()
	fmt.Println("on", about)
	return run(ctx, db, trips, os.Stdout)
}

// Who is there, and how much they have to say.
const (
	people = 12
	each   = 8
	shown  = 50
)

var names = [people]string{"Ada", "Bob", "Cy", "Dana", "Eve", "Finn", "Gus", "Hana", "Ivo", "Jun", "Kim", "Lea"}

// began is when all this happens.
var began = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// run is the program, apart from where its server comes from.
func run(ctx context.Context, db *pipectx.DB, trips *Trips, out io.Writer) error {
	feed := NewFeed(db)
	if err := feed.forget(ctx); err != nil { // an earlier run
		return err
	}
	if err := feed.populate(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d people, %d posts\n", people, people*each)
	if err := feed.deliverAll(ctx, out); err != nil {
		return err
	}
	if err := feed.likeSome(ctx); err != nil {
		return err
	}

	trips.Take()
	page, err := feed.Page(ctx, 1, shown)
	if err != nil {
		return err
	}
	n := trips.Take()
	if err := page.print(out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d posts in %d round trips\n", len(page.Items), n)
	return err
}

// forget removes what an earlier run has left.
func (f *Feed) forget(ctx context.Context) error {
	var users, posts []int64
	for id := range int64(people) {
		users = append(users, id+1)
	}
	for id := range int64(people * each) {
		posts = append(posts, id+1)
	}
	return pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		f.following.DelMany(ctx, users...)
		f.followers.DelMany(ctx, users...)
		f.timelines.DelMany(ctx, users...)
		f.likes.DelMany(ctx, posts...)
		f.counts.DelMany(ctx, posts...)
		f.outbox.Del(ctx)
		return nil
	})
}

// populate has everybody join, follow some others, and post: one round trip.
func (f *Feed) populate(ctx context.Context) error {
	return pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		for i, name := range names {
			id := int64(i + 1)
			f.users.Save(ctx, User{ID: id, Name: name, Joined: began})
			for other := int64(1); other <= people; other++ {
				if other != id && (id+other)%4 != 0 {
					if err := f.Follow(ctx, id, other); err != nil {
						return err
					}
				}
			}
		}
		for i := range int64(people * each) {
			author := i%people + 1
			p := Post{ID: i + 1, Author: author, Text: fmt.Sprintf("%s's thought number %d", names[author-1], i/people+1), At: began.Add(time.Duration(i) * time.Minute)}
			if err := f.Say(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// deliverAll has two workers empty the outbox: the first leaves after a third, in the
// middle of what it was given, and the second does what it has left too.
func (f *Feed) deliverAll(ctx context.Context, out io.Writer) error {
	sum := 0
	for i, until := range []int{people * each / 3, people * each} {
		name := fmt.Sprint("worker ", i+1)
		working, leave := context.WithCancel(ctx)
		n := 0
		err := f.Deliver(working, name, func(Posted) {
			n++
			if sum++; sum == until {
				leave()
			}
		})
		leave()
		if ctx.Err() != nil || !errors.Is(err, context.Canceled) {
			return err
		}
		fmt.Fprintf(out, "%s delivered %d\n", name, n)
	}
	return nil
}

// likeSome has each user like every post whose number theirs divides.
func (f *Feed) likeSome(ctx context.Context) error {
	return pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		for user := int64(1); user <= people; user++ {
			for post := user; post <= people*each; post += user {
				f.Like(ctx, user, post)
			}
		}
		return nil
	})
}

// print shows the first posts of a page.
func (p Page) print(out io.Writer) error {
	user, err := p.Profile.User.Result()
	following, err1 := p.Profile.Following.Result()
	followers, err2 := p.Profile.Followers.Result()
	if err := errors.Join(err, err1, err2); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s follows %d and has %d followers\n", user.Name, following, followers)
	for i, item := range p.Items {
		post, err := item.Post.Result()
		author, err1 := item.Author.Result()
		likes, err2 := item.Likes.Result()
		liked, err3 := item.Liked.Result()
		views, err4 := item.Views.Result()
		if err := errors.Join(err, err1, err2, err3, err4); err != nil {
			return err
		}
		if i >= 5 && i < len(p.Items)-1 {
			continue
		}
		mine := ""
		if liked {
			mine = ", yours too"
		}
		fmt.Fprintf(out, "  %s %-5s %-28s %d likes%s, %d views\n", post.At.UTC().Format("15:04"), author.Name, post.Text, likes, mine, views)
	}
	return nil
}
