package lua

import (
	"context"
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Args are keys and arguments by name, for functions and scripts that are not
// known when the program is written. Their annotations say how each one crosses:
//
//	annotation                           takes
//	@key                                 a string, []byte or text marshaler
//	int, integer                         any integer
//	int64                                any integer, all 64 bits
//	float, number                        any float or integer
//	string, str, or none                 a string, []byte or text marshaler
//	bool, boolean                        a bool
//	time                                 a time.Time
//	json, table, list, array, dict, …    anything that has a JSON
//
// nil, or no value, is one for an argument that is optional or has a default. A
// name that the function has not, and one that is missing, is an error before
// anything is sent.
//
//	run := lua.Bind[lua.Args, any](script, "main")
//	n, err := run.On(db).Call(ctx, lua.Args{"item": "item{7}", "n": 2}).Result()
type Args map[string]any

var argsType = reflect.TypeFor[Args]()

// dynamicTypes are what Args become on their way, by annotation.
var dynamicTypes = map[Type]reflect.Type{
	"":       reflect.TypeFor[string](),
	"string": reflect.TypeFor[string](),
	"int":    reflect.TypeFor[int64](),
	"int64":  reflect.TypeFor[Exact](),
	"float":  reflect.TypeFor[float64](),
	"bool":   reflect.TypeFor[bool](),
	"time":   reflect.TypeFor[time.Time](),
	"json":   reflect.TypeFor[any](),
}

// dynamicType is the Go type of an annotation.
func dynamicType(declared Type, optional bool) reflect.Type {
	base, _ := declared.base()
	t := dynamicTypes[base]
	if optional && base != "json" {
		return reflect.PointerTo(t)
	}
	return t
}

// dynamic binds all parameters to Args.
func (b *binding) dynamic() error {
	for i := range b.params {
		p := &b.params[i]
		_, optional := p.Type.base()
		f := tagged{name: p.Name, key: p.Key}
		f.field = reflect.StructField{Name: p.Name, Type: dynamicType(p.Type, optional || p.Default != "")}
		if err := b.argument(p, f); err != nil {
			return err
		}
	}
	return nil
}

// sendArgs appends Args to a command.
func (s *Script) sendArgs(c *pipectx.Command, keys, args []value, in Args) {
	given := 0
	for _, list := range [][]value{keys, args} {
		for i := range list {
			v := &list[i]
			x, ok := in[v.name]
			if ok {
				given++
			}
			if v.key && x == nil {
				c.Fail(fmt.Errorf("lua: %s: the key %s is missing; %s", s.name, v.name, takesNames(keys, args)))
				return
			}
			if !v.key && x == nil && !v.mayBeNil() {
				c.Fail(fmt.Errorf("lua: %s: the argument %s is missing; %s", s.name, v.name, takesNames(keys, args)))
				return
			}
			word, err := s.dynamicWord(v, c.Tail(), x)
			if v.key {
				c.AppendKey(word, err)
			} else {
				c.Append(word, err)
			}
		}
	}
	if given == len(in) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if !slices.ContainsFunc(slices.Concat(keys, args), func(v value) bool { return v.name == name }) {
			c.Fail(fmt.Errorf("lua: %s takes no %q; %s", s.name, name, takesNames(keys, args)))
		}
	}
}

// mayBeNil tells whether no value is one: JSON has its null.
func (v *value) mayBeNil() bool { return v.codec.Optional() || v.nullable }

func takesNames(keys, args []value) string {
	names := make([]string, 0, len(keys)+len(args))
	for _, v := range slices.Concat(keys, args) {
		names = append(names, v.name)
	}
	if len(names) == 0 {
		return "it takes nothing"
	}
	return "it takes " + strings.Join(names, ", ")
}

// dynamicWord appends the text of one argument.
func (s *Script) dynamicWord(v *value, dst []byte, x any) ([]byte, error) {
	box := reflect.New(v.codec.Type())
	if x != nil {
		to := box.Elem()
		if v.codec.Optional() {
			to.Set(reflect.New(to.Type().Elem()))
			to = to.Elem()
		}
		if err := assign(to, x); err != nil {
			return dst, fmt.Errorf("lua: %s: argument %s %w", s.name, v.name, err)
		}
	}
	return s.argument(v, dst, box.UnsafePointer())
}

