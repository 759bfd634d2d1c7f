// Package lock gives names to one holder at a time, across processes.
//
//	var Checkout = lock.New("checkout", lock.Options{TTL: 30 * time.Second})
//
//	err := Checkout.On(db).Do(ctx, "42", func(ctx context.Context, lease *lock.Lease) error {
//		order, err := orders.Get(ctx, 42).Result()
//		…
//		return orders.Fenced(lease).Save(ctx, order).Err()
//	})
//
// [Lock] is a mutex, [RW] a read-write lock, [Semaphore] a number of permits, [Quorum]
// a mutex over independent masters, and [Limiter] a limit of rate. Each is a family:
// one for every name that a verb is given.
//
// A [Lease] is a lock that is held. It lasts for a TTL, is renewed until it is
// released, and ends by itself when its process dies. What it guards must not go on
// when it is lost: its context ends then, and each of its verbs says [ErrLost]. What
// nobody can stop in time, a write on its way, is what the fencing token is for.
//
// # How it works
//
// All that is known of a lock is in Redis, and changes in scripts, each one atomic
// step, by the server's clock:
//
//	P{name}          hash    owner  token of who holds it alone, "" for nobody
//	                         since  when that began, or was renewed, µs since 1970
//	                         ttl    for how long, ms
//	                         fence  the greatest fencing token that was given
//	                         claim  channel of an owner who was told and has not yet
//	                                said a word
//	                         h:TOKEN of each who shares it: the fencing token
//	P{name}:queue    list    those who wait: "token shape limit ttl channel"
//	P{name}:holders  sorted  tokens of those who share it, by when that ends
//
// With Options.Slot keys are P{slot}:name, and so on. A token is a random text, one
// for each call of Acquire. Keys live for an hour or two longer than what they tell of.
//
// Whoever releases a lock makes the first of the queue its holder in the same step,
// and tells it by a message: so the lock passes on with one request of each, and the
// message is the only thing that anybody waits for.
//
//	A: acquire.lua → holds
//	B: acquire.lua → is first in the queue        one request
//	A: release.lua → B is the owner, PUBLISH      one request
//	B: the message: "token since ttl fence"           B holds
//
// A process listens by one connection to each node where somebody waits. On a Cluster
// of Redis 7 or Valkey the channels are sharded: redmoon:lock{name}:PROCESS; elsewhere
// it is one: redmoon:lock:PROCESS.
//
// # When something fails
//
//   - A holder dies. Its time passes; those who wait ask at that moment.
//   - A holder is stopped for longer than its lease. It looks at the clock when it
//     wakes, at each verb of the lease, and finds it lost. By this process's clock
//     the lease ends before it does by the server's: it is counted from before the
//     question was sent, or for one that was handed over, from the server's time in
//     the message, against the last answer before.
//   - A holder is stopped between that look and a write. [Lease.Fence] goes along with
//     the write, and is less than what the next holder has shown.
//   - Who waits dies. The server knows that nobody listens to its channel and passes
//     on to the next, in the same script. It is stopped, or its machine is gone: it is
//     made the holder for 2 s. Who asks next, and each asks every 2 s, finds that it
//     never said a word, and takes all waiters of its process out of the queue; those
//     that live come back with their next question.
//   - Who waits gives up. It leaves the queue, or hands on what it was just given.
//   - The answer of Acquire is lost. The question is sent again: the token makes the
//     second find what the first did. That of Release: it is asked again, and a lock
//     that is not held, while it must be, was released by the first.
//   - A message is lost, as when the connection breaks. Who waits asks when it is
//     there again, and each 2 s in any case. Where listening is not possible at all
//     it asks again and again, at most each 200 ms, and has no place in the queue.
//   - The server forgets scripts: they are sent again. It forgets everything, or a
//     replica takes over that had not heard of the last lease: then a second holder
//     is possible. Its fencing token is still more than all before, for it is never
//     less than the server's time in µs. The first one learns of it with its next
//     renewal, and takes itself for the holder for a TTL at most. Where that is not
//     enough: [Quorum].
//   - The server does not answer. Acquire gives up when Options.Timeout has passed; a
//     lease that cannot be renewed ends with its time.
//   - The server's clock is set back: fencing tokens go on from the last one, which
//     is remembered for an hour at least.
//   - A renewal fails. It is tried again until the lease is over; then contexts end.
//
// # Guarantees
//
//   - Of one name one holder at a time holds a lock, by the server's clock, on a
//     server that loses no writes; so many permits of a semaphore; one writer or any
//     number of readers; and a limiter allows what its rate says, and no more.
//   - Fencing tokens grow for ever, over the expiry of locks and over failovers.
//   - Who came first gets it first, over all processes; TryAcquire never overtakes.
//   - A lease is released by its own Lease only, and once.
//   - A verb inside of an open pipeline is refused: what a Run queues would be sent
//     when the lock is free again. fn of Do gets a context without one.
//
// # Not guaranteed
//
//   - A lock does not keep anybody from writing: it keeps two holders apart. Use the
//     fencing token where a write must be refused.
//   - Replicas of a master lag. A failover can lose a lease that was acquired in the
//     last moment.
//   - The clocks of servers of one name must not differ by more than a failover
//     takes, for fencing tokens to grow over it.
//
// # Compatibility
//
// Redis 6.2 to 8, Valkey 8 and 9, and the embedded server: there the time of TIME goes
// on, and so do leases, though its keys do not expire by themselves. ACLs need +publish,
// +subscribe, +unsubscribe, on a Cluster +spublish, +ssubscribe, +sunsubscribe and
// +command|info too, and the channels redmoon:lock*; without these waiting works, by
// asking. Channels are those of the whole server, whatever the
// database. Two versions of this package may share a Redis.
package lock
