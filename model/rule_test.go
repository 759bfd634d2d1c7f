package model_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redmoon-go/redmoon/field"
)

// A rule that does not exist, cannot hold, or looks at a field there is not, is
// found when the model is defined, not when the first record is saved.
func TestRulesRefused(t *testing.T) {
	for _, c := range []struct {
		reason string
		define func() error
		says   []string
	}{
		{"a rule that does not exist", define[struct {
			id
			S string `redis:"s" validate:"requird"`
		}](), []string{"field S", `no rule "requird"`, "validator/v10"}},
		{"a rule behind one that fails", define[struct {
			id
			S string `redis:"s" validate:"required,maxx=3"`
		}](), []string{"field S", `no rule "maxx=3"`}},
		{"a rule for another type", define[struct {
			id
			B bool `redis:"b" validate:"omitempty,max=3"`
		}](), []string{"field B", "max=3 does not fit bool"}},
		{"a rule for what a pointer points to", define[struct {
			id
			S string `redis:"s"`
			B *bool  `redis:"b" validate:"omitempty,max=3"`
		}](), []string{"field B", "max=3 does not fit bool"}},
		{"a rule for what an Optional holds", define[struct {
			id
			S string               `redis:"s"`
			B field.Optional[bool] `redis:"b" validate:"omitempty,max=3"`
		}](), []string{"field B", "max=3 does not fit bool"}},
		{"a rule for elements", define[struct {
			id
			L []bool `redis:"l" validate:"dive,max=3"`
		}](), []string{"field L", "max=3 does not fit bool"}},
		{"a rule for the keys of a map", define[struct {
			id
			M map[string]int `redis:"m" validate:"dive,keys,urlx,endkeys,gt=3"`
		}](), []string{"field M", `no rule "urlx"`}},
		{"a dive into nothing", define[struct {
			id
			S string `redis:"s" validate:"dive,required"`
		}](), []string{"field S", "dive is for"}},
		{"a bound that is no number", define[struct {
			id
			N int `redis:"n" validate:"gte=low"`
		}](), []string{"field N", "gte=low does not fit int"}},
		{"a rule of the key", define[struct {
			ID   int64  `redis:"id,key" validate:"positive"`
			Name string `redis:"name"`
		}](), []string{"field ID", `no rule "positive"`}},
		{"a rule inside of JSON", define[struct {
			id
			L []struct {
				S string `validate:"mx=3"`
			} `redis:"l"`
		}](), []string{"field S of struct {", `no rule "mx=3"`}},
		{"a rule for texts on a number", define[struct {
			id
			N int `redis:"n" validate:"email"`
		}](), []string{"field N", "`validate:\"email\"`", "email is for texts, and no int keeps it", "drop it"}},
		{"also on a small one", define[struct {
			id
			N uint8 `redis:"n" validate:"omitempty,startswith=a"`
		}](), []string{"field N", "startswith=a is for texts, and no uint8 keeps it"}},
		{"also on a time", define[struct {
			id
			T time.Time `redis:"t" validate:"required,email"`
		}](), []string{"field T", "email is for texts, and no time.Time keeps it"}},
		{"a rule for elements without a dive", define[struct {
			id
			L []string `redis:"l" validate:"email"`
		}](), []string{"field L", "no []string keeps it", "behind dive"}},
		{"a field that is not there", define[struct {
			id
			S string `redis:"s" validate:"eqfield=Nope"`
		}](), []string{"field S", "`validate:\"eqfield=Nope\"`", "names no field", "name it as in Go"}},
		{"required beside a field that is not there", define[struct {
			id
			S string `redis:"s" validate:"required_with=Other Nope"`
			T string `redis:"t" validate:"required_if=S 'a b' Nope x"`
		}](), []string{"field S", "names no field"}},
		{"in pairs too", define[struct {
			id
			S string `redis:"s"`
			T string `redis:"t" validate:"required_if=S 'a b' Nope x"`
		}](), []string{"field T", "names no field"}},
		{"a field of the record, from inside of JSON", define[struct {
			id
			L []struct {
				S string `validate:"eqcsfield=Nope"`
			} `redis:"l"`
		}](), []string{"field S", "names no field"}},
		{"a field of another type", define[struct {
			id
			S string `redis:"s" validate:"eqfield=N"`
			N int    `redis:"n"`
		}](), []string{"field S", "compares string with int", "never alike"}},
		{"bounds without anything between", define[struct {
			id
			N int `redis:"n" validate:"gte=5,lt=5"`
		}](), []string{"field N", "`validate:\"gte=5,lt=5\"`", "no int keeps these rules", "from 5 to 4"}},
		{"bounds outside of the type", define[struct {
			id
			N uint8 `redis:"n" validate:"gte=300"`
		}](), []string{"field N", "no uint8 keeps these rules"}},
	} {
		t.Run(c.reason, func(t *testing.T) { says(t, "Define", c.define(), c.says...) })
	}
}

// A rule that some value keeps is no error, however strange its type.
func TestRulesThatHold(t *testing.T) {
	type Level int8
	ok(t, "Define", define[struct {
		id
		UUID    uuid.UUID         `redis:"uuid" validate:"uuid4"`
		Level   Level             `redis:"level" validate:"required,latitude"`
		Money   uint8             `redis:"money" validate:"iso4217_numeric"`
		Luhn    int64             `redis:"luhn" validate:"luhn_checksum"`
		Port    uint16            `redis:"port" validate:"port"`
		Bool    bool              `redis:"bool" validate:"boolean"`
		Float   float32           `redis:"float" validate:"number,longitude"`
		Wait    time.Duration     `redis:"wait" validate:"min=1s,max=1h"`
		Made    time.Time         `redis:"made" validate:"required,lt"`
		Due     time.Time         `redis:"due" validate:"gtfield=Made"`
		Tags    []string          `redis:"tags" validate:"required,unique,min=1,dive,email"`
		Pair    [2]string         `redis:"pair" validate:"unique"`
		Raw     []byte            `redis:"raw" validate:"json"`
		Map     map[string]string `redis:"map" validate:"required,dive,keys,alpha,endkeys,email"`
		Mail    *string           `redis:"mail" validate:"required_without=Phone,omitempty,email|url"`
		Phone   *string           `redis:"phone" validate:"required_if=Level 3 Bool true,omitempty,e164"`
		Address Home              `redis:"address" validate:"required"`
		Code    any               `redis:"code,json" validate:"email"`
		Age     int               `redis:"age" validate:"omitempty,gte=18,lte=18"`
	}]()())
}
