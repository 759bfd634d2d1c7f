package pipectx

import "strings"

// Where a command keeps its keys, for those that do not have just one, as
// their first argument. Source: COMMAND DOCS and COMMAND INFO of Redis 7.
type keyLayout int

const (
	firstArgument keyLayout = iota
	keyless
	allKeys
	keyValues
	twoKeys
	second           // after a subcommand
	afterOperation   // BITOP AND dest src…
	countFirst       // a count, then the keys
	countSecond      // EVAL script count keys…
	destinationCount // a destination, a count, then the keys
	afterStreams
	firstAndStore // and another behind STORE or STOREDIST
	thirdOrKeys   // MIGRATE host port key …, or "" and the keys behind KEYS
)

var layouts = map[keyLayout]string{
	keyless: `ACL BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE ECHO FAILOVER FLUSHALL FLUSHDB FUNCTION
		INFO KEYS LASTSAVE LATENCY LOLWUT MODULE PING PUBLISH PUBSUB RANDOMKEY REPLICAOF ROLE SAVE SCAN SCRIPT SHUTDOWN
		SLOWLOG SWAPDB TIME`,
	allKeys:          `DEL UNLINK EXISTS TOUCH MGET SDIFF SDIFFSTORE SINTER SINTERSTORE SUNION SUNIONSTORE PFCOUNT PFMERGE`,
	keyValues:        `MSET MSETNX`,
	twoKeys:          `RENAME RENAMENX COPY RPOPLPUSH LMOVE SMOVE GEOSEARCHSTORE ZRANGESTORE LCS`,
	second:           `OBJECT MEMORY XGROUP XINFO DEBUG PFDEBUG`,
	afterOperation:   `BITOP`,
	countFirst:       `ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD LMPOP ZMPOP`,
	countSecond:      `EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO`,
	destinationCount: `ZUNIONSTORE ZINTERSTORE ZDIFFSTORE`,
	afterStreams:     `XREAD XREADGROUP`,
	firstAndStore:    `SORT GEORADIUS GEORADIUSBYMEMBER`,
	thirdOrKeys:      `MIGRATE`,
}

// readOnly are the commands that Do may send again when an answer was lost.
const readOnly = `BITCOUNT BITFIELD_RO BITPOS DBSIZE DUMP ECHO EVALSHA_RO EVAL_RO EXISTS EXPIRETIME FCALL_RO
	GEODIST GEOHASH GEOPOS GEOSEARCH GET GETBIT GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET HRANDFIELD HSCAN HSTRLEN
	HVALS INFO KEYS LCS LINDEX LLEN LPOS LRANGE MGET OBJECT PEXPIRETIME PFCOUNT PING PTTL RANDOMKEY SCAN SCARD SDIFF
	SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TIME TOUCH TTL TYPE
	XINFO XLEN XPENDING XRANGE XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE
	ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION`

const (
	blocks       = "blocks, and would hold up everything that shares its connection; use the client for it"
	changesState = "changes the state of a connection that others share; use the client for it"
)

const (
	blocking = `BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN WAIT WAITAOF`

	ofConnection = `AUTH ASKING DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE REPLCONF
		RESET SELECT SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WATCH`
)

// commandInfo is what Do knows of a command.
type commandInfo struct {
	keys        keyLayout
	read        bool
	refused     string            // why it has no place in a pipeline
	refusedWith map[string]string // likewise, with a certain word among its options
}

// refusal is why a command has no place in a pipeline, "" if it has.
func (i *commandInfo) refusal(c *Command) string {
	for n := 1; n < len(c.ends) && i.refusedWith != nil; n++ {
		word := strings.ToUpper(string(c.word(n)))
		if word == "STREAMS" { // names of streams follow
			break
		}
		if word == "GROUP" { // names of a group and a consumer follow
			n += 2
		}
		if why := i.refusedWith[word]; why != "" {
			return why
		}
	}
	return i.refused
}

// commandTable is by name, in capitals.
var commandTable = func() map[string]commandInfo {
	all := map[string]commandInfo{}
	change := func(names string, change func(*commandInfo)) {
		for _, name := range strings.Fields(names) {
			info := all[name]
			change(&info)
			all[name] = info
		}
	}
	for l, names := range layouts {
		change(names, func(c *commandInfo) { c.keys = l })
	}
	change(readOnly, func(c *commandInfo) { c.read = true })
	change(blocking, func(c *commandInfo) { c.refused = blocks })
	change(ofConnection, func(c *commandInfo) { c.refused = changesState })
	change(`XREAD XREADGROUP`, func(c *commandInfo) { c.refusedWith = map[string]string{"BLOCK": blocks} })
	change(`CLIENT`, func(c *commandInfo) {
		c.refusedWith = map[string]string{"REPLY": changesState, "TRACKING": changesState, "CACHING": changesState,
			"SETNAME": changesState, "SETINFO": changesState, "NO-EVICT": changesState, "NO-TOUCH": changesState}
	})
	change(`SCRIPT`, func(c *commandInfo) { c.refusedWith = map[string]string{"DEBUG": changesState} })
	change(`APPEND DECR DECRBY EXPIRE HDEL HINCRBY HMSET HSET HSETNX INCR INCRBY LPOP LPUSH PEXPIRE RPOP RPUSH SADD SET SETEX SETNX
		SPOP SREM XADD ZADD ZINCRBY ZREM`, func(*commandInfo) {}) // in the table, so that they are found at the first look-up
	return all
}()
