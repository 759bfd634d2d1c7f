package redistest

import (
	"context"
	"crypto/sha1"
	"encoding"
	"encoding/hex"
	"fmt"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
)

// A Recorder writes down what a client sends, one round trip a line:
//
//	GET user{7}
//	HSET user{7} name "Ada Lovelace" | EXPIRE user{7} 3600
//	MULTI | EVALSHA <incr_cap> 1 visits{7} 1 | EXEC
//
// A pipeline is one round trip, its commands separated by bars. Arguments that
// a reader could misread are quoted as in Go. A script shows as the name in
// its first line, "-- incr_cap adds …"; <script> when it has none, and <sha>
// when its text has not been seen.
//
// What a client says on its own account is left out: the handshake of a
// connection, and a cluster client's questions about slots and commands.
//
// A command that go-redis itself sends again after a broken connection is one
// line; one that is redirected is a line for each node it was sent to.
// Subscriptions are not seen.
type Recorder struct {
	mu       sync.Mutex
	lines    []string
	commands int
	scripts  map[string]string // SHA → name
	masks    []string          // old, new, …
}

// Record records what the clients send from now on, all into the same list.
// Of a cluster client it records what goes to each node.
func Record(clients ...redis.UniversalClient) *Recorder {
	r := &Recorder{scripts: make(map[string]string)}
	for _, c := range clients {
		cluster, ok := c.(*redis.ClusterClient)
		if !ok {
			c.AddHook(r)
			continue
		}
		// A hook of the cluster client sees a pipeline before it is split, and
		// nothing of what goes to a node's own client. So each node gets it:
		// those to come, and those that are there.
		var seen sync.Map
		hook := func(node *redis.Client) {
			if _, hooked := seen.LoadOrStore(node, true); !hooked {
				node.AddHook(r)
			}
		}
		cluster.OnNewNode(hook)
		// Its error would be that the cluster is out of reach: then there are
		// no nodes yet, or the first command tells.
		_ = cluster.ForEachShard(context.Background(), func(_ context.Context, node *redis.Client) error {
			hook(node)
			return nil
		})
	}
	return r
}

// Lines returns what was sent, one round trip a line, in the order of sending.
func (r *Recorder) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// Sorted returns the lines in alphabetical order, for round trips to several
// nodes that leave at the same time.
func (r *Recorder) Sorted() []string {
	lines := r.Lines()
	slices.Sort(lines)
	return lines
}

// String returns the lines as the text of a golden file.
func (r *Recorder) String() string {
	var b strings.Builder
	for _, line := range r.Lines() {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// Commands returns how many commands were sent, MULTI and EXEC among them.
func (r *Recorder) Commands() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commands
}

// RoundTrips returns how many round trips there were. Those to several nodes
// at the same time count each.
func (r *Recorder) RoundTrips() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lines)
}

// Reset forgets the lines, not the names of scripts and the masks.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines, r.commands = nil, 0
}

// Mask shows text as <name> in the lines to come, for what differs between
// runs: tokens, times, addresses.
func (r *Recorder) Mask(text, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.masks = append(r.masks, text, "<"+name+">")
}

// Script teaches the recorder the text of a script that was loaded before it
// began, and returns the script's SHA.
func (r *Recorder) Script(body string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.learn(body)
}

// DialHook is part of [redis.Hook]; it changes nothing.
func (r *Recorder) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return next(ctx, network, addr)
	}
}

// ProcessHook is part of [redis.Hook]: one command is one round trip.
func (r *Recorder) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		r.add([]redis.Cmder{cmd})
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook is part of [redis.Hook]: one pipeline is one round trip.
func (r *Recorder) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		r.add(cmds)
		return next(ctx, cmds)
	}
}

// add records a round trip when it is sent, not when it is answered: so lines
// stand in the order of the program.
func (r *Recorder) add(cmds []redis.Cmder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var line []string
	for _, cmd := range cmds {
		args := make([]string, len(cmd.Args()))
		for i, arg := range cmd.Args() {
			args[i] = text(arg)
		}
		if !ownBusiness(args) {
			line = append(line, r.show(args))
		}
	}
	if len(line) > 0 {
		r.lines = append(r.lines, strings.Join(line, " | "))
		r.commands += len(line)
	}
}

// ownBusiness reports whether a client sends this of itself. Nobody else does:
// on a pooled connection these would be lost on the next caller.
func ownBusiness(args []string) bool {
	if len(args) == 0 {
		return true
	}
	second := ""
	if len(args) > 1 {
		second = strings.ToLower(args[1])
	}
	switch strings.ToLower(args[0]) {
	case "hello", "auth", "select", "readonly":
		return true
	case "client":
		return slices.Contains([]string{"setinfo", "setname", "maint_notifications", "tracking"}, second)
	case "cluster":
		return slices.Contains([]string{"slots", "shards"}, second)
	case "command":
		return len(args) == 1
	}
	return false
}

