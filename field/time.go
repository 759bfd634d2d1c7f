package field

import (
	"errors"
	"math"
	"strconv"
	"time"
)

var (
	errTime   = errors.New("want RFC 3339, like 2006-01-02T15:04:05.999999999Z")
	errYear   = errors.New("RFC 3339 has years 0 to 9999 and offsets under 24 hours; use the option unix, unixms or unixus")
	errUnix   = errors.New("want decimal digits, the time since 1970 in the unit of the option")
	errTooFar = errors.New("too far from 1970 for this unit; use a coarser one")
)

// appendTime writes RFC 3339 with as many digits of the second as it needs.
func (e *Erased) appendTime(dst []byte, t time.Time) ([]byte, error) {
	offset := 0
	if t.Location() != time.UTC {
		_, offset = t.Zone()
	}
	if offset%60 != 0 {
		// Local times of the 19th century are seconds off the minute, which the
		// format cannot say: written with the offset cut they would be another
		// instant.
		t, offset = t.UTC(), 0
	}
	const first, last = -62167219200, 253402300799 // 0000-01-01T00:00:00, 9999-12-31T23:59:59
	local := t.Unix() + int64(offset)
	if local < first || local > last || !validOffset(offset) {
		return dst, encodeError(e.name, t.String(), errYear)
	}
	return appendRFC3339(dst, local, t.Nanosecond(), offset), nil
}

func (e *Erased) parseTime(src string, p *time.Time) error {
	if t, ok := parseUTC(src); ok {
		*p = t
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, src)
	if err != nil {
		return e.decodeError(src, errTime)
	}
	if src[len(src)-1] != 'Z' {
		if _, offset := t.Zone(); !validOffset(offset) { // time.Parse takes +24:60
			return e.decodeError(src, errTime)
		}
	}
	*p = t
	return nil
}

func validOffset(seconds int) bool {
	const day = 24 * 60 * 60
	return -day < seconds && seconds < day
}

// unixForm is the option of that name: an integer count of units since 1970.
func unixForm(option string) *Erased {
	unit := map[string]time.Duration{"unix": time.Second, "unixms": time.Millisecond, "unixus": time.Microsecond}[option]
	return &Erased{op: opUnix, unit: unit, lua: Lua{Kind: LuaTime, Unit: unit}}
}

// farthest is how many seconds from 1970 a time may be, so that neither its
// count of units nor time.Time itself overflows.
func (e *Erased) farthest() int64 {
	const sane = 1 << 60 // 36 billion years
	return min(sane, math.MaxInt64/int64(time.Second/e.unit)-1)
}

// appendUnix cuts what is finer than the unit, toward the past.
func (e *Erased) appendUnix(dst []byte, t time.Time) ([]byte, error) {
	sec, far := t.Unix(), e.farthest()
	if sec < -far || sec > far {
		return dst, encodeError(e.name, t.String(), errTooFar)
	}
	perSecond := int64(time.Second / e.unit)
	return strconv.AppendInt(dst, sec*perSecond+int64(t.Nanosecond())/int64(e.unit), 10), nil
}

func (e *Erased) parseUnix(src string, p *time.Time) error {
	n, err := strconv.ParseInt(src, 10, 64)
	if err != nil {
		return e.decodeError(src, reason(err, errUnix))
	}
	perSecond := int64(time.Second / e.unit)
	t := time.Unix(n/perSecond, n%perSecond*int64(e.unit)).UTC()
	if sec, far := t.Unix(), e.farthest(); sec < -far || sec > far {
		return e.decodeError(src, errRange)
	}
	*p = t
	return nil
}
