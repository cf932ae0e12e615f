// Package requestid makes and checks the ids by which one request is told from another in answers and logs
// (X-Request-Id). They guard nothing.
package requestid

import (
	"encoding/hex"
	"math/rand/v2"
)

// BytesMax is the length of the longest id that is taken from a caller.
const BytesMax = 128

// Usable reports whether a caller's id can be echoed and logged as it is: printable ASCII, not empty and not
// too long.
func Usable(id string) bool {
	if id == "" || len(id) > BytesMax {
		return false
	}
	for i := range len(id) {
		if id[i] < ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

// New makes a random UUID (version 4), of the runtime's fast source: a secure one costs as much as a whole
// quote.
func New() string {
	var random [16]byte
	for i, word := 0, uint64(0); i < len(random); i++ {
		if i%8 == 0 {
			word = rand.Uint64()
		}
		random[i], word = byte(word), word>>8
	}
	random[6] = random[6]&0x0F | 0x40 // version 4
	random[8] = random[8]&0x3F | 0x80 // variant 1
	var text [36]byte
	hex.Encode(text[0:8], random[0:4])
	hex.Encode(text[9:13], random[4:6])
	hex.Encode(text[14:18], random[6:8])
	hex.Encode(text[19:23], random[8:10])
	hex.Encode(text[24:36], random[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
