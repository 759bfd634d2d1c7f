package pipectx_test

import (
	"math/rand/v2"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redmoon-go/redmoon/internal/redistest"
	"github.com/redmoon-go/redmoon/pipectx"
)

// Slot is the Cluster's own: the CRC16 of the hash tag, or of the whole key.
func TestSlot(t *testing.T) {
	tests := []struct {
		key    string
		slot   int
		reason string
	}{
		{"123456789", 12739, "the check value of CRC-16/XMODEM, 0x31C3"},
		{"foo", 12182, "the specification's friend"},
		{"bar", 5061, ""},
		{"", 0, "no bytes"},
		{"{user1000}.following", pipectx.Slot("user1000"), "only the tag counts"},
		{"{user1000}.followers", pipectx.Slot("user1000"), "only the tag counts"},
		{"a{b}c", pipectx.Slot("b"), "a tag in the middle"},
		{"foo{}{bar}", 8363, "an empty first tag: the whole key"},
		{"foo{{bar}}zap", pipectx.Slot("{bar"), "from the first { to the first } after it"},
		{"foo{bar}{zap}", pipectx.Slot("bar"), "the first tag"},
		{"foo{bar", 15278, "never closed: the whole key"},
		{"foo}bar{", 0, "closed before it opens: the whole key"},
		{"}{x}", pipectx.Slot("x"), "a } before the tag does not count"},
		{"{\x00\xff}k", pipectx.Slot("\x00\xff"), "any bytes"},
	}
	want := map[string]int{"foo}bar{": crc16("foo}bar{") % pipectx.Slots, "foo{}{bar}": crc16("foo{}{bar}") % pipectx.Slots, "foo{bar": crc16("foo{bar") % pipectx.Slots}
	for _, test := range tests {
		if whole, ok := want[test.key]; ok {
			test.slot = whole
		}
		if got := pipectx.Slot(test.key); got != test.slot {
			t.Errorf("Slot(%q) = %d, want %d: %s", test.key, got, test.slot, test.reason)
		}
	}
}

// crc16 is CRC-16/XMODEM bit by bit, as the specification puts it.
func crc16(s string) int {
	crc := 0
	for i := range len(s) {
		crc ^= int(s[i]) << 8
		for range 8 {
			crc <<= 1
			if crc&0x10000 != 0 {
				crc ^= 0x11021
			}
		}
	}
	return crc
}

// For any key Slot says what CLUSTER KEYSLOT says.
func TestSlotAgreesWithTheServer(t *testing.T) {
	client := redistest.Cluster(t).Nodes[0].Client(t)
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "{}{}ab:\x00\xff"
	keys := make([]string, 2000)
	for i := range keys {
		key := make([]byte, random.IntN(12))
		for j := range key {
			key[j] = alphabet[random.IntN(len(alphabet))]
		}
		keys[i] = string(key)
	}
	cmds, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for _, key := range keys {
			p.ClusterKeySlot(t.Context(), key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		if got, want := pipectx.Slot(key), int(cmds[i].(*redis.IntCmd).Val()); got != want {
			t.Errorf("Slot(%q) = %d, CLUSTER KEYSLOT says %d", key, got, want)
		}
	}
}
