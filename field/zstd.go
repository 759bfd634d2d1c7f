package field

import (
	"errors"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstdCompression is the option zstd: shorter than gzip, and faster both ways.
var zstdCompression = compression{name: "zstd", magic: "\x28\xb5\x2f\xfd", pack: packZstd, unpack: unpackZstd}

// zstdEncoder serves all goroutines, as many at a time as there are processors.
// It is made for the first text: a program without the option has none.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	w, err := zstd.NewWriter(nil, zstd.WithWindowSize(1<<20)) // the window is memory that each processor holds
	if err != nil {
		panic(err) // an option is wrong, always
	}
	return w
})

func packZstd(dst, src []byte) []byte { return zstdEncoder().EncodeAll(src, dst) }

type zstdReader struct {
	in   strings.Reader
	from *zstd.Decoder
}

// To decode a text at one go would be simpler. But that allocates anew for each
// frame in it, and a text of many small frames would take minutes.
var zstdReaders = sync.Pool{New: func() any {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), // no goroutines of its own
		zstd.WithDecoderMaxMemory(largestText))
	if err != nil {
		panic(err)
	}
	return &zstdReader{from: r}
}}

func unpackZstd(dst []byte, src string) ([]byte, error) {
	r := zstdReaders.Get().(*zstdReader)
	defer func() {
		r.in.Reset("")
		zstdReaders.Put(r)
	}()
	r.in.Reset(src)
	if err := r.from.Reset(&r.in); err != nil {
		return dst, err
	}
	dst, err := readText(dst, r.from)
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		err = errLargest
	}
	return dst, err
}
