package field

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// The options gzip and zstd compress long texts of another form. What is stored
// says itself what it is:
//
//	begins with the magic bytes of gzip or zstd   compressed so
//	anything else                                 the text as it is
//
// So texts from before the option are read, short texts stay readable, and a
// field may go from one option to the other. A text that begins like magic
// without being it is compressed, however short.

const (
	// compressFrom is the length from which it pays. Of JSON, 192 bytes become a
	// tenth to a sixth shorter, 256 a quarter, 512 a half; it takes 4 to 10 µs to
	// write and 2 to 4 µs to read. A sixth is less than what a field of a hash
	// costs beside its text.
	compressFrom = 256

	// largestText bounds what a few hostile bytes can make us hold.
	largestText = 64 << 20
)

var errLargest = errors.New("compressed texts hold at most 64 MiB; store it in parts")

// compression is a way to make texts shorter.
type compression struct {
	name  string
	magic string

	pack   func(dst, src []byte) []byte                 // appends
	unpack func(dst []byte, src string) ([]byte, error) // appends, by readText
}

var compressions = map[string]*compression{"gzip": &gzipCompression, "zstd": &zstdCompression}

// compressionOf is how a stored text is compressed, nil if it is not.
func compressionOf(text string) *compression {
	switch {
	case strings.HasPrefix(text, gzipCompression.magic):
		return &gzipCompression
	case strings.HasPrefix(text, zstdCompression.magic):
		return &zstdCompression
	}
	return nil
}

// compressed is the form of t that c asks for. It is opaque to Lua.
func compressed(t reflect.Type, c choice) (*Erased, error) {
	var words []string
	if c.form != "" {
		words = []string{c.form}
	}
	base, err := derive(t, words)
	if err != nil {
		return nil, err
	}
	switch base.op {
	case opFunc, opString, opASCII, opBytes, opArray:
	default:
		return nil, misfit(c.compression, t)
	}
	ours := compressions[c.compression]

	e := &Erased{typ: t, name: base.name + " (" + c.compression + ")", lua: Lua{Kind: LuaOpaque}}
	e.append = func(e *Erased, dst []byte, p unsafe.Pointer) ([]byte, error) {
		out, err := base.append(base, dst, p)
		if err != nil {
			return dst, err
		}
		text := out[len(dst):]
		ambiguous := compressionOf(view(text)) != nil
		switch {
		case len(text) < compressFrom && !ambiguous:
			return out, nil
		case len(text) > largestText:
			return dst, encodeError(e.name, fmt.Sprintf("a text of %d bytes", len(text)), errLargest)
		}
		b := takeBuffer()
		defer b.giveBack()
		b.bytes = ours.pack(b.bytes, text)
		if len(b.bytes) < len(text) || ambiguous {
			out = append(out[:len(dst)], b.bytes...)
		}
		return out, nil
	}
	e.parse = func(e *Erased, src string, p unsafe.Pointer, keep keeping) error {
		how := compressionOf(src)
		if how == nil {
			return base.parse(base, src, p, keep)
		}
		b := takeBuffer()
		defer b.giveBack()
		text, err := how.unpack(b.bytes, src)
		b.bytes = text
		switch {
		case errors.Is(err, errLargest):
			return e.decodeError(src, err)
		case err != nil:
			return e.decodeError(src, fmt.Errorf("it begins like %s and is not: %w", how.name, err))
		}
		return base.parse(base, view(text), p, copied) // the buffer is used again
	}
	return e, nil
}

// readText appends what r has, as far as that is not too much.
func readText(dst []byte, r io.Reader) ([]byte, error) {
	start := len(dst)
	for {
		dst = slices.Grow(dst, 512)
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > largestText:
			return dst, errLargest
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, err
		}
	}
}

// A buffer is for a text on its way.
type buffer struct{ bytes []byte }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

// giveBack leaves large buffers to the collector: one of them would be held by
// every processor.
func (b *buffer) giveBack() {
	const most = 1 << 20
	if cap(b.bytes) <= most {
		b.bytes = b.bytes[:0]
		buffers.Put(b)
	}
}
