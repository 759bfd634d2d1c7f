package model

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// What is plain of a field that is a local: which texts the script reads by itself, which
// values it takes, and how it writes them. All else it leaves to self.lua.

// decode reads the text t.
func (f *local) decode() string {
	var text string
	switch f.kind {
	case 's':
		text = fmt.Sprintf("%s=t or nil", f.name)
	case 'w':
		text = fmt.Sprintf("%s=(%s) and t or nil", f.name, isWord("t", f.more))
	case 'b', 'e':
		text = fmt.Sprintf(`if t=="1" then %[1]s=true elseif t=="0" then %[1]s=false end`, f.name)
	case 'f':
		text = fmt.Sprintf(`%s=t and (t=="0" and 0 or #t<=15 and (find(t,"^-?[1-9]%%d*%%.?%%d*$") or find(t,"^-?0%%.%%d+$")) and t+0) or nil`, f.name)
	default: // digits without a zero in front, which the embedded server might take for octal
		most, times := 15, "+0"
		if f.kind == 't' && f.more != "1" {
			most, times = map[string]int{"1000": 13, "1000000": 11}[f.more], "*"+f.more
		}
		text = fmt.Sprintf(`%s=t and (t=="0" and 0 or #t<=%d and find(t,"^-?[1-9]%%d*$") and t%s) or nil`, f.name, most, times)
	}
	text += fmt.Sprintf(" %[1]so=%[1]s", f.name)
	if f.maybe {
		text += fmt.Sprintf(" %[1]su=t and %[1]s==nil or nil", f.name)
	}
	return text
}

// isWord is the condition that a name's value is one of some words.
func isWord(name, words string) string {
	var is []string
	for word := range strings.FieldsSeq(words) {
		is = append(is, name+"=="+quote(word))
	}
	return strings.Join(is, " or ")
}

// odd is the condition that a value is not plain.
func (f *local) odd(v string) string {
	switch f.kind {
	case 's':
		return "type(" + v + `)~="string"` + f.rule.odd(v)
	case 'w':
		return "not (" + isWord(v, f.more) + ")" + f.rule.odd(v)
	case 'b', 'e':
		if f.rule.required {
			return v + "~=true"
		}
		return "type(" + v + `)~="boolean"`
	case 't':
		return fmt.Sprintf(`type(%[1]s)~="number" or %[1]s%%1~=0 or %[1]s>9007199254740991 or %[1]s<-9007199254740991`, v)
	}
	words, rare := strings.Fields(f.more), ""
	if f.rule.required || f.rule.oneof != "" {
		rare = " or true"
	}
	if f.kind == 'f' {
		least, _ := strconv.ParseFloat(words[0], 64)
		most, _ := strconv.ParseFloat(words[1], 64)
		return fmt.Sprintf(`type(%[1]s)~="number" or %[1]s-%[1]s~=0`, v) +
			bound(v, "<", least, least == -math.MaxFloat64) + bound(v, ">", most, most == math.MaxFloat64) + rare
	}
	const exact = 1<<53 - 1
	least, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil || least < -exact {
		least = -exact
	}
	most, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || most > exact {
		most = exact
	}
	return fmt.Sprintf(`type(%[1]s)~="number" or %[1]s%%1~=0 or %[1]s<%[2]d or %[1]s>%[3]d`, v, least, most) + rare
}

// bound is a condition on a float; one that takes many digits is left to self.lua.
func bound(v, op string, at float64, none bool) string {
	text := strconv.FormatFloat(at, 'f', -1, 64)
	switch {
	case none:
		return ""
	case len(text) > 45:
		return " or true"
	}
	return " or " + v + op + text
}

// changed is the condition that a field is to be written.
func (f *local) changed() string {
	if f.kind == 't' && f.more != "1" { // what is finer than the unit is not stored
		return fmt.Sprintf("(%[1]s~=%[1]so and (%[1]s==nil or math.floor(%[1]s/%[2]s)*%[2]s~=%[1]so))", f.name, f.more)
	}
	return fmt.Sprintf("%[1]s~=%[1]so", f.name)
}

// text is the value as an expression.
func (f *local) text() string {
	switch f.kind {
	case 's', 'w':
		return f.name
	case 'b', 'e':
		return "(" + f.name + ` and "1" or "0")`
	case 't':
		return fmt.Sprintf(`format("%%.0f",math.floor(%s/%s)+0)`, f.name, f.more)
	}
	return fmt.Sprintf(`format("%%.0f",%s+0)`, f.name)
}
