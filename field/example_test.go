package field_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
)

func ExampleFor() {
	type Cents int64

	prices := field.MustFor[Cents]()
	text, err := prices.Append(nil, 1999)
	fmt.Printf("%s %v\n", text, err)

	_, err = prices.Parse([]byte("19.99"))
	fmt.Println(err)
	// Output:
	// 1999 <nil>
	// field: "19.99" is not a field_test.Cents (int64): want decimal digits
}

func ExampleFor_options() {
	v := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	for _, option := range [][]string{nil, {"unix"}, {"unixms"}, {"json"}} {
		codec := field.MustFor[time.Time](option...)
		text, _ := codec.Append(nil, v)
		fmt.Printf("%-20s %s\n", codec.Name(), text)
	}
	// Output:
	// time.Time            2026-01-02T03:04:05.006Z
	// time.Time (unix)     1767323045
	// time.Time (unixms)   1767323045006
	// json time.Time       "2026-01-02T03:04:05.006Z"
}

func ExampleFor_oneof() {
	type Status string

	statuses := field.MustFor[Status]("oneof=open closed")
	_, err := statuses.Append(nil, "opne")
	fmt.Println(err)
	_, err = statuses.Parse([]byte("broken"))
	fmt.Println(err)
	// Output:
	// field: "opne" is not storable as field_test.Status (string) (oneof): want open or closed
	// field: "broken" is not a field_test.Status (string) (oneof): want open or closed
}

func ExampleFor_zstd() {
	pages := field.MustFor[string]("zstd")
	page := strings.Repeat("<p>Hello, hello!</p>", 1000)
	text, _ := pages.Append(nil, page)
	back, err := pages.Parse(text)
	fmt.Println(len(page), len(text) < 100, back == page, err)

	back, err = pages.Parse([]byte("<p>stored before there was an option</p>"))
	fmt.Println(back, err)
	// Output:
	// 20000 true true <nil>
	// <p>stored before there was an option</p> <nil>
}

func ExampleOf() {
	type Profile struct {
		Name string
		Age  field.Optional[int]
	}
	p := Profile{Name: "Ada"}
	for f := range reflect.TypeFor[Profile]().Fields() {
		codec, err := field.Of(f.Type)
		if err != nil {
			fmt.Println(err)
			return
		}
		at := unsafe.Add(unsafe.Pointer(&p), f.Offset)
		if codec.Absent(at) {
			fmt.Printf("HDEL %s\n", f.Name)
			continue
		}
		text, _ := codec.Append(nil, at)
		fmt.Printf("HSET %s %s\n", f.Name, text)
	}
	// Output:
	// HSET Name Ada
	// HDEL Age
}

func ExampleOptional() {
	unknown, newborn := field.None[int](), field.Some(0)
	fmt.Println(unknown.Or(-1), newborn.Or(-1))
	// Output: -1 0
}

func ExampleDecodeError() {
	_, err := field.MustFor[bool]().Parse([]byte("maybe"))

	var decode *field.DecodeError
	if errors.As(err, &decode) { // who knows where the text was stored says so
		decode.Key, decode.Field = "A{7}", "open"
	}
	fmt.Println(err)
	// Output: field: A{7} open: "maybe" is not a bool: want 1, 0, true, false, t, f, yes, no, y, n, on or off
}
