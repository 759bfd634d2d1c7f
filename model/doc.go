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
//	Create       no: ErrExists                     all fields, with defaults
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
// The lists, maps and pointers of BeforeSave's copy are made from their stored texts:
// what those leave out, such as members tagged `json:"-"`, is zero there and in the
// answer.
//
// Functions of the model's Lua module with these names are hooks too, on the server:
// in the script of every verb that changes a record, and of every method, for each
// record that it changes.
//
//	before_save(self)    something of the record is to change: self has the new values.
//	                     May assign more of them, as a method may
//	after_save(self)     all that is to be written stands, the version too: self is what
//	                     is stored when the script ends
//	before_delete(self)  the record is to go: Delete, DeleteMany, self:delete()
//
// One that fails refuses the whole write, of all the records of a method. So after_save
// is called just before the server writes, and what redis.call reads there is what was
// stored before; what it writes itself stays written if a hook behind it fails. What before_save assigned, Create, Save and Edit answer with the rest;
// their rules and Go's hooks come first. Hooks are not called where nothing of the
// record changes, by Expire and its like, and by Hash. They get no other record, and
// have no verbs: a hook that saves, and so calls itself, cannot be written. Verbs of a
// model with Lua hooks are scripts, Save too; they cost the server about what a method
// with an escaping self does.
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
//	… Counter()                          P#counter, the last id that was drawn
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
//	inline                a struct whose fields are the record's: address.city
//	omitempty             zero is absent, and absent reads as zero
//	default=text          what a field has that nobody gave a value; the last option
//	was=name              a name that the field had; may be given several times
//	extra                 a map[string]string of what is not declared: `redis:",extra"`
//	json                  JSON, for types that have another text too
//	unix, unixms, unixus  a time.Time as an integer
//	uuid                  a [16]byte as a UUID
//	list                  a []string as a,b,c
//	nan                   a float that may be NaN or infinite
//	emptyfalse            a bool whose empty text is false
//	ascii                 a string of printable ASCII, nothing else
//	commas                a []string as a,b: no commas within, no empty ones
//	oneof=a b c           a string or an integer that is one of these, else an error
//	gzip, zstd            any long text, compressed; behind another option too
//
// Times to live of fields need Redis 7.4 or Valkey 9, and a field that may be absent.
// They stay with a value when its field is renamed.
// Elsewhere ttl does nothing, and a write of a field tagged ttl=30m is refused with
// pipectx.ErrUnsupported. A write by other programs ends a field's time to live.
//
// A field is absent, which is not zero, when it is a nil pointer or an unset
// field.Optional, or zero with omitempty, which also leaves out a list or map
// without elements. At least one field of a record must be none of these. Embedded
// structs are flattened: their fields are the record's. Other structs are JSON, or
// inline: their fields are stored one by one, with the struct's name and a dot in
// front, at any depth; rules, [FieldOf] and changes work on them as on others.
//
// # Defaults, and fields that change
//
// A default is a text of the field's own form; everything behind default= is the
// text, commas too. Create gives it to a field that is zero or absent, stores it,
// and answers the record with it; an Upsert that makes a record gives it to the fields
// that it does not name. A stored record that lacks the field, because it is older,
// loads with the default where the type is never absent, in Go and in Lua, and [Incr]
// begins with it. Save stores what it is given, zeros too.
//
//	Greeting string `redis:"greeting,default=Hello, world"`
//
// A field that was renamed keeps what is stored: it reads its name, else those it
// had, the first given first. Whoever writes it removes them, in the same command
// or script; an Update, Edit or method that leaves the field alone leaves them too. A
// version and a key keep their names; Go's own may change at will.
//
//	Name string `redis:"name,was=title,was=label"`
//
// Where a field's type changed, what the new type cannot read is a
// *field.DecodeError.
//
// With a field tagged extra Get reads all of the hash, by HGETALL in place of HMGET,
// and puts into the map what is not declared. Create and Save write what is in the
// map, and leave what is not there alone, in Redis too: Edit, which knows what was
// there, removes what its function takes out of the map. A name in the map that is a
// field's own, or was, is an error.
//
// # Lua
//
// A keyspace of the same ids and placement, given by [With], is a field too: its key.
// In methods ([Method]) a field is what its Go type is:
//
//	string, []byte        a string
//	integers, Duration    a number, whole and within ±2^53; a Duration counts nanoseconds
//	floats                a number
//	bool                  a boolean
//	time.Time             a number: microseconds since 1970; what is finer is kept
//	                      while it is not changed, and so is the time zone. Lua's
//	                      time.now(), time.day and so on are such numbers
//	oneof=a b c           what it is, and only these may be assigned
//	UUID, [N]byte         a string; of N bytes
//	lists, JSON           a table, or what JSON it is
//	other texts           a string that is only read: TextMarshaler and the like
//	*T, Optional[T]       that of T, or nil
//
// A field that is inline is self["address.city"]. One with omitempty reads as zero
// where it is absent; a zero that Lua assigns, or that is a sum, is stored. A time
// is exact up to some 285 years from 1970 in microseconds, 2,280 in milliseconds and
// 18,000 in seconds, and so is Go's zero time; others are refused.
//
// A function that only names fields of its records, self.balance, costs the server
// about what a script by hand does. One that hands a record to another function, puts
// it into a table or computes the field's name, self[name], costs some microseconds
// more.
//
// The id is self.id, by the name of its tag, but for a composite one.
//
// A record is no table: pairs, #, next, rawget, cjson.encode and their like find nothing in
// it, and it is no result. Where a function does so with self, or with what is seen to be a
// record, that is an error at start-up; else Lua 5.1 asks no record what is in it, pairs
// finds a word of warning, and as JSON it is refused.
//
// Keys that a method, or a hook, gives redis.call must go along declared, and that is
// proved at start-up: a record's key, its keyspaces, arguments that are keys, KEYS, and what
// is seen to be one of these through locals, tables, the functions of modules and what they
// return. All else is refused with its place, and so is a computed command, unless the
// function is annotated @undeclared, which a Cluster refuses.
//
// A table may be assigned, or changed in place; what differs from what is stored, by
// its values, is written, as Go writes it: in the order of the struct, [] and {} as they
// should be, null where a list or map was nil and still is empty. A struct has all its
// members, zero where they are not stored, and nil for a pointer; a member that Go has
// not is an error when the function returns, and so is a value of another type. Times
// and UUIDs within JSON are strings, and so is an integer that a number does not hold: its
// digits, which may be assigned, too. Some types Go writes in ways of its own: any,
// embedded structs, []byte in JSON, keys that are no strings, marshalers, a type that
// contains itself, the json options string and omitzero. A field with one of them can
// only be read, and a function that assigns it is refused at start-up. The embedded
// server leaves null out of maps and lists.
//
// A compressed field has no form in Lua. A record's missing field reads as zero where
// its type is never absent.
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
//     beyond 2^53 but for digits within JSON, and what the field's Go type or its numeric rules refuse.
//   - Unchanged fields are not rewritten by methods, whoever wrote them.
//
// # Not guaranteed
//
//   - Without a version the last write of a field wins; Save writes all fields.
//   - Update and Incr validate the fields they change, each by its own rules;
//     Incr looks at numeric bounds only, and a method at those and the rules that
//     [Operation.Warnings] tells of.
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
// The tags are those of go-redis: a struct that it writes (HSet) and reads
// (HGetAll().Scan) works here, and so do its hashes, for the types that both know.
// It needs a key, which a struct that embeds it may add:
//
//	type KeyedVisitor struct {
//		ID int64 `redis:"id,key"`
//		Visitor // as it is
//	}
//
// What differs:
//
//	                            go-redis                        here
//	omitempty, zero             not written; stays as stored    removed
//	an empty array, a struct    written                         absent when it is zero
//	nil pointer                 written as 0 or ""              absent, removed
//	embedded struct             not stored                      flattened
//	embedded pointer to one     not stored                      an error at Define
//	nothing but omitempty       no hash where all is zero       an error at Define
//	named type                  refused when written            as what it is made of
//	map, list, other struct     refused                         JSON
//	type with MarshalBinary     that, and read by UnmarshalText MarshalText first, and the
//	                            if it has that                  one that goes with it
//	a field that is not stored  keeps what the struct has       zero, or its default
//	hidden or without a name    skipped                         an error at Define
//	unknown option              ignored                         an error at Define
//	two fields of one name      the last one counts             an error at Define
//	NaN, infinities             written and read                refused but with the option nan
//	text that does not parse    an error of strconv             *field.DecodeError
//	bool                        1, t, true … of strconv         also yes, no, on, off
package model
