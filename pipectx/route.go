package pipectx

import "slices"

// route appends one batch a node, with the items for it: all of them, or those to be
// sent again. A connection whose nodes cannot be found is asked once.
func (f *flight) route(round []*batch, all bool) []*batch {
	count := len(f.again)
	if all {
		count = len(f.items)
	}
	var last *batch
	failed := map[*conn]error(nil)
	homes := map[home]*node(nil)
	together := f.together(all, count)
	for n := range count {
		i := n
		switch {
		case together != nil:
			i = together[n]
		case !all:
			i = f.again[n]
		}
		it := &f.items[i]
		err := failed[it.conn]
		var to *node
		if err == nil {
			to, err = f.home(it, &homes)
			if err == nil && all && f.dead[to] { // what is sent again was sent before it died
				err = errBehind
			}
		}
		if err != nil {
			if failed == nil {
				failed = map[*conn]error{}
			}
			if err != errBehind { // that is one node's
				failed[it.conn] = err
			}
			b := batches.Get().(*batch) // one of its own: it has no node to share
			b.items, b.outcomes = append(b.items, i), append(b.outcomes, outcome{err: err, unsent: true})
			round = append(round, b)
			continue
		}
		watch := (*watch)(nil)
		if it.block != nil {
			watch = it.block.watch
		}
		if last == nil || last.node != to || last.watch != watch {
			last = nil
			for _, b := range round {
				if b.node == to && b.watch == watch {
					last = b
				}
			}
			if last == nil {
				last = batches.Get().(*batch)
				last.node, last.watch = to, watch
				if it.waits {
					last.wait = f.ctx.(*waitContext).wait
				}
				round = append(round, last)
			}
		}
		last.items = append(last.items, i)
	}
	return round
}

// A home is what decides where on a Cluster a command goes.
type home struct {
	conn *conn
	slot int16
	goTo string
}

// home returns the node of an item. go-redis may learn of another one at any time:
// within one attempt a slot has one node, so that its commands keep their order
// and an Atomic stays whole.
func (f *flight) home(it *item, homes *map[home]*node) (*node, error) {
	if it.block != nil && it.block.watch != nil {
		return it.block.watch.node, nil
	}
	if it.conn.single != nil {
		return it.conn.single, nil
	}
	h := home{it.conn, it.slot, it.goTo}
	if it.block != nil { // a command without a key goes where the others go
		h.slot = int16(it.block.slot)
	}
	if n := (*homes)[h]; n != nil {
		return n, nil
	}
	n, err := it.conn.route(f.ctx, it)
	if err == nil {
		if *homes == nil {
			*homes = map[home]*node{}
		}
		(*homes)[h] = n
	}
	return n, err
}

// parts returns what goes to one connection after what goes to another. The parts are slices of round, so that what send
// puts there is seen.
func (f *flight) parts(round []*batch) (parts [][]*batch) {
	order := map[*conn]int{}
	rank := func(b *batch) int { return order[f.items[b.items[0]].conn] }
	for _, b := range round {
		if c := f.items[b.items[0]].conn; order[c] == 0 {
			order[c] = len(order) + 1
		}
	}
	slices.SortStableFunc(round, func(a, b *batch) int { return rank(a) - rank(b) })
	for from := 0; from < len(round); {
		to := from
		for to < len(round) && rank(round[to]) == rank(round[from]) {
			to++
		}
		parts = append(parts, round[from:to])
		from = to
	}
	return parts
}

// together returns the order in which each Atomic's commands stand together, at
// the place of its first one; nil if there is none.
func (f *flight) together(all bool, count int) []int {
	var blocks map[*block][]int
	for n := range count {
		i := n
		if !all {
			i = f.again[n]
		}
		if b := f.items[i].block; b != nil {
			if blocks == nil {
				blocks = map[*block][]int{}
			}
			blocks[b] = append(blocks[b], i)
		}
	}
	if blocks == nil {
		return nil
	}
	order := make([]int, 0, count)
	for n := range count {
		i := n
		if !all {
			i = f.again[n]
		}
		b := f.items[i].block
		if b == nil {
			order = append(order, i)
			continue
		}
		order = append(order, blocks[b]...)
		delete(blocks, b)
	}
	return order
}
