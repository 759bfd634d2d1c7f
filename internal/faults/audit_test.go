package faults_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/pipectx"
)

// example is a small world in which all is well: two operations of each kind, the
// first acknowledged and the second of unknown outcome, and not executed.
func example() (map[string]*op, map[string]*book) {
	ops := map[string]*op{}
	for i, k := range []kind{hit, push, event, field, tally, box, entry, delivery} {
		for n, out := range []outcome{acked, unknown} {
			seq := 2*i + n + 1
			o := &op{id: opID(k, "t", 0, seq), kind: k, tag: "t", seq: seq, how: "Run", amount: 5, ordered: true, outcome: out}
			ops[fmt.Sprint(k, n+1)] = o
		}
	}
	ops["hit1"].reply, ops["push1"].reply, ops["entry1"].reply, ops["event1"].at = 5, 1, 5, "1-1"
	rng := random(1, "example")
	value := func(name string) string { return seal(key("fields", "t"), ops[name].id, 10, rng) }
	return ops, map[string]*book{"t": {
		hits: 5,
		accounts: map[kind]account{
			entry:    {5, map[string]int64{ops["entry1"].id: 5}},
			delivery: {5, map[string]int64{ops["delivery1"].id: 5}},
		},
		journal: []string{ops["push1"].id},
		events:  []streamed{{"1-1", ops["event1"].id}},
		fields:  map[string]string{ops["field1"].id: value("field1")},
		tally:   map[string]float64{ops["tally1"].id: 1},
		boxes:   map[int]string{0: seal(boxKey("t", 0), ops["box1"].id, 10, rng)},
	}}
}

// book has the counter of an account be so much, and an operation's entry.
func (b *book) book(k kind, counter int64, o *op, amount int64) {
	b.accounts[k].ledger[o.id] = amount
	b.accounts[k] = account{counter, b.accounts[k].ledger}
}

