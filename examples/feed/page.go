package main

import (
	"context"

	"github.com/redmoon-go/redmoon/pipectx"
)

// Profile is what stands above a timeline.
type Profile struct {
	User                 *pipectx.Ref[User]
	Following, Followers *pipectx.Ref[int64]
}

// Item is a post as one reader sees it.
type Item struct {
	Post   *pipectx.Ref[Post]
	Author *pipectx.Ref[User]
	Likes  *pipectx.Ref[int64]
	Liked  *pipectx.Ref[bool] // by the reader
	Views  *pipectx.Ref[int64]
}

// Page is what a reader sees.
type Page struct {
	Profile Profile
	Items   []Item
}

// Profile asks for what stands above a timeline.
func (f *Feed) Profile(ctx context.Context, user int64) (p Profile, err error) {
	err = pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		p.User = f.users.Get(ctx, user)
		p.Following = f.following.Card(ctx, user)
		p.Followers = f.followers.Card(ctx, user)
		return nil
	})
	return p, err
}

// Item asks for a post, and counts that it was seen. Called alone it is two round trips:
// who the author is comes with the post.
func (f *Feed) Item(ctx context.Context, reader, post int64) (it Item, err error) {
	err = pipectx.Run(ctx, f.db, func(ctx context.Context) error {
		it.Post = f.posts.Get(ctx, post)
		it.Likes = f.likes.Card(ctx, post)
		it.Liked = f.likes.IsMember(ctx, post, reader)
		it.Views = f.counts.IncrBy(ctx, post, "views", 1)
		it.Author, err = f.author(ctx, it.Post)
		return err
	})
	return it, err
}

// author asks for the author of a post that is not here yet, as soon as it is.
func (f *Feed) author(ctx context.Context, post *pipectx.Ref[Post]) (*pipectx.Ref[User], error) {
	author, set := pipectx.NewRef[User](ctx)
	return author, pipectx.After(ctx, func(ctx context.Context) error {
		p, err := post.Result()
		if err != nil {
			set(User{}, err)
			return nil // the post is gone, and the page goes on without it
		}
		user := f.users.Get(ctx, p.Author)
		return pipectx.After(ctx, func(context.Context) error {
			set(user.Result())
			return nil
		})
	})
}

// Page composes the functions above. None of them knows of it, and none costs a round
// trip of its own. There are three, for fifty items as for one: what the timeline has,
// the posts with their counters, and their authors.
func (f *Feed) Page(ctx context.Context, reader, items int64) (p Page, err error) {
	err = pipectx.Run(ctx, f.db, func(ctx context.Context) (err error) {
		if p.Profile, err = f.Profile(ctx, reader); err != nil {
			return err
		}
		newest := f.timelines.RevRange(ctx, reader, 0, items-1)
		return pipectx.After(ctx, func(ctx context.Context) error {
			posts, err := newest.Result()
			if err != nil {
				return err
			}
			for _, post := range posts {
				item, err := f.Item(ctx, reader, post)
				if err != nil {
					return err
				}
				p.Items = append(p.Items, item)
			}
			return nil
		})
	})
	return p, err
}
