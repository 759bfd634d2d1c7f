package cache

import (
	_ "embed"

	"github.com/redmoon-go/redmoon/lua"
)

//go:embed cache.lua
var source string

var (
	module     = lua.Module("redmoon_cache", lua.Source("cache.lua", source))
	look       = lua.Bind[lookIn, looked](module, "look")
	begin      = lua.Bind[beginIn, begun](module, "begin")
	store      = lua.Bind[storeIn, bool](module, "store")
	fail       = lua.Bind[failIn, struct{}](module, "fail")
	invalidate = lua.Bind[invalidateIn, bool](module, "invalidate")
	advance    = lua.Bind[advanceIn, struct{}](module, "advance")
)

type lookIn struct {
	Entry  string `lua:"entry,key"`
	Region string `lua:"region,key"`
	Func   string `lua:"func,key"`
}

type looked struct {
	Now    int64   `lua:"now"`
	Entry  *string `lua:"entry"`
	Region *string `lua:"region"`
	Func   *string `lua:"func"`
}

type beginIn struct {
	Entry  string `lua:"entry,key"`
	Lease  string `lua:"lease,key"`
	Region string `lua:"region,key"`
	Func   string `lua:"func,key"`
	Token  string `lua:"token"`
	Hold   int64  `lua:"hold"`
	Keep   int64  `lua:"keep"`
	Soft   int64  `lua:"soft"`
	Asked  int64  `lua:"asked"`
	Early  bool   `lua:"early"`
	Urgent bool   `lua:"urgent"`
}

type begun struct {
	State  string  `lua:"state"`
	Now    int64   `lua:"now"`
	Left   int64   `lua:"left"`
	Region string  `lua:"region"`
	Func   string  `lua:"func"`
	Entry  *string `lua:"entry"`
	Why    *string `lua:"why"`
}

type storeIn struct {
	Entry    string `lua:"entry,key"`
	Lease    string `lua:"lease,key"`
	Region   string `lua:"region,key"`
	Func     string `lua:"func,key"`
	Keys     string `lua:"keys,key"`
	Token    string `lua:"token"`
	Kind     string `lua:"kind"`
	InRegion string `lua:"inRegion"`
	InFunc   string `lua:"inFunc"`
	Spent    int64  `lua:"spent"`
	TTL      int64  `lua:"ttl"`
	Keep     int64  `lua:"keep"`
	Body     []byte `lua:"body"`
	Member   string `lua:"member"`
	Listed   bool   `lua:"listed"`
	Channel  string `lua:"channel"`
}

type failIn struct {
	Lease string `lua:"lease,key"`
	Token string `lua:"token"`
	Why   string `lua:"why"`
}

type invalidateIn struct {
	Entry   string `lua:"entry,key"`
	Lease   string `lua:"lease,key"`
	Remove  bool   `lua:"remove"`
	Channel string `lua:"channel"`
}

type advanceIn struct {
	Generation string `lua:"generation,key"`
	Remove     bool   `lua:"remove"`
	Channel    string `lua:"channel"`
}
