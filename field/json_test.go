package field_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/redmoon-go/redmoon/field"
)

// JSON of others is read as encoding/json reads it, but for what that would
// pass over in silence.
func TestParseJSON(t *testing.T) {
	reads[address]{
		{reason: "unknown members are left out", text: `{"street":"x","planet":3}`, want: address{Street: "x"}},
		{reason: "space around", text: " {\"street\":\"x\"}\n", want: address{Street: "x"}},
		{reason: "a member may be null", text: `{"street":null}`, want: address{}},
		{reason: "null is not a struct", text: "null", refuse: "null is not a value of this type"},
		{reason: "nor with space", text: " null ", refuse: "null is not a value of this type"},
		{reason: "empty is not the zero struct", text: "", refuse: "unexpected end of JSON input"},
		{reason: "another value behind", text: `{"street":"x"}{}`, refuse: "after top-level value"},
		{reason: "another type", text: `{"street":5}`, refuse: "cannot unmarshal number"},
		{reason: "not UTF-8, which would be replaced", text: "{\"street\":\"\xff\"}", refuse: "not UTF-8"},
	}.test(t)
	reads[map[string]int]{{reason: "null is nil", text: "null", want: nil}}.test(t)
	reads[int]{
		{reason: "null is not zero", text: "null", refuse: "null is not a value of this type"},
		{reason: "no fraction", text: "1.5", refuse: "cannot unmarshal number 1.5"},
	}.test(t, "json")
}

// A null stored where a pointer is expected is an error: absent has no text.
func TestParseJSONNullPointer(t *testing.T) {
	if v, err := field.MustFor[*address]().Parse([]byte("null")); err == nil || v != nil {
		t.Errorf("null reads as %v, %v", v, err)
	}
}

// encoding/json replaces bytes that are no UTF-8. Wherever they hide, we say so.
func TestAppendJSONInvalidUTF8(t *testing.T) {
	const bad = "a\xffb"
	type deep struct {
		List  []any
		Array [1]string
		Keys  map[string]int
		Some  field.Optional[string]
		Next  *deep
		address
		Skip string `json:"-"`
		Raw  json.RawMessage
	}
	for reason, v := range map[string]deep{
		"in a list":       {List: []any{1, bad}},
		"in an array":     {Array: [1]string{bad}},
		"in a key":        {Keys: map[string]int{bad: 1}},
		"in an Optional":  {Some: field.Some(bad)},
		"behind":          {Next: &deep{List: []any{map[string]string{"k": bad}}}},
		"in an embedded":  {address: address{Street: bad}},
		"passed as it is": {Raw: json.RawMessage(`"` + bad + `"`)},
	} {
		_, err := field.MustFor[deep]().Append(nil, v)
		var encode *field.EncodeError
		if !errors.As(err, &encode) || !strings.Contains(err.Error(), "not UTF-8") {
			t.Errorf("%s: %v", reason, err)
		}
	}
	for reason, v := range map[string]deep{
		"not stored":              {Skip: bad},
		"the rune itself":         {List: []any{"\uFFFD"}},
		"an escape, escaped":      {List: []any{`\ufffd`}},
		"an escape of the user's": {Raw: json.RawMessage(`"\ufffd"`)},
	} {
		if _, err := field.MustFor[deep]().Append(nil, v); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// What encoding/json cannot say is an EncodeError with its reason.
func TestAppendJSONRefuses(t *testing.T) {
	_, err := field.MustFor[any]("json").Append(nil, make(chan int))
	var unsupported *json.UnsupportedTypeError
	if !errors.As(err, &unsupported) || !strings.HasPrefix(err.Error(), "field: value is not storable as json interface {}: ") {
		t.Error(err)
	}
	if _, err = field.MustFor[json.RawMessage]().Append(nil, json.RawMessage("{")); err == nil {
		t.Error("half an object is JSON")
	}
}

// JSON is compact, sorted and ends without a newline.
func TestAppendJSONIsCompact(t *testing.T) {
	text, err := field.MustFor[json.RawMessage]().Append(nil, json.RawMessage(" {\n \"a\" : [ 1 ] }\n"))
	if err != nil || string(text) != `{"a":[1]}` {
		t.Errorf("%q, %v", text, err)
	}
}
