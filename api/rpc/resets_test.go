package rpc

import (
	"bytes"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// TestResetsAreCounted sends the bytes of a client in pieces of every size: only resets beyond the budget end it.
func TestResetsAreCounted(t *testing.T) {
	var sent bytes.Buffer
	sent.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&sent, nil)
	for i := range 300 {
		id := uint32(2*i + 1)
		if err := framer.WriteData(id, false, bytes.Repeat([]byte{3}, i)); err != nil { // a type of reset in the data is none
			t.Fatal(err)
		}
		if err := framer.WriteRSTStream(id, http2.ErrCodeCancel); err != nil {
			t.Fatal(err)
		}
	}
	for size := 1; size < 40; size++ {
		for _, budget := range []float64{300, 10} {
			c := newResetConn(nil, len(http2.ClientPreface), budget)
			within := true
			for piece := range pieces(sent.Bytes(), size) {
				within = within && c.walker.Walk(piece)
			}
			// The budget comes back while this runs, by far less than what is too much.
			if want := budget == 300; within != want {
				t.Errorf("pieces of %d, budget %v: %v, want %v", size, budget, within, want)
			}
		}
	}
	c := newResetConn(nil, 0, 1)
	now := time.Unix(1, 0)
	if !c.reset(now) || c.reset(now) || !c.reset(now.Add(time.Second)) {
		t.Error("the budget does not come back with time")
	}
}

func pieces(all []byte, size int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for len(all) > 0 {
			n := min(size, len(all))
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}