// The accountant finds each thing that may go wrong, and nothing where all is
// well.
func TestAudit(t *testing.T) {
	type world = map[string]*op
	tests := []struct {
		reason string
		change func(ops world, b *book)
		want   string // how the only finding begins; "" if all is well
		lossy  string // likewise, where servers may lose what they acknowledged
	}{
		{"nothing is wrong", func(world, *book) {}, "", ""},
		{"unknown operations were executed", func(ops world, b *book) {
			b.hits = 10
			b.book(entry, 10, ops["entry2"], 5)
			b.journal = append(b.journal, ops["push2"].id)
			b.tally[ops["tally2"].id] = 1
			b.boxes[0] = seal(boxKey("t", 0), ops["box2"].id, 3, random(2, ""))
		}, "", ""},

		{"a list has it twice", func(ops world, b *book) { b.journal = append(b.journal, ops["push1"].id) }, "DOUBLED: push", "DOUBLED: push"},
		{"a stream has it twice", func(ops world, b *book) { b.events = append(b.events, streamed{"1-2", ops["event1"].id}) }, "DOUBLED: event", "DOUBLED: event"},
		{"a score of two", func(ops world, b *book) { b.tally[ops["tally1"].id] = 2 }, "DOUBLED: tally", "DOUBLED: tally"},
		{"a ledger has it twice", func(ops world, b *book) { b.book(entry, 10, ops["entry1"], 10) }, "DOUBLED: entry", "DOUBLED: entry"},
		{"an unknown one twice", func(ops world, b *book) { b.tally[ops["tally2"].id] = 2 }, "DOUBLED: tally", "DOUBLED: tally"},
		{"a counter above all that was sent", func(_ world, b *book) { b.hits = 11 }, "SUM: hits{t} is 11; acknowledged and unknown operations allow 5 to 10", "SUM: hits{t} is 11"},

		{"a list lost it", func(_ world, b *book) { b.journal = nil }, "LOST: push", ""},
		{"a field is gone", func(_ world, b *book) { b.fields = nil }, "LOST: field", ""},
		{"a counter below what was acknowledged", func(_ world, b *book) { b.hits = 4 }, "SUM: hits{t} is 4", ""},
		{"a box is empty", func(_ world, b *book) { b.boxes = nil }, "LOST: box", ""},

		{"the counter of a transaction without its ledger", func(ops world, b *book) { b.book(entry, 10, ops["entry1"], 5) }, "HALF: balance{t} is 10", "HALF: balance{t} is 10"},
		{"the ledger without its counter", func(ops world, b *book) { b.book(entry, 5, ops["entry2"], 5) }, "HALF: balance{t} is 5", "HALF: balance{t} is 5"},
		{"an update overwrote another", func(ops world, b *book) { b.book(delivery, 5, ops["delivery2"], 5) }, "HALF: stock{t} is 5", "HALF: stock{t} is 5"},
		{"a half of an amount", func(ops world, b *book) { b.book(entry, 8, ops["entry2"], 3) }, "entry/t/w0.14", "entry/t/w0.14"},

		{"an Atomic was executed in part", func(ops world, b *book) {
			ops["push2"].block, ops["tally2"].block = "b", "b"
			b.tally[ops["tally2"].id] = 1
		}, "HALF: tally", "HALF: tally"},
		{"an Atomic was reported in part", func(ops world, _ *book) { ops["hit1"].block, ops["hit2"].block = "b", "b" }, "HALF: hit", "HALF: hit"},

		{"executed, though reported as not", func(ops world, _ *book) { ops["push1"].outcome = notRun }, "EXECUTED: push", "EXECUTED: push"},
		{"executed, though never issued", func(ops world, _ *book) { ops["tally1"].outcome = notIssued }, "EXECUTED: tally", "EXECUTED: tally"},
		{"a box holds what was refused", func(ops world, _ *book) { ops["box1"].outcome = notRun }, "EXECUTED: box", "EXECUTED: box"},
		{"acknowledged, though discarded", func(ops world, _ *book) { ops["push1"].doomed = true }, "push/t/w0.3", "push/t/w0.3"},
		{"pending for ever", func(ops world, _ *book) { ops["push2"].outcome = pending }, "push/t/w0.4 (Run) was reported pending", "push/t/w0.4"},

		{"a list holds what nobody wrote", func(_ world, b *book) { b.journal = append(b.journal, "push/t/w9.9") }, "STRANGER: journal{t}", "STRANGER: journal{t}"},
		{"a list holds what belongs elsewhere", func(ops world, b *book) { b.journal = append(b.journal, ops["event2"].id) }, "STRANGER: journal{t}", "STRANGER: journal{t}"},
		{"a box holds the value of another", func(ops world, b *book) {
			b.boxes[0] = seal(boxKey("t", 1), ops["box1"].id, 3, random(2, ""))
		}, "CORRUPT: box{t}:0", "CORRUPT: box{t}:0"},
		{"one byte of a value is wrong", func(_ world, b *book) { b.boxes[0] = strings.Replace(b.boxes[0], "|", "!", 1) }, "CORRUPT: box{t}:0", "CORRUPT: box{t}:0"},
		{"a field's value is another's", func(ops world, b *book) {
			b.fields[ops["field1"].id] = seal(key("fields", "t"), ops["field2"].id, 3, random(2, ""))
		}, "field/t/w0.7", "field/t/w0.7"},

		{"a length that is another's", func(ops world, _ *book) { ops["push1"].reply = 2 }, "REPLY: push", ""},
		{"an entry id that is another's", func(ops world, _ *book) { ops["event1"].at = "1-9" }, "REPLY: event", ""},
		{"two increments with one reply", func(ops world, b *book) {
			ops["hit2"].outcome, ops["hit2"].reply, b.hits = acked, 5, 10
		}, "REPLY: hit", ""},
		{"the later one stands first", func(ops world, b *book) {
			ops["push2"].outcome, ops["push2"].reply, ops["push1"].reply = acked, 1, 2
			b.journal = []string{ops["push2"].id, ops["push1"].id}
		}, "ORDER: push", ""},
		{"the later one stands first, in no order to each other", func(ops world, b *book) {
			ops["push2"].outcome, ops["push2"].reply, ops["push1"].reply = acked, 1, 2
			ops["push1"].ordered = false
			b.journal = []string{ops["push2"].id, ops["push1"].id}
		}, "", ""},
		{"a box holds what was there before", func(ops world, _ *book) { ops["box2"].outcome = acked }, "LOST: box", ""},
	}
	for _, test := range tests {
		for lossy, want := range map[bool]string{false: test.want, true: test.lossy} {
			ops, books := example()
			test.change(ops, books["t"])
			var all []*op
			for _, o := range ops {
				all = append(all, o)
			}
			slices.SortFunc(all, func(a, b *op) int { return a.seq - b.seq })
			got := audit(all, books, lossy)
			if want == "" && len(got) == 0 {
				continue
			}
			if want == "" || len(got) == 0 || !slices.ContainsFunc(got, func(v string) bool { return strings.HasPrefix(v, want) }) {
				t.Errorf("%s (lossy: %v): found %q, want one that begins %q", test.reason, lossy, got, want)
			}
		}
	}
}

