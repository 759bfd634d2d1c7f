package pipectx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxRedirects = 16 // a slot that moves on each of so many attempts is no migration
	maxRetries   = 3  // of a dial, a lost read, a server that is loading
	firstBackoff = 8 * time.Millisecond
	lastBackoff  = 512 * time.Millisecond
)

// What to do with an item after an attempt.
const (
	final    = iota // settle it
	redirect        // send it elsewhere, or with its script
	later           // send it again after a pause
)

type verdict struct {
	again    int
	outcome  outcome
	err      error
	goTo     string // the address to send it to
	asking   bool   // behind ASKING
	noScript bool   // the node does not know its script
	inOrder  bool   // not again if something behind it has run
	from     *node  // who answered err
}

// raisedInLua is in the errors that scripts of package lua raise, whatever
// their text.
const raisedInLua = " {lua"

// notRun are the errors that prove that a command did not run: code and how the
// server's text begins. A script may answer any code it likes after it has
// written, so the code alone proves nothing.
var notRun = []struct{ code, text string }{
	{"LOADING", "Redis is loading the dataset"},
	{"LOADING", "Valkey is loading the dataset"},
	{"TRYAGAIN", "Multiple keys request during rehashing of slot"},
	{"CLUSTERDOWN", "The cluster is down"},
	{"CLUSTERDOWN", "Hash slot not served"},
	{"MASTERDOWN", "Link with MASTER is down"},
}

// judge decides what an outcome of a batch means for its command alone.
func (it *item) judge(o *outcome, b *batch) verdict {
	if o.err != nil {
		return it.judgeLost(o)
	}
	v := verdict{outcome: *o}
	if !o.text {
		v.outcome.frame = withoutAttributes(o.frame)
	}
	fault := v.outcome.reply().fault()
	if fault == nil {
		return v
	}
	v.err = fault
	if o.executed {
		return v
	}
	switch fault.Code {
	case "MOVED", "ASK":
		to, ok := it.redirection(fault.Message, b.host())
		if !ok {
			break
		}
		if it.conn.cluster == nil {
			v.err = fmt.Errorf("%w: this server is part of a Cluster; connect to it with a redis.ClusterClient, or by a redis+cluster:// URL", fault)
			break
		}
		v.again, v.goTo, v.asking = redirect, to, fault.Code == "ASK"
	case "NOSCRIPT":
		if it.script != nil && fault.Message != "" && strings.HasPrefix("No matching script. Please use EVAL.", fault.Message) {
			v.again, v.noScript = redirect, true
		}
	default:
		if saysNotRun(fault) {
			v.again = later
			v.inOrder = fault.Code != "TRYAGAIN" // which is about one command, not about the server
		}
	}
	return v
}

// alone tells whether the item has no order with those around it.
func (it *item) alone() bool {
	_, shares := it.ref.(*call)
	return shares
}

func saysNotRun(fault *ServerError) bool {
	return slices.ContainsFunc(notRun, func(n struct{ code, text string }) bool {
		return fault.Code == n.code && strings.HasPrefix(fault.Message, n.text)
	})
}

// provesNotRun tells whether an error, as the answer to a command that was to
// be queued, is a reason to try again.
func provesNotRun(fault *ServerError) bool {
	return fault.Code == "MOVED" || fault.Code == "ASK" || saysNotRun(fault)
}

// redirection reads "slot host:port". It must be about the command's own slot.
func (it *item) redirection(message, host string) (addr string, ok bool) {
	slot, addr, ok := strings.Cut(message, " ")
	n, isNumber := atoi([]byte(slot))
	if !ok || !isNumber || it.conn.cluster != nil && it.slot >= 0 && n != int(it.slot) {
		return "", false
	}
	if strings.HasPrefix(addr, ":") { // the server does not know its own host
		addr = host + addr
	}
	return addr, true
}

