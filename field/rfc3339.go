package field

import "time"

// RFC 3339 is most of what a record with times costs, so what is common is
// written and read here, in a third of the time that package time takes. Source
// of the calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
//
// Its trick is to begin the year in March, so that a leap day is the last of its
// year, and every 5 months have 153 days:
//
//	Mar Apr May Jun Jul | Aug Sep Oct Nov Dec | Jan Feb
//	 31  30  31  30  31 |  31  30  31  30  31 |  31  28 or 29
const (
	daySeconds = 24 * 60 * 60
	eraDays    = 146097 // of 400 years, after which the calendar repeats itself
	firstMarch = 719468 // days from 0000-03-01 to 1970-01-01
)

// appendRFC3339 writes a local time of the years 0 to 9999: seconds since 1970 on
// its own clock, the rest of the second, and how far that clock is from UTC, in
// whole minutes.
func appendRFC3339(dst []byte, local int64, nano, offset int) []byte {
	const year400 = eraDays * daySeconds // so that nothing is negative in January 0000
	since := uint64(local + firstMarch*daySeconds + year400)
	day, second := uint32(since/daySeconds), uint32(since%daySeconds)

	era, day := day/eraDays, day%eraDays
	year := (day - day/1460 + day/36524 - day/146096) / 365
	day -= 365*year + year/4 - year/100
	month := (5*day + 2) / 153
	day -= (153*month+2)/5 - 1
	year += 400*era - 400
	if month += 3; month > 12 {
		month -= 12
		year++
	}

	at := len(dst)
	dst = append(dst, "0000-00-00T00:00:00"...)
	text := dst[at:][:19]
	twoDigits(text[0:2], year/100)
	twoDigits(text[2:4], year%100)
	twoDigits(text[5:7], month)
	twoDigits(text[8:10], day)
	twoDigits(text[11:13], second/3600)
	twoDigits(text[14:16], second/60%60)
	twoDigits(text[17:19], second%60)
	if nano != 0 {
		dst = appendNano(dst, uint32(nano))
	}
	if offset == 0 {
		return append(dst, 'Z')
	}
	sign, minutes := byte('+'), uint32(offset/60)
	if offset < 0 {
		sign, minutes = '-', uint32(-offset/60)
	}
	dst = append(dst, sign, '0', '0', ':', '0', '0')
	twoDigits(dst[len(dst)-5:], minutes/60)
	twoDigits(dst[len(dst)-2:], minutes%60)
	return dst
}

// appendNano writes a fraction of a second without zeros at its end.
func appendNano(dst []byte, nano uint32) []byte {
	digits := 9
	for nano%10 == 0 {
		nano /= 10
		digits--
	}
	dst = append(dst, ".000000000"[:1+digits]...)
	for i := len(dst) - 1; nano > 0; i-- {
		dst[i] = byte('0' + nano%10)
		nano /= 10
	}
	return dst
}

func twoDigits(dst []byte, n uint32) {
	dst[0], dst[1] = byte('0'+n/10), byte('0'+n%10)
}

// parseUTC reads what appendRFC3339 writes for UTC. It leaves the rest, rare or
// wrong, to package time.
func parseUTC(src string) (t time.Time, ok bool) {
	if len(src) < len("2006-01-02T15:04:05Z") || len(src) > len("2006-01-02T15:04:05.999999999Z") || src[len(src)-1] != 'Z' ||
		src[4] != '-' || src[7] != '-' || src[10] != 'T' || src[13] != ':' || src[16] != ':' {
		return t, false
	}
	ok = true
	number := func(from, to int) (n uint32) {
		for i := from; i < to; i++ {
			digit := src[i] - '0'
			ok = ok && digit <= 9
			n = 10*n + uint32(digit)
		}
		return n
	}
	year, month, day := number(0, 4), number(5, 7), number(8, 10)
	hour, minute, second := number(11, 13), number(14, 16), number(17, 19)
	nano := uint32(0)
	if end := len(src) - 1; end > 19 {
		nano = number(20, end)
		for range 29 - end {
			nano *= 10
		}
		ok = ok && src[19] == '.' && end > 20
	}
	if !ok || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	if month < 3 {
		month += 12
		year--
	}
	year += 400 // again, so that nothing is negative
	era, year := year/400, year%400
	days := era*eraDays + 365*year + year/4 - year/100 + (153*(month-3)+2)/5 + day - 1
	unix := (int64(days)-eraDays-firstMarch)*daySeconds + int64(3600*hour+60*minute+second)
	return time.Unix(unix, int64(nano)).UTC(), true
}

func daysIn(year, month uint32) uint32 {
	switch {
	case month != 2:
		return 30 + (month+month>>3)&1
	case year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	}
	return 28
}
