package field

import (
	"encoding/hex"
	"errors"

	"github.com/google/uuid"
)

var errUUID = errors.New("want 36 characters like f81d4fae-7dec-11d0-a765-00a0c91e6bf6")

// appendUUID writes the canonical form: lower case, 8-4-4-4-12.
func appendUUID(dst []byte, id *[16]byte) []byte {
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	text[8] = '-'
	hex.Encode(text[9:13], id[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], id[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], id[8:10])
	text[23] = '-'
	hex.Encode(text[24:], id[10:])
	return append(dst, text[:]...)
}

// parseUUID reads the canonical form, in any case. The other forms that
// uuid.Parse knows would make several texts of one id.
func (e *Erased) parseUUID(src string, p *[16]byte) error {
	if len(src) != 36 {
		return e.decodeError(src, errUUID)
	}
	id, err := uuid.Parse(src)
	if err != nil {
		return e.decodeError(src, errUUID)
	}
	*p = id
	return nil
}