// judgeLost decides about a command without a reply.
func (it *item) judgeLost(o *outcome) verdict {
	v := verdict{err: o.err}
	var refused redis.Error
	switch {
	case errors.Is(o.err, ErrNotSent), errors.Is(o.err, ErrAborted), errors.Is(o.err, ErrConflict), errors.Is(o.err, errLetGo):
	case errors.Is(o.err, redis.ErrClosed):
	case o.unsent:
		v.err = fmt.Errorf("%w: %w", ErrNotSent, unreachable(it.conn, o.err))
		if !errors.As(o.err, &refused) || redis.IsLoadingError(o.err) { // a handshake refused stays refused
			v.again = later
		}
	case it.read && o.behind == harmless:
		v.again = later
	case it.safe && o.behind < harmful:
		v.again = later
		if !it.read { // the answer if it is not sent again in the end
			v.err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, o.err)
		}
	case !it.read:
		v.err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, o.err)
	default:
		// Sent again it would see what the lost write behind it may have stored.
		v.err = fmt.Errorf("the answer was lost, and a write behind it may have run: %w", o.err)
	}
	return v
}

// A risk is what may have changed when a command's answer was lost.
type risk int8

const (
	harmless risk = iota // nothing: it reads
	allowed              // something that may be done again
	harmful              // something that must not
)

func (it *item) risk() risk {
	switch {
	case it.read:
		return harmless
	case it.safe:
		return allowed
	}
	return harmful
}

// unreachable says where nobody answered, and what to look at.
func unreachable(c *conn, err error) error {
	where, cure := "the Cluster", "is a server running there?"
	if client, ok := c.client.(*redis.Client); ok {
		if where = client.Options().Addr; where == "FailoverClient" { // what go-redis calls it
			where = "the master that the Sentinels know"
			cure = "are the Sentinels running, and is it the name they know it by?"
		}
	}
	var refused redis.Error
	if errors.As(err, &refused) && (errors.Is(err, redis.Nil) || strings.Contains(refused.Error(), "sentinel")) {
		return fmt.Errorf("cannot reach %s: %w; %s", where, err, cure) // its address was refused, not the connection
	}
	if errors.As(err, &refused) && strings.Contains(refused.Error(), "cluster support disabled") {
		return fmt.Errorf("%s is none: %w; connect to it with a redis.Client, or by a redis:// URL", where, err)
	}
	if errors.As(err, &refused) {
		return fmt.Errorf("%s refused the connection: %w; look at user, password and database", where, err)
	}
	var certificate *tls.CertificateVerificationError
	client, single := c.client.(*redis.Client)
	switch {
	case errors.As(err, &certificate):
		cure = "look at its certificate and at the TLSConfig of the client"
	case single && client.Options().TLSConfig != nil:
		cure += " does it speak TLS? (without, the scheme is redis://)"
	case errors.Is(err, io.EOF):
		cure = "it ends the connection at once: does it want TLS? (then the scheme is rediss://)"
	}
	return fmt.Errorf("cannot reach %s: %w; %s", where, err, cure)
}

// settle gives the Ref its answer.
func (it *item) settle(ctx context.Context, v verdict) {
	if v.err != nil {
		it.ref.fail(it.explain(ctx, v))
		return
	}
	it.answer(&v.outcome)
}

// answer gives the Ref a reply that is no error.
func (it *item) answer(o *outcome) {
	r := o.reply()
	if it.key > 0 {
		r.key = it.word(int(it.key))
	}
	it.ref.settle(r)
}

// explain is the error that the Ref answers for a failed command.
func (it *item) explain(ctx context.Context, v verdict) error {
	var fault *ServerError
	if it.fault == nil || errors.Is(v.err, ErrAborted) || !errors.As(v.err, &fault) {
		return it.named(v.err)
	}
	err := it.fault(fault)
	switch e := err.(type) {
	case *UnsupportedError:
		if v.from != nil {
			e.Server = v.from.version(ctx)
		}
		return it.named(err)
	case *ServerError:
		return it.named(err)
	}
	return err
}

// backoff is the pause before retry n, counted from 1: exponential with full
// jitter. Source: Brooker, "Exponential Backoff And Jitter", AWS 2015.
func backoff(n int) time.Duration {
	d := firstBackoff << min(n, 16)
	return rand.N(min(d, lastBackoff)) + time.Millisecond
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