// assign sets to, of one of the dynamic types, to x, if that loses nothing.
func assign(to reflect.Value, x any) error {
	from := reflect.ValueOf(x)
	if to.Kind() == reflect.Interface || from.Type() == to.Type() {
		to.Set(from)
		return nil
	}
	if m, ok := x.(encoding.TextMarshaler); ok && to.Kind() == reflect.String {
		text, err := m.MarshalText()
		to.SetString(string(text))
		return err
	}
	fits := false
	switch kind := from.Kind(); to.Kind() {
	case reflect.String:
		if fits = kind == reflect.String || kind == reflect.Slice && from.Type().Elem().Kind() == reflect.Uint8; fits {
			to.SetString(from.Convert(to.Type()).String())
		}
	case reflect.Bool:
		if fits = kind == reflect.Bool; fits {
			to.SetBool(from.Bool())
		}
	case reflect.Int64:
		switch {
		case from.CanInt():
			to.SetInt(from.Int())
			fits = true
		case from.CanUint() && from.Uint() <= math.MaxInt64:
			to.SetInt(int64(from.Uint()))
			fits = true
		case from.CanUint():
			return fmt.Errorf("is %d, beyond 64 bits with a sign", from.Uint())
		}
	case reflect.Float64:
		switch {
		case from.CanFloat():
			to.SetFloat(from.Float())
			fits = true
		case from.CanInt() && from.Int() <= maxNumber && from.Int() >= -maxNumber:
			to.SetFloat(float64(from.Int()))
			fits = true
		case from.CanUint() && from.Uint() <= maxNumber:
			to.SetFloat(float64(from.Uint()))
			fits = true
		}
	}
	if !fits {
		return fmt.Errorf("cannot be Go's %v %v; it takes what %v holds", from.Type(), x, to.Type())
	}
	return nil
}

// anyResult plans a result whose Go type is any: what the annotation says, or
// the reply as it is.
func (b *binding) anyResult(returns Type) error {
	if returns == "" {
		b.plan.kind = rawResult
		return nil
	}
	_, optional := returns.base()
	v, err := newValue("", dynamicType(returns, optional), returns)
	if err != nil {
		return b.faultAt(b.f.sign.returnsAt, "its result %v", err)
	}
	b.plan.kind, b.plan.values, b.plan.boxed = scalar, []value{v}, true
	if v.codec.Lua().Kind == field.LuaJSON {
		b.plan.kind, b.plan.boxed = freeForm, false // it is an any already
	}
	return nil
}

// decodeAny reads a result into an any.
func (p *resultPlan) decodeAny(r pipectx.Reply, out unsafe.Pointer) error {
	v := &p.values[0]
	box := reflect.New(v.codec.Type())
	if err := v.decode(r, box.UnsafePointer()); err != nil {
		return err
	}
	value := box.Elem()
	if v.codec.Optional() {
		if value.IsNil() {
			*(*any)(out) = nil
			return nil
		}
		value = value.Elem()
	}
	if exact, ok := value.Interface().(Exact); ok {
		*(*any)(out) = int64(exact)
		return nil
	}
	*(*any)(out) = value.Interface()
	return nil
}

// Run parses a text and calls it as a script, once: its directives name keys
// and arguments. Its result is as for [Bind]. A text that is called often is
// better parsed once: see [Parse].
//
//	n, err := lua.Run[int64](ctx, db, `
//	%key counter
//	%arg by int
//	return redis.call("INCRBY", counter, by)`, lua.Args{"counter": "n{1}", "by": 5}).Result()
//
// Cost: EVAL, once known EVALSHA; 1 command; 1 round trip outside Run, none of its
// own inside.
func Run[Out any](ctx context.Context, db *pipectx.DB, text string, args Args) *pipectx.Ref[Out] {
	mod, err := Parse("text.lua", text)
	if err != nil {
		return pipectx.Failed[Out](ctx, db, err)
	}
	e, err := TryBind[Args, Out](mod, entryOfScript)
	if err != nil {
		return pipectx.Failed[Out](ctx, db, err)
	}
	return e.On(db).Call(ctx, args)
}
