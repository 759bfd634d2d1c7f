package lua

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// A recordList is a parameter that is a list of records: of a slice of a [Record] in
// In. How many there are is an argument, and their keys come behind all others.
//
//	local r=__.m.f(__.opened(KEYS[1]),__k(1,tonumber(ARGV[1]),function(__key) return __.opened(__key) end))
type recordList struct {
	value
	at    int    // its place in the call
	count string // how many there are, a Lua expression
	open  string // the record of __key, likewise
}

// helperRecords makes such a list, of n keys behind some.
const helperRecords = `local function __k(behind,n,open) local list={} for i=1,n do list[i]=open(KEYS[behind+i]) end return list end`

// recordList binds a parameter to a list of stored records.
func (b *binding) recordList(p *Param, f tagged, r Record) error {
	o := r.LuaOpener(b.self)
	o.Beside, o.Inline = nil, nil
	expr, err := b.open(o, p.Name, "__key", value{})
	if err != nil {
		return err
	}
	number, err := field.Of(reflect.TypeFor[int]())
	if err != nil {
		return err
	}
	b.args = append(b.args, value{name: p.Name, codec: number, offset: uint32(f.field.Offset), record: &ofRecord{typ: f.field.Type, count: true}})
	b.lists = append(b.lists, recordList{
		value: value{name: p.Name, key: true, offset: uint32(f.field.Offset), record: &ofRecord{typ: f.field.Type}},
		at:    len(b.call), count: fmt.Sprintf("tonumber(ARGV[%d])", len(b.args)), open: expr,
	})
	b.call = append(b.call, "nil")
	return nil
}

// openLists puts the lists into the call, when it is known which keys stand before theirs.
func (b *binding) openLists() {
	behind := fmt.Sprint(b.first + len(b.keys))
	for _, l := range b.lists {
		b.call[l.at] = fmt.Sprintf("__k(%s,%s,function(__key) return %s end)", behind, l.count, l.open)
		behind += "+" + l.count
	}
}

// listed is how many records lists of In have.
func listed(lists []recordList, in unsafe.Pointer) (n int) {
	for i := range lists {
		n += lists[i].slice(in).Len()
	}
	return n
}

func (l *recordList) slice(in unsafe.Pointer) reflect.Value {
	return reflect.NewAt(l.record.typ, unsafe.Add(in, uintptr(l.offset))).Elem()
}

// addRecords adds the keys of lists.
func (s *Script) addRecords(c *pipectx.Command, lists []recordList, in unsafe.Pointer) {
	for i := range lists {
		records := lists[i].slice(in)
		for j := range records.Len() {
			key, err := records.Index(j).Addr().Interface().(Record).AppendKey(c.Tail())
			if err != nil {
				err = fmt.Errorf("lua: %s: argument %s[%d]: %w", s.name, lists[i].name, j, err)
			}
			c.AppendKey(key, err)
		}
	}
}
