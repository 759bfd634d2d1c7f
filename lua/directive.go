package lua

import (
	"slices"
	"strings"

	"github.com/redmoon-go/redmoon/internal/lua51"
)

// A directive is a line of a text that speaks to the compiler: bare, as in
// `%arg n int`, or as a comment alone on its line, `--- @arg n int`.
type directive struct {
	word string // arg
	mark string // %arg, @arg: as written
	rest string // n int
	bare bool
	line int // in its own text
	col  int
}

// directiveWords are all that there are. Those of annotations stand above
// functions too, whose own they are then.
var directiveWords = slices.Concat(annotations, []string{"include", "pragma"})

// directives finds the directives of a text, in their order. Strings, long
// comments and code that happens to look like one are left alone: a lexer tells
// them apart. Comments directly above a function are its annotations.
//
// Most texts have no bare ones, and are read as Lua once: what was read comes along.
func directives(file, text string) ([]directive, *lua51.Chunk) {
	if !mayHave(text, "%") && !mayHave(text, "@") {
		return nil, nil
	}
	if !mayHave(text, "%") {
		if chunk, err := lua51.Parse(file, text); err == nil {
			functions := map[int]bool{}
			for _, f := range chunk.Functions {
				functions[f.Pos().Line] = true
			}
			return inComments(chunk.Comments, functions), chunk
		}
	}
	tokens, comments, _ := lua51.Tokens(file, text) // what is no Lua is told by the parser
	functions := map[int]bool{}
	for _, t := range tokens {
		if t.Text == "function" {
			functions[t.Pos.Line] = true
		}
	}
	found := append(bare(text, tokens, comments), inComments(comments, functions)...)
	slices.SortStableFunc(found, func(a, b directive) int { return a.line - b.line })
	return found, nil
}

// bare finds those that stand on lines of their own.
func bare(text string, tokens []lua51.Token, comments []lua51.Comment) (found []directive) {
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(tokens); i++ {
		sign, word := tokens[i], tokens[i+1]
		first := i == 0 || tokens[i-1].Pos.Line < sign.Pos.Line
		if !first || sign.Text != "%" || word.Pos.Offset != sign.End || !slices.Contains(directiveWords, word.Text) {
			continue
		}
		line := lines[sign.Pos.Line-1]
		end := len(line)
		for _, c := range comments {
			if c.Pos.Line == sign.Pos.Line {
				end = min(end, c.Pos.Column-1)
			}
		}
		rest := line[sign.Pos.Column+len(word.Text) : end]
		if strings.TrimSpace(rest) == "" && i > 0 && endsValue(tokens[i-1]) {
			continue // the rest of a division
		}
		found = append(found, directive{word.Text, "%" + word.Text, strings.TrimSpace(rest), true, sign.Pos.Line, sign.Pos.Column})
	}
	return found
}

// inComments finds those that are comments, given the lines that functions begin
// on.
func inComments(comments []lua51.Comment, functions map[int]bool) (found []directive) {
	above := aboveFunctions(comments, functions)
	for _, c := range comments {
		if !c.Alone || strings.IndexByte(c.Text, '@') < 0 && strings.IndexByte(c.Text, '%') < 0 {
			continue
		}
		mark, rest := cutMark(c.Body())
		if strings.HasPrefix(c.Text, "--[") || mark == "" || mark[0] != '@' && mark[0] != '%' {
			continue
		}
		word := mark[1:]
		if !slices.Contains(directiveWords, word) || above[c.Pos.Line] && slices.Contains(annotations, word) {
			continue
		}
		found = append(found, directive{word, mark, rest, false, c.Pos.Line, c.Pos.Column})
	}
	return found
}

// cutMark cuts a comment's text behind its first word.
func cutMark(body string) (mark, rest string) {
	if i := strings.IndexAny(body, " \t\v\f\r\n"); i >= 0 {
		return body[:i], strings.TrimSpace(body[i:])
	}
	return body, ""
}

// endsValue tells whether an expression may end in a token.
func endsValue(t lua51.Token) bool {
	switch t.Kind {
	case lua51.NameToken, lua51.NumberToken, lua51.StringToken:
		return true
	}
	return slices.Contains([]string{")", "]", "}", "nil", "true", "false", "end", "..."}, t.Text)
}

// mayHave spares most texts the second look of a lexer.
func mayHave(text, sign string) bool {
	return strings.Contains(text, sign) && slices.ContainsFunc(directiveWords, func(word string) bool { return strings.Contains(text, sign+word) })
}

// aboveFunctions marks the lines of comments that stand directly above a line
// with a function: `function M.f()`, `local function f()`, `M.f = function()`.
func aboveFunctions(comments []lua51.Comment, functions map[int]bool) map[int]bool {
	above := map[int]bool{}
	for _, c := range slices.Backward(comments) {
		if c.Alone && (functions[c.EndLine+1] || above[c.EndLine+1]) {
			above[c.Pos.Line] = true
		}
	}
	return above
}