// containers are the commands whose first argument names the command proper.
var containers = []string{
	"ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY",
	"MEMORY", "OBJECT", "PUBSUB", "SCRIPT", "SLOWLOG", "XGROUP", "XINFO",
}

// show writes one command, its name in capitals and its scripts by name.
func (r *Recorder) show(args []string) string {
	args = slices.Clone(args)
	args[0] = strings.ToUpper(args[0])
	name := args[0]
	if len(args) > 1 && slices.Contains(containers, name) {
		args[1] = strings.ToUpper(args[1])
		name += " " + args[1]
	}
	scripts := map[int]string{} // argument → how it shows
	last := len(args) - 1
	switch {
	case last < 1:
	case name == "EVAL", name == "EVAL_RO":
		scripts[1] = r.scripts[r.learn(args[1])]
	case name == "SCRIPT LOAD", name == "FUNCTION LOAD":
		scripts[last] = r.scripts[r.learn(args[last])]
	case name == "EVALSHA", name == "EVALSHA_RO":
		scripts[1] = r.known(args[1])
	case name == "SCRIPT EXISTS":
		for i := 2; i <= last; i++ {
			scripts[i] = r.known(args[i])
		}
	}
	mask := strings.NewReplacer(r.masks...)
	for i, arg := range args {
		if script, ok := scripts[i]; ok {
			args[i] = "<" + script + ">"
		} else {
			args[i] = quote(mask.Replace(arg))
		}
	}
	return strings.Join(args, " ")
}

func (r *Recorder) known(sha string) string {
	if name, ok := r.scripts[strings.ToLower(sha)]; ok {
		return name
	}
	return "sha"
}

// learn notes the name of a script and returns its SHA.
func (r *Recorder) learn(body string) string {
	sum := sha1.Sum([]byte(body)) // Redis's own name for a script, no secret
	sha := hex.EncodeToString(sum[:])
	if _, ok := r.scripts[sha]; !ok {
		r.scripts[sha] = scriptName(body)
	}
	return sha
}

var (
	nameComment  = regexp.MustCompile(`^--+\s*([\w./:-]+)`)
	libraryFirst = regexp.MustCompile(`^#!.*\bname=(\S+)`)
)

// scriptName finds the name of a script in its first lines: the first word of
// a comment, or the name of the function library in the line that begins #!.
func scriptName(body string) string {
	if m := libraryFirst.FindStringSubmatch(body); m != nil {
		return m[1]
	}
	if strings.HasPrefix(body, "#!") {
		_, body, _ = strings.Cut(body, "\n")
	}
	if m := nameComment.FindStringSubmatch(strings.TrimLeftFunc(body, unicode.IsSpace)); m != nil {
		return strings.TrimRight(m[1], ".:")
	}
	return "script"
}

// quote writes an argument so that lines can be read one way only: plain if
// that is possible, in backquotes if it has quotes of its own, else as Go does.
func quote(s string) string {
	plain := func(r rune) bool {
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !strings.ContainsRune("\"`\\|", r)
	}
	switch {
	case s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }):
		return s
	case strings.Contains(s, `"`) && strconv.CanBackquote(s):
		return "`" + s + "`"
	default:
		return strconv.Quote(s)
	}
}

// text returns the bytes that go-redis sends for an argument.
func text(arg any) string {
	switch arg := arg.(type) {
	case nil:
		return ""
	case string:
		return arg
	case []byte:
		return string(arg)
	case float32:
		return strconv.FormatFloat(float64(arg), 'f', -1, 64)
	case float64:
		return strconv.FormatFloat(arg, 'f', -1, 64)
	case bool:
		if arg {
			return "1"
		}
		return "0"
	case time.Time:
		return arg.Format(time.RFC3339Nano)
	case *time.Time:
		if arg == nil {
			arg = new(time.Time)
		}
		return text(*arg)
	case time.Duration:
		return strconv.FormatInt(arg.Nanoseconds(), 10)
	case encoding.BinaryMarshaler:
		b, err := arg.MarshalBinary()
		if err != nil {
			return fmt.Sprintf("!%v", err)
		}
		return string(b)
	case net.IP:
		return string(arg)
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.Pointer && v.Type().Elem().Kind() != reflect.Struct {
		if v.IsNil() {
			return text(reflect.Zero(v.Type().Elem()).Interface())
		}
		return text(v.Elem().Interface())
	}
	return fmt.Sprint(arg)
}
