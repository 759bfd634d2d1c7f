package field_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
)

// Every day of the calendar, at some time of day, is written as package time
// writes it, and read back.
func TestTimesAreThoseOfPackageTime(t *testing.T) {
	codec := field.MustFor[time.Time]()
	random := rand.New(rand.NewPCG(1, 2))
	zones := []*time.Location{time.UTC, time.UTC, time.FixedZone("", 2*60*60), time.FixedZone("", -9*60*60-30*60), time.FixedZone("", -60)}
	fractions := []int{0, 1, 999_999_999, 120_000_000, 1000}
	begin := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	end := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	var text []byte
	for at := begin; !at.After(end); at = at.AddDate(0, 0, 1) {
		if at.Year() == 401 { // the calendar repeats itself each 400 years: on to the last
			at = at.AddDate(9100, 0, 0)
		}
		zone := zones[random.IntN(len(zones))]
		v := time.Date(at.Year(), at.Month(), at.Day(), random.IntN(24), random.IntN(60), random.IntN(60), fractions[random.IntN(len(fractions))], zone)
		want := v.Format(time.RFC3339Nano)
		var err error
		if text, err = codec.Append(text[:0], v); err != nil || string(text) != want {
			t.Fatalf("%v is written %s, %v", v, text, err)
		}
		got, err := codec.Parse(text)
		if err != nil || !got.Equal(v) {
			t.Fatalf("%s is read as %v, %v", text, got, err)
		}
		if zone == time.UTC && got != v { // of one zone times are equal in Go's sense too
			t.Fatalf("%s is read as %#v, want %#v", text, got, v)
		}
	}
}

// What is nearly a time in UTC is one exactly if package time says so.
func TestParseTimeAgreesWithPackageTime(t *testing.T) {
	codec := field.MustFor[time.Time]()
	random := rand.New(rand.NewPCG(3, 4))
	seeds := []string{"2006-01-02T15:04:05Z", "2024-02-29T23:59:59.999999999Z", "0000-02-29T00:00:00.1Z", "1900-12-31T09:09:09.000001Z"}
	const letters = "0123456789-:.TZ+ z/"
	for range 300_000 {
		text := []byte(seeds[random.IntN(len(seeds))])
		for range 1 + random.IntN(3) {
			i := random.IntN(len(text))
			switch random.IntN(8) {
			case 0:
				text = append(text[:i], text[i+1:]...)
			case 1:
				text = append(text[:i+1], text[i:]...)
			default:
				text[i] = letters[random.IntN(len(letters))]
			}
		}
		want, wrong := time.Parse(time.RFC3339Nano, string(text))
		got, err := codec.Parse(text)
		if (err == nil) != (wrong == nil) || err == nil && !got.Equal(want) {
			t.Fatalf("%q is read as %v, %v; package time has %v, %v", text, got, err, want, wrong)
		}
	}
}
