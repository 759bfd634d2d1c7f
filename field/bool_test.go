package field_test

import "testing"

// Other programs have many words for yes and no. What is none of them is
// neither.
func TestParseBool(t *testing.T) {
	for _, word := range []string{"1", "true", "True", "TRUE", "t", "yes", "Y", "on"} {
		reads[bool]{{reason: "yes", text: word, want: true}}.test(t)
	}
	for _, word := range []string{"0", "false", "False", "F", "no", "n", "OFF"} {
		reads[bool]{{reason: "no", text: word, want: false}}.test(t)
	}
	reads[bool]{
		{reason: "empty is not false", text: "", refuse: `"" is not a bool: want 1, 0, true`},
		{reason: "not a number", text: "2", refuse: "want 1, 0, true"},
		{reason: "not a letter that only folds to one", text: "ye\u017f", refuse: "want 1, 0, true"},
		{reason: "no space", text: "1 ", refuse: "want 1, 0, true"},
		{reason: "none is a word for absent", text: "none", refuse: "want 1, 0, true"},
	}.test(t)
	reads[bool]{
		{reason: "as asked", text: "", want: false},
		{reason: "only the empty text", text: " ", refuse: "is not a bool (emptyfalse)"},
	}.test(t, "emptyfalse")
}
