// Package pipectxotel tells OpenTelemetry what a [pipectx.DB] does: a span and
// some numbers for each flush.
//
//	observer, err := pipectxotel.New()
//	if err != nil {
//		return err
//	}
//	db, err := pipectx.New(client, pipectx.Observe(observer))
//
// It is a module of its own, so that a program without OpenTelemetry does not
// depend on it. The package is not named after its folder: the file that calls New
// is often the one that sets up the providers with go.opentelemetry.io/otel, and
// would have two packages named otel.
//
// # Spans
//
// Each flush is one span: a wave of a Run, a chunk of a Stream, what an Await or
// a Gather sends, or one immediate verb. Its parent is the span in the context
// that was given to that Run, Stream, Await, Gather or verb. A span that is started
// inside of a Run's function is not the parent of what the function queues, since
// that is sent when the function has returned; nor is that of a Gather's member.
//
//	name                        GET for one command, PIPELINE GET for several that
//	                            are all GET, PIPELINE for different ones
//	kind                        client
//	status                      error if a command failed, with how many did
//	db.system.name              redis, for Valkey too
//	db.operation.name           the same as the name
//	db.operation.batch.size     how many commands there were; none for a single one
//	error.type                  _OTHER if a command failed
//	redmoon.flush.failures      commands that failed
//	redmoon.flush.connections   connections and Cluster nodes that took part
//	redmoon.flush.round_trips   batches sent, those of one attempt in parallel
//	redmoon.flush.retries       how often something was sent again
//	redmoon.flush.script_loads  scripts sent with their body
//	redmoon.flush.request.size  bytes of arguments
//	redmoon.flush.response.size bytes of replies
//	redmoon.flush.wave          which flush of its Run it was, counted from 0
//
// Those of redmoon that are 0 are left out. What has failed is as [pipectx.Flush]
// counts it: what is absent has not, a write that was refused has.
//
// # Metrics
//
//	db.client.operation.duration  s          histogram, a value for each flush
//	redmoon.flush.commands        {command}  counter, as are all that follow
//	redmoon.flush.failures        {command}
//	redmoon.flush.round_trips     {round_trip}
//	redmoon.flush.retries         {retry}
//	redmoon.flush.script_loads    {script}
//	redmoon.flush.request.size    By
//	redmoon.flush.response.size   By
//	redmoon.unread_errors         {error}    immediate verbs that failed unread
//
// The duration has the attributes db.system.name, db.operation.name, which is
// PIPELINE or missing, and error.type, so it is four series at most; the counters
// have no attribute. The duration is recorded in the context
// of its span, to which an exemplar then leads.
//
// # Guarantees
//
// Neither keys nor values nor the texts of errors are told, in spans or in
// metrics. Nothing here waits: a span processor that exports as spans end, such as
// the SDK's WithSyncer, makes the flush wait for that and is for tests.
//
// # Not guaranteed
//
// A span is made when its flush is over, with the times that it took. So it is
// not in the context while commands are under way: spans of go-redis's own hooks
// become its siblings and not its children. The pipelines that [pipectx.Coalesce]
// makes of several callers' verbs have no caller's context, and each is a trace of
// its own.
//
// # Compatibility
//
// Names and values follow version 1.43.0 of the OpenTelemetry semantic
// conventions for databases and for Redis, and spans and metrics name that schema.
// A [pipectx.Flush] tells neither why a command failed nor which servers it went
// to. So there is no db.response.status_code and no server.address, and error.type
// has the value that the conventions have for what is not known. A call of a script
// is named EVALSHA, also where its body went along.
package pipectxotel
