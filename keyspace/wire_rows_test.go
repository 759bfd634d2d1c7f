package keyspace_test

import (
	"time"

	"github.com/redmoon-go/redmoon/field"
	"github.com/redmoon-go/redmoon/keyspace"
	"github.com/redmoon-go/redmoon/pipectx"
)

var (
	later  = time.UnixMilli(4102444800123)
	minute = keyspace.For(time.Minute)
	until  = keyspace.Until(later)
)

// keyWires are the verbs of all types.
func keyWires(on, day any) []wire {
	return []wire{
		{on, day, "Exists", nil},
		{on, day, "Expire", []any{90 * time.Second}},
		{on, day, "ExpireNX", []any{90 * time.Second}},
		{on, day, "ExpireXX", []any{90 * time.Second}},
		{on, day, "ExpireGT", []any{90 * time.Second}},
		{on, day, "ExpireLT", []any{90 * time.Second}},
		{on, day, "ExpireAt", []any{later}},
		{on, day, "Persist", nil},
		{on, day, "TTL", nil},
		{on, day, "ExpireTime", nil},
		{on, day, "Type", nil},
		{on, day, "Touch", nil},
		{on, day, "Dump", nil},
		{on, day, "Restore", []any{[]byte("dump"), time.Duration(0)}},
		{on, day, "RestoreReplace", []any{[]byte("dump"), time.Minute}},
		{on, day, "ObjectEncoding", nil},
		{on, day, "ObjectIdleTime", nil},
		{on, day, "ObjectFreq", nil},
		{on, day, "ObjectRefCount", nil},
		{on, day, "Copy", []any{int64(7)}},
		{on, day, "CopyReplace", []any{int64(7)}},
		{on, day, "RenameNX", []any{int64(7)}},
		{on, day, "Rename", []any{int64(7)}},
		{on, day, "ExistsMany", []any{int64(7)}},
		{on, day, "TouchMany", []any{int64(7)}},
		{on, day, "UnlinkMany", []any{int64(7)}},
		{on, day, "DelMany", []any{int64(7)}},
		{on, day, "Unlink", nil},
		{on, day, "Del", nil},
	}
}

