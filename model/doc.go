// Package model stores Go structs as Redis hashes: declared once, checked at
// start-up, saved and loaded by typed verbs, changed field by field or by atomic
// Lua methods.
//
//	type Account struct {
//		ID      int64   `redis:"id,key"`
//		Owner   string  `redis:"owner" validate:"required,max=80"`
//		Email   *string `redis:"email" validate:"omitempty,email"` // may be absent
//		Balance int64   `redis:"balance" validate:"gte=0"`
//		Version int64   `redis:"version,version"`
//	}
//
//	var (
//		Accounts = model.Define[Account, int64]("account")
//		Owner    = model.FieldOf(Accounts, func(a *Account) *string { return &a.Owner })
//		Balance  = model.FieldOf(Accounts, func(a *Account) *int64 { return &a.Balance })
//	)
//
//	accounts := Accounts.On(db)
//	ada, err := accounts.Create(ctx, Account{ID: 42, Owner: "Ada"}).Result()
//	n, err := accounts.Update(ctx, 42, Owner.Set("Ada L."), model.Incr(Balance, 5)).Result()
//
// Verbs answer a [pipectx.Ref]: they run at once, or queue on the pipeline that
// their context carries.
//
//	             must there be a record?           what it writes
//	Create       no: ErrExists                     all fields
//	Save         all the same                      all fields; removes the absent
//	Upsert       all the same                      the changes; a new one whole
//	Update       yes: ErrNotFound                  the changes it is given
//	Edit         yes: ErrNotFound                  what its Go function changed
//	Pop          yes: ErrNotFound                  nothing; removes one field
//	a method     yes, to assign a field            what its Lua function assigns
//	Delete       all the same                      nothing; removes the record
//
//	             what it reads
//	Get          one record, or ErrNotFound
//	GetMany      several, with nil for those that are missing
//	Pick         some fields of one
//	Each         any number, a few in memory at a time
//	Scan         all of the model, likewise; ScanIDs their ids, Count how many
//	Exists       whether there is one
//
// Expire, ExpireAt, Persist and TTL are about a record's time to live, ExpireField,
// ExpireFieldAt, PersistField and FieldTTL about that of one field; Hash is the Redis
// hash below.
//
// # Concurrency
//
// Three policies, to be chosen by the call. None loses a change that it answered
// without an error:
//
//	Update, Incr   the last write of each field wins; sums add up
//	Edit           is done again when anything it loaded has changed meanwhile
//	Save           with a version: *[ConflictError] when the record has changed
//
// # Hooks
//
// Methods of *T with these names are called around verbs; a method of such a name and
// another form is an error of Define:
//
//	BeforeSave(context.Context) error    Create, Save, Edit: before validation; may
//	                                     change the record, which is a copy
//	AfterSave(context.Context) error     likewise: when it is stored
//	BeforeDelete(context.Context) error  Delete, DeleteMany: on a record with its id only
//	AfterLoad() error                    Get, GetMany, Pick, Each, Scan, Edit: part of
//	                                     decoding, before anybody sees the record
//
// An error of BeforeSave, BeforeDelete or AfterLoad is the verb's answer; that of
// AfterSave says that the record is stored, and in a Run is that of a callback. Verbs
// that change fields on the server, Update, Upsert, Pop and methods, have no Go record
// and call none. A hook's context may carry a pipeline: what it asks is pending then,
// unless it asks with pipectx.Detach. AfterLoad of several records may run at once.
//
// # Stored layout
//
// One hash a record. The key is made from the model's prefix and the id; the id
// is not stored again.
//
//	declaration                          key, for the id 42
//	Define[T, int64]("P")                P{42}
//	… keyspace.OneSlot("A")              P{A}:42
//	… keyspace.Buckets("A", 64)          P{A.0}:42
//	… keyspace.Template("p:%s")          p:42
//	a struct id with a field tagged slot P{tenant}:42
//
//	in the hash    name in the `redis` tag → text of package field
//	version        an integer, 1 when the record is made, 1 more with each change
//	an absent value, the id, fields without a tag: not stored
//
// # Tags
//
// The tag is that of go-redis, `redis:"name,option"`; the rules are those of
// validator v10, `validate:"rule,rule=value"`.
//
//	key                   the id: one field, of the model's id type
//	version               an int64 that counts changes and refuses stale saves
//	ttl                   the field may have a time to live, which writes keep
//	ttl=30m               each write of the field begins its time to live
//	json                  JSON, for types that have another text too
//	unix, unixms, unixus  a time.Time as an integer
//	uuid                  a [16]byte as a UUID
//	list                  a []string as a,b,c
//	nan                   a float that may be NaN or infinite
//	emptyfalse            a bool whose empty text is false
//	ascii                 a string of printable ASCII, nothing else
//	commas                a []string as a,b: no commas within, no empty ones
//	gzip, zstd            any long text, compressed; behind another option too
//
// Times to live of fields need Redis 7.4 or Valkey 9, and a field that may be absent.
// Elsewhere ttl does nothing, and a write of a field tagged ttl=30m is refused with
// pipectx.ErrUnsupported. A write by other programs ends a field's time to live.
//
// A field is absent, which is not zero, when it is a nil pointer or an unset
// field.Optional. At least one field of a record must be of another type. Embedded
// structs are flattened: their fields are the record's. Other structs are JSON.
//
// # Lua
//
// In methods ([Method]) a field is what its Go type is:
//
//	string, []byte        a string
//	integers, Duration    a number, whole and within ±2^53
//	floats                a number
//	bool                  a boolean
//	time.Time with unix…  a number: microseconds since 1970
//	*T, Optional[T]       that of T, or nil
//
// Others (JSON, RFC 3339 times, UUIDs, arrays) have no form there. A record's
// missing field reads as zero where its type is never absent.
//
// # Guarantees
//
//   - Wrong declarations fail at start-up, with place, type, field and cure:
//     also rules that do not exist, and Lua that uses a field there is not.
//   - Each write is one command or one script: all of it happens, or nothing.
//     What is refused (not valid, no text, a conflict, a sum out of bounds, a
//     failed method) has written nothing.
//   - A record that is gone stays gone: only Create, Save and Upsert make one.
//   - Save leaves hash fields alone that the struct does not declare, and the
//     key's time to live. A model declared with keyspace.TTL begins it again
//     with every write, in the same command.
//   - Arguments are snapshots, and never changed. What a verb made (id,
//     version) is in the record it answers.
//   - A stored text that its field's type cannot hold is a *field.DecodeError
//     with key and field, never a zero.
//   - Sums are exact in 64 bits, and so are integers in Go. Lua refuses integers
//     beyond 2^53, and what the field's Go type or its numeric rules refuse.
//   - Unchanged fields are not rewritten by methods, whoever wrote them.
//
// # Not guaranteed
//
//   - Without a version the last write of a field wins; Save writes all fields.
//   - Update and Incr validate the fields they change, each by its own rules;
//     Incr and Lua look at numeric bounds only.
//   - A hash is a record when it has a declared field. Exists, Pick, Create,
//     Update and Upsert look at the key alone, and a key of another type exists
//     too.
//   - Scan sees a record that is there all the while at least once, and perhaps
//     more often; on a Cluster, while no slot moves.
//   - A record whose fields are all cleared or removed is gone: Redis has no
//     empty hashes. One that Create or Save made keeps a field that is never
//     absent, unless somebody removes it.
//   - What a method writes by redis.call is written, also when it fails later,
//     and self does not see it.
//   - Strings of one loaded record share memory.
//   - GetMany of more than 10,000 records, or 1 MiB of keys, takes several round
//     trips.
//
// # Compatibility
//
// A struct that go-redis writes (HSet) and reads (HGetAll().Scan) works here, and
// so do the hashes: those of one are read by the other, for the types that both
// write alike (see package field). go-redis does not store embedded structs, and
// writes nil pointers as zeros.
package model
