package pipectx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Each kind of reply, of RESP2 and RESP3, is read as what it is; what it is not
// is an error that shows it.
func TestReply(t *testing.T) {
	type answer struct {
		text  string
		n     int64
		f     float64
		b     bool
		kinds string // which of Text, Int, Float, Bool and OK work: tifbo
	}
	tests := []struct {
		frame, reason string
		want          answer
	}{
		{"+OK\r\n", "a status", answer{text: "OK", b: true, kinds: "tbo"}},
		{":42\r\n", "an integer", answer{"42", 42, 42, true, "tifb"}},
		{":0\r\n", "zero is false", answer{"0", 0, 0, false, "tifb"}},
		{":-9223372036854775808\r\n", "the least integer", answer{"-9223372036854775808", math.MinInt64, math.MinInt64, true, "tifb"}},
		{"$2\r\n42\r\n", "a number in a bulk", answer{"42", 42, 42, true, "tifb"}},
		{"$19\r\n9007199254740993.5\r\n\r\n", "a text that ends in a line break", answer{text: "9007199254740993.5\r", kinds: "t"}},
		{"$0\r\n\r\n", "an empty text", answer{kinds: "t"}},
		{"$4\r\n\r\n\r\n\r\n", "a text of line breaks", answer{text: "\r\n\r\n", kinds: "t"}},
		{",1.5\r\n", "a double", answer{text: "1.5", f: 1.5, kinds: "tf"}},
		{",inf\r\n", "an infinite double", answer{text: "inf", f: math.Inf(1), kinds: "tf"}},
		{"$4\r\n-inf\r\n", "infinity in RESP2", answer{text: "-inf", f: math.Inf(-1), kinds: "tf"}},
		{",nan\r\n", "no number is no float", answer{text: "nan", kinds: "t"}},
		{"#t\r\n", "true", answer{"1", 1, 1, true, "tifb"}},
		{"#f\r\n", "false", answer{"0", 0, 0, false, "tifb"}},
		{"(3492890328409238509324850943850943825024385\r\n", "a big number", answer{text: "3492890328409238509324850943850943825024385", f: 3.4928903284092385e42, kinds: "tf"}},
		{"=9\r\ntxt:hello\r\n", "a verbatim text, without its prefix", answer{text: "hello", kinds: "t"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			err := reads(t)(test.frame, func(r pipectx.Reply) {
				text, errT := r.Text()
				n, errI := r.Int()
				f, errF := r.Float()
				b, errB := r.Bool()
				_, errO := r.OK()
				got := answer{text: text, n: n, f: f, b: b}
				for i, err := range []error{errT, errI, errF, errB, errO} {
					if err == nil {
						got.kinds += "tifbo"[i : i+1]
					} else if !strings.Contains(err.Error(), "is not a") && !strings.Contains(err.Error(), "is not an") {
						t.Errorf("the error %q does not say what it is not", err)
					}
				}
				if got != test.want {
					t.Errorf("%q is %+v, want %+v", test.frame, got, test.want)
				}
				if r.IsNil() || r.Err() != nil {
					t.Errorf("it is null %v, an error %v", r.IsNil(), r.Err())
				}
				if _, err := r.Items(); err == nil {
					t.Error("it has items")
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The float of an element is what strconv reads: of short numbers, which have a way of
// their own, and of all others.
func TestItemsFloat(t *testing.T) {
	texts := []string{"0", "1", "-1", "1.5", "0.1", "0.3", "7.", ".5", "1.2.3", "123456789012345", "1234567890123.45", "9007199254740993", "1e3", "inf", "-inf", "+1", "1_0", ""}
	for range 2000 {
		whole, places := rand.Int64N(1e12), rand.IntN(8)
		texts = append(texts, strconv.FormatFloat(float64(whole)/math.Pow10(places), 'f', places, 64))
	}
	for _, text := range texts {
		want, wantErr := strconv.ParseFloat(text, 64)
		for _, element := range []string{fmt.Sprintf("$%d\r\n%s\r\n", len(text), text), "," + text + "\r\n"} {
			err := reads(t)("*2\r\n*2\r\n$1\r\nm\r\n"+element+"*2\r\n$1\r\nm\r\n"+element, func(r pipectx.Reply) {
				items, err := r.Flat()
				if err != nil {
					t.Fatal(err)
				}
				for items.Next() && items.Next() {
					if got, err := items.Float(); got != want || (err == nil) != (wantErr == nil) {
						t.Errorf("%q is read as %v, %v; want %v, %v", element, got, err, want, wantErr)
					}
				}
				if items.Len() != 0 {
					t.Errorf("%q: %d are left", element, items.Len())
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A null is ErrNotFound to each method, in all its spellings.
func TestReplyNull(t *testing.T) {
	for _, frame := range []string{"$-1\r\n", "*-1\r\n", "_\r\n"} {
		err := reads(t)(frame, func(r pipectx.Reply) {
			if !r.IsNil() || r.Err() != nil {
				t.Errorf("%q: null %v, error %v", frame, r.IsNil(), r.Err())
			}
			for what, err := range calls(r) {
				if err != pipectx.ErrNotFound {
					t.Errorf("%q: %s answers %v, want ErrNotFound", frame, what, err)
				}
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// calls returns what the methods that read a value answer.
func calls(r pipectx.Reply) map[string]error {
	_, e1 := r.Bytes()
	_, e2 := r.Text()
	_, e3 := r.Int()
	_, e4 := r.Float()
	_, e5 := r.Bool()
	_, e6 := r.OK()
	_, e7 := r.Items()
	_, e8 := r.Texts()
	return map[string]error{"Bytes": e1, "Text": e2, "Int": e3, "Float": e4, "Bool": e5, "OK": e6, "Items": e7, "Texts": e8}
}

// Aggregates are walked element by element, however deep their elements are;
// a map is its keys and values in turns.
func TestReplyItems(t *testing.T) {
	tests := []struct {
		frame, reason string
		want          []string // the frames of the elements
	}{
		{"*0\r\n", "nothing", nil},
		{"*3\r\n:1\r\n$-1\r\n$1\r\na\r\n", "an array with a null", []string{":1\r\n", "$-1\r\n", "a"}},
		{"~2\r\n+a\r\n+b\r\n", "a set", []string{"+a\r\n", "+b\r\n"}},
		{"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n", "a map", []string{"+a\r\n", ":1\r\n", "+b\r\n", "*1\r\n_\r\n"}},
		{"*2\r\n*2\r\n*1\r\n:1\r\n%1\r\n+k\r\n*0\r\n#t\r\n", "nested", []string{"*2\r\n*1\r\n:1\r\n%1\r\n+k\r\n*0\r\n", "#t\r\n"}},
		{"*2\r\n-OOM x\r\n!5\r\nERR y\r\n", "errors are elements", []string{"-OOM x\r\n", "!5\r\nERR y\r\n"}},
		{"*2\r\n$5\r\n*9\r\n+\r\n=5\r\ntxt:$\r\n", "texts that look like frames", []string{"*9\r\n+", "=5\r\ntxt:$\r\n"}},
		{"*2\r\n|1\r\n+ttl\r\n:9\r\n+a\r\n+b\r\n", "attributes stand before their element, and are none of it", []string{"+a\r\n", "+b\r\n"}},
		{"*1\r\n*-1\r\n", "a null array", []string{"*-1\r\n"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			err := reads(t)(test.frame, func(r pipectx.Reply) {
				items, err := r.Items()
				if err != nil {
					t.Error(err)
				}
				var got []string
				for left := items.Len(); items.Next(); {
					if left--; items.Len() != left {
						t.Errorf("Len is %d, want %d", items.Len(), left)
					}
					got = append(got, items.Reply().String())
				}
				var want []string
				for _, frame := range test.want {
					want = append(want, fmt.Sprintf("%q", frame))
				}
				if !slices.Equal(got, want) || items.Len() != 0 || items.Next() {
					t.Errorf("elements %s, want %s", got, want)
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A value behind attributes is that value: they say something about it.
func TestReplyWithAttributes(t *testing.T) {
	if err := reads(t)("|1\r\n+ttl\r\n:9\r\n:42\r\n", func(r pipectx.Reply) {
		if n, err := r.Int(); n != 42 || err != nil {
			t.Errorf("it is %d, %v, want 42", n, err)
		}
	}); err != nil {
		t.Error(err)
	}
}

// A reply knows the first key of its command, for messages; its elements don't.
func TestReplyKey(t *testing.T) {
	db := embedded(t)
	c := pipectx.NewCommand("MGET").Read()
	c.Key("k1")
	c.Key("k2")
	err := pipectx.Send(t.Context(), db, c, func(r pipectx.Reply) (int, error) {
		items, err := r.Items()
		if !items.Next() || r.Key() != "k1" || items.Reply().Key() != "" {
			t.Errorf("the reply's key is %q, its element's %q", r.Key(), items.Reply().Key())
		}
		return 0, err
	}).Err()
	if err != nil {
		t.Error(err)
	}
}

// SendInto hands decode the Ref's own copy of a value to change; nothing of it
// shows before, nor when decode fails.
func TestSendInto(t *testing.T) {
	type record struct{ id, n int64 }
	db := embedded(t)
	fail := false
	incr := func(ctx context.Context, r record) *pipectx.Ref[record] {
		c := pipectx.NewCommand("INCR")
		c.Key("n")
		return pipectx.SendInto(ctx, db, c, r, func(reply pipectx.Reply, r *record) (err error) {
			r.n, err = reply.Int()
			if fail {
				err = errOurs
			}
			return err
		})
	}
	start := record{id: 7}
	var ref *pipectx.Ref[record]
	err := pipectx.Run(t.Context(), db, func(ctx context.Context) error {
		ref = incr(ctx, start)
		if r, err := ref.Result(); err != pipectx.ErrPending || r != (record{}) {
			t.Errorf("before the flush: %v, %v", r, err)
		}
		return nil
	})
	if err != nil || start.n != 0 {
		t.Errorf("Run answers %v, the caller's value is %v", err, start)
	}
	want(t, "queued", ref, record{7, 1})
	want(t, "at once", incr(t.Context(), start), record{7, 2})
	fail = true
	r, err := incr(t.Context(), start).Result()
	if r != (record{}) {
		t.Errorf("a Ref that failed has the value %v", r)
	}
	wantErr(t, "a Ref that failed", err, errOurs)
}

// An error reply of any spelling is a ServerError with its code; it never
// reaches a decoder.
func TestReplyErrors(t *testing.T) {
	tests := []struct{ frame, code, message, text string }{
		{"-WRONGTYPE Operation against a key\r\n", "WRONGTYPE", "Operation against a key", "WRONGTYPE Operation against a key"},
		{"!21\r\nSYNTAX invalid syntax\r\n", "SYNTAX", "invalid syntax", "SYNTAX invalid syntax"},
		{"-ERR\r\n", "ERR", "", "ERR"},
		{"-ERR  two spaces\r\n", "ERR", " two spaces", "ERR  two spaces"},
	}
	for _, test := range tests {
		err := reads(t)(test.frame, func(pipectx.Reply) { t.Errorf("%q reached the decoder", test.frame) })
		var refused *pipectx.ServerError
		if !errors.As(err, &refused) || refused.Code != test.code || refused.Message != test.message || refused.Error() != test.text {
			t.Errorf("%q is %q, want code %q, message %q, text %q", test.frame, err, test.code, test.message, test.text)
		}
	}
}

// What a reply claims about its length costs no memory before it is there.
func TestReplyClaimsCostNothing(t *testing.T) {
	for _, frame := range []string{"*9999999\r\n", "%4999999\r\n", "~9999999\r\n+a\r\n"} {
		_ = reads(t)(frame, func(r pipectx.Reply) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = r.Texts()
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
				t.Errorf("Texts of %q, %d bytes, allocates %d MiB", frame, len(frame), grown>>20)
			}
		})
	}
}

// An array cut short is no shorter array: its reader is told.
func TestReplyCutShort(t *testing.T) {
	for _, frame := range []string{"*3\r\n+a\r\n+b\r\n", "*2\r\n+a\r\n$5\r\nab\r\n", "%1\r\n+a\r\n"} {
		_ = reads(t)(frame, func(r pipectx.Reply) {
			if texts, err := r.Texts(); err == nil {
				t.Errorf("%q is %q, want an error", frame, texts)
			}
		})
	}
}

// A reply nested deep costs time in proportion to its length.
func TestReplyNestedDeep(t *testing.T) {
	const deep = 40_000
	frame := strings.Repeat("*1\r\n", deep) + ":1\r\n"
	s := newStage(t, func([]string) string { return frame })
	db := newDB(t, s.client(t))
	within(t, 10*time.Second, "decoding it", func() {
		_ = pipectx.Do[any](t.Context(), db, "X").Err() // a value or an error, but soon
	})
}

// Do reads arrays by their own kinds: nulls are nil, errors are elements.
func TestReplyNatural(t *testing.T) {
	frame := "*8\r\n:1\r\n,1.5\r\n#t\r\n$1\r\na\r\n$-1\r\n-ERR x\r\n*2\r\n_\r\n+s\r\n%1\r\n+k\r\n:2\r\n"
	s := newStage(t, func([]string) string { return frame })
	db := newDB(t, s.client(t))
	got, err := pipectx.Do[[]any](t.Context(), db, "X").Result()
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(got); text != "[1 1.5 true a <nil> ERR x [<nil> s] [k 2]]" {
		t.Errorf("it is %s", text)
	}
}

// An echo is a client without a server: every command is answered by frame.
type echo struct{ frame []byte }

func (e *echo) DialHook(next redis.DialHook) redis.DialHook { return next }

func (e *echo) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		cmd.(interface{ SetVal([]byte) }).SetVal(e.frame)
		return nil
	}
}

func (e *echo) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// reads returns a function that has decode read any bytes as a reply. It is not
// called for an error reply: that is the Ref's answer.
func reads(t testing.TB) func(frame string, decode func(pipectx.Reply)) error {
	e := &echo{}
	client := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { client.Close() })
	client.AddHook(e)
	db := newDB(t, client)
	return func(frame string, decode func(pipectx.Reply)) error {
		e.frame = []byte(frame)
		ctx := context.Background() // a fuzz target's t is not this one
		return pipectx.Send(ctx, db, pipectx.NewCommand("X").Read(), func(r pipectx.Reply) (int, error) {
			decode(r)
			return 0, nil
		}).Err()
	}
}

// No bytes make Reply's methods panic, hang, or reach out of the reply. Of a
// well-formed reply Items yields the elements, whole and in order.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		"\n", "\r\n", "+\r\n", "+OK\r\n", "-ERR x\r\n", ":1\r\n", "$-1\r\n", "$5\r\nhello\r\n", "$9999999999999999999\r\n", "$-5\r\n",
		"*-1\r\n", "*2\r\n:1\r\n", "*2\r\n*1\r\n:1\r\n+x\r\n", "%1\r\n+a\r\n+b\r\n", "|1\r\n+a\r\n+b\r\n:1\r\n", "*9999999\r\n+a\r\n",
		"~1\r\n_\r\n", "=4\r\ntxt:\r\n", "=2\r\nab\r\n", "!3\r\nERR\r\n", "#t\r\n", ",inf\r\n", "(1\r\n", ">1\r\n+a\r\n", "$2147483647\r\n",
		"*1\r\n$4611686018427387904\r\n", "*2\r\n-OOM x\r\n+b\r\n", "*3\r\n|-1\r\n%-1\r\n*-1\r\n", strings.Repeat("*1\r\n", 200), "*1\n", "+a\n",
		"*\r\n", "*-\r\n", "$-\r\n", "*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n", "*-9223372036854775808\r\n",
	} {
		f.Add([]byte(seed))
	}
	read := reads(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 || bytes.ContainsAny(b[:1], "-!") {
			return // no reply, or an error: neither reaches a decoder
		}
		frame := string(b)
		if err := read(frame, func(r pipectx.Reply) {
			_ = r.String()
			_, _ = r.Texts()
			inspect(t, r, frame, 0)
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// inspect holds r against frame, the bytes it stands for.
func inspect(t *testing.T, r pipectx.Reply, frame string, depth int) {
	if size, ok := wellFormed(frame, 0); ok && size == len(frame) {
		for what, err := range calls(r) {
			if err == nil && (r.IsNil() || r.Err() != nil) {
				t.Fatalf("%s of %q answers no error", what, r)
			}
		}
	}
	if text, err := r.Bytes(); err == nil && len(text) > len(frame) {
		t.Fatalf("%q has a text of %d bytes", r, len(text))
	}
	items, err := r.Items()
	if err != nil || depth > 20 {
		return
	}
	want, whole := elements(frame)
	var got []pipectx.Reply
	for items.Next() {
		if got = append(got, items.Reply()); 3*len(got) > len(frame) {
			t.Fatalf("%q has more elements than it has room for", r)
		}
	}
	if items.Len() != 0 || items.Next() {
		t.Fatalf("%d elements are left after the last", items.Len())
	}
	if !whole { // then they are what they are, but harmless
		for _, r := range got {
			inspect(t, r, frame, depth+1)
		}
		return
	}
	if len(got) != len(want) {
		t.Fatalf("%q has %d elements, want %d", r, len(got), len(want))
	}
	for i, r := range got {
		if text := fmt.Sprintf("%q", want[i]); len(want[i]) <= 64 && want[i][0] != '|' && r.String() != text {
			t.Fatalf("element %d is %s, want %s", i, r, text)
		}
		inspect(t, r, want[i], depth+1)
	}
}

// elements takes a well-formed aggregate apart, the plain way.
func elements(frame string) (all []string, whole bool) {
	kind, n, rest, ok := header(frame)
	if !ok || !strings.ContainsRune("*~>%", kind) || n < 0 {
		return nil, false
	}
	if kind == '%' {
		n *= 2
	}
	for range n {
		size, ok := wellFormed(rest, 0)
		if !ok {
			return nil, false
		}
		all, rest = append(all, rest[:size]), rest[size:]
	}
	return all, rest == ""
}

// wellFormed returns the size of the reply that s begins with.
func wellFormed(s string, depth int) (size int, ok bool) {
	kind, n, rest, ok := header(s)
	size = len(s) - len(rest)
	if !ok || depth > 100 {
		return 0, false
	}
	switch kind {
	case '+', '-', ':', '_', ',', '#', '(':
		return size, true
	case '$', '=', '!':
		if n == -1 {
			return size, true
		}
		return size + n + 2, n >= 0 && len(rest) >= n+2 && rest[n:n+2] == "\r\n"
	case '*', '~', '>', '%', '|':
		if n < -1 {
			return 0, false
		}
		if kind == '%' || kind == '|' {
			n *= 2
		}
		if kind == '|' {
			if n < 0 {
				return 0, false
			}
			n++
		}
		for range max(n, 0) {
			item, ok := wellFormed(rest, depth+1)
			if !ok {
				return 0, false
			}
			size, rest = size+item, rest[item:]
		}
		return size, true
	}
	return 0, false
}

// header takes the first line of s apart.
func header(s string) (kind rune, n int, rest string, ok bool) {
	line, rest, ok := strings.Cut(s, "\r\n")
	if !ok || line == "" || strings.Contains(line, "\n") {
		return 0, 0, "", false
	}
	n, err := strconv.Atoi(line[1:])
	ok = err == nil && n < 1<<31 && (line[1] != '-' || line[1:] == "-1") || !strings.ContainsRune("$=!*~>%|", rune(line[0]))
	return rune(line[0]), n, rest, ok
}

// What a Ref holds stays what it was, a value, an error's key or a reply's key
// that a decoder kept, however many pipelines come after it.
func TestReplyMemoryIsItsOwn(t *testing.T) {
	db := embedded(t)
	keep := func(r pipectx.Reply) (string, error) { return r.Key(), nil }
	var values [100]*pipectx.Ref[[]byte]
	var keys [100]*pipectx.Ref[string]
	var errs [100]error
	for round := range 5 {
		bad := make([]*pipectx.Ref[int64], len(errs))
		_ = pipectx.Run(t.Context(), db, func(ctx context.Context) error {
			for i := range values {
				key := fmt.Sprint("round", round, "-", i)
				do(ctx, db, "SET", key, key)
				value := pipectx.Do[[]byte](ctx, db, "GET", key)
				c := pipectx.NewCommand("STRLEN").Read()
				c.Key(key)
				kept := pipectx.Send(ctx, db, c, keep)
				bad[i] = pipectx.Do[int64](ctx, db, "INCR", key)
				if round == 0 {
					values[i], keys[i] = value, kept
				}
			}
			return nil
		})
		if round == 0 {
			for i, ref := range bad {
				errs[i] = ref.Err()
			}
		}
		for i := range values { // at once, too
			_ = do(t.Context(), db, "SET", fmt.Sprint("other", round, "-", i), "x").Err()
		}
	}
	for i := range values {
		want := fmt.Sprint("round0-", i)
		if got, err := values[i].Result(); err != nil || string(got) != want {
			t.Fatalf("a value is %q, %v, want %q", got, err, want)
		}
		if got, err := keys[i].Result(); err != nil || got != want {
			t.Fatalf("a key that a decoder kept is %q, %v, want %q", got, err, want)
		}
		var c *pipectx.CommandError
		if !errors.As(errs[i], &c) || c.Key != want || c.Command != "INCR" {
			t.Fatalf("an error is %v, want one of INCR %s", errs[i], want)
		}
	}
}
