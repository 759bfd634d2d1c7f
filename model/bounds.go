package model

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/redmoon-go/redmoon/field"
)

// boundsOf are the least and greatest values of a number, by the size of its
// Go type and its rules: what Lua must keep to, where only the server knows the
// result. The text is for number.lua: "0 255", with " 0" behind it where the
// rule omitempty lets zero pass. Other columns have none. Rules that leave no
// number between the bounds are an error.
func boundsOf(c *column) (string, error) {
	bits := c.codec.Bits()
	var least, most string
	var nothing bool
	switch c.codec.Number() {
	case field.IntNumber:
		l := limits[int64]{-1 << (bits - 1), 1<<(bits-1) - 1}
		parse := func(text string) (int64, error) { return strconv.ParseInt(text, 0, 64) }
		if base(c.codec.Type()) == reflect.TypeFor[time.Duration]() {
			parse = func(text string) (int64, error) {
				if d, err := time.ParseDuration(text); err == nil {
					return int64(d), nil
				}
				return strconv.ParseInt(text, 0, 64)
			}
		}
		l.narrow(c.rule, parse, func(n int64) int64 { return n + 1 }, func(n int64) int64 { return n - 1 })
		nothing = l.least > l.most
		least, most = strconv.FormatInt(l.least, 10), strconv.FormatInt(l.most, 10)
	case field.UintNumber:
		l := limits[uint64]{0, 1<<(bits-1)<<1 - 1}
		parse := func(text string) (uint64, error) { return strconv.ParseUint(text, 0, 64) }
		l.narrow(c.rule, parse, func(n uint64) uint64 { return n + 1 }, func(n uint64) uint64 { return n - 1 })
		nothing = l.least > l.most
		least, most = strconv.FormatUint(l.least, 10), strconv.FormatUint(l.most, 10)
	case field.FloatNumber:
		l := limits[float64]{-math.MaxFloat64, math.MaxFloat64}
		if bits == 32 {
			l = limits[float64]{-math.MaxFloat32, math.MaxFloat32}
		}
		parse := func(text string) (float64, error) { return strconv.ParseFloat(text, bits) }
		l.narrow(c.rule, parse,
			func(f float64) float64 { return math.Nextafter(f, math.Inf(1)) },
			func(f float64) float64 { return math.Nextafter(f, math.Inf(-1)) })
		nothing = l.least > l.most
		least, most = strconv.FormatFloat(l.least, 'g', -1, 64), strconv.FormatFloat(l.most, 'g', -1, 64)
	default:
		return "", nil
	}
	if nothing {
		return "", fmt.Errorf("the tag `validate:%q`: no %v keeps these rules, from %s to %s; correct the bounds", c.rule, c.codec.Type(), least, most)
	}
	bounds := fmt.Sprintf("%s %s", least, most)
	if _, seesValue := optionalOf(c.codec.Type()); seesValue || !c.codec.Optional() { // of a pointer, omitempty lets nil pass, not zero
		for rule := range strings.SplitSeq(c.rule, ",") {
			if rule == "omitempty" || rule == "omitzero" {
				return bounds + " 0", nil
			}
		}
	}
	return bounds, nil
}

type limits[N int64 | uint64 | float64] struct{ least, most N }

// narrow applies the rules that bound a number. above and below are its
// neighbours, for the rules that exclude their bound.
func (l *limits[N]) narrow(rules string, parse func(string) (N, error), above, below func(N) N) {
	for rule := range strings.SplitSeq(rules, ",") {
		name, text, _ := strings.Cut(rule, "=")
		n, err := parse(text)
		if err != nil {
			continue
		}
		switch name {
		case "gte", "min":
			l.least = max(l.least, n)
		case "gt":
			l.least = max(l.least, above(n))
		case "lte", "max":
			l.most = min(l.most, n)
		case "lt":
			l.most = min(l.most, below(n))
		case "eq", "len":
			l.least, l.most = max(l.least, n), min(l.most, n)
		}
	}
}
