package model_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/lua"
	"github.com/redmoon-go/redmoon/model"
)

// id makes the structs of the tables below shorter.
type id struct {
	ID int64 `redis:"id,key"`
}

type embedsPointer struct {
	id
	*Address
	*Audit
	Name string `redis:"name"`
}

// Audit is made to be embedded.
type Audit struct {
	Created time.Time `redis:"created"`
	Editor  *string   `redis:"editor"`
}

// define is what Define finds about a record type. Without the rest of Define it
// takes the compiler a tenth of the time, for a hundred types.
func define[T any]() func() error {
	return func() error { return model.CheckType(reflect.TypeFor[T]()) }
}

func defineWith[T, K any](prefix string, options ...keyspace.Option) func() error {
	return func() error {
		_, err := model.TryDefine[T, K](prefix, options...)
		return err
	}
}

// A wrong declaration is an error that names the type, the field, what is
// wrong and the cure.
func TestDefineRefuses(t *testing.T) {
	tagged := func(tag reflect.StructTag) func() error { // go vet would find these in the source
		return func() error {
			return model.CheckType(reflect.StructOf([]reflect.StructField{
				{Name: "ID", Type: reflect.TypeFor[int64](), Tag: `redis:"id,key"`},
				{Name: "Name", Type: reflect.TypeFor[string](), Tag: tag},
			}))
		}
	}
	for _, c := range []struct {
		reason string
		define func() error
		says   []string
	}{
		{"a record is a struct", defineWith[int, int64]("p"), []string{"int is no struct"}},
		{"also not a pointer to one", defineWith[*Page, string]("p"), []string{"*model_test.Page is no struct"}},
		{"there is no Redis key without an id", define[struct {
			Name string `redis:"name"`
		}](), []string{"has no key", "`redis:\"id,key\"`"}},
		{"one id is enough", define[struct {
			id
			Other int64 `redis:"other,key"`
		}](), []string{"field Other", "a second key", "id.ID"}},
		{"ids have one type", defineWith[Page, int64]("p"), []string{"key field ID", "`redis:\"id,key\"`", "string", "int64", "make them the same"}},
		{"no prefix, no key", defineWith[Page, string](""), []string{"prefix is empty"}},
		{"braces would be a hash tag", defineWith[Page, string]("a{b}"), []string{"brace"}},
		{"an id that can be absent is none", defineWith[struct {
			ID   *string `redis:"id,key"`
			Name string  `redis:"name"`
		}, *string]("p"), []string{"cannot be an id"}},
		{"a struct id needs a slot", defineWith[struct {
			ID   Address `redis:"id,key"`
			Name string  `redis:"name"`
		}, Address]("p"), []string{"cannot be an id", "slot"}},
		{"a field of the key's text form would be ignored", define[struct {
			ID   int64  `redis:"id,key,json"`
			Name string `redis:"name"`
		}](), []string{"field ID", "the option key goes with no other, and there is json"}},

		{"a chan has no text", define[struct {
			id
			C chan int `redis:"c"`
		}](), []string{"field C", "chan int", "TextMarshaler"}},
		{"a func has no text", define[struct {
			id
			F func() `redis:"f"`
		}](), []string{"field F", "func()"}},
		{"an interface has no text of its own", define[struct {
			id
			I fmt.Stringer `redis:"i"`
		}](), []string{"field I", "fmt.Stringer", "name a type"}},
		{"a complex number has no text", define[struct {
			id
			Z complex128 `redis:"z"`
		}](), []string{"field Z", "complex128"}},
		{"a struct{} has nothing to store", define[struct {
			id
			E struct{} `redis:"e"`
			F struct{} `redis:"f"`
		}](), []string{"field E", "nothing to store"}},
		{"a pointer to a pointer is absent in two ways", define[struct {
			id
			P **int `redis:"p"`
		}](), []string{"field P", "absent in two ways"}},

		{"reds is not redis", define[struct {
			id
			Name string `reds:"name"`
		}](), []string{"field Name", "reds", "did you mean redis?"}},
		{"also in capitals", define[struct {
			id
			Name string `Redis:"name"`
		}](), []string{"field Name", "did you mean redis?"}},
		{"validate has one spelling too", define[struct {
			id
			Name string `redis:"name" valdiate:"required"`
		}](), []string{"field Name", "did you mean validate?"}},
		{"an option with its letters swapped", define[struct {
			id
			Name int64 `redis:"balance,versoin"`
		}](), []string{"field Name", "versoin", "did you mean version?"}},
		{"an option with a space", define[struct {
			id
			Name int64 `redis:"name, json"`
		}](), []string{"field Name", `" json"`, "did you mean json?"}},
		{"an option that nothing resembles", define[struct {
			id
			Name int64 `redis:"name,compressed"`
		}](), []string{"field Name", "compressed", "the options are key, version, ttl, ttl=30m, inline, extra, omitempty, was=name, default=text, ascii, commas"}},
		{"with omitempty zero is absent too", define[struct {
			id
			Name string `redis:"name,omitempty"`
		}](), []string{"no field that is never absent", "add one"}},
		{"a space behind the colon", tagged(`redis: "name"`), []string{"field Name", "malformed", "without a space"}},
		{"a quote that does not close", tagged(`redis:"name`), []string{"field Name", "no closing quote"}},
		{"no space between two tags", tagged(`redis:"name"validate:"required`), []string{"field Name", "malformed"}},
		{"a tag without a name", define[struct {
			id
			Name string `redis:",json"`
		}](), []string{"field Name", "no name", `redis:"name"`}},
		{"reflection cannot see it", define[struct {
			id
			name string `redis:"name"`
		}](), []string{"field name", "not exported", "capital"}},
		{"one name, one field", define[struct {
			id
			A int `redis:"n"`
			B int `redis:"n"`
		}](), []string{"field B", `"n" is taken by A`}},
		{"also of the key", define[struct {
			id
			A int `redis:"id"`
		}](), []string{"field A", "`redis:\"id\"`", `"id" is taken by the key id.ID`}},
		{"also among embedded structs", define[struct {
			id
			Audit
			A int `redis:"created"`
		}](), []string{"field A", `"created" is taken by Audit.Created`}},
		{"an embedded pointer may be nil", define[embedsPointer](), []string{"field Audit", "embedded pointer", "embed model_test.Audit itself"}},
		{"two options for one form", define[struct {
			id
			T time.Time `redis:"t,unix,json"`
		}](), []string{"field T", "exclude each other"}},
		{"an option for another type", define[struct {
			id
			S string `redis:"s,unix"`
		}](), []string{"field S", "unix", "time.Time"}},

		{"nothing but what may be absent", define[struct {
			id
			N *string             `redis:"n"`
			O field.Optional[int] `redis:"o"`
		}](), []string{"no field that is never absent", "add one"}},
		{"nothing at all", define[id](), []string{"no field that is never absent"}},
		{"a version counts", define[struct {
			id
			V int32 `redis:"v,version"`
		}](), []string{"field V", "an int64, not int32"}},
		{"a version has no other text", define[struct {
			id
			V int64 `redis:"v,version,json"`
		}](), []string{"field V", "the option version goes with no other, and there is json"}},
		{"one version", define[struct {
			id
			V int64 `redis:"v,version"`
			W int64 `redis:"w,version"`
		}](), []string{"field W", "a second version", "V"}},
		{"an id does not change", define[struct {
			ID int64 `redis:"id,key,version"`
		}](), []string{"field ID", "cannot be the version"}},

		{"an option that takes no value", define[struct {
			id
			V int64 `redis:"v,json=1"`
		}](), []string{"field V", "`redis:\"v,json=1\"`", "json with a value", "write json alone"}},
		{"an enum without its values", define[struct {
			id
			S string `redis:"s,oneof"`
		}](), []string{"field S", "oneof without a value", "write oneof=a b c"}},
		{"an enum with commas", define[struct {
			id
			S string `redis:"s,oneof=a,b"`
		}](), []string{"field S", `unknown option "b"`}},
		{"an enum misspelt", define[struct {
			id
			S string `redis:"s,onof=a b"`
		}](), []string{"field S", "did you mean oneof=a b c?"}},
		{"an enum of floats", define[struct {
			id
			F float64 `redis:"f,oneof=1 2"`
		}](), []string{"field F", "oneof", "does not fit float64", "strings and integers"}},
		{"an enum of what is no integer", define[struct {
			id
			N int8 `redis:"n,oneof=1 300"`
		}](), []string{"field N", "300 is not a value of the type"}},

		{"inline is for structs with tags", define[struct {
			id
			A Address `redis:"address,inline"`
		}](), []string{"field A", "`redis:\"address,inline\"`", "model_test.Address has none", "tag them, or drop the option"}},
		{"inline is for structs", define[struct {
			id
			A int `redis:"address,inline"`
		}](), []string{"field A", "inline is for structs", "drop the option"}},
		{"a pointer that is inline could not be nil", define[struct {
			id
			N string `redis:"n"`
			A *Audit `redis:"audit,inline"`
		}](), []string{"field A", "*model_test.Audit may be absent", "option json", "make it a model_test.Audit"}},
		{"nor could an Optional be unset", define[struct {
			id
			N string                `redis:"n"`
			A field.Optional[Audit] `redis:"audit,inline"`
		}](), []string{"field A", "may be absent", "option json"}},
		{"inline with a text form", define[struct {
			id
			A Audit `redis:"audit,inline,json"`
		}](), []string{"field A", "inline goes with no other", "json", "drop it"}},
		{"inline without a name", define[struct {
			id
			A Audit `redis:",inline"`
		}](), []string{"field A", "no name"}},
		{"a key inside of what is inline", define[struct {
			id
			In struct {
				ID int64 `redis:"id,key"`
			} `redis:"in,inline"`
		}](), []string{"field In.ID", "fields of the record itself", "inline in in", "move it there"}},
		{"names of inline fields are unique too", define[struct {
			id
			A Audit     `redis:"audit,inline"`
			C time.Time `redis:"audit.created"`
		}](), []string{"field C", `"audit.created" is taken by A.Created`}},
		{"also two structs of one name", define[struct {
			id
			A Audit `redis:"audit,inline"`
			B Audit `redis:"audit,inline"`
		}](), []string{"field B.Created", `"audit.created" is taken by A.Created`}},
		{"a rule of what is inline", define[struct {
			id
			In struct {
				N int `redis:"n" validate:"nonsense"`
			} `redis:"in,inline"`
		}](), []string{"field N", `no rule "nonsense"`}},

		{"a default that does not parse", define[struct {
			id
			N int `redis:"n,default=many"`
		}](), []string{"field N", "`redis:\"n,default=many\"`", `the default "many" does not parse`, "want decimal digits", "the last option"}},
		{"an option behind the default is its text", define[struct {
			id
			N int `redis:"n,default=5,omitempty"`
		}](), []string{"field N", `"5,omitempty" does not parse`, "everything behind default= is its text"}},
		{"a default that breaks a rule", define[struct {
			id
			N int `redis:"n,default=5" validate:"max=4"`
		}](), []string{"field N", `"5" breaks a rule`, "n breaks the rule max=4"}},
		{"a default that is none of the enum's", define[struct {
			id
			S string `redis:"s,oneof=a b,default=c"`
		}](), []string{"field S", "does not parse", "want a or b"}},
		{"a default of nothing", define[struct {
			id
			S string `redis:"s,default="`
		}](), []string{"field S", "a default without a text", "drop it"}},
		{"a default that is zero", define[struct {
			id
			N int `redis:"n,default=0"`
		}](), []string{"field N", "is what the field is without one", "drop it"}},
		{"a default and omitempty", define[struct {
			id
			M string `redis:"m"`
			N int    `redis:"n,omitempty,default=5"`
		}](), []string{"field N", "would come back for a zero", "drop one", "pointer"}},
		{"a default of a key", define[struct {
			ID int64 `redis:"id,key,default=5"`
			N  int   `redis:"n"`
		}](), []string{"field ID", "key goes with no other", "default", "drop it"}},
		{"a default of a version", define[struct {
			id
			V int64 `redis:"v,version,default=5"`
		}](), []string{"field V", "version goes with no other", "default"}},
		{"a version that may be absent", define[struct {
			id
			V int64 `redis:"v,version,omitempty"`
		}](), []string{"field V", "version goes with no other", "omitempty"}},

		{"extra is for a map of texts", define[struct {
			id
			N int            `redis:"n"`
			E map[string]int `redis:",extra"`
		}](), []string{"field E", "map[string]string", "not for map[string]int"}},
		{"extra has no name", define[struct {
			id
			N int               `redis:"n"`
			E map[string]string `redis:"more,extra"`
		}](), []string{"field E", "`redis:\"more,extra\"`", "write `redis:\",extra\"`"}},
		{"one field for what is not declared", define[struct {
			id
			N int               `redis:"n"`
			E map[string]string `redis:",extra"`
			F map[string]string `redis:",extra"`
		}](), []string{"field F", "a second field", "E is one already"}},
		{"extra with another option", define[struct {
			id
			N int               `redis:"n"`
			E map[string]string `redis:",extra,json"`
		}](), []string{"field E", "extra goes with no other", "json"}},
		{"extra inside of what is inline", define[struct {
			id
			In struct {
				N int               `redis:"n"`
				E map[string]string `redis:",extra"`
			} `redis:"in,inline"`
		}](), []string{"field In.E", "inline in in", "move it there"}},

		{"a name of old that is in use", define[struct {
			id
			N int `redis:"n"`
			M int `redis:"m,was=n"`
		}](), []string{"field M", "`redis:\"m,was=n\"`", `"n" that it had is taken by N`}},
		{"a name of old that two had", define[struct {
			id
			N int `redis:"n,was=o"`
			M int `redis:"m,was=o"`
		}](), []string{"field M", `"o" that it had is taken by N`}},
		{"a name of old that is the present one", define[struct {
			id
			N int `redis:"n,was=n"`
		}](), []string{"field N", `"n" that it had is taken by N`}},
		{"a name of old without a name", define[struct {
			id
			N int `redis:"n,was="`
		}](), []string{"field N", "was= without a name", "write was=name"}},
		{"a key's name is not stored", define[struct {
			ID int64 `redis:"id,key,was=key"`
			N  int   `redis:"n"`
		}](), []string{"field ID", "key goes with no other", "was"}},
		{"a version keeps its name", define[struct {
			id
			V int64 `redis:"v,version,was=w"`
		}](), []string{"field V", "version goes with no other", "was"}},

		{"ids that cannot be counted", defineWith[Page, string]("p", model.Counter()), []string{"model.Counter", "ids are string", "make them integers"}},
		{"a counter among the records", defineWith[Tagged, int64]("p", keyspace.Template("%s"), model.Counter()), []string{"p#counter", "looks like that of a record", "another prefix"}},
		{"a counter for a keyspace", func() error {
			_, err := keyspace.NewSettings(model.Counter())
			return err
		}, []string{"not to a keyspace"}},

		{"an option that is nil", defineWith[Page, string]("p", nil), []string{"an option is nil"}},
		{"two placements", defineWith[Page, string]("p", keyspace.OneSlot("a"), keyspace.Buckets("b", 2)), []string{"two placements"}},
		{"a time to live of nothing", defineWith[Page, string]("p", keyspace.TTL(0)), []string{"TTL", "milliseconds"}},
		{"a module that is nil", defineWith[Page, string]("p", model.Lua(nil)), []string{"nil", "load it"}},
		{"two modules", defineWith[Page, string]("p", model.Lua(methods("a", "function M.f(self) end")), model.Lua(methods("b", "function M.f(self) end"))),
			[]string{"two Lua modules, a and b", "require"}},
		{"a module for a keyspace", func() error {
			_, err := keyspace.NewSettings(model.Lua((*lua.Mod)(nil)))
			return err
		}, []string{"not to a keyspace"}},
	} {
		t.Run(c.reason, func(t *testing.T) { says(t, "Define", c.define(), c.says...) })
	}
}
