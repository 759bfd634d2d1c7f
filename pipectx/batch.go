package pipectx

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"

	"github.com/redis/go-redis/v9"
)

func (b *batch) outcome(n int) *outcome {
	if b.lost != nil {
		return b.lost
	}
	return &b.outcomes[n]
}

// broken tells whether the connection failed behind the first byte, and a write
// has no answer: what comes later would overtake it.
func (b *batch) broken(items []item) bool {
	last := b.outcome(len(b.items) - 1)
	if last.err == nil || last.unsent {
		return false
	}
	for n, i := range b.items {
		if items[i].risk() == harmful && b.outcome(n).err != nil {
			return true
		}
	}
	return false
}

// host is where the batch went, for redirections that name only a port.
func (b *batch) host() string {
	if b.node == nil {
		return ""
	}
	host, _, _ := net.SplitHostPort(b.node.client.Options().Addr)
	return host
}

// risk is what may have changed by the items of a chunk.
func (b *batch) risk(items []item, from, to int) risk {
	risk := harmless
	for _, i := range b.items[from:to] {
		risk = max(risk, items[i].risk())
	}
	return risk
}

// lastRun returns the last item of which a reply shows that it has run, or -1.
func (b *batch) lastRun(items []item) int {
	if b.ran == 0 {
		b.ran = len(b.items)
		for ; b.ran > 0; b.ran-- {
			o := &b.outcomes[b.ran-1]
			if o.err == nil && items[b.items[b.ran-1]].judge(o, b).again == final {
				break
			}
		}
		b.ran++ // so that 0 is "not asked"
	}
	return b.ran - 2
}

// deliverBy delivers the batch, unless it is for a Watch that is over.
func (b *batch) deliverBy(ctx context.Context, items []item) {
	if !b.watch.begin() {
		for range b.items {
			b.outcomes = append(b.outcomes, outcome{err: fmt.Errorf("%w: %w", ErrNotSent, ErrEnded), unsent: true})
		}
		return
	}
	defer b.watch.end()
	b.deliver(ctx, items)
}

// deliver sends the batch in chunks. It reads items and writes none of them.
func (b *batch) deliver(ctx context.Context, items []item) {
	var bodies map[string]bool // scripts whose body has gone along
	b.outcomes = slices.Grow(b.outcomes, len(b.items))[:len(b.items)]
	for from := 0; from < len(b.items); {
		to := b.chunk(ctx, items, from, &bodies)
		last := b.outcomes[to-1]
		if last.err != nil && !last.executed && !items[b.items[to-1]].alone() { // others' commands try another connection
			rest := outcome{err: errBehind}
			switch {
			case last.unsent: // there was no connection at all
				rest = last
			case b.risk(items, from, to) < harmful: // what was lost goes again, and so may this
				rest = outcome{err: last.err, unsent: true}
			}
			for n := to; n < len(b.items); n++ {
				b.outcomes[n] = rest
			}
			b.failed = true
			break
		}
		from = to
	}
	if !b.failed || items[b.items[0]].alone() { // others' commands have no order between them
		return
	}
	behind := harmless
	for n := len(b.items) - 1; n >= 0; n-- {
		o := &b.outcomes[n]
		o.behind = max(o.behind, behind)
		if o.err != nil && !o.unsent && o.err != errBehind {
			behind = max(behind, items[b.items[n]].risk())
		}
	}
}

