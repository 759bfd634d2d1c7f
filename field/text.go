package field

import (
	"fmt"
	"unsafe"
)

// Strings and []byte are their own text: any bytes at all, UTF-8 or not. Arrays
// of bytes are too, and have one length.

func (e *Erased) parseArray(src string, p unsafe.Pointer) error {
	if len(src) != e.size {
		return e.decodeError(src, fmt.Errorf("want %d bytes, not %d", e.size, len(src)))
	}
	copy(unsafe.Slice((*byte)(p), e.size), src)
	return nil
}