// Where nobody is to notice anything, a refusal is a finding; what was discarded
// is not.
func TestBumps(t *testing.T) {
	refused := func(code string) error { return &pipectx.CommandError{Err: &pipectx.ServerError{Code: code}} }
	tests := []struct {
		reason string
		op     op
		want   int
	}{
		{"acknowledged", op{outcome: acked}, 0},
		{"never issued", op{outcome: notIssued}, 0},
		{"discarded", op{outcome: notRun, err: pipectx.ErrDiscarded}, 0},
		{"keys in two places for too long", op{outcome: notRun, err: refused("TRYAGAIN")}, 0},
		{"moved away", op{outcome: notRun, err: refused("MOVED")}, 1},
		{"not sent", op{outcome: notRun, err: pipectx.ErrNotSent}, 1},
		{"unknown", op{outcome: unknown, err: pipectx.ErrOutcomeUnknown}, 1},
	}
	for _, test := range tests {
		if got := bumps([]*op{&test.op}); len(got) != test.want {
			t.Errorf("%s: %q", test.reason, got)
		}
	}
}

// What an error says about a command is what it is counted as; an error that does
// not say it is a finding.
func TestClassify(t *testing.T) {
	server := &pipectx.CommandError{Command: "INCR", Err: &pipectx.ServerError{Code: "READONLY"}}
	tests := []struct {
		reason string
		errs   []error
		want   outcome
	}{
		{"no command", nil, notIssued},
		{"an answer", []error{nil}, acked},
		{"its answer was lost", []error{fmt.Errorf("x: %w", pipectx.ErrOutcomeUnknown)}, unknown},
		{"not sent", []error{pipectx.ErrNotSent}, notRun},
		{"discarded", []error{pipectx.ErrDiscarded}, notRun},
		{"refused", []error{server}, notRun},
		{"pending", []error{pipectx.ErrPending}, pending},
		{"says nothing", []error{errors.New("EOF")}, unclear},
		{"all of a transaction", []error{nil, nil}, acked},
		{"half of a transaction", []error{nil, server}, unclear},
	}
	for _, test := range tests {
		if got, _ := classify(test.errs); got != test.want {
			t.Errorf("%s: %s, want %s", test.reason, got, test.want)
		}
	}
}

// The same seed makes the same plans.
func TestPlansAreOfTheSeed(t *testing.T) {
	plans := func(seed uint64) string {
		w := &worker{run: &run{tags: []string{"a", "b"}, workers: 2, cancels: 0.2}, rng: random(seed, "w"), boxes: map[string]*task{}}
		var b strings.Builder
		for range 50 {
			describe(&b, w.plan())
		}
		return b.String()
	}
	if first, again := plans(7), plans(7); first != again {
		t.Error("one seed makes two workloads")
	}
	if plans(7) == plans(8) {
		t.Error("two seeds make one workload")
	}
}

func describe(b *strings.Builder, p *plan) {
	fmt.Fprintf(b, "%s %d %v\n", p.shape, p.fail, p.cancel)
	for _, m := range p.members {
		describe(b, m)
	}
	for _, s := range p.steps {
		if s.op != nil {
			fmt.Fprintln(b, s.op.id, s.op.way, s.op.amount, s.op.value)
		}
		if s.look != nil {
			fmt.Fprintln(b, s.look.way, s.look.tag, s.look.worker)
		}
		if s.child != nil {
			describe(b, s.child)
		}
		for _, a := range s.after {
			fmt.Fprintln(b, a.op.id)
		}
	}
}
