package keyspace

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Entry is what a stream holds under one id.
type Entry[E any] struct {
	ID    StreamID
	Value E

	// Err is why there is no Value, of this entry alone: a *[field.DecodeError], of what
	// somebody else wrote; [pipectx.ErrNotFound], of an entry that was removed while it
	// was pending.
	Err error

	// Idle and Deliveries tell of entries that were claimed: how long nobody had seen to
	// them, and how often they were delivered. They are 0 where the verb does not say.
	Idle       time.Duration
	Deliveries int64
}

// fields is how a type of entries is written: the fields of a struct, or a map.
type fields[E any] struct {
	columns []column // of a struct
	byName  map[string]int
	free    bool // a map[string]string
}

// A column is one stored field of a struct.
type column struct {
	name   string
	path   string // in Go
	offset uintptr
	codec  *field.Erased
	omit   bool // a zero is absent
}

// newFields says what is wrong with E as an entry.
func newFields[E any]() (*fields[E], error) {
	t := reflect.TypeFor[E]()
	f := &fields[E]{byName: map[string]int{}}
	switch {
	case t == reflect.TypeFor[map[string]string]():
		f.free = true
		return f, nil
	case t.Kind() != reflect.Struct:
		return nil, fmt.Errorf("the entry: %v has no fields; use a struct with `redis` tags, or map[string]string", t)
	}
	if err := f.add(t, 0, "", ""); err != nil {
		return nil, fmt.Errorf("the entry: %w", err)
	}
	if len(f.columns) == 0 {
		return nil, fmt.Errorf("the entry: no field of %v has a `redis` tag; tag those that are to be stored: `redis:\"name\"`", t)
	}
	return f, nil
}

// add adds the tagged fields of t, which begins at offset; embedded structs are
// flattened, and so are those with the option inline, with their name before.
func (f *fields[E]) add(t reflect.Type, offset uintptr, within, prefix string) error {
	for sf := range t.Fields() {
		tag, tagged := sf.Tag.Lookup("redis")
		path := within + sf.Name
		words := strings.Split(tag, ",")
		name, options := words[0], words[1:]
		switch {
		case !tagged && sf.Anonymous && sf.Type.Kind() == reflect.Struct:
			if err := f.add(sf.Type, offset+sf.Offset, path+".", prefix); err != nil {
				return err
			}
			continue
		case !tagged || tag == "-":
			continue
		case name == "" || !sf.IsExported():
			return fmt.Errorf("field %s, tagged `redis:%q`: a stored field has a name in its tag and one in Go that begins with a capital", path, tag)
		case slices.Equal(options, []string{"inline"}) && sf.Type.Kind() == reflect.Struct:
			if err := f.add(sf.Type, offset+sf.Offset, path+".", prefix+name+"."); err != nil {
				return err
			}
			continue
		}
		omit := slices.Contains(options, "omitempty")
		codec, err := field.Of(sf.Type, slices.DeleteFunc(options, func(o string) bool { return o == "omitempty" })...)
		if err != nil {
			return fmt.Errorf("field %s, tagged `redis:%q`: %w", path, tag, err)
		}
		c := column{name: prefix + name, path: path, offset: offset + sf.Offset, codec: codec, omit: omit && !codec.Optional()}
		if at, twice := f.byName[c.name]; twice {
			return fmt.Errorf("field %s, tagged `redis:%q`: the name %q is taken by %s", path, tag, c.name, f.columns[at].path)
		}
		f.byName[c.name] = len(f.columns)
		f.columns = append(f.columns, c)
	}
	return nil
}

