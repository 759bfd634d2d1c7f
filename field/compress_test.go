package field_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/redmoon-go/redmoon/field"
)

// What the commands gzip and zstd made of twelve times "still read in ten
// years, ".
const (
	gzipped   = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\x2e\xc9\xcc\xc9\x51\x28\x4a\x4d\x4c\x51\xc8\xcc\x53\x28\x49\xcd\x53\xa8\x4c\x4d\x2c\x2a\xd6\x51\x28\x1e\x95\x40\x97\x00\x00\x0f\x47\x79\x8c\x2c\x01\x00\x00"
	zstandard = "\x28\xb5\x2f\xfd\x64\x2c\x00\x05\x01\x00\xc8\x73\x74\x69\x6c\x6c\x20\x72\x65\x61\x64\x20\x69\x6e\x20\x74\x65\x6e\x20\x79\x65\x61\x72\x73\x2c\x20\x01\x00\x41\xb0\x3a\xc7\xcd\x68\x5e\xe8"
)

// Texts of the commands, and from before the option, are read by both options.
func TestParseCompressed(t *testing.T) {
	twelve := strings.Repeat("still read in ten years, ", 12)
	for _, option := range []string{"gzip", "zstd"} {
		name := "is not a string (" + option + "): "
		reads[string]{
			{reason: "by gzip", text: gzipped, want: twelve},
			{reason: "by zstd", text: zstandard, want: twelve},
			{reason: "two in a row, as both commands allow", text: gzipped + gzipped, want: twelve + twelve},
			{reason: "two in a row, as both commands allow", text: zstandard + zstandard, want: twelve + twelve},
			{reason: "from before the option", text: "plain", want: "plain"},
			{reason: "from before the option, and long", text: twelve, want: twelve},
			{reason: "empty", text: ""},
			{reason: "hardly begun", text: gzipMagic, refuse: name + "it begins like gzip and is not: unexpected EOF"},
			{reason: "cut", text: gzipped[:len(gzipped)-9], refuse: name + "it begins like gzip and is not: unexpected EOF"},
			{reason: "changed", text: gzipped[:len(gzipped)-5] + "!" + gzipped[len(gzipped)-4:], refuse: name + "it begins like gzip and is not: gzip: invalid checksum"},
			{reason: "something behind", text: gzipped + "x", refuse: "it begins like gzip and is not: unexpected EOF"},
			{reason: "something else behind", text: gzipped + "0123456789", refuse: "it begins like gzip and is not: gzip: invalid header"},
			{reason: "hardly begun", text: zstdMagic, refuse: name + "it begins like zstd and is not: unexpected EOF"},
			{reason: "cut", text: zstandard[:len(zstandard)-9], refuse: "it begins like zstd and is not: "},
			{reason: "changed", text: zstandard[:len(zstandard)-1] + "!", refuse: name + "it begins like zstd and is not: CRC check failed"},
			{reason: "something behind", text: zstandard + "0123456789", refuse: name + "it begins like zstd and is not: invalid input: magic number mismatch"},
		}.test(t, option)
	}
}

// Of a compressed text that says something else, the error shows what it says.
func TestParseCompressedContent(t *testing.T) {
	_, err := field.MustFor[address]("gzip").Parse([]byte(gzipped))
	var decode *field.DecodeError
	if !errors.As(err, &decode) || !strings.HasPrefix(decode.Text, "still read") || !strings.Contains(err.Error(), "is not a json field_test.address: invalid character 's'") {
		t.Error(err)
	}
	if _, err = field.MustFor[*string]("ascii", "zstd").Append(nil, ptr(strings.Repeat("\n", 300))); err == nil || !strings.Contains(err.Error(), "is not storable as string (ascii): want") {
		t.Error(err)
	}
}

// What was read stays what it was when the buffer serves the next.
func TestParseCompressedCopies(t *testing.T) {
	for _, option := range []string{"gzip", "zstd"} {
		codec := field.MustFor[string](option)
		first, second := must(codec.Append(nil, text(500))), must(codec.Append(nil, strings.ToUpper(text(500))))
		got := must(codec.Parse(first))
		for range 10 {
			must(codec.Parse(second))
		}
		if got != text(500) {
			t.Errorf("%s: the value became %q", option, got)
		}
	}
}

