package pipectx

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Scan iterates over the keys that match a pattern of Redis's, "" for all, and are
// of a type, "" for any; on a Cluster over those of all masters, one after another.
//
// A key that is there all the while is seen at least once, and perhaps more often;
// one that comes or goes meanwhile may be seen or not; so may one whose slot moves
// between nodes. An error ends the scan of its node: the others follow, unless the
// caller stops. Inside a Run, which sends nothing before it ends, the only thing
// seen is an error.
//
// Cost: SCAN; 1 command and 1 round trip for each 1,000 keys of the whole database,
// whether they match or not, while the caller iterates.
func Scan(ctx context.Context, db *DB, pattern, typ string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := Outside(ctx, db, "pipectx: Scan"); err != nil {
			yield("", err)
			return
		}
		nodes, err := db.conn.masters(ctx)
		if err != nil {
			yield("", fmt.Errorf("pipectx: Scan: %w: %w", ErrNotSent, err))
			return
		}
		for _, addr := range nodes {
			for cursor := "0"; ; {
				page, err := db.scan(ctx, addr, cursor, pattern, typ)
				if err != nil {
					if !yield("", err) || ctx.Err() != nil {
						return
					}
					break
				}
				for _, key := range page.keys {
					if !yield(key, nil) {
						return
					}
				}
				if cursor = page.cursor; cursor == "0" {
					break
				}
			}
		}
	}
}

// scanCount is how many keys a server looks at before it answers: it does nothing
// else meanwhile.
const scanCount = 1000

type page struct {
	cursor string
	keys   []string
}

// scan asks one node for one page.
func (h *DB) scan(ctx context.Context, addr, cursor, pattern, typ string) (page, error) {
	c := NewCommand("SCAN", cursor).Read()
	if pattern != "" {
		c.Word("MATCH")
		c.Word(pattern)
	}
	c.Word("COUNT")
	c.Int(scanCount)
	if typ != "" {
		c.Word("TYPE")
		c.Word(typ)
	}
	ref := &Ref[page]{decode: readPage}
	a := arenas.Get().(*arena)
	var items [1]item
	c.become(&items[0], h.conn, -1, a, ref)
	items[0].goTo = addr
	c.free()
	if h.flush(ctx, items[:], 0, nil) {
		a.free()
	}
	return ref.Result()
}

func readPage(r Reply) (p page, err error) {
	items, err := r.Items()
	if err != nil {
		return p, err
	}
	if items.Next() {
		if p.cursor, err = items.Reply().Text(); err != nil {
			return p, err
		}
	}
	if !items.Next() {
		return p, r.mismatch("a cursor and keys")
	}
	p.keys, err = items.Reply().Texts()
	return p, err
}

// masters are the addresses of a Cluster's masters, in order; "" is the only
// server there is.
func (c *conn) masters(ctx context.Context) ([]string, error) {
	if c.cluster == nil {
		return []string{""}, nil
	}
	var mu sync.Mutex
	var nodes []string
	_, err := c.watched(ctx, func() (*node, error) {
		return nil, c.cluster.ForEachMaster(ctx, func(_ context.Context, client *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, client.Options().Addr)
			return nil
		})
	})
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(nodes)
	return nodes, err
}
