package pipectx

import "github.com/redis/go-redis/v9"

// Client returns the client of the DB's connection, the one that New was given
// or Open made. It is for what go-redis has and this package has not; what it
// sends is not part of any Run.
func (h *DB) Client() redis.UniversalClient { return h.conn.client }
