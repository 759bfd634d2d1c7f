package model_test

import (
	"github.com/redmoon-go/redmoon/model"
)

// Renamed is a record whose fields had other names, one of them two.
type Renamed struct {
	ID    int64   `redis:"id,key"`
	Name  string  `redis:"name,was=title,was=label,default=none"`
	Nick  *string `redis:"nick,was=alias"`
	Count int64   `redis:"count,was=n" validate:"lte=100"`
	Other string  `redis:"other"`
}

var renamed = model.Define[Renamed, int64]("renamed")
