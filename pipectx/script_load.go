package pipectx

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Load loads scripts into the cache of every node before anyone calls them: of a
// Cluster, all that it tells of, replicas among them. It is never needed: a call takes the body along
// where a node does not know it. It spares the first calls those bytes.
//
// Cost: SCRIPT LOAD; 1 command a script and node; 1 round trip a node, all at once;
// refused inside Run.
func Load(ctx context.Context, db *DB, scripts ...*Script) error {
	if err := db.outside(ctx, "Load"); err != nil || len(scripts) == 0 {
		return err
	}
	if db.closed.Load() {
		return ErrClosed
	}
	into := func(ctx context.Context, client *redis.Client) error {
		_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, s := range scripts {
				p.ScriptLoad(ctx, s.Body)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("pipectx: load scripts into %s: %w", client.Options().Addr, err)
		}
		n := db.conn.node(client)
		for _, s := range scripts {
			n.known.add(s.SHA)
		}
		return nil
	}
	if c := db.conn.cluster; c != nil {
		return c.ForEachShard(ctx, into)
	}
	return into(ctx, db.conn.single.client)
}
