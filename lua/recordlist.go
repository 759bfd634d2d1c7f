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
//	local r=__.m.f(__.opened(KEYS[1]),__k(1,tonumber(ARGV[1]),1,function(__at) return __.opened(KEYS[__at]) end))
//
// Each of them has the keys beside its own behind it.
type recordList struct {
	value
	at     int      // its place in the call
	count  string   // how many there are, a Lua expression
	open   string   // the record whose keys begin at __at, likewise
	beside []string // keys beside that of each
}

// helperRecords makes such a list, of n records with so many keys each, behind some.
const helperRecords = `local function __k(behind,n,each,open) local list={} for i=1,n do list[i]=open(behind+(i-1)*each+1) end return list end`

// recordList binds a parameter to a list of stored records.
func (b *binding) recordList(p *Param, f tagged, r Record) error {
	o := r.LuaOpener(b.self)
	o.Inline = nil
	to := received{opener: o, param: p.Name, keys: KeysOf{Key: "KEYS[__at]"}, uses: b.f.uses(p.Name), at: len(b.call), list: true}
	var beside []string
	if o.Beside != nil {
		beside, to.keys.Beside = o.Beside(to.uses), map[string]string{}
	}
	for i, name := range beside {
		to.keys.Beside[name] = fmt.Sprintf("KEYS[__at+%d]", i+1)
	}
	b.opens = append(b.opens, to)
	expr, err := o.Open(to.keys, to.uses)
	if err != nil {
		return err
	}
	number, err := field.Of(reflect.TypeFor[int]())
	if err != nil {
		return err
	}
	b.args = append(b.args, value{name: p.Name, codec: number, offset: uint32(f.field.Offset), record: &ofRecord{typ: f.field.Type, count: true}})
	b.lists = append(b.lists, recordList{
		value: value{name: p.Name, key: true, offset: uint32(f.field.Offset), record: &ofRecord{typ: f.field.Type, known: o.Known}},
		at:    len(b.call), count: fmt.Sprintf("tonumber(ARGV[%d])", len(b.args)), open: expr, beside: beside,
	})
	b.call = append(b.call, "nil")
	return nil
}

// openLists puts the lists into the call, when it is known which keys stand before theirs.
func (b *binding) openLists() {
	behind := fmt.Sprint(b.first + len(b.keys))
	for _, l := range b.lists {
		b.call[l.at] = fmt.Sprintf("__k(%s,%s,%d,function(__at) return %s end)", behind, l.count, 1+len(l.beside), l.open)
		behind += fmt.Sprintf("+%s*%d", l.count, 1+len(l.beside))
	}
}

// listed is how many keys the lists of In have.
func listed(lists []recordList, in unsafe.Pointer) (n int) {
	for i := range lists {
		n += lists[i].slice(in).Len() * (1 + len(lists[i].beside))
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
			r := records.Index(j).Addr().Interface().(Record)
			for k := range 1 + len(lists[i].beside) {
				name := ""
				if k > 0 {
					name = lists[i].beside[k-1]
				}
				key, err := lists[i].record.appendKey(c.Tail(), r, name)
				if err != nil {
					err = fmt.Errorf("lua: %s: argument %s[%d]: %w", s.name, lists[i].name, j, err)
				}
				c.AppendKey(key, err)
			}
		}
	}
}
