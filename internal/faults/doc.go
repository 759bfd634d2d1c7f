// Package faults is a test: it runs a workload through package pipectx while
// faults strike the servers and the way to them, and then accounts for every
// operation.
//
//	go test ./internal/faults                        # the short form, less than 20 s
//	make test-faults FAULTTIME=10m                   # the long one, with the race detector
//	make test-faults SEED=814512                     # again, with the seed of a failure
//	go test ./internal/faults -run 'TestFaults/cluster/resharded' -faults=1m -v
//
// # What is promised, and how it is seen
//
// Each operation that writes leaves a trace that names it: an element of a list or
// a stream, a field of a hash, a score that counts. So how often it was executed is
// read from the data, and compared with what was reported of it:
//
//	reported                                     executed
//	a result                                     once
//	pipectx.ErrOutcomeUnknown                    once or not at all
//	ErrNotSent, ErrDiscarded, ErrAborted,        not at all
//	or the server's refusal
//	any other error, or still pending            a violation
//
// Besides:
//
//   - A counter that is raised together with an entry in a ledger, by Atomic or by
//     a script, is in the end the sum of that ledger, and of the operations of one
//     Atomic all are executed or none: nothing is executed in half.
//   - A value that is read and written under Watch loses nothing of what others add.
//   - A counter without a ledger lies between what was acknowledged and that with
//     what is unknown.
//   - Each result is the operation's own: an element stands where the length of
//     the list said, increments of a counter do not overlap.
//   - What one worker was acknowledged in a list stands there in program order
//     (but for an Atomic of several keys while their slot moves).
//   - Values name their key and carry a checksum. A read never sees another key's
//     value or a damaged one, a value that nobody wrote or that was reported as not
//     written, nor one older than what the same worker was acknowledged before.
//   - A Run that answers nil has no Ref with an error; one that was to fail does not
//     answer nil; callbacks run once.
//   - Nothing hangs, and no goroutine is left when DB and client are closed.
//
// # What happens
//
// Six workers a scenario, each with plans of its own: immediate commands, alone and
// beside others; Run of 2 to 50 commands, with Runs in it that commit, fail, are
// poisoned or panic, with Await and After; Begin; Atomic, alone and within a Run;
// scripts by pipectx.NewScript and by lua.Bind; Gather; Watch; Stream. Half of the workers
// have a DB with Coalesce.
//
// Meanwhile, on one server, a Cluster, and a master watched by Sentinels: scripts
// are forgotten, servers are killed and started again, stopped for less and for
// longer than clients wait, run out of memory, close connections; masters hand over
// to replicas or die; slots move; a proxy cuts connections, loses and tears replies,
// withholds them and lets no dial through; contexts end early.
//
// # What servers may lose
//
// A server that is killed here writes all to disk before it answers, so what it
// acknowledged is still there. Masters that hand over wait until their replica has
// everything: CLUSTER FAILOVER does so by itself; for Sentinel the suite holds up
// writes meanwhile, since Redis 7 does not. There, all of the above must hold.
//
// A master of a group that dies takes with it what it had acknowledged and not yet
// replicated. That is Redis's design and not a client's to mend. In those scenarios
// (the table says "nothing doubled") an acknowledged operation may be missing, and
// order, places and age are not looked at; all else holds: nothing is doubled, half
// done, done although it was reported as not done, pending, damaged, left behind.
//
// # Seeds
//
// All plans of a worker and all faults, with their order, come from one seed, which
// the log tells and -seed sets. How far each worker gets by the time that a fault
// strikes does not: the same seed asks the same questions in the same order, and not
// at the same moments. A violation that a seed has shown may need several runs, or a
// longer one, to be seen again.
package faults
