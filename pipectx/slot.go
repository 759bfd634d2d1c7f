package pipectx

import "strings"

// Slots is how many slots a Cluster has.
const Slots = 16384

// Slot returns the Cluster slot of a key: the CRC16 of its hash tag, the text
// between its first { and the next }, or of the whole key if there is none or
// it is empty. Source: the Redis Cluster specification, "Keys distribution
// model" and appendix A.
func Slot(key string) int {
	if i := strings.IndexByte(key, '{'); i >= 0 {
		if n := strings.IndexByte(key[i+1:], '}'); n > 0 {
			key = key[i+1 : i+1+n]
		}
	}
	crc := uint16(0)
	for i := range len(key) {
		crc = crc<<8 ^ crc16[byte(crc>>8)^key[i]]
	}
	return int(crc % Slots)
}

// crc16 is the table of CRC-16/XMODEM: polynomial 0x1021, no reflection.
var crc16 = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()
