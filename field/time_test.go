package field_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
)

// Times are RFC 3339, and nothing near it.
func TestParseTime(t *testing.T) {
	reads[time.Time]{
		{reason: "lower precision", text: "2006-01-02T15:04:05Z", want: moment.Truncate(time.Second)},
		{reason: "an offset of nothing is UTC", text: "2006-01-02T15:04:05.123456789+00:00", want: moment},
		{reason: "empty is not the zero time", text: "", refuse: `"" is not a time.Time: want RFC 3339, like 2006`},
		{reason: "no offset", text: "2006-01-02T15:04:05", refuse: "want RFC 3339"},
		{reason: "a date", text: "2006-01-02", refuse: "want RFC 3339"},
		{reason: "no such day", text: "2006-02-30T00:00:00Z", refuse: "want RFC 3339"},
		{reason: "a number", text: "1136214245", refuse: "want RFC 3339"},
		{reason: "farther than a day", text: "2006-01-02T15:04:05+24:60", refuse: "want RFC 3339"},
		{reason: "five digits of a year", text: "10000-01-01T00:00:00Z", refuse: "want RFC 3339"},
	}.test(t)
	reads[time.Time]{
		{reason: "RFC 3339", text: "2006-01-02T15:04:05Z", refuse: `is not a time.Time (unix): want decimal digits`},
		{reason: "a fraction", text: "1.5", refuse: "want decimal digits"},
		{reason: "too many digits", text: "9223372036854775808", refuse: "out of range"},
		{reason: "too far", text: "9223372036854775807", refuse: "out of range"},
	}.test(t, "unix")
	reads[time.Time]{
		{reason: "too far", text: "9223372036854775807", refuse: "out of range"},
		{reason: "too far back", text: "-9223372036854775808", refuse: "out of range"},
		{reason: "a fraction before 1970", text: "-1", want: time.Unix(0, -1000).UTC()},
	}.test(t, "unixus")
}

// A time that its form cannot say is refused, not bent.
func TestAppendTimeRefuses(t *testing.T) {
	const day = 24 * 60 * 60
	for _, c := range []struct {
		reason string
		option []string
		v      time.Time
		want   string
	}{
		{"after RFC 3339", nil, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "years 0 to 9999"},
		{"before RFC 3339", nil, time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC), "years 0 to 9999"},
		{"after it there, not in UTC", nil, time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC).In(berlin), "years 0 to 9999"},
		{"after it in UTC", nil, time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -61)), "years 0 to 9999"},
		{"a whole day off", nil, time.Unix(0, 0).In(time.FixedZone("", day)), "offsets under 24 hours"},
		{"after 64 bits", []string{"unixus"}, time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC), "too far from 1970"},
		{"before 64 bits", []string{"unixms"}, time.Date(-300000000, 1, 1, 0, 0, 0, 0, time.UTC), "too far from 1970"},
		{"after time.Time", []string{"unix"}, time.Unix(math.MaxInt64, 0), "too far from 1970"},
	} {
		text, err := field.MustFor[time.Time](c.option...).Append(nil, c.v)
		if err == nil || !strings.Contains(err.Error(), c.want) || text != nil {
			t.Errorf("%s: %q, %v; want %q", c.reason, text, err, c.want)
		}
	}
}

// Local time before the railways is not whole minutes from UTC. RFC 3339 can
// say the instant, and not the offset.
func TestAppendTimeOddOffset(t *testing.T) {
	amsterdam := time.FixedZone("LMT", 19*60+32)
	v := time.Date(1890, 5, 1, 12, 0, 0, 0, amsterdam)
	text, err := field.MustFor[time.Time]().Append(nil, v)
	if err != nil || string(text) != "1890-05-01T11:40:28Z" {
		t.Fatalf("%s is %s, %v", v, text, err)
	}
	if got, err := field.MustFor[time.Time]().Parse(text); err != nil || !got.Equal(v) {
		t.Errorf("%s reads back as %s, %v", v, got, err)
	}
}

// The unix options cut what is finer than their unit, toward the past.
func TestUnixCuts(t *testing.T) {
	for _, c := range []struct {
		option string
		v      time.Time
		want   string
	}{
		{"unix", time.Unix(5, 999999999), "5"},
		{"unix", time.Unix(-5, 1), "-5"},
		{"unixms", time.Unix(-1, 999999999), "-1"},
		{"unixms", time.Unix(0, 1999999), "1"},
		{"unixus", time.Unix(0, -1), "-1"},
	} {
		if text, err := field.MustFor[time.Time](c.option).Append(nil, c.v); err != nil || string(text) != c.want {
			t.Errorf("%v as %s is %s, %v; want %s", c.v, c.option, text, err, c.want)
		}
	}
}
