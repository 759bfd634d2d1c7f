package luatest

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	//go:embed before.lua
	before string
	//go:embed after.lua
	after string
)

// A script is one that passed, and its watched form.
type script struct {
	probe           *lua.Probe
	sha, watchedSHA string
	body            string // watched
}

// newScript puts a script between before.lua and after.lua. Its lines stay where
// they are, for errors tell them.
func newScript(body string) (*script, error) {
	probe, err := lua.NewProbe(body)
	if err != nil {
		return nil, err
	}
	s := &script{probe: probe, sha: pipectx.NewScript(body).SHA}
	shebang, text := "", probe.Body
	if strings.HasPrefix(body, "#!") {
		shebang, _, _ = strings.Cut(body, "\n")
		shebang += "\n"
		text = strings.TrimPrefix(text, "\n")
	}
	s.body = fmt.Sprintf("%slocal __sha=%q %s local function __main() %s\nend %s", shebang, s.sha, oneLine(before), text, oneLine(after))
	s.watchedSHA = pipectx.NewScript(s.body).SHA
	return s, nil
}

// oneLine is a text whose comments have lines of their own, without them.
func oneLine(text string) string {
	var words []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			words = append(words, line)
		}
	}
	return strings.Join(words, " ")
}

// isReport tells whether a reply is one of after.lua.
func isReport(v value) bool {
	return v.kind == '*' && len(v.items) == 6 && v.items[0].kind == '$' && string(v.items[0].text) == "redmoon luatest"
}

// report notes what a script did, and appends the reply that the script itself
// would have sent.
func (w *Watch) report(dst []byte, v value) []byte {
	s := w.seen(string(v.items[1].text))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, call := range v.items[3].items {
		w.commands = append(w.commands, command(s.probe.Name, call))
	}
	if w.coverage != nil {
		counts := make([]int, len(s.probe.Counts))
		for pair := range strings.FieldsSeq(string(v.items[2].text)) {
			i, n, _ := strings.Cut(pair, ":")
			at, _ := strconv.Atoi(i)
			counts[at-1], _ = strconv.Atoi(n)
		}
		w.coverage.add(s.probe, counts)
	}
	reply := v.items[5]
	if string(v.items[4].text) == "e" {
		return append(append(append(dst, '-'), strings.NewReplacer("\r", " ", "\n", " ").Replace(string(reply.text))...), "\r\n"...)
	}
	return append(dst, reply.raw...)
}
