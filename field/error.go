package field

import (
	"errors"
	"strconv"
	"strings"
)

// ErrAbsent is what [EncodeError] wraps when a nil pointer or an unset
// [Optional] is asked for its text: absence has none. Cure: ask
// [Erased.Absent] first, and remove what is stored.
var ErrAbsent = errors.New("absent is not a value; remove what is stored instead")

// DecodeError is a stored text that is not a value of its type:
//
//	field: A{7} balance: "abc" is not an int64: want decimal digits
//
// Cures: mend the stored text, or declare the type that was written.
type DecodeError struct {
	Key   string // where the text was stored; set by the package that read it, else empty
	Field string // the hash field or element of the key, likewise
	Text  string // the whole text; of a compressed one what it holds, if that much is clear
	Name  string // the codec's name
	Err   error  // why not
}

// Error quotes at most 64 bytes of the text.
func (e *DecodeError) Error() string {
	return "field: " + where(e.Key, e.Field) + quoted(e.Text) + " is not " + article(e.Name) + because(e.Err)
}

// Unwrap returns the reason.
func (e *DecodeError) Unwrap() error { return e.Err }

// EncodeError is a value that has no text in its type's form:
//
//	field: A{7} rate: NaN is not storable as float64: NaN and infinities need the option nan
type EncodeError struct {
	Key   string // where it was to be stored; set by the package that writes, else empty
	Field string // the hash field or element of the key, likewise
	Value string // the value in a word
	Name  string // the codec's name
	Err   error  // why not, and the cure
}

// Error says all of it in a line.
func (e *EncodeError) Error() string {
	return "field: " + where(e.Key, e.Field) + e.Value + " is not storable as " + e.Name + because(e.Err)
}

// Unwrap returns the reason.
func (e *EncodeError) Unwrap() error { return e.Err }

func (e *Erased) decodeError(src string, err error) error { return decodeError(e.name, src, err) }

// decodeError keeps a copy of src. Every error is a new one, so that who
// catches it may set its Key and Field.
func decodeError(name, src string, err error) error {
	return &DecodeError{Text: strings.Clone(src), Name: name, Err: err}
}

func encodeError(name, value string, err error) error {
	return &EncodeError{Value: value, Name: name, Err: err}
}

// quoted cuts what would not fit a line.
func quoted(text string) string {
	const most = 64
	if len(text) > most {
		return strconv.Quote(text[:most]) + "… (" + strconv.Itoa(len(text)) + " bytes)"
	}
	return strconv.Quote(text)
}

func where(key, field string) string {
	switch {
	case key == "" && field == "":
		return ""
	case key == "" || field == "":
		return key + field + ": "
	}
	return key + " " + field + ": "
}

// article goes by how a name sounds: an int64, a uint64, a uuid.UUID.
func article(name string) string {
	if name != "" && strings.ContainsRune("aeio", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}
