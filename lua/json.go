package lua

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// Free-form values cross as JSON. Three things differ between Lua and JSON, and
// each is met where it can be:
//
//   - Lua has one number, a double. Integers beyond 2^53 are refused both ways;
//     as strings (`json:",string"`) they cross whole.
//   - Lua has one table. An empty one is {} on the wire; where Go's type is a
//     list, reconcile makes a list of it. In an any it is a map.
//   - Lua's nil is no value: null in a table is no entry of it.

// helperEncode makes JSON of a value, exactly: cjson.encode would print 14
// digits, take tables with holes for lists of nulls, and differ from server to
// server. Whole numbers beyond 2^53 are written as floats, which Go's integers
// refuse. What JSON has not is an error. The embedded server has no room for thousands
// of texts in one table.concat.
const helperEncode = `local function __e(v,what) local out,depth={},0
local function bad(has) error({err="TYPE "..what.." has "..has..", for which there is no JSON"}) end
local function put(v) local is=type(v)
if v==nil or v==cjson.null then is="null" elseif is=="string" then is=cjson.encode(v) elseif is=="boolean" then is=tostring(v)
elseif is=="number" then if v~=v or v-v~=0 then bad("NaN or an infinity") end
if v~=math.floor(v) then is=string.format("%.17g",v) elseif v>9007199254740992 or v<-9007199254740992 then is=string.format("%.16e",v) else is=string.format("%.0f",v) end
elseif is~="table" then bad("a "..is)
else local m=getmetatable(v) if type(m)=="table" and m.record==true then bad("a record instead of its fields") end
depth=depth+1 if depth>100 then bad("tables in more than 100 levels") end
local n,list=0,true for k in next,v do n=n+1 if type(k)~="number" then list=false if type(k)~="string" then bad("a "..type(k).." for a key") end end end
if n==0 then out[#out+1]="{}"
elseif list then if #v~=n then bad("a list with holes") end
for i=1,n do local x=rawget(v,i) if x==nil then bad("a list with holes") end out[#out+1]=i==1 and "[" or "," put(x) end out[#out+1]="]"
else local sep="{" for k,x in next,v do if type(k)~="string" then bad("a table that is a list and a map") end out[#out+1]=sep..cjson.encode(k)..":" sep="," put(x) end out[#out+1]="}" end
depth=depth-1 return end
out[#out+1]=is end
put(v) local all={} for i=1,#out,500 do all[#all+1]=table.concat(out,"",i,math.min(i+499,#out)) end return table.concat(all) end`

// reconcile writes [] for each {} that stands where a Go type has a list.
func reconcile(text []byte, t reflect.Type) []byte {
	if !bytes.Contains(text, []byte("{}")) {
		return text
	}
	r := reconciler{src: text}
	r.value(t)
	return append(r.out, r.src[r.at:]...)
}

// A reconciler walks a JSON of our own making, without blanks, together with
// the type that it is for. nil is a type of which nothing is known.
type reconciler struct {
	src, out []byte
	at       int
}

func (r *reconciler) peek() byte {
	if r.at < len(r.src) {
		return r.src[r.at]
	}
	return 0
}

// take copies n bytes.
func (r *reconciler) take(n int) {
	n = min(n, len(r.src)-r.at)
	r.out = append(r.out, r.src[r.at:r.at+n]...)
	r.at += n
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

func (r *reconciler) value(t reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && reflect.PointerTo(t).Implements(unmarshaler) {
		t = nil // it reads what it likes
	}
	switch r.peek() {
	case '{':
		if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && bytes.HasPrefix(r.src[r.at:], []byte("{}")) {
			r.out = append(r.out, "[]"...)
			r.at += 2
			return
		}
		r.list('}', func() {
			name := r.string()
			r.take(1) // :
			r.value(member(t, name))
		})
	case '[':
		var elem reflect.Type
		if t != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
			elem = t.Elem()
		}
		r.list(']', func() { r.value(elem) })
	case '"':
		r.string()
	default:
		n := bytes.IndexAny(r.src[r.at:], ",]}")
		if n < 0 {
			n = len(r.src) - r.at
		}
		r.take(n)
	}
}

// list copies what stands between brackets.
func (r *reconciler) list(end byte, element func()) {
	r.take(1)
	for r.peek() != end && r.at < len(r.src) {
		element()
		if r.peek() != ',' {
			break
		}
		r.take(1)
	}
	r.take(1)
}

// string copies a string and returns what stands between its quotes.
func (r *reconciler) string() string {
	start := r.at
	r.take(1)
	for c := r.peek(); c != '"' && r.at < len(r.src); c = r.peek() {
		if c == '\\' {
			r.take(1)
		}
		r.take(1)
	}
	r.take(1)
	var name string
	_ = json.Unmarshal(r.src[start:r.at], &name) // at worst no member is called so
	return name
}

// member is the type of a member by its name, as encoding/json finds it.
func member(t reflect.Type, name string) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Map:
		return t.Elem()
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(t) {
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" {
				tag = f.Name
			}
			if f.IsExported() && strings.EqualFold(tag, name) {
				return f.Type
			}
		}
	}
	return nil
}