// write adds an entry as words: names and values in turns, a map's in the order of its
// names.
func (f *fields[E]) write(c *pipectx.Command, key string, entry E) {
	n := 0
	if f.free {
		entries := any(entry).(map[string]string)
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			c.Word(name)
			c.Word(entries[name])
		}
		n = len(entries)
	} else {
		for i := range f.columns {
			col := &f.columns[i]
			p := unsafe.Add(unsafe.Pointer(&entry), col.offset)
			if col.codec.Absent(p) || col.omit && reflect.NewAt(col.codec.Type(), p).Elem().IsZero() {
				continue
			}
			c.Word(col.name)
			tail, err := col.codec.Append(c.Tail(), p)
			if err != nil {
				err = unstorable(err, key, col.name)
			}
			c.Append(tail, err)
			n++
		}
	}
	if n == 0 {
		c.Fail(fmt.Errorf("keyspace: %s: an entry of a stream has a field at least, and this one none that is there", key))
	}
}

// read reads names and values in turns. What E does not declare is left out, and what
// is not there is absent, or the type's zero.
func (f *fields[E]) read(r pipectx.Reply, key string) (entry E, err error) {
	items, err := r.Items()
	if err != nil {
		return entry, err
	}
	var free map[string]string
	if f.free {
		free = make(map[string]string, items.Len()/2)
		entry = any(free).(E)
	}
	for items.Next() {
		name, err := items.Reply().Text()
		if err != nil {
			return entry, err
		}
		if !items.Next() {
			return entry, short(r)
		}
		text, err := items.Bytes()
		if err != nil {
			return entry, err
		}
		if f.free {
			free[name] = string(text)
			continue
		}
		if i, ok := f.byName[name]; ok {
			col := &f.columns[i]
			if err := col.codec.Parse(text, unsafe.Add(unsafe.Pointer(&entry), col.offset)); err != nil {
				var none E
				return none, located(err, key, name)
			}
		}
	}
	return entry, items.Err()
}

// entries reads an array of entries. One that cannot be read keeps its place, with the
// error; a null in the place of one, as servers before 7 answer to a claim of an entry
// that is gone, has no id and is left out.
func (f *fields[E]) entries(r pipectx.Reply, key string) ([]Entry[E], error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	all := make([]Entry[E], 0, items.Len())
	for items.Next() {
		if items.Reply().IsNil() {
			continue
		}
		e, err := f.entry(items.Reply(), key)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// entry reads an id and the fields, and of one that was claimed while reading the time
// and the number of deliveries behind them.
func (f *fields[E]) entry(r pipectx.Reply, key string) (e Entry[E], err error) {
	items, err := r.Items()
	if err != nil {
		return e, err
	}
	if e.ID, err = nextID(&items, key); err != nil {
		return e, err
	}
	if !items.Next() {
		return e, short(r)
	}
	if value := items.Reply(); value.IsNil() {
		e.Err = absent(fmt.Sprintf("entry %v of %s", e.ID, key))
	} else if e.Value, err = f.read(value, key); err != nil {
		e.Err = fmt.Errorf("keyspace: %s: entry %v: %w", key, e.ID, err)
	}
	for i := 0; items.Next(); i++ {
		n, err := items.Reply().Int()
		if err != nil {
			return e, err
		}
		if i == 0 {
			e.Idle = time.Duration(n) * time.Millisecond
		} else {
			e.Deliveries = n
		}
	}
	return e, nil
}

// nextID reads the next element as an id.
func nextID(items *pipectx.Items, key string) (StreamID, error) {
	if !items.Next() {
		return StreamID{}, fmt.Errorf("keyspace: %s: the reply lacks an id", key)
	}
	return idOf(items.Reply())
}

func idOf(r pipectx.Reply) (StreamID, error) {
	text, err := r.Bytes()
	if err != nil {
		return StreamID{}, err
	}
	return ParseStreamID(string(text))
}

// streamIDs reads an array of ids.
func streamIDs(r pipectx.Reply) ([]StreamID, error) {
	items, err := elements(r)
	if err != nil {
		return nil, err
	}
	ids := make([]StreamID, 0, items.Len())
	for items.Next() {
		id, err := idOf(items.Reply())
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// idWords adds ids to commands.
type idWords struct{}

func (idWords) write(c *pipectx.Command, _ string, id StreamID) { c.Append(id.append(c.Tail()), nil) }