// Long texts become shorter, and stay what they are when they would not.
func TestCompressedIsShorter(t *testing.T) {
	for _, option := range []string{"gzip", "zstd"} {
		codec := field.MustFor[string](option)
		for n, most := range map[int]int{255: 255, 256: 60, 1000: 80, 100000: 1000} {
			out, err := codec.Append(nil, text(n))
			if err != nil || len(out) > most {
				t.Errorf("%s: %d bytes become %d, %v; want at most %d", option, n, len(out), err, most)
			}
		}
		if out, err := codec.Append(nil, noise(10000)); err != nil || string(out) != noise(10000) {
			t.Errorf("%s: 10000 bytes of noise become %d others, %v", option, len(out), err)
		}
	}
}

const largest = 64 << 20

// A few bytes may hold gigabytes. They are refused before they are there, and
// nothing is written that would not be read.
func TestCompressionBombs(t *testing.T) {
	zeros := make([]byte, 1<<20)
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	must(w.Write(zeros))
	must(0, w.Close())
	zs := must(zstd.NewWriter(nil)).EncodeAll(zeros, nil)
	tooMany := largest/len(zeros) + 1

	liar := []byte(zstdMagic + "\xe0")                        // one segment, 8 bytes of its length:
	liar = binary.LittleEndian.AppendUint64(liar, 1<<40)      // a terabyte
	window := append([]byte(zstdMagic+"\x00"), 0xa0, 1, 0, 0) // no length, a window of a gigabyte
	for reason, bomb := range map[string][]byte{
		"gzip": bytes.Repeat(gz.Bytes(), tooMany), "zstd": bytes.Repeat(zs, tooMany),
		"zstd of a length that is a lie": liar, "zstd of a window that is too large": window,
	} {
		var err error
		used := allocated(func() { _, err = field.MustFor[[]byte]("gzip").Parse(bomb) })
		if err == nil || !strings.HasSuffix(err.Error(), "is not a []byte (gzip): compressed texts hold at most 64 MiB; store it in parts") {
			t.Errorf("%s, %d bytes: %v", reason, len(bomb), err)
		}
		if used > 8*largest {
			t.Errorf("%s takes %d MiB on its way", reason, used>>20)
		}
	}

	// Frames that hold next to nothing cost no more than what they hold.
	tiny := bytes.Repeat(must(zstd.NewWriter(nil)).EncodeAll([]byte("a frame of a few bytes"), nil), 10000)
	used := allocated(func() {
		if got, err := field.MustFor[[]byte]("zstd").Parse(tiny); err != nil || len(got) != 220000 {
			t.Errorf("tiny frames hold %d bytes, %v", len(got), err)
		}
	})
	if used > 20<<20 {
		t.Errorf("tiny frames take %d MiB", used>>20)
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What is written can be read, up to the largest text; what is larger is not
// written.
func TestLargestText(t *testing.T) {
	for _, option := range []string{"gzip", "zstd"} {
		codec := field.MustFor[[]byte](option)
		out, err := codec.Append([]byte("kept"), make([]byte, largest+1))
		var encode *field.EncodeError
		if !errors.As(err, &encode) || string(out) != "kept" ||
			err.Error() != "field: a text of 67108865 bytes is not storable as []byte ("+option+"): compressed texts hold at most 64 MiB; store it in parts" {
			t.Errorf("%d bytes, %v", len(out), err)
		}
		if raceDetector {
			continue // it needs seconds for the rest
		}
		out, err = codec.Append(nil, make([]byte, largest))
		if err != nil || len(out) > 1<<20 {
			t.Fatalf("%s: the largest text becomes %d bytes, %v", option, len(out), err)
		}
		if got, err := codec.Parse(out); err != nil || len(got) != largest {
			t.Errorf("%s: the largest text reads as %d bytes, %v", option, len(got), err)
		}
	}
}

// Encoders, decoders and buffers are shared; values are not.
func TestCompressConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		codec := field.MustFor[string]([]string{"gzip", "zstd"}[i%2])
		v := strings.Repeat(string(rune('a'+i))+noise(50), 20*(i+1))
		wg.Go(func() {
			for range 50 {
				out, err := codec.Append(nil, v)
				if err != nil || len(out) >= len(v) {
					t.Errorf("%d bytes become %d, %v", len(v), len(out), err)
				}
				if got, err := codec.Parse(out); err != nil || got != v {
					t.Errorf("%d bytes read as %d others, %v", len(v), len(got), err)
				}
			}
		})
	}
	wg.Wait()
}
