package field_test

import (
	"testing"

	"github.com/google/uuid"
)

// One id has one text; case is forgiven.
func TestParseUUID(t *testing.T) {
	reads[uuid.UUID]{
		{reason: "upper case", text: "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", want: id},
		{reason: "empty is not the zero id", text: "", refuse: `"" is not a uuid.UUID: want 36 characters`},
		{reason: "no dashes", text: "f81d4fae7dec11d0a76500a0c91e6bf6", refuse: "want 36 characters"},
		{reason: "braces", text: "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}", refuse: "want 36 characters"},
		{reason: "URN", text: "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", refuse: "want 36 characters"},
		{reason: "not a digit", text: "g81d4fae-7dec-11d0-a765-00a0c91e6bf6", refuse: "want 36 characters"},
		{reason: "dashes astray", text: "f81d4fae7-dec-11d0-a765-00a0c91e6bf6", refuse: "want 36 characters"},
	}.test(t)
}
