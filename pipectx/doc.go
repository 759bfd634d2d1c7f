// Package pipectx is a Redis pipeline carried by a context.
//
// A verb that is given a context with an open pipeline queues its command and
// returns a pending [Ref]. Given any other context it runs the command now and
// the Ref comes back resolved. That is the only switch between the two lives:
// a service function is written once, costs one round trip when it is called
// alone and none of its own when it is called inside a larger [Run].
//
//	func (s *Shop) Sold(ctx context.Context, id int64) (left *pipectx.Ref[int64], err error) {
//		err = pipectx.Run(ctx, s.db, func(ctx context.Context) error {
//			left = s.stock.IncrBy(ctx, id, -1)
//			s.sold.Add(ctx, "today", id)
//			return nil
//		})
//		return left, err
//	}
//
// # Run, rule by rule
//
//  1. The outermost Run opens a pipeline; an inner Run of the same [DB] opens
//     a child of it. Any depth. Nothing is sent before the outermost ends, but
//     for [Await], which sends what is queued so far.
//  2. A child that returns nil hands its commands and callbacks to its parent,
//     in program order. A child that returns an error, or panics, drops them:
//     their Refs answer [ErrDiscarded], and the parent decides what follows.
//     A committed child's context stands for its parent's until the root ends;
//     after that its verbs answer [ErrEnded], as all others do.
//  3. When the outermost function returns nil the flush happens: one round trip
//     per connection and node, all in parallel. When it returns an error,
//     nothing is sent.
//  4. A value that cannot be encoded poisons its innermost Run at the call:
//     nothing of that Run is sent, and it returns the error.
//  5. After the flush every Ref is resolved. Then the callbacks registered by
//     [After] run, first in, first out. What they queue goes out as the next
//     wave, until none is left. An error in a callback stops the next wave.
//  6. Run's error joins the commands that failed, each named with its command
//     and key. Absence is a result and no failure.
//  7. One command's failure never spoils another's Ref.
//  8. A Ref of a command that ran at once, failed, and was never read is
//     reported to the [Observer] and to slog when it is collected as garbage.
//
// [Atomic] is a Run that goes as MULTI … EXEC, [Watch] an optimistic transaction,
// [Stream] a Run of more commands than fit in memory; [Gather] runs goroutines
// whose Awaits share round trips, [Coalesce] has immediate verbs share them.
// [Begin] is Run for code without a closure, [Finally] runs when a Run returns,
// [Detach] steps out of it, and [Map], [All], [Join] and [NewRef] make Refs of
// Refs. [Scan] iterates over keys.
//
// # Guarantees
//
// Arguments are encoded at the call: what the caller changes afterwards is not
// sent. Commands on one key run in program order, also on a Cluster, where the
// flush groups commands by node itself and follows redirections. A command whose
// answer was lost is sent again only if it reads; a write answers
// [ErrOutcomeUnknown] instead, because resending even an idempotent write can
// undo somebody else's later one, unless [Resend] says that it may. One open
// context may be used by several goroutines.
//
// # Not guaranteed
//
// A pipeline is no transaction: other clients' commands may run between its
// commands. [Atomic] makes a MULTI … EXEC block of a part of it. Between nodes
// there is no order at all. A command that is sent again may run after later
// commands of its pipeline: a script that its node had forgotten (NOSCRIPT), a
// command or an Atomic of several keys in the middle of a migration (ASK,
// TRYAGAIN), a read whose answer was lost. A command under way whose context has
// ended may run after what is sent then. A pipeline of more than 10,000 commands
// or 1 MiB for one node takes several round trips there, one after the other.
//
// # Compatibility
//
// The clients are go-redis's: [redis.Client] (also from NewFailoverClient) and
// [redis.ClusterClient]. Ring and AutoPipeliner are refused: the first splits
// what must stay together, the second resends what must not be sent twice.
// Hooks added to a client see these pipelines; on a ClusterClient add them to
// its nodes (OnNewNode), since pipelines go to each node directly.
package pipectx