func stringWires(db *pipectx.DB) []wire {
	names, hits, rates := Names.On(db), Hits.On(db), Rates.On(db)
	dayNames, dayHits, dayRates := DayNames.On(db), DayHits.On(db), DayRates.On(db)
	ada, bob := keyspace.KV[int64, string]{ID: 42, Value: "Ada"}, keyspace.KV[int64, string]{ID: 7, Value: "Bob"}
	both := []keyspace.KV[int64, string]{ada, bob}
	digest := uint64(0xbeef)
	return []wire{
		{names, dayNames, "Get", nil},
		{names, dayNames, "Set", []any{"Ada Lovelace"}},
		{names, dayNames, "Set", []any{"Ada", minute}},
		{names, dayNames, "Set", []any{"Ada", until}},
		{names, dayNames, "Set", []any{"Ada", keyspace.KeepTTL()}},
		{names, dayNames, "Set", []any{"Ada", keyspace.NoTTL()}},
		{names, dayNames, "SetNX", []any{"Ada"}},
		{names, dayNames, "SetXX", []any{"Ada", minute}},
		{names, dayNames, "SetIFEQ", []any{"Ada", "Bob"}},
		{names, dayNames, "SetIFNE", []any{"Ada", "Bob"}},
		{names, dayNames, "SetIFDEQ", []any{"Ada", digest}},
		{names, dayNames, "SetIFDNE", []any{"Ada", digest}},
		{names, dayNames, "GetSet", []any{"Ada"}},
		{names, dayNames, "GetSetNX", []any{"Ada"}},
		{names, dayNames, "GetSetXX", []any{"Ada"}},
		{names, dayNames, "GetSetIFEQ", []any{"Ada", "Bob", minute}},
		{names, dayNames, "GetSetIFNE", []any{"Ada", "Bob"}},
		{names, dayNames, "GetSetIFDEQ", []any{"Ada", digest}},
		{names, dayNames, "GetSetIFDNE", []any{"Ada", digest}},
		{names, dayNames, "GetEx", []any{minute}},
		{names, dayNames, "GetEx", []any{until}},
		{names, dayNames, "GetEx", []any{keyspace.NoTTL()}},
		{names, dayNames, "Digest", nil},
		{names, dayNames, "DelIFEQ", []any{"Bob"}},
		{names, dayNames, "DelIFNE", []any{"Bob"}},
		{names, dayNames, "DelIFDEQ", []any{digest}},
		{names, dayNames, "DelIFDNE", []any{digest}},
		{names, dayNames, "GetDel", nil},
		{hits, dayHits, "Incr", nil},
		{hits, dayHits, "IncrBy", []any{int64(-3)}},
		{hits, dayHits, "Decr", nil},
		{hits, dayHits, "DecrBy", []any{int64(3)}},
		{hits, dayHits, "IncrEX", []any{int64(3), keyspace.Bounds[int64]{}}},
		{hits, dayHits, "IncrEX", []any{int64(3), keyspace.Bounds[int64]{Least: field.Some[int64](0), Greatest: field.Some[int64](9), Saturate: true}, minute}},
		{hits, dayHits, "IncrEX", []any{int64(3), keyspace.Bounds[int64]{}, keyspace.NoTTL()}},
		{hits, dayHits, "IncrEX", []any{int64(3), keyspace.Bounds[int64]{}, keyspace.KeepTTL()}},
		{rates, dayRates, "IncrByFloat", []any{0.5}},
		{rates, dayRates, "IncrEXFloat", []any{0.5, keyspace.Bounds[float64]{Greatest: field.Some(1.5)}}},
		{names, dayNames, "Append", []any{"Ada"}},
		{names, dayNames, "StrLen", nil},
		{names, dayNames, "GetRange", []any{int64(0), int64(-1)}},
		{names, dayNames, "SetRange", []any{int64(4), "Lovelace"}},
		{names, dayNames, "LCS", []any{int64(7)}},
		{names, dayNames, "LCSLen", []any{int64(7)}},
		{names, dayNames, "LCSMatches", []any{int64(7), int64(2)}},
		{names, dayNames, "MGet", []any{int64(7), int64(42)}},
		{names, dayNames, "MSet", []any{ada, bob}},
		{names, names, "MSetNX", []any{ada, bob}},
		{names, dayNames, "MSetEX", []any{both}},
		{names, dayNames, "MSetEXNX", []any{both, minute}},
		{names, dayNames, "MSetEXXX", []any{both, keyspace.KeepTTL()}},
	}
}

// sortWires are the verbs of types that SORT takes; to and dayTo are lists of theirs.
func sortWires(on, day, to, dayTo any) []wire {
	sorting := keyspace.Sorting{Desc: true, Offset: 1, Count: 2}
	by := keyspace.Sorting{By: "w_*->f", Offset: 1}
	return []wire{
		{on, day, "Sort", []any{keyspace.Sorting{}}},
		{on, day, "Sort", []any{by}},
		{on, day, "SortRO", []any{sorting}},
		{on, day, "SortGet", []any{sorting, "#", "n_*"}},
		{on, day, "SortStore", []any{sorting, to}},
		{on, day, "SortStore", []any{sorting, dayTo}},
	}
}