// chunk sends items from from on, as many as fit, and returns where it ended.
// An Atomic is not divided.
func (b *batch) chunk(ctx context.Context, items []item, from int, bodies *map[string]bool) (to int) {
	b.wires.reset()
	b.at = b.at[:0]
	size := 0
	var in *block
	control := func(args []any) {
		b.wires.add(args, false)
		size += len(*args[0].(*string))
	}
	for to = from; to < len(b.items); to++ {
		it := &items[b.items[to]]
		if it.block != in || it.block == nil {
			if in != nil {
				control(execArgs)
				in = nil
			}
			if to-from >= chunkCommands || size >= chunkBytes {
				break
			}
			if it.asking {
				control(askingArgs) // before MULTI it holds for the whole block
			}
			if it.block != nil {
				in, *bodies = it.block, nil // nothing is taken to be known: see words
				control(multiArgs)
			}
		}
		b.at = append(b.at, len(b.wires.order))
		words, body := b.words(it, bodies)
		b.wires.add(words, it.text && in == nil)
		size += int(it.size) + body
	}
	if in != nil {
		control(execArgs)
	}
	b.sent += size
	b.cmds = b.wires.append(b.cmds[:0])
	if ctx.Done() != nil {
		b.cmds[0].(interface{ startBy(*start) }).startBy(&b.start)
	}
	err := b.exec(ctx)
	for n := from; n < to; n++ {
		o := &b.outcomes[n]
		*o = outcomeOf(b.cmds[b.at[n-from]], err)
		b.got += o.size()
		b.failed = b.failed || o.err != nil
		if s := items[b.items[n]].script; s != nil && o.err == nil && ran(o.frame) && items[b.items[n]].block == nil {
			b.node.known.add(s.SHA)
		}
	}
	if !b.outcomes[from].unsent { // else there was no connection
		b.trips++
	}
	b.settleBlocks(items, from, to, err)
	return to
}

// settleBlocks takes the replies to EXEC apart.
func (b *batch) settleBlocks(items []item, from, to int, err error) {
	for n := from; n < to; {
		in := items[b.items[n]].block
		end := n + 1
		for ; in != nil && end < to && items[b.items[end]].block == in; end++ {
		}
		if in != nil {
			risk := b.risk(items, n, end)
			multi := outcomeOf(b.cmds[b.at[n-from]-1], err)
			executed := outcomeOf(b.cmds[b.at[end-1-from]+1], err)
			b.failed = b.failed || executed.err != nil
			settleBlock(b.outcomes[n:end], multi, executed, risk)
			if b.watch != nil {
				b.watch.settled(b.outcomes[n:end], executed.err == nil)
			}
		}
		n = end
	}
}

// ran tells whether a reply shows that its script is known: it is a result, or
// the error of a script of package lua.
func ran(frame []byte) bool { return frame[0] != failed || bytes.Contains(frame, []byte(raisedInLua)) }

var (
	errBehind  = fmt.Errorf("%w: the connection failed before this command's turn", ErrNotSent)
	askingArgs = []any{&askingWord}
)

// words returns the arguments of an item: its own, or those that carry a
// script's body where the node does not know it, and how much longer they are. In an Atomic the first use of a
// script always does: NOSCRIPT there would leave the block executed in part.
func (b *batch) words(it *item, bodies *map[string]bool) (args []any, longer int) {
	s := it.script
	if s == nil || it.noScript < 3 && ((*bodies)[s.SHA] || it.block == nil && b.node.known.has(s.SHA)) {
		return it.args, 0
	}
	if *bodies == nil {
		*bodies = map[string]bool{}
	}
	(*bodies)[s.SHA] = true
	b.loads++
	args = slices.Clone(it.args)
	args[0], args[1] = s.eval(), &s.Body
	return args, len(*s.eval()) + len(s.Body) - len(it.word(0)) - len(s.SHA)
}

// An executor is a client or one connection of it.
type executor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
	Pipeline() redis.Pipeliner
}

// exec sends the commands as one pipeline, or a lone one as a single command.
func (b *batch) exec(ctx context.Context) error {
	if b.wait != nil {
		return b.wait.exec(ctx, b)
	}
	var to executor = b.node.client
	if b.watch != nil {
		to = b.watch.conn
	}
	if len(b.cmds) == 1 { // a lone command costs no pipeline
		return to.Process(ctx, b.cmds[0])
	}
	p := to.Pipeline()
	_ = p.BatchProcess(ctx, b.cmds...) // it only queues
	_, err := p.Exec(ctx)
	return err
}
