package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

// A member is a field of plain, as package model walks them.
type member struct {
	offset uintptr
	codec  *field.Erased
}

func members() []member {
	var all []member
	for f := range reflect.TypeFor[plain]().Fields() {
		codec, err := field.Of(f.Type)
		if err != nil {
			panic(err) // model.Define has taken it
		}
		all = append(all, member{f.Offset, codec})
	}
	return all
}

// encode is the texts of n records, decode the way back, beside what a patient
// author writes for this one type.
func encode(n int) job {
	all, members := samples(n), members()
	texts := func(dst []byte, r *plain) []byte {
		for _, m := range members {
			dst, _ = m.codec.AppendDirect(dst, unsafe.Add(unsafe.Pointer(r), m.offset))
		}
		return dst
	}
	do := func(append func(dst []byte, r *plain) []byte) work {
		dst, want := make([]byte, 0, 1024), texts(nil, &all[0].plain)
		return func(context.Context) error {
			for i := range all {
				dst = append(dst[:0], &all[i].plain)
				if len(dst) != len(want) {
					return fmt.Errorf("encoded %q", dst)
				}
			}
			return nil
		}
	}
	return job{
		name: "encode-10-fields", units: n, client: true, ours: do(texts),
		rivals: []rival{{name: "by hand", time: 1.3, run: do(appendByHand)}},
	}
}

func appendByHand(dst []byte, r *plain) []byte {
	dst = append(dst, r.Name...)
	dst = append(dst, r.Email...)
	dst = strconv.AppendInt(dst, r.Balance, 10)
	dst = strconv.AppendUint(dst, uint64(r.Limit), 10)
	dst = strconv.AppendFloat(dst, r.Rate, 'f', -1, 64)
	if r.Active {
		dst = append(dst, '1')
	} else {
		dst = append(dst, '0')
	}
	dst = r.Opened.AppendFormat(dst, time.RFC3339Nano)
	dst = r.Seen.AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, r.Tags...)
	return append(dst, r.Comments...)
}

func decode(n int) job {
	all, members := samples(n), members()
	rows := make([][]string, n)
	for i := range rows {
		for _, m := range members {
			text, err := m.codec.Append(nil, unsafe.Add(unsafe.Pointer(&all[i].plain), m.offset))
			if err != nil {
				panic(err)
			}
			rows[i] = append(rows[i], string(text))
		}
	}
	do := func(parse func(texts []string, r *plain) error) work {
		got := new(plain)
		return func(context.Context) error {
			for i := range all {
				*got = plain{}
				err := parse(rows[i], got)
				if err = is(err, *got, all[i].plain); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return job{
		name: "decode-10-fields", units: n, client: true,
		ours: do(func(texts []string, r *plain) error {
			for i, m := range members {
				if err := m.codec.ParseShared(texts[i], unsafe.Add(unsafe.Pointer(r), m.offset)); err != nil {
					return err
				}
			}
			return nil
		}),
		rivals: []rival{{name: "by hand", time: 1.3, run: do(parseByHand)}},
	}
}

func parseByHand(texts []string, r *plain) error {
	var errs [6]error
	var limit uint64
	r.Name, r.Email, r.Tags, r.Comments = texts[0], texts[1], texts[8], texts[9]
	r.Balance, errs[0] = strconv.ParseInt(texts[2], 10, 64)
	limit, errs[1] = strconv.ParseUint(texts[3], 10, 32)
	r.Limit = uint32(limit)
	r.Rate, errs[2] = strconv.ParseFloat(texts[4], 64)
	r.Active, errs[3] = strconv.ParseBool(texts[5])
	r.Opened, errs[4] = time.Parse(time.RFC3339Nano, texts[6])
	r.Seen, errs[5] = time.Parse(time.RFC3339Nano, texts[7])
	for _, err := range errs {
		if err != nil {
			return errors.Join(errs[:]...)
		}
	}
	return nil
}