func hashWires(db *pipectx.DB) []wire {
	stock, prices, dayStock, dayPrices := Stock.On(db), Prices.On(db), DayStock.On(db), DayPrices.On(db)
	nuts := map[string]int64{"nut": 7}
	rows := []wire{
		{stock, dayStock, "Get", []any{"nut"}},
		{stock, dayStock, "MGet", []any{"nut", "bolt"}},
		{stock, dayStock, "GetAll", nil},
		{stock, dayStock, "Set", []any{"nut", int64(7)}},
		{stock, dayStock, "SetMany", []any{nuts}},
		{stock, dayStock, "SetNX", []any{"nut", int64(7)}},
		{stock, dayStock, "IncrBy", []any{"nut", int64(-3)}},
		{prices, dayPrices, "IncrByFloat", []any{"nut", 0.5}},
		{stock, dayStock, "HDel", []any{"nut", "bolt"}},
		{stock, dayStock, "HExists", []any{"nut"}},
		{stock, dayStock, "Len", nil},
		{stock, dayStock, "Keys", nil},
		{stock, dayStock, "Vals", nil},
		{stock, dayStock, "StrLen", []any{"nut"}},
		{stock, dayStock, "RandField", nil},
		{stock, dayStock, "RandFieldN", []any{int64(-2)}},
		{stock, dayStock, "RandFieldNWithValues", []any{int64(2)}},
		{stock, dayStock, "Scan", []any{uint64(0), "n*", int64(10)}},
		{stock, dayStock, "ScanFields", []any{uint64(0), "", int64(0)}},
		{stock, dayStock, "GetDel", []any{"nut", "bolt"}},
		{stock, dayStock, "GetEx", []any{minute, "nut", "bolt"}},
		{stock, dayStock, "GetEx", []any{keyspace.NoTTL(), "nut"}},
		{stock, dayStock, "SetEx", []any{minute, nuts}},
		{stock, dayStock, "SetEx", []any{keyspace.KeepTTL(), nuts}},
		{stock, dayStock, "SetExFNX", []any{until, nuts}},
		{stock, dayStock, "SetExFXX", []any{minute, nuts}},
		{stock, dayStock, "HPersist", []any{"nut", "bolt"}},
		{stock, dayStock, "HTTL", []any{"nut", "bolt"}},
		{stock, dayStock, "HExpireTime", []any{"nut"}},
	}
	for _, condition := range []string{"", "NX", "XX", "GT", "LT"} {
		rows = append(rows,
			wire{stock, dayStock, "HExpire" + condition, []any{time.Minute, "nut", "bolt"}},
			wire{stock, dayStock, "HExpireAt" + condition, []any{later, "nut", "bolt"}})
	}
	return rows
}

func bitmapWires(db *pipectx.DB) []wire {
	seen, daySeen := Seen.On(db), DaySeen.On(db)
	rows := []wire{
		{seen, daySeen, "SetBit", []any{int64(9), true}},
		{seen, daySeen, "GetBit", []any{int64(9)}},
		{seen, daySeen, "BitCount", nil},
		{seen, daySeen, "BitCountBytes", []any{int64(0), int64(-1)}},
		{seen, daySeen, "BitCountBits", []any{int64(1), int64(9)}},
		{seen, daySeen, "BitPos", []any{true}},
		{seen, daySeen, "BitPosBytes", []any{false, int64(0), int64(-1)}},
		{seen, daySeen, "BitPosBits", []any{true, int64(1), int64(9)}},
		{seen, daySeen, "BitField", []any{keyspace.Unsigned(4).Get(0), keyspace.Signed(8).Set(4, -1), keyspace.Unsigned(4).IncrBy(0, 1),
			keyspace.Unsigned(4).IncrBySat(0, 1), keyspace.Unsigned(4).IncrBySat(4, 1), keyspace.Unsigned(4).IncrByWrap(0, 1)}},
		{seen, daySeen, "BitFieldRO", []any{keyspace.Unsigned(4).Get(0)}},
		{seen, daySeen, "BitOpNot", []any{int64(7)}},
	}
	for _, op := range []string{"And", "Or", "Xor", "Diff", "Diff1", "AndOr", "One"} {
		rows = append(rows, wire{seen, daySeen, "BitOp" + op, []any{int64(7), int64(8)}})
	}
	return rows
}

func hyperloglogWires(db *pipectx.DB) []wire {
	callers, dayCallers := Callers.On(db), DayCallers.On(db)
	return []wire{
		{callers, dayCallers, "Add", []any{"Ada", "Bob"}},
		{callers, dayCallers, "Count", nil},
		{callers, dayCallers, "CountMany", []any{int64(7)}},
		{callers, dayCallers, "Merge", []any{int64(7), int64(8)}},
	}
}

func shardedWires(db *pipectx.DB) []wire {
	codes, points, shares := Codes.On(db), Points.On(db), Shares.On(db)
	return []wire{
		{codes, codes, "Get", nil},
		{codes, codes, "Set", []any{"Ada"}},
		{codes, codes, "SetNX", []any{"Ada"}},
		{codes, codes, "StrLen", nil},
		{points, points, "IncrBy", []any{int64(3)}},
		{shares, shares, "IncrByFloat", []any{0.5}},
		{codes, codes, "MGet", []any{int64(7), int64(42), int64(58)}},
		{codes, codes, "DelMany", []any{int64(7), int64(42), int64(58)}},
		{codes, codes, "Len", nil},
	}
}
