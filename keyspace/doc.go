// Package keyspace declares named groups of Redis keys: each holds one Redis
// type, and ids, values, members and fields have Go types. A declaration says
// once how its keys are named, in which slot they live and what they hold; what
// can be wrong with it is wrong at start-up.
//
//	var (
//		Names  = keyspace.NewString[int64, string]("name")
//		Visits = keyspace.NewSortedSet[int64, string]("visits", keyspace.TTL(24*time.Hour))
//	)
//
//	names, visits := Names.On(db), Visits.On(db) // bound once, at construction
//
//	name := names.Get(ctx, 42)                  // GET name{42}
//	views := visits.IncrBy(ctx, 42, "/home", 1) // ZINCRBY visits{42} 1 /home | PEXPIRE visits{42} 86400000
//
// A definition holds no connection and has no verbs. On binds it to a DB: the
// verbs of a Bound type take ctx and the id. Key is one key of it, with the same
// verbs without the id.
//
// Every verb answers a [pipectx.Ref], writes too. Given a context with an open
// pipeline it queues; given any other it runs now. Verbs have Redis's names in
// Go's case, without the letter of the type: ZADD is SortedSet's Add. HDEL,
// HEXISTS, HEXPIRE and their kin keep theirs, HDel, HExists, HExpire, because Del,
// Exists and Expire are verbs of whole keys, which all keyspaces have. The page
// docs/commands.md tells the verb of every command.
//
// Each iterates over the elements of a key, ScanIDs over the ids of a keyspace; both
// need their answers at once, and are refused inside a Run, where Scan queues one
// step.
//
// # Keys
//
// How a key is made from prefix and id is the [Placement]: an id has a slot of
// its own unless the declaration says otherwise.
//
//	declared                          key of 42      shares its slot with
//	NewString[int64, V]("n")          n{42}          everything of the id 42
//	…("n", OneSlot("users"))          n{users}:42    everything placed with users
//	…("n", Buckets("users", 64))      n{users.0}:42  one in 64 of what is placed with these
//	NewString[Member, V]("n")         n{acme}:42     everything of the slot value acme
//	…("n", Template("user:%s:name"))  user:42:name   no promise
//
// Keyspaces and models make keys by one rule, [Keys], which reads ids back from
// keys too. ScanIDs iterates over the ids of all keys that are stored.
//
// # Absence
//
// A verb that reads one thing answers [pipectx.ErrNotFound] when it is not
// there: Get, Pop, Score, Rank, TTL, Type. That is no failure of a Run. Verbs
// that read collections answer an empty one. Verbs that ask for several things
// by name, MGet and MScore, answer a slice in the order asked, with a
// field.Optional for each that is absent where there was nothing.
//
// # Several keys
//
// Verbs of several ids belong to the Bound type: Inter, UnionStore, Move, MPop. On a
// Cluster their keys must share a slot, as all of one placement [OneSlot] do, or a
// [*pipectx.CrossSlotError] names two of them and nothing is sent; verbs that need
// not be of one moment, such as MGet and Union of sets, ask each slot by itself.
//
// # Waiting
//
// BLPop, BMove, BPopMin and their kind wait for what others store. They run now, each
// on a connection that nobody shares meanwhile, and are refused inside a Run. When
// their context ends they return, and what was popped by then is their answer: see
// [pipectx.Command.Wait].
//
// # Streams
//
// Entries of a [Stream] are structs or maps, by their [StreamID]s. Each has an error of
// its own in [Entry]: one that cannot be read, or is gone, takes nothing from the others.
// [StreamKey.Consume] is a consumer of a group that works until its context ends; it says
// when an entry is delivered twice.
//
// # Lua
//
// [Lua] attaches a module to a keyspace, and [Method] types its functions: atomic
// operations on one key, which goes along as their first parameter.
//
// # Guarantees
//
//   - Two different ids never share a key, and no id leaves the slot that its
//     placement gives it, whatever characters it has; empty ids are refused.
//     [Template] is the exception.
//   - What verbs are given is encoded at the call. An id without a key, a value
//     without a text, NaN as a score, an increment of what is no number: the Ref
//     answers it, the Run is poisoned, nothing is sent.
//   - What others stored is decoded to a value or to a *field.DecodeError that
//     names the key, and the hash field.
//   - The default TTL is renewed by every write, also one that changed nothing,
//     in the same round trip.
//   - Zero members are no command: the Ref is resolved at once.
//   - Of many members the first that fails is named by its position, in a
//     [*PositionError].
//
// # Not guaranteed
//
//   - PEXPIRE for the default TTL is a command of its own behind a write, except
//     in SET and RESTORE: when the connection breaks between them, the key keeps the TTL it
//     had, or none, until its next write.
//   - More than 5,000 members, fields or keys go in several commands of one
//     pipeline. Other clients may come between, and when the connection breaks
//     some may have run. Beyond 1 MiB the pipeline takes several round trips.
//   - MGet, MSet, DelMany and their kin over ids of several slots of a Cluster are
//     several commands: others may come between. In an Atomic they are refused then.
//   - A verb that waits renews the default TTL in a round trip of its own, and only
//     when it has popped something.
//
// # Compatibility
//
// Redis 6.2 to 8, Valkey 8 and 9, RESP2 and RESP3, and the embedded miniredis,
// one server or a Cluster. A verb that needs a newer server than it meets answers
// [pipectx.ErrUnsupported]; what the embedded one lacks is in docs/commands.md. The keys and the texts in them are API: see
// [Placement] and package field.
package keyspace

//go:generate go run ../internal/forward
