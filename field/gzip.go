package field

import (
	"compress/gzip"
	"strings"
	"sync"
)

// gzipCompression is the option gzip: what the command of that name writes and
// reads, from a library that everybody has. Its magic includes the method, of
// which there is only one.
var gzipCompression = compression{name: "gzip", magic: "\x1f\x8b\x08", pack: packGzip, unpack: unpackGzip}

// gzipLevel is for speed: the default takes three to five times as long for
// texts of 1 to 64 KiB, to make them a tenth to a quarter shorter. Who wants them
// shorter has zstd, which is faster too.
const gzipLevel = gzip.BestSpeed

type gzipWriter struct {
	out sink
	to  *gzip.Writer
}

var gzipWriters = sync.Pool{New: func() any {
	w := new(gzipWriter)
	w.to, _ = gzip.NewWriterLevel(&w.out, gzipLevel) // fails for other levels only
	return w
}}

func packGzip(dst, src []byte) []byte {
	w := gzipWriters.Get().(*gzipWriter)
	w.out.text = dst
	w.to.Reset(&w.out)
	_, _ = w.to.Write(src) // a sink takes everything
	_ = w.to.Close()
	dst, w.out.text = w.out.text, nil
	gzipWriters.Put(w)
	return dst
}

type gzipReader struct {
	in   strings.Reader
	from gzip.Reader
}

var gzipReaders = sync.Pool{New: func() any { return new(gzipReader) }}

func unpackGzip(dst []byte, src string) ([]byte, error) {
	r := gzipReaders.Get().(*gzipReader)
	defer func() {
		r.in.Reset("")
		gzipReaders.Put(r)
	}()
	r.in.Reset(src)
	if err := r.from.Reset(&r.in); err != nil {
		return dst, err
	}
	return readText(dst, &r.from)
}
